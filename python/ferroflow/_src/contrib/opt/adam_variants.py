"""tf.contrib.opt's relatives of Adam: AdaMax, Nadam, and Adam that leaves rows without a gradient alone."""

from ferroflow._src.framework import control_flow
from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.scopes import colocate_with, control_dependencies
from ferroflow._src.framework.stacks import get_default_graph
from ferroflow._src.ops import indexing, math, state
from ferroflow._src.training.adam import AdamOptimizer


class AdaMaxOptimizer(AdamOptimizer):
    """Adam with the largest gradient so far in place of the root of the mean square (Kingma and Ba, section 7.1).

    A step is `var -= learning_rate / (1 - beta1^t) * m / (v + epsilon)` with `v = max(beta2 * v, abs(grad))`. Rows
    without a gradient are left alone. Slots: `m` and `v`; the power of `beta1` is a variable of the optimizer.
    """

    def __init__(self, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8, use_locking=False, name="AdaMax"):
        """Keeps the arguments, which are those of Adam."""
        super().__init__(learning_rate, beta1, beta2, epsilon, use_locking, name)

    def _get_beta_accumulators(self):
        return self._get_non_slot_variable("beta1_power", graph=get_default_graph())

    def _create_slots(self, var_list):
        first = min(var_list, key=lambda var: var.name)
        self._create_non_slot_variable(initial_value=self._beta1, name="beta1_power", colocate_with=first)
        for var in var_list:
            self._zeros_slot(var, "m", self._name)
            self._zeros_slot(var, "v", self._name)

    def _scalars(self, dtype):
        """Returns beta1^t, the rate, the betas and epsilon, all of `dtype`."""
        hyperparameters = (self._lr_t, self._beta1_t, self._beta2_t, self._epsilon_t)
        return [math.cast(x, dtype) for x in (self._get_beta_accumulators(), *hyperparameters)]

    def _update(self, form, var, gradient, dtype):
        scalars = self._scalars(dtype)
        return self._update_with(form + "AdaMax", *self._state(form, var, "m", "v"), *scalars, *gradient)

    def _apply_sparse(self, grad, var):
        return self._rows_updated(grad.values, var, grad.indices, self._scatter_add, self._scatter_update)

    def _resource_apply_sparse(self, grad, handle, indices):
        return self._rows_updated(grad, handle, indices, self._resource_scatter_add, self._resource_scatter_update)

    def _scatter_update(self, x, i, v):
        return state.scatter_update(x, i, v, use_locking=self._use_locking)

    def _resource_scatter_update(self, x, i, v):
        with control_dependencies([apply_op("ResourceScatterUpdate", x.handle, i, v)]):
            return x.value()

    def _rows_updated(self, grad, var, indices, scatter_add, scatter_update):
        beta1_power, rate, beta1, beta2, epsilon = self._scalars(var.dtype.base_dtype)

        def moved_on(slot, make):
            rows = make(indexing.gather(slot, indices))
            with control_dependencies([rows]):
                return rows, scatter_update(slot, indices, rows)

        mean, m = moved_on(self.get_slot(var, "m"), lambda rows: rows * beta1 + grad * (1 - beta1))
        most, v = moved_on(self.get_slot(var, "v"), lambda rows: math.maximum(rows * beta2, math.abs(grad)))
        change = -rate / (1 - beta1_power) * (mean / (most + epsilon))
        with control_dependencies([change]):
            update = scatter_add(var, indices, change)
        return control_flow.group(update, m, v)

    def _finish(self, update_ops, name_scope):
        with control_dependencies(update_ops):
            power = self._get_beta_accumulators()
            with colocate_with(power):
                moved = power.assign(power * self._beta1_t, use_locking=self._use_locking)
        return control_flow.group(*update_ops, moved, name=name_scope)


class NadamOptimizer(AdamOptimizer):
    """Adam with Nesterov's momentum (Dozat, 2015). Arguments and slots are those of Adam."""

    def _update(self, form, var, gradient, dtype):
        scalars = self._scalars(dtype)
        variables = self._state(form, var, "m", "v")
        return self._update_with(form + "Adam", *variables, *scalars, *gradient, use_nesterov=True)

    def _apply_sparse_shared(self, grad, var, indices, scatter_add):
        beta1_power, beta2_power, rate, beta1, beta2, epsilon = self._scalars(var.dtype.base_dtype)
        rate = rate * math.sqrt(1 - beta2_power) / (1 - beta1_power)
        m = self.get_slot(var, "m")
        rows = grad * (1 - beta1)
        with control_dependencies([state.assign(m, m * beta1, use_locking=self._use_locking)]):
            added = scatter_add(m, indices, rows)
            ahead = rows + beta1 * indexing.gather(added, indices)
        v = self.get_slot(var, "v")
        squares = (grad * grad) * (1 - beta2)
        with control_dependencies([state.assign(v, v * beta2, use_locking=self._use_locking)]):
            square = scatter_add(v, indices, squares)
        root = math.sqrt(indexing.gather(square, indices))
        update = scatter_add(var, indices, -rate * ahead / (root + epsilon))
        return control_flow.group(update, ahead, square)


class LazyAdamOptimizer(AdamOptimizer):
    """Adam that updates moments and variables only in rows that have a gradient. Arguments and slots are Adam's."""

    def _apply_sparse(self, grad, var):
        beta1, beta2, rate, epsilon = self._row_scalars(var)
        indices = grad.indices

        def moved_on(slot, beta, make):
            rows = beta * indexing.gather(slot, indices) + (1 - beta) * make()
            return state.scatter_update(slot, indices, rows, use_locking=self._use_locking)

        mean = moved_on(self.get_slot(var, "m"), beta1, lambda: grad.values)
        square = moved_on(self.get_slot(var, "v"), beta2, lambda: math.square(grad.values))
        mean_rows, square_rows = indexing.gather(mean, indices), indexing.gather(square, indices)
        denominator = math.sqrt(square_rows) + epsilon
        change = rate * mean_rows / denominator
        update = state.scatter_sub(var, indices, change, use_locking=self._use_locking)
        return control_flow.group(update, mean, square)

    def _resource_apply_sparse(self, grad, handle, indices):
        beta1, beta2, rate, epsilon = self._row_scalars(handle)

        def moved_on(slot, beta, make):
            rows = beta * indexing.gather(slot, indices) + (1 - beta) * make()
            return rows, apply_op("ResourceScatterUpdate", slot.handle, indices, rows)

        mean, m = moved_on(self.get_slot(handle, "m"), beta1, lambda: grad)
        square, v = moved_on(self.get_slot(handle, "v"), beta2, lambda: math.square(grad))
        change = rate * mean / (math.sqrt(square) + epsilon)
        update = apply_op("ResourceScatterSub", handle.handle, indices, change)
        return control_flow.group(update, m, v)

    def _row_scalars(self, var):
        beta1_power, beta2_power, rate, beta1, beta2, epsilon = self._scalars(var.dtype.base_dtype)
        return beta1, beta2, rate * math.sqrt(1 - beta2_power) / (1 - beta1_power), epsilon
