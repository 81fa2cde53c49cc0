"""tf.Tensor: an output of an operation, made on demand; its facts are asked of the core."""

import builtins

from ferroflow._src.framework import dtypes, operators, stacks
from ferroflow._src.framework.errors import OperatorNotAllowedInGraphError
from ferroflow._src.framework.slicing import getitem
from ferroflow._src.framework.tensor_like import TensorBase
from ferroflow._src.framework.tensor_shape import TensorShape, as_shape


class Tensor(TensorBase):
    """A symbolic handle to one output of an operation. It has a value only in a run."""

    OVERLOADABLE_OPERATORS = operators.OVERLOADABLE
    __array_priority__ = 100

    def __init__(self, op, value_index, dtype):
        """Creates a handle to output `value_index` of `op`; programs get tensors from ops.

        Raises:
          TypeError: when `op` is no operation.
        """
        if not hasattr(op, "_node"):
            raise TypeError(f"op needs to be an Operation: {op}")
        self._graph = op.graph
        self._endpoint = op._node << 16 | value_index

    @classmethod
    def _of(cls, graph, endpoint):
        tensor = object.__new__(cls)
        tensor._graph = graph
        tensor._endpoint = endpoint
        return tensor

    @property
    def graph(self):
        """The `Graph` that the tensor lies in."""
        return self._graph

    @property
    def op(self):
        """The `Operation` whose output the tensor is."""
        return self._graph._operation(self._endpoint >> 16)

    @property
    def value_index(self):
        """Which output of its operation."""
        return self._endpoint & 0xFFFF

    @property
    def dtype(self):
        """The `DType` of its elements."""
        found = self.__dict__.get("_dtype")
        if found is None:
            found = self._dtype = dtypes._INTERNED[self._graph._core.dtype(self._endpoint)]
        return found

    @property
    def name(self):
        """The operation's name, a colon and the output's number."""
        found = self.__dict__.get("_name")
        if found is None:
            endpoint = self._endpoint
            found = self._name = f"{self._graph._core.name(endpoint >> 16)}:{endpoint & 0xFFFF}"
        return found

    @property
    def device(self):
        """The device that the operation is to run on, as text."""
        return self._graph._core.device(self._endpoint >> 16)

    @property
    def shape(self):
        """The `TensorShape`, as far as it is known while the graph is built."""
        return TensorShape._of(self._graph._core.shape(self._endpoint), self)

    def get_shape(self):
        """Returns `shape`."""
        return TensorShape._of(self._graph._core.shape(self._endpoint), self)

    def set_shape(self, shape):
        """Adds to what is known of the shape.

        Raises:
          ValueError: when it contradicts what is known.
        """
        self._graph._core.set_shape(self._endpoint, as_shape(shape)._for_core())

    @property
    def _shape(self):
        return self.shape

    def _shape_as_list(self):
        shape = self.shape
        return None if shape.ndims is None else shape.as_list()

    def _shape_tuple(self):
        sizes = self._shape_as_list()
        return None if sizes is None else tuple(sizes)

    def _rank(self):
        return self.shape.rank

    @property
    def _id(self):
        return self._endpoint

    @property
    def _handle_data(self):
        return self._graph._core.handle_data(self._endpoint)

    def consumers(self):
        """Returns the operations that take the tensor."""
        graph = self._graph
        return [graph._operation(node) for node in graph._core.consumers(self._endpoint)]

    def eval(self, feed_dict=None, session=None):
        """Runs what is needed for the tensor and returns its value.

        Args:
          feed_dict: values for placeholders and others.
          session: a `Session`; None for the default one.

        Raises:
          ValueError: without a session.
        """
        session = stacks.session_for(
            self._graph,
            session,
            "evaluate tensor using `eval()`",
            "`with sess.as_default()` or pass an explicit session to `eval(session=sess)`",
        )
        return session.run(self, feed_dict)

    def experimental_ref(self):
        """Returns a key for sets and dicts."""
        return _Key(self)

    def _as_node_def_input(self):
        return self.op.name if self.value_index == 0 else self.name

    def __str__(self):
        shape = self.shape
        known = "" if shape.ndims is None else f", shape={shape}"
        device = f", device={self.device}" if self.device else ""
        return f'Tensor("{self.name}"{known}, dtype={self.dtype.name}{device})'

    def __repr__(self):
        return f"<tf.Tensor '{self.name}' shape={self.shape} dtype={self.dtype.name}>"

    def __hash__(self):
        return builtins.id(self)

    def __eq__(self, other):
        return self is other

    def __ne__(self, other):
        return self is not other

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self

    def __len__(self):
        raise TypeError(
            f"len is not well defined for symbolic Tensors. ({self.name}) Please call `x.shape` rather than `len(x)` "
            "for shape information."
        )

    def __bool__(self):
        raise OperatorNotAllowedInGraphError(
            "using a `tf.Tensor` as a Python `bool` is not allowed in Graph execution. Use Eager execution or "
            "decorate this function with @tf.function."
        )

    def __iter__(self):
        raise OperatorNotAllowedInGraphError(
            "iterating over `tf.Tensor` is not allowed in Graph execution. Use Eager execution or decorate this "
            "function with @tf.function."
        )
        yield  # a generator, as in TensorFlow: what only asks for an iterator gets one

    def __array__(self, *args, **kwargs):
        raise NotImplementedError(f"Cannot convert a symbolic Tensor ({self.name}) to a numpy array.")

    __getitem__ = getitem

    @classmethod
    def _override_operator(cls, operator, func):
        """Gives all tensors an operator, as extensions do.

        Raises:
          ValueError: for one that cannot be overridden.
        """
        if operator not in cls.OVERLOADABLE_OPERATORS:
            raise ValueError(f"Overriding {operator} is disallowed")
        setattr(cls, operator, func)


class _Key:
    """A tensor as a key: equal when it is the same tensor."""

    __slots__ = ("_tensor",)

    def __init__(self, tensor):
        self._tensor = tensor

    def deref(self):
        return self._tensor

    def __eq__(self, other):
        return isinstance(other, _Key) and self._tensor is other._tensor

    def __hash__(self):
        return builtins.id(self._tensor)


operators.override_operators(Tensor)
