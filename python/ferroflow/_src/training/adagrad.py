"""tf.train.AdagradOptimizer."""

from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.initializers import constant_initializer
from ferroflow._src.ops import shaping
from ferroflow._src.ops.math import cast
from ferroflow._src.training.optimizer import FusedOptimizer


class AdagradOptimizer(FusedOptimizer):
    """Adagrad (Duchi, Hazan and Singer, JMLR 2011): `accum += grad^2; var -= lr * grad / sqrt(accum)`.

    Slot: `accumulator`.
    """

    def __init__(self, learning_rate, initial_accumulator_value=0.1, use_locking=False, name="Adagrad"):
        """Keeps the arguments.

        Args:
          learning_rate: a number, a `Tensor`, or a function that gives one.
          initial_accumulator_value: a positive number with which the accumulators start.
          use_locking: whether updates hold the variable's lock.
          name: the scope of the updates and the name of the slots.

        Raises:
          ValueError: when the accumulators would not start positive.
        """
        if initial_accumulator_value <= 0.0:
            raise ValueError(f"initial_accumulator_value must be positive: {initial_accumulator_value}")
        super().__init__(use_locking, name)
        self._learning_rate = learning_rate
        self._initial_accumulator_value = initial_accumulator_value
        self._learning_rate_tensor = None

    def _create_slots(self, var_list):
        for var in var_list:
            dtype, shape = var.dtype.base_dtype, var.get_shape()
            if shape.is_fully_defined():
                initial = constant_initializer(self._initial_accumulator_value, dtype=dtype)
            else:
                initial = self._filled_like(var, dtype)
            self._get_or_make_slot_with_initializer(var, initial, shape, dtype, "accumulator", self._name)

    def _filled_like(self, var, dtype):
        return lambda: cast(apply_op("Fill", shaping.shape(var), self._initial_accumulator_value), dtype)

    def _prepare(self):
        self._learning_rate_tensor = self._hyperparameter(self._learning_rate, "learning_rate")

    def _update(self, form, var, gradient, dtype):
        rate = cast(self._learning_rate_tensor, dtype)
        return self._update_with(form + "Adagrad", *self._state(form, var, "accumulator"), rate, *gradient)
