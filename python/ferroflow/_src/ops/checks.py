"""Assertions about values, shapes and types: those that are decided while the graph is built, and those of a run."""

import numpy as np

from ferroflow._src.framework import dtypes, errors, stacks, tensor_util
from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.composite import SparseTensor
from ferroflow._src.framework.control_flow import Assert, cond, group, no_op, with_dependencies
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.scopes import colocate_with, control_dependencies
from ferroflow._src.framework.tensor_like import TensorBase
from ferroflow._src.ops import array, math, reductions, shaping
from ferroflow._src.ops.arguments import renamed


def _check_now(condition, data):
    """Raises InvalidArgumentError when a condition that is known does not hold."""
    if not condition:
        raise errors.InvalidArgumentError(None, None, "\n".join(map(_known_text, data)))


def _known_text(item):
    if not isinstance(item, TensorBase):
        return str(item)
    known = tensor_util.constant_value(item)
    return item if known is None else str(known)


def _compare(sign, opname, compare, known_compare, x, y, data, summarize, message, name):
    with name_scope(name, opname, [x, y, data]):
        x = convert_to_tensor(x, name="x")
        y = convert_to_tensor(y, name="y")
        if data is None:
            data = [f"Condition x {sign} y did not hold element-wise:", f"x ({x.name}) = ", x, f"y ({y.name}) = ", y]
        if message is not None:
            data = [message, *data]
        condition = reductions.reduce_all(compare(x, y))
        known_x, known_y = tensor_util.constant_value(x), tensor_util.constant_value(y)
        if known_x is not None and known_y is not None:
            _check_now(np.all(known_compare(known_x, known_y)), data)
        return Assert(condition, data, summarize=summarize)


def assert_equal(x, y, data=None, summarize=None, message=None, name=None):
    """Asserts `x == y` for every pair of elements.

    Args:
      x: a `Tensor`.
      y: one of the same type that broadcasts with it.
      data: tensors and texts for the error; None for `x` and `y`.
      summarize: how many elements of each tensor to print.
      message: a text that the error begins with.
      name: the name scope.

    Returns:
      An `Operation` whose run fails with InvalidArgumentError when it does not hold.

    Raises:
      InvalidArgumentError: when it is known not to hold.
    """
    with name_scope(name, "assert_equal", [x, y, data]):
        if x is y:
            return no_op()
    return _compare("==", "assert_equal", math.equal, np.equal, x, y, data, summarize, message, name)


def assert_none_equal(x, y, data=None, summarize=None, message=None, name=None):
    """Asserts `x != y` for every pair of elements.

    Args:
      x: a `Tensor`.
      y: one of the same type that broadcasts with it.
      data: tensors and texts for the error; None for `x` and `y`.
      summarize: how many elements of each tensor to print.
      message: a text that the error begins with.
      name: the name scope.

    Returns:
      An `Operation` whose run fails with InvalidArgumentError when it does not hold.

    Raises:
      InvalidArgumentError: when it is known not to hold.
    """
    return _compare("!=", "assert_none_equal", math.not_equal, np.not_equal, x, y, data, summarize, message, name)


def assert_less(x, y, data=None, summarize=None, message=None, name=None):
    """Asserts `x < y` for every pair of elements.

    Args:
      x: a `Tensor`.
      y: one of the same type that broadcasts with it.
      data: tensors and texts for the error; None for `x` and `y`.
      summarize: how many elements of each tensor to print.
      message: a text that the error begins with.
      name: the name scope.

    Returns:
      An `Operation` whose run fails with InvalidArgumentError when it does not hold.

    Raises:
      InvalidArgumentError: when it is known not to hold.
    """
    return _compare("<", "assert_less", math.less, np.less, x, y, data, summarize, message, name)


def assert_less_equal(x, y, data=None, summarize=None, message=None, name=None):
    """Asserts `x <= y` for every pair of elements.

    Args:
      x: a `Tensor`.
      y: one of the same type that broadcasts with it.
      data: tensors and texts for the error; None for `x` and `y`.
      summarize: how many elements of each tensor to print.
      message: a text that the error begins with.
      name: the name scope.

    Returns:
      An `Operation` whose run fails with InvalidArgumentError when it does not hold.

    Raises:
      InvalidArgumentError: when it is known not to hold.
    """
    return _compare("<=", "assert_less_equal", math.less_equal, np.less_equal, x, y, data, summarize, message, name)


