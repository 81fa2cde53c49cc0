"""What counts as a tensor, for modules below `tensor`."""


class GraphElement:
    """Base of what lies in a graph and has a property `graph`: Operation, and all that is like a tensor."""

    __slots__ = ()


class TensorLike(GraphElement):
    """Base of all that stands for one or more tensors: Tensor, SparseTensor, IndexedSlices."""

    __slots__ = ()


class TensorBase(TensorLike):
    """Base of `Tensor` alone."""

    __slots__ = ()


class ResourceVariableBase:
    """Base of `BaseResourceVariable` alone."""

    __slots__ = ()


_dense_types: tuple[type, ...] = ()


def register_dense_tensor_like_type(tensor_type):
    """Says that objects of this type (variables) behave as a dense tensor.

    Raises:
      TypeError: when the type has no properties `name` and `dtype`.
    """
    global _dense_types
    for attribute in ("name", "dtype"):
        if not isinstance(getattr(tensor_type, attribute, None), property):
            raise TypeError(f"Type {tensor_type.__name__} does not define a `{attribute}` property")
    _dense_types = (*_dense_types, tensor_type)


def is_dense_tensor_like(value):
    """Whether `value` is a tensor, or of a type registered as like one."""
    return isinstance(value, (TensorBase, *_dense_types))


def is_tensor(x):
    """Whether `x` is a tensor, sparse tensor, indexed slices, variable, or says that it is like a tensor."""
    return isinstance(x, (TensorLike, *_dense_types)) or bool(getattr(x, "is_tensor_like", False))
