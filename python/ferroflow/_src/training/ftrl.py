"""tf.train.FtrlOptimizer."""

from ferroflow._src.framework.constant import constant
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.scopes import colocate_with
from ferroflow._src.ops.math import cast
from ferroflow._src.training.optimizer import FusedOptimizer


class FtrlOptimizer(FusedOptimizer):
    """FTRL-Proximal (McMahan et al., KDD 2013), also with shrinkage L2. Slots: `accum` and `linear`."""

    def __init__(
        self,
        learning_rate,
        learning_rate_power=-0.5,
        initial_accumulator_value=0.1,
        l1_regularization_strength=0.0,
        l2_regularization_strength=0.0,
        use_locking=False,
        name="Ftrl",
        accum_name=None,
        linear_name=None,
        l2_shrinkage_regularization_strength=0.0,
    ):
        """Keeps the arguments.

        Args:
          learning_rate: a number or a `Tensor`.
          learning_rate_power: a number, not positive: how the rate falls; 0 keeps it fixed.
          initial_accumulator_value: a number, not negative.
          l1_regularization_strength: a number, not negative.
          l2_regularization_strength: a number, not negative; a penalty that holds the weights near zero.
          use_locking: whether updates hold the variable's lock.
          name: the scope of the updates and the name of the slots.
          accum_name: another name for the slots of squared gradients.
          linear_name: another name for the slots of gradients.
          l2_shrinkage_regularization_strength: a number, not negative; it shrinks the weights that are active.

        Raises:
          ValueError: for a number out of its range.
        """
        super().__init__(use_locking, name)
        for argument, value in (
            ("initial_accumulator_value", initial_accumulator_value),
            ("learning_rate_power", learning_rate_power),
            ("l1_regularization_strength", l1_regularization_strength),
            ("l2_regularization_strength", l2_regularization_strength),
            ("l2_shrinkage_regularization_strength", l2_shrinkage_regularization_strength),
        ):
            _check_sign(argument, value, "negative" if argument == "learning_rate_power" else "positive")
        self._learning_rate = learning_rate
        self._learning_rate_power = learning_rate_power
        self._initial_accumulator_value = initial_accumulator_value
        self._l1_regularization_strength = l1_regularization_strength
        self._l2_regularization_strength = l2_regularization_strength
        self._l2_shrinkage_regularization_strength = l2_shrinkage_regularization_strength
        self._accum_name = accum_name
        self._linear_name = linear_name

    def _create_slots(self, var_list):
        for var in var_list:
            with colocate_with(var):
                initial = constant(
                    self._initial_accumulator_value, dtype=var.dtype.base_dtype, shape=var.get_shape()
                )
                self._get_or_make_slot(var, initial, "accum", self._accum_name or self._name)
                self._zeros_slot(var, "linear", self._linear_name or self._name)

    def _prepare(self):
        for argument in (
            "learning_rate",
            "l1_regularization_strength",
            "l2_regularization_strength",
            "l2_shrinkage_regularization_strength",
            "learning_rate_power",
        ):
            setattr(self, f"_{argument}_tensor", convert_to_tensor(getattr(self, f"_{argument}"), name=argument))

    def _update(self, form, var, gradient, dtype):
        tensors = [
            self._learning_rate_tensor,
            self._l1_regularization_strength_tensor,
            self._l2_regularization_strength_tensor,
        ]
        kind = "Ftrl"
        if self._l2_shrinkage_regularization_strength > 0.0:
            kind = "FtrlV2"
            tensors.append(self._l2_shrinkage_regularization_strength_tensor)
        scalars = [cast(x, dtype) for x in (*tensors, self._learning_rate_power_tensor)]
        return self._update_with(form + kind, *self._state(form, var, "accum", "linear"), *gradient, *scalars)


def _check_sign(argument, value, sign):
    if value > 0.0 if sign == "negative" else value < 0.0:
        raise ValueError(f"{argument} {value:f} needs to be {sign} or zero")
