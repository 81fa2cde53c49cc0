"""Regularizers: functions that make a loss of a variable."""

import logging
import numbers

from ferroflow._src.framework.collections import add_to_collection, get_collection
from ferroflow._src.framework.constant import constant
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.graph_keys import GraphKeys
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.ops import math, nn, reductions

_log = logging.getLogger("tensorflow")


def _is_off(scale, label="scale"):
    """Whether a scale is zero; raises ValueError for one that makes no sense."""
    if isinstance(scale, numbers.Integral):
        raise ValueError(f"{label} cannot be an integer: {scale}")
    if isinstance(scale, numbers.Real):
        if scale < 0.0:
            raise ValueError(f"Setting a scale less than 0 on a regularizer: {scale:g}")
        if scale == 0.0:
            _log.info("Scale of 0 disables regularizer.")
            return True
    return False


def _none(_):
    return None


def l1_regularizer(scale, scope=None):
    """Makes a regularizer: `scale` times the sum of absolute values.

    Args:
      scale: a float, or a scalar tensor; 0.0 makes no loss.
      scope: the name scope.

    Returns:
      A function of a variable.

    Raises:
      ValueError: for an integer, or a negative scale.
    """
    if _is_off(scale):
        return _none

    def l1(weights, name=None):
        with name_scope(scope, "l1_regularizer", [weights]) as name:
            factor = convert_to_tensor(scale, dtype=weights.dtype.base_dtype, name="scale")
            return math.multiply(factor, reductions.reduce_sum(math.abs(weights)), name=name)

    return l1


def l2_regularizer(scale, scope=None):
    """Makes a regularizer: `scale` times half the sum of squares.

    Args:
      scale: a float, or a scalar tensor; 0.0 makes no loss.
      scope: the name scope.

    Returns:
      A function of a variable.

    Raises:
      ValueError: for an integer, or a negative scale.
    """
    if _is_off(scale):
        return _none

    def l2(weights):
        with name_scope(scope, "l2_regularizer", [weights]) as name:
            factor = convert_to_tensor(scale, dtype=weights.dtype.base_dtype, name="scale")
            return math.multiply(factor, nn.l2_loss(weights), name=name)

    return l2


def l1_l2_regularizer(scale_l1=1.0, scale_l2=1.0, scope=None):
    """Makes a regularizer: the sum of `l1_regularizer` and `l2_regularizer`.

    Args:
      scale_l1: a float, or a scalar tensor; 0.0 leaves the first out.
      scale_l2: a float, or a scalar tensor; 0.0 leaves the second out.
      scope: the name scope.

    Returns:
      A function of a variable.

    Raises:
      ValueError: for an integer, or a negative scale.
    """
    for label, scale in (("scale_l1", scale_l1), ("scale_l2", scale_l2)):
        if isinstance(scale, numbers.Integral):
            raise ValueError(f"{label} cannot be an integer: {scale}")
    scope = scope or "l1_l2_regularizer"
    if scale_l1 == 0.0:
        return l2_regularizer(scale_l2, scope)
    if scale_l2 == 0.0:
        return l1_regularizer(scale_l1, scope)
    return sum_regularizer([l1_regularizer(scale_l1), l2_regularizer(scale_l2)], scope=scope)


def sum_regularizer(regularizer_list, scope=None):
    """Makes a regularizer: the sum of several.

    Args:
      regularizer_list: regularizers, and None, which does not count.
      scope: the name scope.

    Returns:
      A function of a variable; None for no regularizers.
    """
    regularizers = [r for r in regularizer_list if r is not None]
    if not regularizers:
        return None

    def total(weights):
        with name_scope(scope, "sum_regularizer", [weights]) as name:
            made = [r(weights) for r in regularizers]
            made = [loss for loss in made if loss is not None]
            return math.add_n(made, name=name) if made else None

    return total


def apply_regularization(regularizer, weights_list=None):
    """Adds up a regularizer's losses for several variables, and collects the sum.

    Args:
      regularizer: a function of a variable.
      weights_list: the variables; None for those of the collection `weights`.

    Returns:
      A scalar.

    Raises:
      ValueError: for no variables, or a regularizer that makes no scalar.
    """
    weights = weights_list or get_collection(GraphKeys.WEIGHTS)
    if not weights:
        raise ValueError("No weights to regularize.")
    with name_scope("get_regularization_penalty", values=weights) as scope:
        made = [regularizer(w) for w in weights]
        made = [constant(0.0) if loss is None else loss for loss in made]
        for loss in made:
            if loss.shape.ndims != 0:
                raise ValueError(
                    f"regularizer must return a scalar Tensor instead of a Tensor with rank {loss.shape.ndims}."
                )
        total = math.add_n(made, name=scope)
        add_to_collection(GraphKeys.REGULARIZATION_LOSSES, total)
        return total
