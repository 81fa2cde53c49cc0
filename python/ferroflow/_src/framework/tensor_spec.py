"""tf.TensorSpec: the type and shape of a tensor that is not there yet."""

from ferroflow._src.framework import dtypes
from ferroflow._src.framework.placeholders import placeholder
from ferroflow._src.framework.tensor_shape import TensorShape


class TypeSpec:
    """Base of descriptions of values."""


class TensorSpec(TypeSpec):
    """A shape, a type and a name."""

    __slots__ = ("_dtype", "_name", "_shape")

    def __init__(self, shape, dtype=dtypes.float32, name=None):
        """Creates the description."""
        self._shape = TensorShape(shape)
        self._dtype = dtypes.as_dtype(dtype)
        self._name = name

    @classmethod
    def from_spec(cls, spec, name=None):
        """Returns a `TensorSpec` like another one."""
        return cls(spec.shape, spec.dtype, name or spec.name)

    @classmethod
    def from_tensor(cls, tensor, name=None):
        """Returns the `TensorSpec` of a tensor."""
        return cls(tensor.shape, tensor.dtype, name or tensor.op.name)

    @property
    def shape(self):
        return self._shape

    @property
    def dtype(self):
        return self._dtype

    @property
    def name(self):
        return self._name

    @property
    def value_type(self):
        from ferroflow._src.framework.tensor import Tensor

        return Tensor

    def is_compatible_with(self, spec_or_tensor):
        """Whether a tensor (or its description) has this type, and a shape that can be this one."""
        return self._dtype.is_compatible_with(spec_or_tensor.dtype) and self._shape.is_compatible_with(
            spec_or_tensor.shape
        )

    def _to_placeholder(self, name=None):
        return placeholder(self._dtype, self._shape, name or self._name)

    def __eq__(self, other):
        return isinstance(other, TensorSpec) and (self._shape._sizes, self._dtype, self._name) == (
            other._shape._sizes,
            other._dtype,
            other._name,
        )

    def __hash__(self):
        return hash((self._shape._sizes, self._dtype))

    def __repr__(self):
        return f"TensorSpec(shape={self._shape}, dtype={self._dtype!r}, name={self._name!r})"

    def __reduce__(self):
        return TensorSpec, (self._shape, self._dtype, self._name)
