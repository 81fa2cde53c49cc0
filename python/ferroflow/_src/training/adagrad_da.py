"""tf.train.AdagradDAOptimizer."""

from ferroflow._src.framework.constant import constant
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.scopes import colocate_with, device
from ferroflow._src.ops.array import identity
from ferroflow._src.ops.math import cast
from ferroflow._src.training.optimizer import FusedOptimizer


class AdagradDAOptimizer(FusedOptimizer):
    """Adagrad by dual averaging (Duchi, Hazan and Singer, JMLR 2011), which keeps models sparse.

    Slots: `gradient_accumulator` and `gradient_squared_accumulator`.
    """

    def __init__(
        self,
        learning_rate,
        global_step,
        initial_gradient_squared_accumulator_value=0.1,
        l1_regularization_strength=0.0,
        l2_regularization_strength=0.0,
        use_locking=False,
        name="AdagradDA",
    ):
        """Keeps the arguments.

        Args:
          learning_rate: a number or a `Tensor`.
          global_step: a `Variable`: how many steps were made.
          initial_gradient_squared_accumulator_value: a positive number.
          l1_regularization_strength: a number, not negative.
          l2_regularization_strength: a number, not negative.
          use_locking: whether updates hold the variable's lock.
          name: the scope of the updates and the name of the slots.

        Raises:
          ValueError: when the accumulators would not start positive.
        """
        if initial_gradient_squared_accumulator_value <= 0.0:
            raise ValueError(
                "initial_gradient_squared_accumulator_value must be positive: "
                f"{initial_gradient_squared_accumulator_value}"
            )
        super().__init__(use_locking, name)
        self._learning_rate = learning_rate
        self._initial_gradient_squared_accumulator_value = initial_gradient_squared_accumulator_value
        self._learning_rate_tensor = None
        self._l1_regularization_strength = l1_regularization_strength
        self._l2_regularization_strength = l2_regularization_strength
        self._global_step = global_step
        self._global_step_on_worker = None

    def _create_slots(self, var_list):
        for var in var_list:
            kind = {"shape": var.get_shape(), "dtype": var.dtype.base_dtype}
            with colocate_with(var):
                sums = constant(0.0, **kind)
                squares = constant(self._initial_gradient_squared_accumulator_value, **kind)
            self._get_or_make_slot(var, sums, "gradient_accumulator", self._name)
            self._get_or_make_slot(var, squares, "gradient_squared_accumulator", self._name)

    def _prepare(self):
        self._learning_rate_tensor = convert_to_tensor(self._learning_rate, name="learning_rate")
        with colocate_with(self._learning_rate_tensor):
            self._global_step_on_worker = identity(self._global_step) + 1

    def _update(self, form, var, gradient, dtype):
        with device(var.device):
            step = identity(self._global_step_on_worker)
        state = self._state(form, var, "gradient_accumulator", "gradient_squared_accumulator")
        scalars = [
            cast(x, dtype)
            for x in (
                self._learning_rate_tensor,
                self._l1_regularization_strength,
                self._l2_regularization_strength,
            )
        ]
        return self._update_with(form + "AdagradDA", *state, *gradient, *scalars, step)
