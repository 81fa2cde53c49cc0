"""tf.train.ProximalGradientDescentOptimizer."""

from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.ops.math import cast
from ferroflow._src.training.optimizer import FusedOptimizer


class ProximalGradientDescentOptimizer(FusedOptimizer):
    """Descent followed by the proximal step of L1 and L2 (Duchi and Singer, JMLR 2009)."""

    def __init__(
        self,
        learning_rate,
        l1_regularization_strength=0.0,
        l2_regularization_strength=0.0,
        use_locking=False,
        name="ProximalGradientDescent",
    ):
        """Keeps the arguments.

        Args:
          learning_rate: a number or a `Tensor`.
          l1_regularization_strength: a number, not negative.
          l2_regularization_strength: a number, not negative.
          use_locking: whether updates hold the variable's lock.
          name: the scope of the updates.
        """
        super().__init__(use_locking, name)
        self._learning_rate = learning_rate
        self._l1_regularization_strength = l1_regularization_strength
        self._l2_regularization_strength = l2_regularization_strength

    def _prepare(self):
        self._learning_rate_tensor, self._l1_regularization_strength_tensor, self._l2_regularization_strength_tensor = (
            convert_to_tensor(value, name=name)
            for name, value in (
                ("learning_rate", self._learning_rate),
                ("l1_regularization_strength", self._l1_regularization_strength),
                ("l2_regularization_strength", self._l2_regularization_strength),
            )
        )

    def _update(self, form, var, gradient, dtype):
        scalars = proximal_scalars(self, form, dtype)
        return self._update_with(form + "ProximalGradientDescent", *self._state(form, var), *scalars, *gradient)


def proximal_scalars(optimizer, form, dtype):
    """Returns the rate and both strengths; of the four forms only ResourceSparse casts them, as in TensorFlow."""
    tensors = [
        optimizer._learning_rate_tensor,
        optimizer._l1_regularization_strength_tensor,
        optimizer._l2_regularization_strength_tensor,
    ]
    return [cast(x, dtype) for x in tensors] if form == "ResourceSparseApply" else tensors
