"""Kullback and Leibler's divergence between distributions, by their classes."""

from ferroflow._src.framework.control_flow import Assert
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.scopes import control_dependencies
from ferroflow._src.ops import array, math, reductions

_DIVERGENCES = {}


def kl_divergence(distribution_a, distribution_b, allow_nan_stats=True, name=None):
    """Returns the divergence of `distribution_b` from `distribution_a`, in nats.

    Args:
      distribution_a: a `Distribution`.
      distribution_b: a `Distribution`.
      allow_nan_stats: whether the result may be NaN; an error in the run otherwise.
      name: the scope.

    Returns:
      A `Tensor` of the batch's shape.

    Raises:
      NotImplementedError: when nothing is registered for the two classes.
    """
    function = _registered(type(distribution_a), type(distribution_b))
    if function is None:
        raise NotImplementedError(
            "No KL(distribution_a || distribution_b) registered for distribution_a type "
            f"{type(distribution_a).__name__} and distribution_b type {type(distribution_b).__name__}"
        )
    with name_scope("KullbackLeibler"):
        divergence = function(distribution_a, distribution_b, name=name)
        if allow_nan_stats:
            return divergence
        divergence = array.identity(divergence, name="kl")
        message = (
            f"KL calculation between {distribution_a.name} and {distribution_b.name} returned NaN values "
            "(and was called with allow_nan_stats=False). Values:"
        )
        is_sound = math.logical_not(reductions.reduce_any(math.is_nan(divergence)))
        with control_dependencies([Assert(is_sound, [message, divergence])]):
            return array.identity(divergence, name="checked_kl")


def cross_entropy(ref, other, allow_nan_stats=True, name=None):
    """Returns the cross entropy of `other` under `ref`, in nats: the entropy of `ref` and the divergence of `other`.

    Args:
      ref: a `Distribution`.
      other: a `Distribution`.
      allow_nan_stats: whether the result may be NaN.
      name: the scope.

    Returns:
      A `Tensor` of the batch's shape.
    """
    with name_scope(name, "cross_entropy"):
        return ref.entropy() + kl_divergence(ref, other, allow_nan_stats=allow_nan_stats)


class RegisterKL:
    """Registers a function of (a, b, name) as the divergence for two classes.

    @tf.distributions.RegisterKL(Mine, Mine)
    def divergence(a, b, name=None): …
    """

    def __init__(self, dist_cls_a, dist_cls_b):
        """Notes the classes.

        Args:
          dist_cls_a: the class of the first distribution.
          dist_cls_b: the class of the second.
        """
        self._key = (dist_cls_a, dist_cls_b)

    def __call__(self, kl_fn):
        """Registers `kl_fn` and returns it; ValueError when there is one, TypeError when it is no function."""
        if not callable(kl_fn):
            raise TypeError(f"kl_fn must be callable, received: {kl_fn}")
        if self._key in _DIVERGENCES:
            first, second = (cls.__name__ for cls in self._key)
            raise ValueError(f"KL({first} || {second}) has already been registered to: {_DIVERGENCES[self._key]}")
        _DIVERGENCES[self._key] = kl_fn
        return kl_fn


def _registered(first, second):
    """Returns the function for the nearest ancestors of two classes."""
    pairs = [
        (i + j, _DIVERGENCES[one, other])
        for i, one in enumerate(first.__mro__)
        for j, other in enumerate(second.__mro__)
        if (one, other) in _DIVERGENCES
    ]
    return min(pairs, key=lambda pair: pair[0])[1] if pairs else None
