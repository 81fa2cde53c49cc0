"""tf.train.MomentumOptimizer."""

from ferroflow._src.ops.math import cast
from ferroflow._src.training.optimizer import FusedOptimizer


class MomentumOptimizer(FusedOptimizer):
    """Descent with momentum: `accum = momentum * accum + grad; var -= learning_rate * accum`.

    Nesterov's form (Sutskever et al., ICML 2013) steps by `grad + momentum * accum`. Slot: `momentum`.
    """

    def __init__(self, learning_rate, momentum, use_locking=False, name="Momentum", use_nesterov=False):
        """Keeps the arguments.

        Args:
          learning_rate: a number, a `Tensor`, or a function that gives one.
          momentum: likewise.
          use_locking: whether updates hold the variable's lock.
          name: the scope of the updates and the name of the slots.
          use_nesterov: whether to use Nesterov's form.
        """
        super().__init__(use_locking, name)
        self._learning_rate = learning_rate
        self._momentum = momentum
        self._use_nesterov = use_nesterov

    def _create_slots(self, var_list):
        for var in var_list:
            self._zeros_slot(var, "momentum", self._name)

    def _prepare(self):
        self._learning_rate_tensor = self._hyperparameter(self._learning_rate, "learning_rate")
        self._momentum_tensor = self._hyperparameter(self._momentum, "momentum")

    def _update(self, form, var, gradient, dtype):
        rate = cast(self._learning_rate_tensor, dtype)
        momentum = cast(self._momentum_tensor, dtype)
        state = self._state(form, var, "momentum")
        return self._update_with(
            form + "Momentum", *state, rate, *gradient, momentum, use_nesterov=self._use_nesterov
        )
