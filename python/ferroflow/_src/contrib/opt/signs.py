"""tf.contrib.opt's AddSign and PowerSign (Bello et al., ICML 2017), and schedules for the weight of the signs."""

import math as numbers

from ferroflow._src.framework import control_flow
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.ops import indexing, math, state
from ferroflow._src.training.optimizer import FusedOptimizer


class _SignOptimizer(FusedOptimizer):
    """What both have in common: a moving average of the gradient, whose sign is compared with the gradient's."""

    _op = None
    _factor_name = None

    def __init__(self, learning_rate, factor, beta, sign_decay_fn, use_locking, name):
        super().__init__(use_locking, name)
        self._lr, self._factor, self._beta, self._sign_decay_fn = learning_rate, factor, beta, sign_decay_fn
        self._lr_t = self._beta_t = self._factor_t = None

    def apply_gradients(self, grads_and_vars, global_step=None, name=None):
        """As `tf.train.Optimizer.apply_gradients`; the sign's weight is a function of `global_step`."""
        if self._sign_decay_fn is not None:
            self._sign_decay_t = convert_to_tensor(self._sign_decay_fn(global_step), name="sign_decay")
        return super().apply_gradients(grads_and_vars, global_step=global_step, name=name)

    def _create_slots(self, var_list):
        for var in var_list:
            self._zeros_slot(var, "m", self._name)

    def _prepare(self):
        self._lr_t = convert_to_tensor(self._lr, name="learning_rate")
        self._beta_t = convert_to_tensor(self._beta, name="beta")
        self._factor_t = convert_to_tensor(self._factor, name=self._factor_name)
        if self._sign_decay_fn is None:
            self._sign_decay_t = convert_to_tensor(1.0, name="sign_decay")

    def _update(self, form, var, gradient, dtype):
        dtype = var.dtype.base_dtype
        scalars = [math.cast(x, dtype) for x in (self._lr_t, self._factor_t, self._sign_decay_t, self._beta_t)]
        return self._update_with(form + self._op, *self._state(form, var, "m"), *scalars, *gradient)

    def _sparse_scalars(self, dtype):
        """Returns the rate, beta and what else `_multiplier` takes, all of `dtype`."""
        raise NotImplementedError()

    def _apply_sparse(self, grad, var):
        dtype = var.dtype.base_dtype
        rate, beta, *factors = self._sparse_scalars(dtype)
        m = self.get_slot(var, "m")
        mean = state.assign(m, m * beta + grad * (1 - beta), use_locking=self._use_locking)
        sign = math.sign(grad.values)
        signs = indexing.gather(math.sign(mean), grad.indices) * sign
        multiplier = self._multiplier(factors, math.cast(self._sign_decay_t, dtype), signs)
        change = rate * multiplier * grad.values
        update = state.scatter_sub(var, grad.indices, change, use_locking=self._use_locking)
        return control_flow.group(update, mean)

    def _resource_apply_sparse(self, grad, handle, indices):
        raise NotImplementedError()


class AddSignOptimizer(_SignOptimizer):
    """Steps `learning_rate * (alpha + decay * sign(grad) * sign(m)) * grad`, `m` the gradient's moving average."""

    _op, _factor_name = "AddSign", "alpha"

    def __init__(
        self,
        learning_rate=0.1,
        alpha=1.0,
        beta=0.9,
        sign_decay_fn=None,
        use_locking=False,
        name="AddSignOptimizer",
    ):
        """Keeps the arguments.

        Args:
          learning_rate: a number or `Tensor`.
          alpha: a number or `Tensor`.
          beta: how slowly the moving average forgets.
          sign_decay_fn: what makes the weight of the signs of the global step; None for 1.
          use_locking: whether updates hold the variable's lock.
          name: the scope of the updates and the name of the slots.
        """
        super().__init__(learning_rate, alpha, beta, sign_decay_fn, use_locking, name)

    def _sparse_scalars(self, dtype):
        rate, alpha = math.cast(self._lr_t, dtype), math.cast(self._factor_t, dtype)
        return rate, math.cast(self._beta_t, dtype), alpha

    def _multiplier(self, factors, decay, signs):
        return factors[0] + decay * signs


class PowerSignOptimizer(_SignOptimizer):
    """Steps `learning_rate * base ^ (decay * sign(grad) * sign(m)) * grad`, `m` the gradient's moving average."""

    _op, _factor_name = "PowerSign", "logbase"

    def __init__(
        self,
        learning_rate=0.1,
        base=numbers.e,
        beta=0.9,
        sign_decay_fn=None,
        use_locking=False,
        name="PowerSignOptimizer",
    ):
        """Keeps the arguments.

        Args:
          learning_rate: a number or `Tensor`.
          base: a number.
          beta: how slowly the moving average forgets.
          sign_decay_fn: what makes the weight of the signs of the global step; None for 1.
          use_locking: whether updates hold the variable's lock.
          name: the scope of the updates and the name of the slots.
        """
        super().__init__(learning_rate, numbers.log(base), beta, sign_decay_fn, use_locking, name)

    def _sparse_scalars(self, dtype):
        rate, beta = math.cast(self._lr_t, dtype), math.cast(self._beta_t, dtype)
        logbase = math.cast(self._factor_t, dtype)
        return rate, beta, logbase, math.cast(numbers.e, dtype)

    def _multiplier(self, factors, decay, signs):
        logbase, e = factors
        return math.pow(e, logbase * decay * signs)
