"""tf.py_function: a Python function of tensors that have values, with a gradient.

There is no eager mode here. The function gets tensors of a graph that is made for one call; their values are computed
when somebody asks for them: by `numpy()`, by a condition, by what the function returns. Its gradient calls it once more.
"""

import itertools

import numpy as np

from ferroflow import _core
from ferroflow._src.framework import dtypes, stacks
from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.constant import constant
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.gradient_registry import RegisterGradient
from ferroflow._src.framework.gradients import gradients
from ferroflow._src.framework.graph import Graph
from ferroflow._src.framework.session import Session
from ferroflow._src.framework.tensor import Tensor

_numbers = itertools.count()


class EagerTensor(Tensor):
    """A tensor of the graph of one call: it has a value."""

    def numpy(self):
        """Returns the value: an array, or a number for a scalar."""
        return self._graph.value_of(self)

    def __array__(self, *args, **kwargs):
        return np.asarray(self.numpy(), *args, **kwargs)

    def __bool__(self):
        return bool(self.numpy())

    def __int__(self):
        return int(self.numpy())

    def __float__(self):
        return float(self.numpy())

    def __index__(self):
        return self.numpy().__index__()

    def __len__(self):
        if not self.shape.ndims:
            raise TypeError("Scalar tensor has no `len()`")
        return len(self.numpy())

    def __iter__(self):
        if not self.shape.ndims:
            raise TypeError("Cannot iterate over a scalar tensor.")
        return iter([self[i] for i in range(len(self))])

    def __hash__(self):
        return id(self)

    def __str__(self):
        return f"tf.Tensor({self.numpy()!s}, shape={self.shape}, dtype={self.dtype.name})"

    def __repr__(self):
        return f"<tf.Tensor: shape={self.shape}, dtype={self.dtype.name}, numpy={self.numpy()!r}>"


class _CallGraph(Graph):
    """The graph of one call."""

    def __init__(self):
        super().__init__()
        self._session = None

    def _tensor(self, endpoint):
        found = self._tensors.get(endpoint)
        if found is None:
            found = self._tensors[endpoint] = EagerTensor._of(self, endpoint)
        return found

    def value_of(self, fetches):
        """Returns the values of tensors."""
        if self._session is None:
            self._session = Session(graph=self)
        return self._session.run(fetches)

    def close(self):
        """Ends its session."""
        if self._session is not None:
            self._session.close()


class _Function:
    """A function, the types of what it takes and gives, and how a run calls it."""

    def __init__(self, function, given, wanted):
        self.function = function
        self.given = given
        self.wanted = wanted

    def _made(self, arrays):
        """The tensors of the arguments, and those of the results."""
        given = [constant(array, dtype=dtype) for array, dtype in zip(arrays, self.given, strict=True)]
        made = self.function(*given)
        made = [] if made is None else made
        made = list(made) if isinstance(made, (list, tuple)) else [made]
        wanted = self.wanted if len(self.wanted) == len(made) else [None] * len(made)
        return given, [convert_to_tensor(value, dtype) for value, dtype in zip(made, wanted, strict=True)]

    def call(self, *arrays):
        """What a run calls."""
        graph = _CallGraph()
        with graph.as_default():
            try:
                return graph.value_of(self._made(arrays)[1])
            finally:
                graph.close()

    def call_gradient(self, *arrays):
        """What a run of the gradient calls: with the arguments, and the gradients of the results."""
        count = len(self.given)
        graph = _CallGraph()
        with graph.as_default():
            try:
                given, made = self._made(arrays[:count])
                outer = [constant(array, dtype=tensor.dtype) for array, tensor in zip(arrays[count:], made, strict=True)]
                wanted = [tensor for tensor in given if tensor.dtype.is_floating]
                found = gradients(made, wanted, grad_ys=outer)
                zeros = [np.zeros(tensor.shape.as_list(), tensor.dtype.as_numpy_dtype) for tensor in wanted]
                return graph.value_of([z if g is None else convert_to_tensor(g) for z, g in _pairs(zeros, found)])
            finally:
                graph.close()

    def gradient(self, op, *outer):
        """Makes the operation of the gradient: `None` for an argument that is no float."""
        outer = [_zeros_like(t) if g is None else g for t, g in zip(op.outputs, outer, strict=True)]
        floats = [tensor.dtype for tensor in op.inputs if tensor.dtype.is_floating]
        made = iter(_operation(self.call_gradient, [*op.inputs, *outer], floats, "EagerPyFunc"))
        return [next(made) if tensor.dtype.is_floating else None for tensor in op.inputs]


def _zeros_like(tensor):
    """Returns zeros like a tensor."""
    return apply_op("ZerosLike", tensor)


def _pairs(zeros, found):
    return [(constant(z), g) for z, g in zip(zeros, found, strict=True)]


def _operation(function, inputs, kinds, name):
    token = _core.register_py_func(function, stacks.get_default_graph()._core)
    return apply_op("PyFunc", inputs, token=token, Tout=kinds, name=name)


def py_function(func, inp, Tout, name=None):
    """Calls `func` with tensors that have values, in each run.

    Inside, operations work as ever, and `x.numpy()` gives the value of a tensor, which can also be a condition.

    Args:
      func: called with a tensor for each input; returns tensors or arrays, or one, or None.
      inp: a list of tensors.
      Tout: the type of each result, as a list; or one type.
      name: the operation's name.

    Returns:
      A list of tensors, or one; the `Operation` when `Tout` is empty.

    Raises:
      ValueError: when `func` cannot be called.
    """
    if not callable(func):
        raise ValueError(f"Expected func to be callable, got func of type {type(func)}")
    is_list = isinstance(Tout, (list, tuple))
    kinds = [dtypes.as_dtype(kind) for kind in (Tout if is_list else [Tout])]
    inputs = [convert_to_tensor(value) for value in inp]
    made = _Function(func, [tensor.dtype.base_dtype for tensor in inputs], kinds)
    gradient_name = f"EagerPyFunc-{next(_numbers)}"
    RegisterGradient(gradient_name)(made.gradient)
    with stacks.get_default_graph().gradient_override_map({"PyFunc": gradient_name}):
        result = _operation(made.call, inputs, kinds, name or "EagerPyFunc")
    return result if is_list else result[0]
