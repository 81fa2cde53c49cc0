"""tf.IndexedSlices and tf.SparseTensor: values of several tensors."""

import collections
import warnings

import numpy as np

from ferroflow._src.framework import dtypes, operators
from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.convert import convert_to_tensor, register_tensor_conversion_function, to_tensor
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.tensor_like import TensorLike
from ferroflow._src.framework.tensor_shape import TensorShape, as_shape
from ferroflow._src.framework.tensor_util import constant_value_as_shape


class IndexedSlices(TensorLike):
    """Some rows of a larger tensor: row `indices[i]` is `values[i]`. Gradients of gathers come so."""

    def __init__(self, values, indices, dense_shape=None):
        """Creates slices.

        Args:
          values: a `Tensor` [n, ...].
          indices: int32 or int64 [n].
          dense_shape: the shape of the larger tensor as a vector, or None.
        """
        self._values = values
        self._indices = indices
        self._dense_shape = dense_shape

    @property
    def values(self):
        return self._values

    @property
    def indices(self):
        return self._indices

    @property
    def dense_shape(self):
        return self._dense_shape

    @property
    def name(self):
        return self.values.name

    @property
    def device(self):
        return self.values.device

    @property
    def op(self):
        return self.values.op

    @property
    def dtype(self):
        return self.values.dtype

    @property
    def graph(self):
        return self._values.graph

    @property
    def shape(self):
        """The shape of the larger tensor, as far as it is known."""
        if self._dense_shape is None:
            return TensorShape(None)
        return _constant_shape(self._dense_shape)

    def get_shape(self):
        return self.shape

    def consumers(self):
        return _consumers(self._to_components())

    def _to_components(self):
        return [self._values, self._indices] + ([] if self._dense_shape is None else [self._dense_shape])

    def _from_components(self, parts):
        return IndexedSlices(*parts)

    def __str__(self):
        shape = "" if self._dense_shape is None else f", dense_shape={self._dense_shape}"
        return f"IndexedSlices(indices={self._indices}, values={self._values}{shape})"

    def __neg__(self):
        return IndexedSlices(-self.values, self.indices, self.dense_shape)


IndexedSlicesValue = collections.namedtuple("IndexedSlicesValue", ["values", "indices", "dense_shape"])
SparseTensorValue = collections.namedtuple("SparseTensorValue", ["indices", "values", "dense_shape"])


class SparseTensor(TensorLike):
    """A tensor of few values: `values[i]` lies at `indices[i]`, and the rest is zero."""

    def __init__(self, indices, values, dense_shape):
        """Creates a sparse tensor.

        Args:
          indices: int64 [n, rank], in row-major order.
          values: [n].
          dense_shape: int64 [rank].
        """
        with name_scope(None, "SparseTensor", [indices, values, dense_shape]):
            self._indices = to_tensor(indices, dtypes.int64, "indices")
            self._values = convert_to_tensor(values, name="values")
            self._dense_shape = to_tensor(dense_shape, dtypes.int64, "dense_shape")
        rows = self._indices.shape.with_rank(2)
        count = self._values.shape.with_rank(1)
        rank = self._dense_shape.shape.with_rank(1)
        rows.dims[0].assert_is_compatible_with(count.dims[0])
        rows.dims[1].assert_is_compatible_with(rank.dims[0])

    @classmethod
    def from_value(cls, sparse_tensor_value):
        """Returns a `SparseTensor` of a `SparseTensorValue`, or the sparse tensor that is given.

        Raises:
          TypeError: for anything else.
        """
        if not is_sparse(sparse_tensor_value):
            raise TypeError(f"Neither a SparseTensor nor SparseTensorValue: {sparse_tensor_value}.")
        return SparseTensor(*_parts(sparse_tensor_value))

    @property
    def indices(self):
        return self._indices

    @property
    def values(self):
        return self._values

    @property
    def dense_shape(self):
        return self._dense_shape

    @property
    def op(self):
        return self._values.op

    @property
    def dtype(self):
        return self._values.dtype

    @property
    def graph(self):
        return self._indices.graph

    @property
    def shape(self):
        """The shape as a whole, as far as it is known."""
        return _constant_shape(self._dense_shape)

    def get_shape(self):
        return self.shape

    def consumers(self):
        return _consumers(self._to_components())

    def with_values(self, new_values):
        """Returns a sparse tensor with other values at the same places."""
        return SparseTensor(self._indices, new_values, self._dense_shape)

    def eval(self, feed_dict=None, session=None):
        """Returns a `SparseTensorValue`; see `Tensor.eval`."""
        from ferroflow._src.framework import stacks

        session = stacks.session_for(
            self.graph,
            session,
            "evaluate tensor using `eval()`",
            "`with sess.as_default()` or pass an explicit session to `eval(session=sess)`",
        )
        return SparseTensorValue(*session.run([self._indices, self._values, self._dense_shape], feed_dict))

    def _to_components(self):
        return [self._indices, self._values, self._dense_shape]

    def _from_components(self, parts):
        return SparseTensor(*parts)

    def __str__(self):
        return f"SparseTensor(indices={self._indices}, values={self._values}, dense_shape={self._dense_shape})"

    @classmethod
    def _override_operator(cls, operator, func):
        setattr(cls, operator, func)


