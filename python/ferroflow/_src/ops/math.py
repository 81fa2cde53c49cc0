"""Arithmetic, comparison and functions of each element; types changed; ranges."""

from ferroflow._src.framework import dtypes, nest, operators
from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.composite import IndexedSlices, SparseTensor
from ferroflow._src.framework.constant import constant
from ferroflow._src.framework.convert import (
    convert_n_to_tensor_or_indexed_slices,
    convert_to_tensor,
    to_tensor,
)
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.operators import matmul as matmul
from ferroflow._src.framework.tensor_like import TensorBase
from ferroflow._src.framework.tensor_shape import as_shape, unknown_shape
from ferroflow._src.ops import array, filling
from ferroflow._src.ops.elementwise import (
    acos as acos,
    acosh as acosh,
    add as add,
    asin as asin,
    asinh as asinh,
    atan as atan,
    atan2 as atan2,
    atanh as atanh,
    ceil as ceil,
    cos as cos,
    cosh as cosh,
    cross as cross,
    exp as exp,
    expm1 as expm1,
    floor as floor,
    floor_div as floor_div,
    floormod as floormod,
    greater as greater,
    greater_equal as greater_equal,
    is_finite as is_finite,
    is_inf as is_inf,
    is_nan as is_nan,
    less as less,
    less_equal as less_equal,
    log as log,
    log1p as log1p,
    logical_and as logical_and,
    logical_not as logical_not,
    logical_or as logical_or,
    maximum as maximum,
    minimum as minimum,
    multiply as multiply,
    negative as negative,
    nextafter as nextafter,
    realdiv as realdiv,
    reciprocal as reciprocal,
    rint as rint,
    rsqrt as rsqrt,
    sign as sign,
    sin as sin,
    sinh as sinh,
    sqrt as sqrt,
    square as square,
    squared_difference as squared_difference,
    subtract as subtract,
    tan as tan,
    tanh as tanh,
    truncatediv as truncatediv,
    truncatemod as truncatemod,
)
from ferroflow._src.ops.special import (
    bessel_i0e as bessel_i0e,
    bessel_i1e as bessel_i1e,
    betainc as betainc,
    digamma as digamma,
    erf as erf,
    erfc as erfc,
    igamma as igamma,
    igammac as igammac,
    lgamma as lgamma,
    polygamma as polygamma,
    xdivy as xdivy,
    xlogy as xlogy,
    zeta as zeta,
)

mod = floormod


class _Named:
    """What `divide` divides when the result is to have a name."""

    def __init__(self, x, name):
        self._x = x
        self._name = name

    def __truediv__(self, y):
        return truediv(self._x, y, self._name)


def divide(x, y, name=None):
    """Divides as Python's `/` does.

    Args:
      x: a `Tensor` of numbers, or a number.
      y: the same.
      name: the name scope; None for the operator's.

    Returns:
      A `Tensor` with the broadcast shape; integers give floats.
    """
    return _Named(x, name) / y if name is not None else x / y


def truediv(x, y, name=None):
    """Divides as Python 3's `/` does.

    Args:
      x: a `Tensor` of numbers.
      y: one of the same type.
      name: the name scope.

    Returns:
      A `Tensor` with the broadcast shape: float64 for int32 and int64, float32 for smaller integers.

    Raises:
      TypeError: when the types differ.
    """
    return operators.truediv(x, y, name)


def div(x, y, name=None):
    """Divides as Python 2's `/` does: integers give integers.

    Args:
      x: a `Tensor` of real numbers.
      y: one of the same type.
      name: the name scope.

    Returns:
      A `Tensor` of their type with the broadcast shape.

    Raises:
      TypeError: when the types differ.
    """
    return operators.div(x, y, name)


def floordiv(x, y, name=None):
    """Divides as Python's `//` does.

    Args:
      x: a `Tensor` of real numbers.
      y: one of the same type.
      name: the name scope.

    Returns:
      A `Tensor` of their type with the broadcast shape.
    """
    return operators.floordiv(x, y, name)


