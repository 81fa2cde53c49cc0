"""tf.contrib.opt.LARSOptimizer and RegAdagradOptimizer."""

import contextlib

from ferroflow._src.framework.apply import apply_op
from ferroflow._src.ops import indexing, linalg, math
from ferroflow._src.training.adagrad import AdagradOptimizer
from ferroflow._src.training.optimizer import FusedOptimizer


class LARSOptimizer(FusedOptimizer):
    """Momentum with a learning rate for each layer (You et al., 2017): in proportion to the weights' norm over the gradient's."""

    def __init__(
        self,
        learning_rate,
        momentum=0.9,
        weight_decay=0.0001,
        eeta=0.001,
        epsilon=0.0,
        name="LARSOptimizer",
        skip_list=None,
        use_nesterov=False,
    ):
        """Keeps the arguments.

        Args:
          learning_rate: a number or `Tensor`.
          momentum: a number, not negative.
          weight_decay: a number, not negative.
          eeta: the coefficient of the norms' quotient.
          epsilon: added to its denominator.
          name: the scope of the updates and the name of the slots.
          skip_list: parts of names: variables that have one of them take the rate as it is.
          use_nesterov: whether to use Nesterov's momentum.

        Raises:
          ValueError: for a negative momentum or decay.
        """
        for key, value in (("momentum", momentum), ("weight_decay", weight_decay)):
            if value < 0.0:
                raise ValueError(f"{key} should be positive: {value}")
        super().__init__(False, name)
        self._learning_rate, self._momentum, self._weight_decay = learning_rate, momentum, weight_decay
        self._eeta, self._epsilon, self._skip_list, self._use_nesterov = eeta, epsilon, skip_list, use_nesterov

    def _create_slots(self, var_list):
        for var in var_list:
            self._zeros_slot(var, "momentum", self._name)

    def compute_lr(self, grad, var):
        """Returns the variable's learning rate, and the gradient with the decay's part."""
        if self._skip_list is not None and any(part in var.name for part in self._skip_list):
            return self._learning_rate, grad
        w_norm, g_norm = linalg.norm(var, ord=2), linalg.norm(grad, ord=2)
        is_known = math.greater(w_norm, 0)
        is_moving = math.greater(g_norm, 0)
        quotient = self._eeta * w_norm / (g_norm + self._weight_decay * w_norm + self._epsilon)
        trust = indexing.where(is_known, indexing.where(is_moving, quotient, 1.0), 1.0)
        return self._learning_rate * trust, grad + self._weight_decay * var

    def _apply_dense(self, grad, var):
        return self._stepped("ApplyMomentum", grad, var, [var, self.get_slot(var, "momentum")])

    def _resource_apply_dense(self, grad, handle):
        variables = [handle.handle, self.get_slot(handle, "momentum").handle]
        return self._stepped("ResourceApplyMomentum", grad, handle, variables)

    def _stepped(self, op, grad, var, variables):
        rate, grad = self.compute_lr(grad, var)
        one = math.cast(1.0, var.dtype.base_dtype)
        return apply_op(
            op, *variables, one, grad * rate, self._momentum, use_locking=False, use_nesterov=self._use_nesterov
        )

    def _update(self, form, var, gradient, dtype):
        rate, momentum = (math.cast(x, dtype) for x in (self._learning_rate_tensor, self._momentum_tensor))
        return self._update_with(
            form + "Momentum",
            *self._state(form, var, "momentum"),
            rate,
            *gradient,
            momentum,
            use_nesterov=self._use_nesterov,
        )

    def _prepare(self):
        self._learning_rate_tensor = self._hyperparameter(self._learning_rate, "learning_rate")
        self._momentum_tensor = self._hyperparameter(self._momentum, "momentum")


class RegAdagradOptimizer(AdagradOptimizer):
    """Adagrad whose sums can stand still: `with optimizer.avoid_updating_slots():` around a regularizer's update."""

    def __init__(self, learning_rate, initial_accumulator_value=0.1, use_locking=False, name="RegAdagrad"):
        """Takes the arguments of `tf.train.AdagradOptimizer`."""
        super().__init__(learning_rate, initial_accumulator_value, use_locking, name)
        self._should_update_slots = True

    @contextlib.contextmanager
    def avoid_updating_slots(self):
        """While it is open, updates that are made leave the slots as they are."""
        old, self._should_update_slots = self._should_update_slots, False
        try:
            yield
        finally:
            self._should_update_slots = old

    def _update_with(self, op, *inputs, **attrs):
        return super()._update_with(op, *inputs, update_slots=self._should_update_slots, **attrs)
