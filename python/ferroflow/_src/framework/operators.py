"""What Python's operators on tensors make: `x + y`, `-x`, `x < y`, `a @ b`."""

from ferroflow._src.framework import dtypes
from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.convert import convert_to_tensor, to_tensor
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.tensor_like import ResourceVariableBase, TensorBase, TensorLike

# Integers become floats wide enough for them.
_TRUEDIV_TYPES = {
    dtypes.uint8: dtypes.float32,
    dtypes.int8: dtypes.float32,
    dtypes.uint16: dtypes.float32,
    dtypes.int16: dtypes.float32,
    dtypes.int32: dtypes.float64,
    dtypes.int64: dtypes.float64,
    dtypes.bfloat16: None,
    dtypes.float16: None,
    dtypes.float32: None,
    dtypes.float64: None,
    dtypes.complex64: None,
    dtypes.complex128: None,
}


def _is_sparse(value):
    return isinstance(value, TensorLike) and hasattr(value, "dense_shape") and hasattr(value, "_to_components")


def cast(x, dtype, name=None):
    """Returns `x` as `dtype`: `x` itself when it is of that type already."""
    dtype = dtypes.as_dtype(dtype).base_dtype
    if isinstance(x, (TensorBase, ResourceVariableBase)) and x.dtype == dtype:
        return x
    with name_scope(name, "Cast", [x]) as name:
        x = convert_to_tensor(x, name="x")
        return x if x.dtype.base_dtype is dtype else apply_op("Cast", x, DstT=dtype, name=name)


def add(x, y, name=None):
    """`x + y`; strings are joined."""
    return apply_op("Add" if x.dtype.base_dtype is dtypes.string else "AddV2", x, y, name=name)


def subtract(x, y, name=None):
    return apply_op("Sub", x, y, name=name)


def multiply(x, y, name=None):
    """`x * y`; a sparse `y` stays sparse."""
    if _is_sparse(y):
        values = apply_op("SparseDenseCwiseMul", y.indices, y.values, y.dense_shape, x, name=name)
        return type(y)(y.indices, values, y.dense_shape)
    return apply_op("Mul", x, y, name=name)


def _same_types(x, y):
    x_type, y_type = x.dtype.base_dtype, y.dtype.base_dtype
    if x_type is not y_type:
        raise TypeError(f"x and y must have the same dtype, got {x_type!r} != {y_type!r}")
    return x_type


def truediv(x, y, name=None):
    """Python 3's `x / y`: integers become floats."""
    with name_scope(name, "truediv", [x, y]) as name:
        x = convert_to_tensor(x, name="x")
        y = convert_to_tensor(y, name="y")
        x_type = _same_types(x, y)
        if x_type not in _TRUEDIV_TYPES:
            raise TypeError(f"Invalid dtype {x_type!r} in __truediv__")
        wanted = _TRUEDIV_TYPES[x_type]
        if wanted is not None:
            x, y = cast(x, wanted), cast(y, wanted)
        return apply_op("RealDiv", x, y, name=name)


def div(x, y, name=None):
    """Python 2's `x / y`: integers stay integers."""
    with name_scope(name, "div", [x, y]) as name:
        x = convert_to_tensor(x, name="x")
        y = to_tensor(y, x.dtype.base_dtype, "y")
        x_type = _same_types(x, y)
        op = "RealDiv" if x_type.is_floating or x_type.is_complex else "FloorDiv"
        return apply_op(op, x, y, name=name)


def floordiv(x, y, name=None):
    with name_scope(name, "floordiv", [x, y]) as name:
        return apply_op("FloorDiv", x, y, name=name)


def floormod(x, y, name=None):
    return apply_op("FloorMod", x, y, name=name)


def pow(x, y, name=None):
    """`x ** y`."""
    with name_scope(name, "Pow", [x]) as name:
        return apply_op("Pow", x, y, name=name)


