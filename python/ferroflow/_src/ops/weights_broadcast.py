"""Weights of losses and metrics: checked against, and spread over, what they weigh."""

from ferroflow._src.framework import tensor_util
from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.control_flow import Assert, cond, no_op
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.scopes import control_dependencies
from ferroflow._src.ops import array, filling, math, shaping

_PREFIX = "weights can not be broadcast to values."


def _has_valid_dims(weights_shape, values_shape):
    with name_scope(None, "has_invalid_dims", (weights_shape, values_shape)) as scope:
        sizes = array.expand_dims(values_shape, -1)
        valid = array.concat((sizes, filling.ones_like(sizes)), axis=1)
        given = array.expand_dims(weights_shape, -1)
        invalid = apply_op("DenseToDenseSetOperation", given, valid, set_operation="a-b", validate_indices=True)
        count = shaping.size(invalid.result_values, name="num_invalid_dims")
        return math.equal(0, count, name=scope)


def _has_valid_shape(weights_rank, weights_shape, values_rank, values_shape):
    values = (weights_rank, weights_shape, values_rank, values_shape)
    with name_scope(None, "has_valid_nonscalar_shape", values) as scope:
        is_same = math.equal(values_rank, weights_rank, name="is_same_rank")
        return cond(is_same, lambda: _has_valid_dims(weights_shape, values_shape), lambda: is_same, name=scope)


def _facts(tensor, label):
    with name_scope(None, label, (tensor,)) as scope:
        tensor = convert_to_tensor(tensor, name=scope)
        return tensor, shaping.shape(tensor, name="shape"), shaping.rank(tensor, name="rank")


def assert_broadcastable(weights, values):
    """Asserts that weights are a scalar, or have the rank of the values and in each dimension their size or 1.

    Args:
      weights: a `Tensor`.
      values: a `Tensor`.

    Returns:
      An `Operation` whose run fails with InvalidArgumentError when it does not hold.

    Raises:
      ValueError: when it is known not to hold.
    """
    with name_scope(None, "assert_broadcastable", (weights, values)) as scope:
        weights, weights_shape, weights_rank = _facts(weights, "weights")
        known_weights_rank = tensor_util.constant_value(weights_rank)
        values, values_shape, values_rank = _facts(values, "values")
        known_values_rank = tensor_util.constant_value(values_rank)
        if known_weights_rank is not None and known_values_rank is not None:
            if known_weights_rank == 0:
                return no_op(name="static_scalar_check_success")
            if known_weights_rank != known_values_rank:
                raise ValueError(
                    f"{_PREFIX} values.rank={known_values_rank}. weights.rank={known_weights_rank}. "
                    f"values.shape={values.shape}. weights.shape={weights.shape}."
                )
            if weights.shape.is_fully_defined() and values.shape.is_fully_defined():
                _check_sizes(weights.shape.as_list(), values.shape.as_list())
                return no_op(name="static_dims_check_success")
        is_scalar = math.equal(0, weights_rank, name="is_scalar")
        data = (
            _PREFIX,
            "weights.shape=",
            weights.name,
            weights_shape,
            "values.shape=",
            values.name,
            values_shape,
            "is_scalar=",
            is_scalar,
        )
        is_valid = cond(
            is_scalar,
            lambda: is_scalar,
            lambda: _has_valid_shape(weights_rank, weights_shape, values_rank, values_shape),
            name="is_valid_shape",
        )
        return Assert(is_valid, data, name=scope)


def _check_sizes(weights, values):
    for i, (weight, value) in enumerate(zip(weights, values, strict=True)):
        if weight not in (1, value):
            raise ValueError(f"{_PREFIX} Mismatch at dim {i}. values.shape={values} weights.shape={weights}.")


def broadcast_weights(weights, values):
    """Returns weights in the shape of the values.

    Args:
      weights: a `Tensor`.
      values: a `Tensor`.

    Raises:
      ValueError: when they are known not to fit.
    """
    with name_scope(None, "broadcast_weights", (weights, values)) as scope:
        values = convert_to_tensor(values, name="values")
        weights = convert_to_tensor(weights, dtype=values.dtype.base_dtype, name="weights")
        if (
            weights.shape.is_fully_defined()
            and values.shape.is_fully_defined()
            and weights.shape.is_compatible_with(values.shape)
        ):
            return weights
        with control_dependencies((assert_broadcastable(weights, values),)):
            return math.multiply(weights, filling.ones_like(values), name=scope)
