"""tf.train.GradientDescentOptimizer."""

from ferroflow._src.framework.apply import apply_op
from ferroflow._src.ops.math import cast
from ferroflow._src.training.optimizer import FusedOptimizer


class GradientDescentOptimizer(FusedOptimizer):
    """Plain descent: `var -= learning_rate * grad`."""

    def __init__(self, learning_rate, use_locking=False, name="GradientDescent"):
        """Keeps the arguments.

        Args:
          learning_rate: a number, a `Tensor`, or a function that gives one.
          use_locking: whether updates hold the variable's lock.
          name: the scope of the updates.
        """
        super().__init__(use_locking, name)
        self._learning_rate = learning_rate
        self._learning_rate_tensor = None

    def _prepare(self):
        self._learning_rate_tensor = self._hyperparameter(self._learning_rate, "learning_rate")

    def _update(self, form, var, gradient, dtype):
        rate = cast(self._learning_rate_tensor, dtype)
        return self._update_with(form + "GradientDescent", *self._state(form, var), rate, *gradient)

    # Rows that repeat need no adding up first: each is subtracted in turn.

    def _apply_sparse_duplicate_indices(self, grad, var):
        change = grad.values * cast(self._learning_rate_tensor, var.dtype.base_dtype)
        return self._update_with("ScatterSub", var, grad.indices, change)

    def _resource_apply_sparse_duplicate_indices(self, grad, handle, indices):
        change = -grad * self._call_if_callable(self._learning_rate)
        return apply_op("ResourceScatterAdd", handle.handle, indices, change)