def _no_nan(op, scope, x, y, name):
    with name_scope(name, scope, [x, y]) as name:
        x = convert_to_tensor(x, name="x")
        y = convert_to_tensor(y, dtype=x.dtype.base_dtype, name="y")
        return apply_op(op, x, y, name=name)


def div_no_nan(x, y, name=None):
    """Divides; where `y` is zero the result is zero.

    Args:
      x: a `Tensor` of floats.
      y: one of the same type.
      name: the name scope.

    Returns:
      A `Tensor` of their type with the broadcast shape.
    """
    return _no_nan("DivNoNan", "div_no_nan", x, y, name)


def multiply_no_nan(x, y, name=None):
    """Multiplies; where `y` is zero the result is zero, whatever `x` is.

    Args:
      x: a `Tensor` of floats.
      y: one of the same type.
      name: the name scope.

    Returns:
      A `Tensor` of their type with the broadcast shape.
    """
    return _no_nan("MulNoNan", "multiply_no_nan", x, y, name)


def reciprocal_no_nan(x, name=None):
    """Returns `1 / x`, and zero where `x` is zero.

    Args:
      x: a `Tensor` of floats.
      name: the name scope.

    Returns:
      A `Tensor` of the type and shape of `x`.
    """
    with name_scope(name, "reciprocal_no_nan", [x]) as scope:
        x = convert_to_tensor(x, name="x")
        one = constant(1, dtype=x.dtype.base_dtype, name="one")
        return apply_op("DivNoNan", one, x, name=scope)


def scalar_mul(scalar, x, name=None):
    """Multiplies a tensor by a scalar.

    Args:
      scalar: a number, or a `Tensor` of rank 0.
      x: a `Tensor` or `IndexedSlices` of numbers.
      name: the operation's name.

    Returns:
      What `x` is, multiplied.

    Raises:
      ValueError: when `scalar` has another rank.
    """
    scalar = convert_to_tensor(scalar, dtype=x.dtype.base_dtype, name="scalar")
    if scalar.shape.ndims != 0:
        raise ValueError(f"Only scalar multiply works, got shape {scalar.shape}")
    if isinstance(x, IndexedSlices):
        return IndexedSlices(apply_op("Mul", scalar, x.values, name=name), x.indices, x.dense_shape)
    return apply_op("Mul", scalar, x, name=name)


def pow(x, y, name=None):
    """Returns `x` to the power `y`.

    Args:
      x: a `Tensor` of numbers.
      y: one of the same type.
      name: the operation's name.

    Returns:
      A `Tensor` of their type with the broadcast shape.
    """
    return operators.pow(x, y, name)


def abs(x, name=None):
    """Returns absolute values; of complex numbers their modulus.

    Args:
      x: a `Tensor` of numbers.
      name: the operation's name.

    Returns:
      A `Tensor` with the shape of `x`, of its type or, for complex numbers, that of their parts.
    """
    return operators.absolute(x, name)


def round(x, name=None):
    """Rounds to the nearest integer, halves to even ones.

    Args:
      x: a `Tensor` of numbers.
      name: the operation's name.

    Returns:
      A `Tensor` of the type and shape of `x`; integers as they are.
    """
    x = convert_to_tensor(x, name="x")
    return x if x.dtype.is_integer else apply_op("Round", x, name=name)


def sigmoid(x, name=None):
    """Computes `1 / (1 + exp(-x))`.

    Args:
      x: a `Tensor` of floats or complex numbers.
      name: the operation's name.

    Returns:
      A `Tensor` of the type and shape of `x`.
    """
    with name_scope(name, "Sigmoid", [x]) as name:
        return apply_op("Sigmoid", convert_to_tensor(x, name="x"), name=name)


def log_sigmoid(x, name=None):
    """Computes `log(sigmoid(x))` without overflow.

    Args:
      x: a `Tensor` of floats.
      name: the operation's name.

    Returns:
      A `Tensor` of the type and shape of `x`.
    """
    with name_scope(name, "LogSigmoid", [x]) as name:
        x = convert_to_tensor(x, name="x")
        return apply_op("Neg", apply_op("Softplus", -x), name=name)


