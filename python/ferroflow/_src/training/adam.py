"""tf.train.AdamOptimizer."""

from ferroflow._src.framework import control_flow
from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.scopes import colocate_with, control_dependencies
from ferroflow._src.framework.stacks import get_default_graph
from ferroflow._src.ops import state
from ferroflow._src.ops.math import cast, sqrt
from ferroflow._src.training.optimizer import FusedOptimizer


class AdamOptimizer(FusedOptimizer):
    """Adam (Kingma and Ba, ICLR 2015), with epsilon outside the bias correction as in its section 2.

    A step is `var -= lr_t * m / (sqrt(v) + epsilon)` with `lr_t = lr * sqrt(1 - beta2^t) / (1 - beta1^t)`.
    Slots `m` and `v` for each variable; the powers of the betas are two variables of the optimizer.
    """

    def __init__(
        self, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8, use_locking=False, name="Adam"
    ):
        """Keeps the arguments.

        Args:
          learning_rate: a number, a `Tensor`, or a function that gives one; so are the next three.
          beta1: how slowly the mean of the gradients forgets.
          beta2: how slowly the mean of their squares forgets.
          epsilon: keeps the quotient finite.
          use_locking: whether updates hold the variable's lock.
          name: the scope of the updates and the name of the slots.
        """
        super().__init__(use_locking, name)
        self._lr, self._beta1, self._beta2, self._epsilon = learning_rate, beta1, beta2, epsilon
        self._lr_t = self._beta1_t = self._beta2_t = self._epsilon_t = None

    def _get_beta_accumulators(self):
        graph = get_default_graph()
        return tuple(self._get_non_slot_variable(name, graph=graph) for name in ("beta1_power", "beta2_power"))

    def _create_slots(self, var_list):
        # The powers stand beside the first variable by name, so that all workers of a job agree where.
        first = min(var_list, key=lambda var: var.name)
        self._create_non_slot_variable(initial_value=self._beta1, name="beta1_power", colocate_with=first)
        self._create_non_slot_variable(initial_value=self._beta2, name="beta2_power", colocate_with=first)
        for var in var_list:
            self._zeros_slot(var, "m", self._name)
            self._zeros_slot(var, "v", self._name)

    def _prepare(self):
        self._lr_t = self._hyperparameter(self._lr, "learning_rate")
        self._beta1_t = self._hyperparameter(self._beta1, "beta1")
        self._beta2_t = self._hyperparameter(self._beta2, "beta2")
        self._epsilon_t = self._hyperparameter(self._epsilon, "epsilon")

    def _scalars(self, dtype):
        """Returns beta1^t, beta2^t, the rate, the betas and epsilon, all of `dtype`."""
        hyperparameters = (self._lr_t, self._beta1_t, self._beta2_t, self._epsilon_t)
        return [cast(x, dtype) for x in (*self._get_beta_accumulators(), *hyperparameters)]

    def _update(self, form, var, gradient, dtype):
        scalars = self._scalars(dtype)
        return self._update_with(form + "Adam", *self._state(form, var, "m", "v"), *scalars, *gradient)

    # There is no sparse Adam op: both moments decay in every row, then the gradient's rows are added.

    def _apply_sparse(self, grad, var):
        return self._apply_sparse_shared(grad.values, var, grad.indices, self._scatter_add)

    def _resource_apply_sparse(self, grad, handle, indices):
        return self._apply_sparse_shared(grad, handle, indices, self._resource_scatter_add)

    def _scatter_add(self, x, i, v):
        return apply_op("ScatterAdd", x, i, v, use_locking=self._use_locking)

    def _resource_scatter_add(self, x, i, v):
        with control_dependencies([apply_op("ResourceScatterAdd", x.handle, i, v)]):
            return x.value()

    def _apply_sparse_shared(self, grad, var, indices, scatter_add):
        beta1_power, beta2_power, rate, beta1, beta2, epsilon = self._scalars(var.dtype.base_dtype)
        corrected_rate = rate * sqrt(1 - beta2_power) / (1 - beta1_power)

        def decay_and_add(slot, beta, rows):
            decayed = state.assign(slot, slot * beta, use_locking=self._use_locking)
            with control_dependencies([decayed]):
                return scatter_add(slot, indices, rows)

        mean = decay_and_add(self.get_slot(var, "m"), beta1, grad * (1 - beta1))
        square = decay_and_add(self.get_slot(var, "v"), beta2, (grad * grad) * (1 - beta2))
        root = sqrt(square)
        change = corrected_rate * mean / (root + epsilon)
        update = state.assign_sub(var, change, use_locking=self._use_locking)
        return control_flow.group(update, mean, square)

    def _finish(self, update_ops, name_scope):
        """The powers move on after all variables have used them."""
        with control_dependencies(update_ops):
            beta1_power, beta2_power = self._get_beta_accumulators()
            with colocate_with(beta1_power):
                powers = [
                    power.assign(power * beta, use_locking=self._use_locking)
                    for power, beta in ((beta1_power, self._beta1_t), (beta2_power, self._beta2_t))
                ]
        return control_flow.group(*update_ops, *powers, name=name_scope)