def _with_dense(scope, make):
    def method(sparse, y):
        with name_scope(None, scope, [sparse, y]) as name:
            y = to_tensor(y, sparse.dtype.base_dtype, "y")
            values = make(sparse.indices, sparse.values, sparse.dense_shape, y, name)
            return SparseTensor(sparse.indices, values, sparse.dense_shape)

    return method


def _sparse_mul(indices, values, shape, y, name):
    return apply_op("SparseDenseCwiseMul", indices, values, shape, y, name=name)


def _sparse_div(indices, values, shape, y, name):
    return apply_op("SparseDenseCwiseDiv", indices, values, shape, y, name=name)


def _sparse_truediv(indices, values, shape, y, name):
    with name_scope(name, "truediv", [indices, values, shape, y]) as name:
        wanted = operators._TRUEDIV_TYPES[operators._same_types(values, y)]
        if wanted is not None:
            values, y = operators.cast(values, wanted), operators.cast(y, wanted)
        return apply_op("SparseDenseCwiseDiv", indices, values, shape, y, name=name)


SparseTensor.__mul__ = _with_dense("mul", _sparse_mul)
SparseTensor.__div__ = _with_dense("div", _sparse_div)
SparseTensor.__truediv__ = _with_dense("truediv", _sparse_truediv)


def is_sparse(x):
    """Whether `x` is a `SparseTensor` or a `SparseTensorValue`."""
    return isinstance(x, (SparseTensor, SparseTensorValue))


def _parts(sparse):
    return sparse.indices, sparse.values, sparse.dense_shape


def convert_to_tensor_or_sparse_tensor(value, dtype=None, name=None):
    """Returns `value` as a `SparseTensor` when it is sparse, else as a `Tensor`.

    Raises:
      RuntimeError: when it is sparse and of another type.
    """
    if dtype is not None:
        dtype = dtypes.as_dtype(dtype)
    if isinstance(value, SparseTensorValue):
        value = SparseTensor.from_value(value)
    if isinstance(value, SparseTensor):
        if dtype is not None and not dtype.is_compatible_with(value.dtype):
            raise RuntimeError(f"Sparse dtype: requested = {dtype.name}, actual = {value.dtype.name}")
        return value
    return to_tensor(value, dtype, name)


def convert_n_to_tensor_or_sparse_tensor(values, dtype=None, name=None):
    """`convert_to_tensor_or_sparse_tensor` of each value.

    Raises:
      TypeError: when `values` is no list.
    """
    if not isinstance(values, (list, tuple)):
        raise TypeError("values must be a list")
    return [
        convert_to_tensor_or_sparse_tensor(value, dtype, None if name is None else f"{name}_{i}")
        for i, value in enumerate(values)
    ]


def _constant_shape(dense_shape):
    if isinstance(dense_shape, TensorLike):
        return constant_value_as_shape(dense_shape)
    return as_shape(np.asarray(dense_shape).tolist())


def _consumers(tensors):
    found = []
    for tensor in tensors:
        found += [op for op in tensor.consumers() if op not in found]
    return found


_LARGE = 100_000_000


def _convert_slices(value, dtype=None, name=None, as_ref=False):
    """A dense tensor of slices: what is not named is zero, and rows named twice add up."""
    if dtype is not None and not dtype.is_compatible_with(value.dtype):
        raise ValueError(
            f"Tensor conversion requested dtype {dtype.name} for IndexedSlices with dtype {value.dtype.name}"
        )
    if value.dense_shape is None:
        raise ValueError(f"Tensor conversion requested for IndexedSlices without dense_shape: {value!s}")
    elements = value.shape.num_elements()
    if elements is not None and elements >= _LARGE:
        warnings.warn(
            f"Converting sparse IndexedSlices to a dense Tensor with {elements} elements. This may consume a large "
            "amount of memory.",
            stacklevel=2,
        )
    elif elements is None:
        warnings.warn(
            "Converting sparse IndexedSlices to a dense Tensor of unknown shape. This may consume a large amount of "
            "memory.",
            stacklevel=2,
        )
    return apply_op(
        "UnsortedSegmentSum",
        value.values,
        value.indices,
        value.dense_shape[0],
        name=name,
    )


register_tensor_conversion_function(IndexedSlices, _convert_slices)