def assert_greater(x, y, data=None, summarize=None, message=None, name=None):
    """Asserts `x > y` for every pair of elements.

    Args:
      x: a `Tensor`.
      y: one of the same type that broadcasts with it.
      data: tensors and texts for the error; None for `x` and `y`.
      summarize: how many elements of each tensor to print.
      message: a text that the error begins with.
      name: the name scope.

    Returns:
      An `Operation` whose run fails with InvalidArgumentError when it does not hold.

    Raises:
      InvalidArgumentError: when it is known not to hold.
    """
    return _compare(">", "assert_greater", math.greater, np.greater, x, y, data, summarize, message, name)


def assert_greater_equal(x, y, data=None, summarize=None, message=None, name=None):
    """Asserts `x >= y` for every pair of elements.

    Args:
      x: a `Tensor`.
      y: one of the same type that broadcasts with it.
      data: tensors and texts for the error; None for `x` and `y`.
      summarize: how many elements of each tensor to print.
      message: a text that the error begins with.
      name: the name scope.

    Returns:
      An `Operation` whose run fails with InvalidArgumentError when it does not hold.

    Raises:
      InvalidArgumentError: when it is known not to hold.
    """
    return _compare(
        ">=", "assert_greater_equal", math.greater_equal, np.greater_equal, x, y, data, summarize, message, name
    )


def _against_zero(opname, text, check, x, data, summarize, message, name):
    message = message or ""
    with name_scope(name, opname, [x, data]):
        x = convert_to_tensor(x, name="x")
        if data is None:
            data = [message, f"Condition x {text} did not hold element-wise:", f"x ({x.name}) = ", x]
        return check(x, convert_to_tensor(0, dtype=x.dtype), data, summarize)


def assert_negative(x, data=None, summarize=None, message=None, name=None):
    """Asserts `x < 0` for every element.

    Args:
      x: a `Tensor` of numbers.
      data: tensors and texts for the error; None for `x`.
      summarize: how many elements of each tensor to print.
      message: a text that the error begins with.
      name: the name scope.

    Returns:
      An `Operation` whose run fails with InvalidArgumentError when it does not hold.

    Raises:
      InvalidArgumentError: when it is known not to hold.
    """

    def check(x, zero, data, summarize):
        return assert_less(x, zero, data=data, summarize=summarize)

    return _against_zero("assert_negative", "< 0", check, x, data, summarize, message, name)


def assert_positive(x, data=None, summarize=None, message=None, name=None):
    """Asserts `x > 0` for every element.

    Args:
      x: a `Tensor` of numbers.
      data: tensors and texts for the error; None for `x`.
      summarize: how many elements of each tensor to print.
      message: a text that the error begins with.
      name: the name scope.

    Returns:
      An `Operation` whose run fails with InvalidArgumentError when it does not hold.

    Raises:
      InvalidArgumentError: when it is known not to hold.
    """

    def check(x, zero, data, summarize):
        return assert_less(zero, x, data=data, summarize=summarize)

    return _against_zero("assert_positive", "> 0", check, x, data, summarize, message, name)


def assert_non_negative(x, data=None, summarize=None, message=None, name=None):
    """Asserts `x >= 0` for every element.

    Args:
      x: a `Tensor` of numbers.
      data: tensors and texts for the error; None for `x`.
      summarize: how many elements of each tensor to print.
      message: a text that the error begins with.
      name: the name scope.

    Returns:
      An `Operation` whose run fails with InvalidArgumentError when it does not hold.

    Raises:
      InvalidArgumentError: when it is known not to hold.
    """

    def check(x, zero, data, summarize):
        return assert_less_equal(zero, x, data=data, summarize=summarize)

    return _against_zero("assert_non_negative", ">= 0", check, x, data, summarize, message, name)


def assert_non_positive(x, data=None, summarize=None, message=None, name=None):
    """Asserts `x <= 0` for every element.

    Args:
      x: a `Tensor` of numbers.
      data: tensors and texts for the error; None for `x`.
      summarize: how many elements of each tensor to print.
      message: a text that the error begins with.
      name: the name scope.

    Returns:
      An `Operation` whose run fails with InvalidArgumentError when it does not hold.

    Raises:
      InvalidArgumentError: when it is known not to hold.
    """

    def check(x, zero, data, summarize):
        return assert_less_equal(x, zero, data=data, summarize=summarize)

    return _against_zero("assert_non_positive", "<= 0", check, x, data, summarize, message, name)


