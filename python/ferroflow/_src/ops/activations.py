"""Activations: functions of each element, and softmax along a dimension."""

import numpy as np

from ferroflow._src.framework import dtypes, errors, tensor_util
from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.custom_gradient import custom_gradient
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.scopes import control_dependencies
from ferroflow._src.framework.tensor_like import TensorBase
from ferroflow._src.ops import array, indexing, math, shaping
from ferroflow._src.ops.arguments import renamed


def relu(features, name=None):
    """Returns `max(features, 0)`.

    Args:
      features: a `Tensor` of real numbers.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `features` and its shape.
    """
    return apply_op("Relu", features, name=name)


def elu(features, name=None):
    """Returns `features`, and `exp(features) - 1` where they are negative.

    Args:
      features: a `Tensor` of floats.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `features` and its shape.
    """
    return apply_op("Elu", features, name=name)


def selu(features, name=None):
    """Returns the scaled exponential linear unit, which keeps means and variances.

    Args:
      features: a `Tensor` of floats.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `features` and its shape.
    """
    return apply_op("Selu", features, name=name)


def softplus(features, name=None):
    """Returns `log(exp(features) + 1)`.

    Args:
      features: a `Tensor` of floats.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `features` and its shape.
    """
    return apply_op("Softplus", features, name=name)


def softsign(features, name=None):
    """Returns `features / (abs(features) + 1)`.

    Args:
      features: a `Tensor` of floats.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `features` and its shape.
    """
    return apply_op("Softsign", features, name=name)


def relu6(features, name=None):
    """Returns `min(max(features, 0), 6)`.

    Args:
      features: a `Tensor` of real numbers.
      name: the operation's name.

    Returns:
      A `Tensor` of the type and shape of `features`.
    """
    with name_scope(name, "Relu6", [features]) as name:
        return apply_op("Relu6", convert_to_tensor(features, name="features"), name=name)


def leaky_relu(features, alpha=0.2, name=None):
    """Returns `features`, and `alpha * features` where they are negative.

    Args:
      features: a `Tensor` of real numbers; integers become float32.
      alpha: a Python number.
      name: the operation's name.

    Returns:
      A `Tensor` with the shape of `features`.
    """
    with name_scope(name, "LeakyRelu", [features, alpha]) as name:
        features = convert_to_tensor(features, name="features")
        if features.dtype.is_integer:
            features = math.cast(features, dtypes.float32)
        if isinstance(alpha, np.ndarray):
            alpha = alpha.item()
        return apply_op("LeakyRelu", features, alpha=alpha, name=name)


def crelu(features, name=None, axis=-1):
    """Returns the rectified features beside their rectified negatives.

    Args:
      features: a `Tensor` of real numbers.
      name: the name scope.
      axis: the dimension along which they are joined.

    Returns:
      A `Tensor` twice as large.
    """
    with name_scope(name, "CRelu", [features]) as name:
        features = convert_to_tensor(features, name="features")
        return relu(array.concat([features, -features], axis, name=name))


@custom_gradient
def swish(features):
    """Returns `features * sigmoid(features)`.

    Args:
      features: a `Tensor` of floats.

    Returns:
      A `Tensor` of the type and shape of `features`.
    """
    features = convert_to_tensor(features, name="features")

    def grad(dy):
        # Computed again when the gradient is there, so that it need not be kept.
        with control_dependencies([dy]):
            sigmoid = math.sigmoid(features)
        return dy * (sigmoid * (1.0 + features * (1.0 - sigmoid)))

    return features * math.sigmoid(features), grad


def _swap_with_last(logits, axis, last, name=None):
    order = array.concat([math.range(axis), [last], math.range(axis + 1, last), [axis]], 0)
    return array.transpose(logits, order, name=name)


def _softmax(op, logits, axis, name):
    logits = convert_to_tensor(logits)
    shape = logits.shape
    if axis == -1 or axis == shape.ndims - 1:
        return apply_op(op, logits, name=name)
    known = tensor_util.constant_value(axis) if isinstance(axis, TensorBase) else axis
    if known is not None and not -shape.ndims <= known < shape.ndims:
        raise errors.InvalidArgumentError(
            None,
            None,
            f"Dimension ({known}) must be in the range [{-shape.ndims}, {shape.ndims}) where {shape.ndims} is the "
            "number of dimensions in the input.",
        )
    ndims = shaping.rank(logits)
    if isinstance(axis, TensorBase):
        axis = indexing.where(math.less(axis, 0), axis + ndims, axis)
    elif axis < 0:
        axis += ndims
    rank = shaping.rank(logits)
    axis = axis % shape.ndims
    logits = _swap_with_last(logits, axis, math.subtract(rank, 1))
    output = apply_op(op, logits)
    output = _swap_with_last(output, axis, math.subtract(rank, 1), name=name)
    output.set_shape(shape)
    return output


def softmax(logits, axis=None, name=None, dim=None):
    """Turns logits into probabilities: `exp(logits)` divided by its sum along a dimension.

    Args:
      logits: a `Tensor` of floats.
      axis: the dimension; None for the last.
      name: the operation's name.
      dim: the older name of `axis`.

    Returns:
      A `Tensor` of the type and shape of `logits`.

    Raises:
      InvalidArgumentError: for an axis out of range.
    """
    axis = renamed("axis", axis, "dim", dim)
    return _softmax("Softmax", logits, -1 if axis is None else axis, name)


def log_softmax(logits, axis=None, name=None, dim=None):
    """Turns logits into logarithms of probabilities.

    Args:
      logits: a `Tensor` of floats.
      axis: the dimension; None for the last.
      name: the operation's name.
      dim: the older name of `axis`.

    Returns:
      A `Tensor` of the type and shape of `logits`.

    Raises:
      InvalidArgumentError: for an axis out of range.
    """
    axis = renamed("axis", axis, "dim", dim)
    return _softmax("LogSoftmax", logits, -1 if axis is None else axis, name)