def equal(x, y, name=None):
    """Returns whether `x == y`.

    Args:
      x: a `Tensor` of any type.
      y: one of the same type.
      name: the operation's name.

    Returns:
      A `Tensor` of bool with the broadcast shape.
    """
    return apply_op("Equal", x, y, name=name)


def not_equal(x, y, name=None):
    """Returns whether `x != y`.

    Args:
      x: a `Tensor` of any type.
      y: one of the same type.
      name: the operation's name.

    Returns:
      A `Tensor` of bool with the broadcast shape.
    """
    return apply_op("NotEqual", x, y, name=name)


def logical_xor(x, y, name="LogicalXor"):
    """Returns whether exactly one is True.

    Args:
      x: a `Tensor` of bool.
      y: a `Tensor` of bool.
      name: the operation's name.

    Returns:
      A `Tensor` of bool with the broadcast shape.
    """
    return operators.logical_xor(x, y, name)


def cast(x, dtype, name=None):
    """Turns elements into another type.

    Args:
      x: a `Tensor`, `SparseTensor` or `IndexedSlices` of numbers or bool.
      dtype: the type.
      name: the operation's name.

    Returns:
      What `x` is, of type `dtype`; `x` itself when it is of that type.
    """
    if not isinstance(x, (SparseTensor, IndexedSlices)):
        return operators.cast(x, dtype, name)
    dtype = dtypes.as_dtype(dtype).base_dtype
    with name_scope(name, "Cast", [x.values]) as name:
        values = cast(x.values, dtype, name=name)
        if isinstance(x, SparseTensor):
            return SparseTensor(x.indices, values, x.dense_shape)
        return IndexedSlices(values, x.indices, x.dense_shape)


def saturate_cast(value, dtype, name=None):
    """Turns numbers into another type; those that it cannot hold become its least or greatest.

    Args:
      value: a `Tensor` of real numbers.
      dtype: the type.
      name: the operation's name.

    Returns:
      A `Tensor` of `dtype` with the shape of `value`.
    """
    with name_scope(name, "saturate_cast", [value]) as name:
        value = convert_to_tensor(value, name="value")
        dtype = dtypes.as_dtype(dtype).base_dtype
        if value.dtype.min < dtype.min:
            value = maximum(value, convert_to_tensor(dtype.min, dtype=value.dtype, name="min"))
        if value.dtype.max > dtype.max:
            value = minimum(value, convert_to_tensor(dtype.max, dtype=value.dtype, name="max"))
        return cast(value, dtype, name=name)


def to_float(x, name="ToFloat"):
    """Returns `x` as float32. The newer way is `tf.cast`."""
    return cast(x, dtypes.float32, name=name)


def to_double(x, name="ToDouble"):
    """Returns `x` as float64. The newer way is `tf.cast`."""
    return cast(x, dtypes.float64, name=name)


def to_int32(x, name="ToInt32"):
    """Returns `x` as int32. The newer way is `tf.cast`."""
    return cast(x, dtypes.int32, name=name)


def to_int64(x, name="ToInt64"):
    """Returns `x` as int64. The newer way is `tf.cast`."""
    return cast(x, dtypes.int64, name=name)


def to_bfloat16(x, name="ToBFloat16"):
    """Returns `x` as bfloat16. The newer way is `tf.cast`."""
    return cast(x, dtypes.bfloat16, name=name)


def to_complex64(x, name="ToComplex64"):
    """Returns `x` as complex64. The newer way is `tf.cast`."""
    return cast(x, dtypes.complex64, name=name)


def to_complex128(x, name="ToComplex128"):
    """Returns `x` as complex128. The newer way is `tf.cast`."""
    return cast(x, dtypes.complex128, name=name)