def assert_near(x, y, rtol=None, atol=None, data=None, summarize=None, message=None, name=None):
    """Asserts `abs(x - y) < atol + rtol * abs(y)` for every pair of elements.

    Args:
      x: a `Tensor` of floats.
      y: one of the same type that broadcasts with it.
      rtol: a scalar; None for ten times the type's epsilon.
      atol: a scalar; None for ten times the type's epsilon.
      data: tensors and texts for the error; None for `x` and `y`.
      summarize: how many elements of each tensor to print.
      message: a text that the error begins with.
      name: the name scope.

    Returns:
      An `Operation` whose run fails with InvalidArgumentError when it does not hold.
    """
    message = message or ""
    with name_scope(name, "assert_near", [x, y, rtol, atol, data]):
        x = convert_to_tensor(x, name="x")
        y = convert_to_tensor(y, dtype=x.dtype, name="y")
        eps = np.finfo(x.dtype.as_numpy_dtype).eps
        rtol = convert_to_tensor(10 * eps if rtol is None else rtol, dtype=x.dtype, name="rtol")
        atol = convert_to_tensor(10 * eps if atol is None else atol, dtype=x.dtype, name="atol")
        if data is None:
            data = [
                message,
                f"x and y not equal to tolerance rtol = {rtol}, atol = {atol}",
                f"x ({x.name}) = ",
                x,
                f"y ({y.name}) = ",
                y,
            ]
        tolerance = atol + rtol * math.abs(y)
        difference = math.abs(x - y)
        condition = reductions.reduce_all(math.less(difference, tolerance))
        return Assert(condition, data, summarize=summarize)


class _WrongRank(ValueError):
    """The rank is known, and wrong."""


def _check_rank(x, ranks, is_known_ok, is_ok, data, summarize):
    for rank in ranks:
        assert_type(rank, dtypes.int32)
    known = [tensor_util.constant_value(rank) for rank in ranks]
    if all(value is not None for value in known):
        if any(value.ndim != 0 for value in known):
            raise ValueError("Rank must be a scalar.")
        if x.shape.ndims is not None:
            if not is_known_ok(x.shape.ndims, known):
                raise _WrongRank
            return no_op(name="static_checks_determined_all_ok")
    condition = is_ok(shaping.rank(x), ranks)
    for rank, value in zip(ranks, known, strict=True):
        if value is None:
            check = assert_rank(rank, 0, data=["Rank must be a scalar. Received rank: ", rank])
            condition = with_dependencies([check], condition)
    return Assert(condition, data, summarize=summarize)


def _assert_rank(opname, phrase, is_known_ok, is_ok, x, ranks, data, summarize, message, name):
    with name_scope(name, opname, [x, *ranks, *(data or [])]):
        x = convert_to_tensor(x, name="x")
        ranks = [convert_to_tensor(rank, name="rank") for rank in ranks]
        message = message or ""
        if data is None:
            data = [message, f"Tensor {x.name} must have {phrase}", *ranks, "Received shape: ", shaping.shape(x)]
        try:
            return _check_rank(x, ranks, is_known_ok, is_ok, data, summarize)
        except _WrongRank:
            wanted = [int(tensor_util.constant_value(rank)) for rank in ranks]
            shown = wanted[0] if opname != "assert_rank_in" else tuple(wanted)
            raise ValueError(
                f"{message}.  Tensor {x.name} must have {phrase} {shown}.  Received rank {x.shape.ndims}, "
                f"shape {x.shape}"
            ) from None


def assert_rank(x, rank, data=None, summarize=None, message=None, name=None):
    """Asserts that a tensor has a given rank.

    Args:
      x: a `Tensor`.
      rank: an int32 scalar.
      data: tensors and texts for the error; None for the rank and the shape.
      summarize: how many elements of each tensor to print.
      message: a text that the error begins with.
      name: the name scope.

    Returns:
      An `Operation` whose run fails with InvalidArgumentError when it does not hold.

    Raises:
      ValueError: when the rank is known to be another.
    """

    def is_known_ok(actual, wanted):
        return actual == wanted[0]

    def is_ok(actual, wanted):
        return math.equal(actual, wanted[0])

    return _assert_rank("assert_rank", "rank", is_known_ok, is_ok, x, [rank], data, summarize, message, name)


