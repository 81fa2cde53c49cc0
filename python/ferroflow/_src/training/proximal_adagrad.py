"""tf.train.ProximalAdagradOptimizer."""

from ferroflow._src.framework.constant import constant
from ferroflow._src.framework.scopes import colocate_with
from ferroflow._src.training.proximal_gradient_descent import (
    ProximalGradientDescentOptimizer,
    proximal_scalars,
)


class ProximalAdagradOptimizer(ProximalGradientDescentOptimizer):
    """Adagrad followed by the proximal step of L1 and L2 (Duchi and Singer, JMLR 2009). Slot: `accumulator`."""

    def __init__(
        self,
        learning_rate,
        initial_accumulator_value=0.1,
        l1_regularization_strength=0.0,
        l2_regularization_strength=0.0,
        use_locking=False,
        name="ProximalAdagrad",
    ):
        """Keeps the arguments.

        Args:
          learning_rate: a number or a `Tensor`.
          initial_accumulator_value: a positive number with which the accumulators start.
          l1_regularization_strength: a number, not negative.
          l2_regularization_strength: a number, not negative.
          use_locking: whether updates hold the variable's lock.
          name: the scope of the updates and the name of the slots.

        Raises:
          ValueError: when the accumulators would not start positive.
        """
        if initial_accumulator_value <= 0.0:
            raise ValueError(f"initial_accumulator_value must be positive: {initial_accumulator_value}")
        super().__init__(
            learning_rate, l1_regularization_strength, l2_regularization_strength, use_locking, name
        )
        self._initial_accumulator_value = initial_accumulator_value

    def _create_slots(self, var_list):
        for var in var_list:
            with colocate_with(var):
                initial = constant(
                    self._initial_accumulator_value, shape=var.get_shape(), dtype=var.dtype.base_dtype
                )
            self._get_or_make_slot(var, initial, "accumulator", self._name)

    def _update(self, form, var, gradient, dtype):
        scalars = proximal_scalars(self, form, dtype)
        state = self._state(form, var, "accumulator")
        return self._update_with(form + "ProximalAdagrad", *state, *scalars, *gradient)