def complex(real, imag, name=None):
    """Makes complex numbers of their parts.

    Args:
      real: float32 or float64.
      imag: the same type.
      name: the operation's name.

    Returns:
      A `Tensor` of complex64 or complex128.

    Raises:
      TypeError: for other types.
    """
    real = convert_to_tensor(real, name="real")
    imag = convert_to_tensor(imag, name="imag")
    with name_scope(name, "Complex", [real, imag]) as name:
        made = {dtypes.float64: dtypes.complex128, dtypes.float32: dtypes.complex64}
        if real.dtype != imag.dtype or real.dtype not in made:
            raise TypeError(f"real and imag have incorrect types: {real.dtype.name} {imag.dtype.name}")
        return apply_op("Complex", real, imag, Tout=made[real.dtype], name=name)


def real(input, name=None):
    """Returns the real part.

    Args:
      input: a `Tensor` of numbers.
      name: the operation's name.

    Returns:
      A `Tensor` of float32 or float64; real numbers as they are.
    """
    with name_scope(name, "Real", [input]) as name:
        input = convert_to_tensor(input, name="input")
        if not input.dtype.is_complex:
            return input
        return apply_op("Real", input, Tout=input.dtype.real_dtype, name=name)


def _part(op, input, name):
    with name_scope(name, op, [input]) as name:
        input = convert_to_tensor(input, name="input")
        if not input.dtype.is_complex:
            return filling.zeros_like(input)
        return apply_op(op, input, Tout=input.dtype.real_dtype, name=name)


def imag(input, name=None):
    """Returns the imaginary part.

    Args:
      input: a `Tensor` of numbers.
      name: the operation's name.

    Returns:
      A `Tensor` of float32 or float64; zeros for real numbers.
    """
    return _part("Imag", input, name)


def angle(input, name=None):
    """Returns the angle of complex numbers.

    Args:
      input: a `Tensor` of numbers.
      name: the operation's name.

    Returns:
      A `Tensor` of float32 or float64; zeros for real numbers.
    """
    return _part("Angle", input, name)


def conj(x, name=None):
    """Returns the complex conjugate.

    Args:
      x: a `Tensor` of numbers, or a variant.
      name: the operation's name.

    Returns:
      A `Tensor` of the type and shape of `x`; real numbers as they are.

    Raises:
      TypeError: for other types.
    """
    if isinstance(x, TensorBase) and (x.dtype.is_floating or x.dtype.is_integer):
        return x
    with name_scope(name, "Conj", [x]) as name:
        x = convert_to_tensor(x, name="x")
        if x.dtype.is_complex or x.dtype == dtypes.variant:
            return apply_op("Conj", x, name=name)
        if x.dtype.is_floating or x.dtype.is_integer:
            return x
        raise TypeError(f"Expected numeric or variant tensor, got dtype {x.dtype!r}")


_RANGE_TYPES = (dtypes.int32, dtypes.int64, dtypes.float32, dtypes.float64)


def range(start, limit=None, delta=1, dtype=None, name="range"):
    """Counts.

    Args:
      start: a scalar, the first number; the limit, when no limit is given.
      limit: a scalar, which is not reached.
      delta: a scalar, the step.
      dtype: the type; None for the widest of the three.
      name: the operation's name.

    Returns:
      A `Tensor` of rank 1.
    """
    if limit is None:
        start, limit = 0, start
    with name_scope(name, "Range", [start, limit, delta]) as name:
        ends = [to_tensor(value, dtype, label) for value, label in zip((start, limit, delta), _RANGE_ENDS, strict=True)]
        if dtype is None:
            if any(end.dtype.base_dtype not in _RANGE_TYPES for end in ends):
                raise AssertionError
            widest = max((end.dtype.base_dtype for end in ends), key=_RANGE_TYPES.index)
            ends = [cast(end, widest) for end in ends]
        return apply_op("Range", *ends, name=name)


_RANGE_ENDS = ("start", "limit", "delta")