def assert_rank_at_least(x, rank, data=None, summarize=None, message=None, name=None):
    """Asserts that a tensor has a given rank or a greater one.

    Args:
      x: a `Tensor`.
      rank: an int32 scalar.
      data: tensors and texts for the error; None for the rank and the shape.
      summarize: how many elements of each tensor to print.
      message: a text that the error begins with.
      name: the name scope.

    Returns:
      An `Operation` whose run fails with InvalidArgumentError when it does not hold.

    Raises:
      ValueError: when the rank is known to be less.
    """

    def is_known_ok(actual, wanted):
        return actual >= wanted[0]

    def is_ok(actual, wanted):
        return math.greater_equal(actual, wanted[0])

    opname, phrase = "assert_rank_at_least", "rank at least"
    return _assert_rank(opname, phrase, is_known_ok, is_ok, x, [rank], data, summarize, message, name)


def assert_rank_in(x, ranks, data=None, summarize=None, message=None, name=None):
    """Asserts that a tensor has one of several ranks.

    Args:
      x: a `Tensor`.
      ranks: int32 scalars.
      data: tensors and texts for the error; None for the ranks and the shape.
      summarize: how many elements of each tensor to print.
      message: a text that the error begins with.
      name: the name scope.

    Returns:
      An `Operation` whose run fails with InvalidArgumentError when it does not hold.

    Raises:
      ValueError: when the rank is known to be none of them.
    """

    def is_known_ok(actual, wanted):
        return actual in wanted

    def is_ok(actual, wanted):
        if not wanted:
            return convert_to_tensor(False)
        result = math.equal(wanted[0], actual)
        for rank in wanted[1:]:
            result = math.logical_or(result, math.equal(rank, actual))
        return result

    opname, phrase = "assert_rank_in", "rank in"
    return _assert_rank(opname, phrase, is_known_ok, is_ok, x, list(ranks), data, summarize, message, name)


def assert_integer(x, message=None, name=None):
    """Asserts that a tensor has a type of integers.

    Args:
      x: a `Tensor`.
      message: a text that the error begins with.
      name: the name scope.

    Returns:
      An `Operation` that does nothing.

    Raises:
      TypeError: when it has another type.
    """
    with name_scope(name, "assert_integer", [x]):
        x = convert_to_tensor(x, name="x")
        if not x.dtype.is_integer:
            raise TypeError(f'{message or ""}  Expected "x" to be integer type.  Found: {x.name} of dtype {x.dtype}')
        return no_op("statically_determined_was_integer")


def assert_type(tensor, tf_type, message=None, name=None):
    """Asserts that a tensor has a given type.

    Args:
      tensor: a `Tensor`.
      tf_type: a `DType`.
      message: a text that the error begins with.
      name: the name scope.

    Returns:
      An `Operation` that does nothing.

    Raises:
      TypeError: when it has another type.
    """
    with name_scope(name, "assert_type", [tensor]):
        tensor = convert_to_tensor(tensor, name="tensor")
        if tensor.dtype != tf_type:
            raise TypeError(f"{message or ''}  {tensor.name} must be of type {tf_type}")
        return no_op("statically_determined_correct_type")


def assert_scalar(tensor, name=None, message=None):
    """Asserts that a tensor is known to have rank 0.

    Args:
      tensor: a `Tensor`.
      name: the name of the constant that is made when it is none.
      message: a text that the error begins with.

    Returns:
      The tensor.

    Raises:
      ValueError: when its rank is another or not known.
    """
    with name_scope(name, "assert_scalar", [tensor]) as scope:
        tensor = convert_to_tensor(tensor, name=scope)
        if tensor.shape.ndims != 0:
            raise ValueError(f"{message or ''}Expected scalar shape for {tensor.name}, saw shape: {tensor.shape}.")
        return tensor


def assert_proper_iterable(values):
    """Asserts that an object is a list or the like, and no tensor, array or string.

    Args:
      values: an object.

    Raises:
      TypeError: when it is not.
    """
    if isinstance(values, (TensorBase, SparseTensor, np.ndarray, str, bytes)):
        raise TypeError(f'Expected argument "values" to be a "proper" iterable.  Found: {type(values)}')
    if not hasattr(values, "__iter__"):
        raise TypeError(f'Expected argument "values" to be iterable.  Found: {type(values)}')


_NUMBERS = frozenset(
    [
        dtypes.float16,
        dtypes.float32,
        dtypes.float64,
        dtypes.int8,
        dtypes.int16,
        dtypes.int32,
        dtypes.int64,
        dtypes.uint8,
        dtypes.qint8,
        dtypes.qint32,
        dtypes.quint8,
        dtypes.complex64,
    ]
)


