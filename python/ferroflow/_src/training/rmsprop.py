"""tf.train.RMSPropOptimizer."""

from ferroflow._src.framework.initializers import ones_initializer
from ferroflow._src.ops.filling import ones_like
from ferroflow._src.ops.math import cast
from ferroflow._src.training.optimizer import FusedOptimizer


class RMSPropOptimizer(FusedOptimizer):
    """RMSProp (Tieleman and Hinton, 2012) with momentum; centered (Graves, arXiv:1308.0850) on request.

    Slots: `rms` (which starts at one), `momentum`, and `mg`, the mean of the gradients, when centered.
    """

    def __init__(
        self,
        learning_rate,
        decay=0.9,
        momentum=0.0,
        epsilon=1e-10,
        use_locking=False,
        centered=False,
        name="RMSProp",
    ):
        """Keeps the arguments.

        Args:
          learning_rate: a number, a `Tensor`, or a function that gives one; so are the next three.
          decay: how slowly the means forget.
          momentum: of the steps.
          epsilon: keeps the quotient finite.
          use_locking: whether updates hold the variable's lock.
          centered: whether to divide by the variance of the gradients rather than the mean square.
          name: the scope of the updates and the name of the slots.
        """
        super().__init__(use_locking, name)
        self._learning_rate, self._decay = learning_rate, decay
        self._momentum, self._epsilon = momentum, epsilon
        self._centered = centered
        self._learning_rate_tensor = self._decay_tensor = None
        self._momentum_tensor = self._epsilon_tensor = None

    def _create_slots(self, var_list):
        for var in var_list:
            dtype, shape = var.dtype.base_dtype, var.get_shape()
            ones = ones_initializer(dtype=dtype) if shape.is_fully_defined() else ones_like(var)
            self._get_or_make_slot_with_initializer(var, ones, shape, dtype, "rms", self._name)
            if self._centered:
                self._zeros_slot(var, "mg", self._name)
            self._zeros_slot(var, "momentum", self._name)

    def _prepare(self):
        self._learning_rate_tensor = self._hyperparameter(self._learning_rate, "learning_rate")
        self._decay_tensor = self._hyperparameter(self._decay, "decay")
        self._momentum_tensor = self._hyperparameter(self._momentum, "momentum")
        self._epsilon_tensor = self._hyperparameter(self._epsilon, "epsilon")

    def _update(self, form, var, gradient, dtype):
        tensors = (
            self._learning_rate_tensor,
            self._decay_tensor,
            self._momentum_tensor,
            self._epsilon_tensor,
        )
        scalars = [cast(x, dtype) for x in tensors]
        kind, slots = ("CenteredRMSProp", ["mg"]) if self._centered else ("RMSProp", [])
        state = self._state(form, var, *slots, "rms", "momentum")
        return self._update_with(form + kind, *state, *scalars, *gradient)
