"""tf.train.AdadeltaOptimizer."""

from ferroflow._src.ops.math import cast
from ferroflow._src.training.optimizer import FusedOptimizer


class AdadeltaOptimizer(FusedOptimizer):
    """Adadelta (Zeiler, arXiv:1212.5701). Slots: `accum` of squared gradients, `accum_update` of squared steps."""

    def __init__(self, learning_rate=0.001, rho=0.95, epsilon=1e-8, use_locking=False, name="Adadelta"):
        """Keeps the arguments.

        Args:
          learning_rate: a number, a `Tensor`, or a function that gives one; so are the next two.
          rho: how slowly the accumulators forget.
          epsilon: keeps the quotient finite.
          use_locking: whether updates hold the variable's lock.
          name: the scope of the updates and the name of the slots.
        """
        super().__init__(use_locking, name)
        self._lr, self._rho, self._epsilon = learning_rate, rho, epsilon
        self._lr_t = self._rho_t = self._epsilon_t = None

    def _create_slots(self, var_list):
        for var in var_list:
            self._zeros_slot(var, "accum", self._name)
            self._zeros_slot(var, "accum_update", self._name)

    def _prepare(self):
        self._lr_t = self._hyperparameter(self._lr, "lr")
        self._rho_t = self._hyperparameter(self._rho, "rho")
        self._epsilon_t = self._hyperparameter(self._epsilon, "epsilon")

    def _update(self, form, var, gradient, dtype):
        scalars = [cast(x, dtype) for x in (self._lr_t, self._rho_t, self._epsilon_t)]
        state = self._state(form, var, "accum", "accum_update")
        return self._update_with(form + "Adadelta", *state, *scalars, *gradient)