def is_numeric_tensor(tensor):
    """Returns whether an object is a `Tensor` of numbers."""
    return isinstance(tensor, TensorBase) and tensor.dtype in _NUMBERS


def _steps(x):
    """Differences of neighbours, in the order of the flattened tensor."""
    x = array.reshape(x, [-1])
    if not is_numeric_tensor(x):
        raise TypeError(f"Expected x to be numeric, instead found: {x}")
    is_short = math.less(shaping.size(x), 2)
    length = shaping.shape(x) - 1

    def nothing():
        return convert_to_tensor([], dtype=x.dtype)

    def differences():
        return array.strided_slice(x, [1], [1] + length) - array.strided_slice(x, [0], length)

    return cond(is_short, nothing, differences)


def is_non_decreasing(x, name=None):
    """Finds whether no element is less than the one before it.

    Args:
      x: a `Tensor` of numbers.
      name: the name scope.

    Returns:
      A bool scalar.

    Raises:
      TypeError: for other types.
    """
    with name_scope(name, "is_non_decreasing", [x]):
        steps = _steps(x)
        zero = convert_to_tensor(0, dtype=steps.dtype)
        return reductions.reduce_all(math.less_equal(zero, steps))


def is_strictly_increasing(x, name=None):
    """Finds whether every element is greater than the one before it.

    Args:
      x: a `Tensor` of numbers.
      name: the name scope.

    Returns:
      A bool scalar.

    Raises:
      TypeError: for other types.
    """
    with name_scope(name, "is_strictly_increasing", [x]):
        steps = _steps(x)
        zero = convert_to_tensor(0, dtype=steps.dtype)
        return reductions.reduce_all(math.less(zero, steps))


def assert_same_float_dtype(tensors=None, dtype=None):
    """Finds the one type of floats that tensors have.

    Args:
      tensors: `Tensor`s, and None, which does not count.
      dtype: the type that they are to have; None for that of the first.

    Returns:
      The `DType`; float32 when nothing says another.

    Raises:
      ValueError: when types differ, or are no type of floats.
    """
    first = None
    for item in tensors or []:
        if item is None:
            continue
        its = item.dtype.base_dtype
        if not dtype:
            dtype, first = its, getattr(item, "name", item)
        elif dtype != its:
            suffix = f" as {first}" if first is not None else ""
            raise ValueError(f"{getattr(item, 'name', item)}, type={its}, must be of the same type ({dtype}){suffix}.")
    if not dtype:
        return dtypes.float32
    if not dtype.is_floating:
        raise ValueError(f"Expected floating point type, got {dtype}.")
    return dtype


def verify_tensor_all_finite(t=None, msg=None, name=None, x=None, message=None):
    """Returns a tensor whose run fails when an element is infinite or not a number.

    Args:
      t: a `Tensor` of floats.
      msg: the error's text.
      name: the name scope.
      x: another name of `t`.
      message: another name of `msg`.

    Returns:
      A `Tensor` of the type and shape of `t`.
    """
    x = renamed("x", x, "t", t)
    message = renamed("message", message, "msg", msg)
    with name_scope(name, "VerifyFinite", [x]) as name:
        x = convert_to_tensor(x, name="t")
        with colocate_with(x):
            checked = check_numerics(x, message=message)
            return with_dependencies([checked], x)


def check_numerics(tensor, message, name=None):
    """Returns its input; its run fails when an element is infinite or not a number.

    Args:
      tensor: a `Tensor` of floats.
      message: a string.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `tensor` and its shape.
    """
    return apply_op("CheckNumerics", tensor, message=message, name=name)


def add_check_numerics_ops():
    """Checks all floats that the default graph's operations make.

    Returns:
      An `Operation` whose run fails with InvalidArgumentError at the first infinity or NaN, in the order of the graph.

    Raises:
      ValueError: when the graph has conditionals or loops.
    """
    before = []
    for op in stacks.get_default_graph().get_operations():
        for output in op.outputs:
            if output.dtype not in (dtypes.float16, dtypes.float32, dtypes.float64):
                continue
            if op._get_control_flow_context() is not None:
                raise ValueError(
                    "`tf.add_check_numerics_ops() is not compatible with TensorFlow control flow operations such as "
                    "`tf.cond()` or `tf.while_loop()`."
                )
            with control_dependencies(before):
                before = [check_numerics(output, message=f"{op.name}:{output.value_index}")]
    return group(*before)
