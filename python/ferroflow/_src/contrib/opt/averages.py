"""tf.contrib.opt.MovingAverageOptimizer: an optimizer that keeps moving averages, and saves them in the variables' place."""

from ferroflow._src.framework import control_flow
from ferroflow._src.framework.partitioned_variable import PartitionedVariable
from ferroflow._src.framework.scopes import control_dependencies
from ferroflow._src.framework.variable_lists import global_variables
from ferroflow._src.training.moving_averages import ExponentialMovingAverage
from ferroflow._src.training.optimizer import Optimizer
from ferroflow._src.training.saveables import by_name
from ferroflow._src.training.saver import Saver


class MovingAverageOptimizer(Optimizer):
    """Wraps an optimizer: after each update the variables' moving averages follow.

    Save with `swapping_saver()`: its checkpoints hold the averages under the variables' names, for evaluation.
    """

    def __init__(self, opt, average_decay=0.9999, num_updates=None, sequential_update=True):
        """Keeps the arguments.

        Args:
          opt: the optimizer that makes the updates.
          average_decay: a number or `Tensor`, as `ExponentialMovingAverage` takes it.
          num_updates: likewise.
          sequential_update: whether averages wait for the updates; else both happen at once.
        """
        self._optimizer = opt
        self._ema = ExponentialMovingAverage(average_decay, num_updates=num_updates)
        self._swapped_variable_name_map = None
        self._sequential_update = sequential_update

    def compute_gradients(self, *args, **kwargs):
        """Calls the optimizer's."""
        return self._optimizer.compute_gradients(*args, **kwargs)

    def apply_gradients(self, grads_and_vars, global_step=None, name=None):
        """Returns the `Operation` of an update by the optimizer, with that of the averages."""
        train_op = self._optimizer.apply_gradients(grads_and_vars, global_step=global_step, name=name)
        var_list = [var for grad, var in grads_and_vars if grad is not None]
        with control_dependencies([train_op] if self._sequential_update else []):
            averaged = self._ema.apply(var_list)
        swapped = self._swapped_variable_name_map = {}
        for var in var_list:
            average = self._ema.average(var)
            swapped[var.op.name], swapped[average.op.name] = average.op.name, var.op.name
        return control_flow.group(train_op, averaged, name="train_with_avg")

    def swapping_saver(self, var_list=None, name="swapping_saver", **kwargs):
        """Makes a saver that exchanges variables and their averages.

        Args:
          var_list: variables, or a dict by name; None for all global ones.
          name: the saver's.
          **kwargs: of `tf.train.Saver`.

        Raises:
          RuntimeError: before the updates were made.
          ValueError: when a variable is to be saved without its average.
        """
        if self._swapped_variable_name_map is None:
            raise RuntimeError("Must call apply_gradients or minimize before creating the swapping_saver")
        if var_list is None:
            var_list = global_variables()
        if not isinstance(var_list, dict):
            var_list = by_name(var_list)
        saved = {}
        for key, value in var_list.items():
            if isinstance(value, (list, PartitionedVariable)):
                saved.update((part.op.name, part) for part in value)
            else:
                saved[key] = value
        swapped = {
            key: [self._exchanged(saved, part.op.name, part) for part in value]
            if isinstance(value, list)
            else self._exchanged(saved, key, value)
            for key, value in var_list.items()
        }
        return Saver(swapped, name=name, **kwargs)

    def _exchanged(self, saved, name, variable):
        other = self._swapped_variable_name_map.get(name)
        if other is None:
            return variable
        if other not in saved:
            raise ValueError(
                f"Variable to swap {other} is not part of variables to save. This breaks MovingAverageOptimizer."
            )
        return saved[other]