def lin_space(start, stop, num, name=None):
    """Divides an interval evenly.

    Args:
      start: a `Tensor` of floats.
      stop: a `Tensor` of floats.
      num: a `Tensor` of int32 or int64.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `start`.
    """
    return apply_op("LinSpace", start, stop, num, name=name)


linspace = lin_space


def add_n(inputs, name=None):
    """Adds up tensors.

    Args:
      inputs: a list of `Tensor`s or `IndexedSlices` of one type and shape.
      name: the operation's name.

    Returns:
      A `Tensor` of their type and shape.

    Raises:
      ValueError: for no inputs.
    """
    message = "inputs must be a list of at least one Tensor/IndexedSlices with the same dtype and shape"
    if inputs is not None and not isinstance(inputs, (list, tuple)):
        next(iter(inputs), None)  # what refuses that says so itself
        raise ValueError(message)
    if not inputs:
        raise ValueError(message)
    inputs = convert_n_to_tensor_or_indexed_slices(inputs)
    if not all(isinstance(x, (TensorBase, IndexedSlices)) for x in inputs):
        raise ValueError(message)
    if len(inputs) > 1:
        return apply_op("AddN", inputs, name=name)
    only = convert_to_tensor(inputs[0])
    return array.identity(only, name=name) if name else only


def accumulate_n(inputs, shape=None, tensor_dtype=None, name=None):
    """Adds up tensors as they become ready.

    Args:
      inputs: a list of `Tensor`s of one type and shape.
      shape: their shape; None for what is known.
      tensor_dtype: their type, if it is to be checked.
      name: the operation's name.

    Returns:
      A `Tensor` of their type and shape.

    Raises:
      TypeError: when the type is not `tensor_dtype`.
      ValueError: for no inputs, or types or shapes that differ.
    """
    if inputs and isinstance(inputs, (list, tuple)):
        inputs = convert_n_to_tensor_or_indexed_slices(inputs)
        are_fit = all(isinstance(x, TensorBase) and x.dtype == inputs[0].dtype for x in inputs)
    else:
        are_fit = False
    if not are_fit:
        raise ValueError("inputs must be a list of at least one Tensor with the same dtype and shape")
    shape = unknown_shape() if shape is None else as_shape(shape)
    for x in inputs:
        shape = shape.merge_with(x.shape)
    if tensor_dtype is not None and tensor_dtype != inputs[0].dtype:
        raise TypeError(f"tensor_dtype is {tensor_dtype}, but input is of type {inputs[0].dtype}")
    if len(inputs) > 1:
        return apply_op("AccumulateNV2", inputs, shape=shape, name=name)
    return inputs[0] if name is None else array.identity(inputs[0], name=name)


def polyval(coeffs, x, name=None):
    """Evaluates a polynomial by Horner's rule.

    Args:
      coeffs: a list of `Tensor`s, the highest power's first.
      x: a `Tensor` of the same type.
      name: the name scope.

    Returns:
      A `Tensor` of their type.
    """
    with name_scope(name, "polyval", [*nest.flatten(coeffs), x]) as name:
        x = convert_to_tensor(x, name="x")
        if len(coeffs) < 1:
            return filling.zeros_like(x, name=name)
        coeffs = [convert_to_tensor(c, name=f"coeff_{i}") for i, c in enumerate(coeffs)]
        result = coeffs[0]
        for c in coeffs[1:]:
            result = c + result * x
        return result


def bessel_i0(x, name=None):
    """Returns the modified Bessel function of order 0.

    Args:
      x: a `Tensor` of floats.
      name: the name scope.

    Returns:
      A `Tensor` of the type and shape of `x`.
    """
    with name_scope(name, "bessel_i0", [x]):
        return exp(abs(x)) * bessel_i0e(x)


def bessel_i1(x, name=None):
    """Returns the modified Bessel function of order 1.

    Args:
      x: a `Tensor` of floats.
      name: the name scope.

    Returns:
      A `Tensor` of the type and shape of `x`.
    """
    with name_scope(name, "bessel_i1", [x]):
        return exp(abs(x)) * bessel_i1e(x)