def matmul(
    a,
    b,
    transpose_a=False,
    transpose_b=False,
    adjoint_a=False,
    adjoint_b=False,
    a_is_sparse=False,
    b_is_sparse=False,
    name=None,
):
    """Multiplies matrices, or batches of them.

    Args:
      a: a `Tensor` of rank 2 or more, numbers.
      b: one of the same type.
      transpose_a: whether `a`'s last two dimensions are swapped first.
      transpose_b: the same for `b`.
      adjoint_a: whether `a` is conjugated and transposed first.
      adjoint_b: the same for `b`.
      a_is_sparse: whether `a` is mostly zeros: a hint for matrices of float32 and bfloat16.
      b_is_sparse: the same for `b`.
      name: the operation's name.

    Raises:
      ValueError: when a matrix is to be both transposed and adjoint.
    """
    with name_scope(name, "MatMul", [a, b]) as name:
        for which, transpose, adjoint in (("a", transpose_a, adjoint_a), ("b", transpose_b, adjoint_b)):
            if transpose and adjoint:
                raise ValueError(f"Only one of transpose_{which} and adjoint_{which} can be True.")
        a = convert_to_tensor(a, name="a")
        b = convert_to_tensor(b, name="b")
        is_batch = any(t.shape.rank is None or t.shape.rank > 2 for t in (a, b))
        if is_batch and not a_is_sparse and not b_is_sparse:
            if transpose_a:
                a, adjoint_a = _conj(a), True
            if transpose_b:
                b, adjoint_b = _conj(b), True
            return apply_op("BatchMatMulV2", a, b, adj_x=adjoint_a, adj_y=adjoint_b, name=name)
        if adjoint_a:
            a, transpose_a = _conj(a), True
        if adjoint_b:
            b, transpose_b = _conj(b), True
        kinds = (dtypes.bfloat16, dtypes.float32)
        is_sparse = (a_is_sparse or b_is_sparse) and a.dtype in kinds and b.dtype in kinds
        if is_sparse or (dtypes.bfloat16 in (a.dtype, b.dtype) and a.dtype != b.dtype):
            product = apply_op(
                "SparseMatMul",
                a,
                b,
                transpose_a=transpose_a,
                transpose_b=transpose_b,
                a_is_sparse=a_is_sparse,
                b_is_sparse=b_is_sparse,
                name=name,
            )
            return cast(product, dtypes.bfloat16) if a.dtype == b.dtype == dtypes.bfloat16 else product
        return apply_op("MatMul", a, b, transpose_a=transpose_a, transpose_b=transpose_b, name=name)


def _conj(x):
    return apply_op("Conj", x) if x.dtype.is_complex or x.dtype.base_dtype is dtypes.variant else x


def logical_and(x, y, name=None):
    return apply_op("LogicalAnd", x, y, name=name)


def logical_or(x, y, name=None):
    return apply_op("LogicalOr", x, y, name=name)


def logical_xor(x, y, name="LogicalXor"):
    """True where exactly one of the two is."""
    return logical_and(logical_or(x, y), apply_op("LogicalNot", logical_and(x, y)), name=name)


def absolute(x, name=None):
    """`abs(x)`; of complex numbers their modulus."""
    with name_scope(name, "Abs", [x]) as name:
        x = convert_to_tensor(x, name="x")
        if x.dtype.is_complex:
            return apply_op("ComplexAbs", x, Tout=x.dtype.real_dtype, name=name)
        return apply_op("Abs", x, name=name)


def _binary(make, scope, is_one_op=True):
    """The two methods of an operator: `x + y`, and `y + x` where x is no tensor."""
    reflected = f"__r{scope}__"

    def method(x, y):
        if isinstance(y, TensorBase) and is_one_op and x._graph is y._graph:
            return make(x, y, scope)
        with name_scope(None, scope, [x, y]) as name:
            if not isinstance(y, TensorBase) and not _is_sparse(y):
                try:
                    y = to_tensor(y, None, "y", False, x.dtype.base_dtype)
                except TypeError:
                    if hasattr(type(y), reflected):
                        return NotImplemented
                    raise
            return make(x, y, name)

    def reflected_method(y, x):
        with name_scope(None, scope, [x, y]) as name:
            x = to_tensor(x, y.dtype.base_dtype, "x")
            return make(x, y, name)

    return method, reflected_method


def _matmul(x, y, name):
    return matmul(x, y, name=name)


BINARY = {
    "add": _binary(add, "add"),
    "sub": _binary(subtract, "sub"),
    "mul": _binary(multiply, "mul"),
    "div": _binary(div, "div", is_one_op=False),
    "truediv": _binary(truediv, "truediv", is_one_op=False),
    "floordiv": _binary(floordiv, "floordiv", is_one_op=False),
    "mod": _binary(floormod, "mod"),
    "pow": _binary(pow, "pow", is_one_op=False),
    "and": _binary(logical_and, "and"),
    "or": _binary(logical_or, "or"),
    "xor": _binary(logical_xor, "xor", is_one_op=False),
    "matmul": _binary(_matmul, "matmul", is_one_op=False),
}
"""Operator -> (method, reflected method)."""


def _comparison(op_type):
    def method(x, y):
        return apply_op(op_type, x, y)

    return method


def _negative(x):
    return apply_op("Neg", x)


def _invert(x):
    return apply_op("LogicalNot", x)


OVERLOADABLE = frozenset(
    [f"__{name}__" for name in BINARY]
    + [f"__r{name}__" for name in BINARY]
    + ["__lt__", "__le__", "__gt__", "__ge__", "__getitem__", "__invert__", "__neg__", "__abs__"]
)


def override_operators(cls):
    """Gives a class of tensors all the operators but indexing."""
    for name, (method, reflected) in BINARY.items():
        setattr(cls, f"__{name}__", method)
        setattr(cls, f"__r{name}__", reflected)
    cls.__lt__ = _comparison("Less")
    cls.__le__ = _comparison("LessEqual")
    cls.__gt__ = _comparison("Greater")
    cls.__ge__ = _comparison("GreaterEqual")
    cls.__neg__ = _negative
    cls.__abs__ = lambda x: absolute(x)
    cls.__invert__ = _invert
