"""Moving averages of variables and tensors: shadows that follow them, `shadow -= (1 - decay) * (shadow - value)`."""

from ferroflow._src.framework import control_flow, dtypes, stacks
from ferroflow._src.framework.collections import add_to_collection
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.graph_keys import GraphKeys
from ferroflow._src.framework.initializers import zeros_initializer
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.scopes import colocate_with, get_name_scope, init_scope
from ferroflow._src.framework.variable_lists import global_variables, moving_average_variables, trainable_variables
from ferroflow._src.framework.variable_scope import get_variable, get_variable_scope, variable_scope
from ferroflow._src.framework.variables import Variable
from ferroflow._src.ops import math, state
from ferroflow._src.training import slot_creator

_AVERAGED = (dtypes.bfloat16, dtypes.float16, dtypes.float32, dtypes.float64)


def assign_moving_average(variable, value, decay, zero_debias=True, name=None):
    """Moves `variable` towards `value`.

    Args:
      variable: the `Variable` that holds the average.
      value: a `Tensor` of its shape and dtype.
      decay: a float or scalar `Tensor`: how much of the old average stays.
      zero_debias: whether to correct for an average that began at zero (Kingma and Ba, ICLR 2015, section 3).
      name: of the op.

    Returns:
      The op that assigns the new average: a reference to it, or its value.
    """
    with name_scope(name, "AssignMovingAvg", [variable, value, decay]) as scope:
        rate = convert_to_tensor(1.0 - decay, name="decay")
        if rate.dtype != variable.dtype.base_dtype:
            rate = math.cast(rate, variable.dtype.base_dtype)
        if zero_debias:
            return _zero_debiased(variable, value, rate)
        return state.assign_sub(variable, (variable - value) * rate, name=scope)


def _zero_debiased(variable, value, rate):
    with variable_scope(variable.name[: -len(":0")], values=[variable, value, rate]):
        with init_scope():
            zeros, no_steps = zeros_initializer(), zeros_initializer()
        with colocate_with(variable):
            biased = get_variable(
                _free_name("biased"),
                initializer=zeros,
                shape=variable.get_shape(),
                dtype=variable.dtype,
                trainable=False,
            )
            steps = get_variable(
                _free_name("local_step"),
                shape=[],
                dtype=variable.dtype,
                initializer=no_steps,
                trainable=False,
            )
    moved = state.assign_sub(biased, (biased - value) * rate)
    counted = steps.assign_add(1)
    share = 1 - math.pow(1.0 - rate, counted)
    return state.assign(variable, moved / share, name=get_name_scope() + "/")


def _free_name(name):
    """`name`, with a number when the current variable scope has a variable of that name."""
    scope = get_variable_scope()
    if scope.reuse:
        return name
    taken = {v.op.name for v in scope.global_variables()}
    candidate, i = name, 0
    while f"{scope.name}/{candidate}" in taken:
        i += 1
        candidate = f"{name}_{i}"
    return candidate


def weighted_moving_average(value, decay, weight, truediv=True, collections=None, name=None):
    """Returns the moving average of `value * weight` over that of `weight`.

    Args:
      value: a numeric `Tensor`.
      decay: a float or scalar `Tensor`.
      weight: a `Tensor` that can be multiplied with `value`.
      truediv: whether integers are divided as floats.
      collections: of the two variables; None for `GLOBAL_VARIABLES`.
      name: of the scope.
    """
    collections = [GraphKeys.GLOBAL_VARIABLES] if collections is None else collections
    with variable_scope(name, "WeightedMovingAvg", [value, weight, decay]) as scope:

        def average(name, of):
            return get_variable(
                name,
                shape=of.get_shape(),
                dtype=of.dtype,
                initializer=zeros_initializer(),
                trainable=False,
                collections=collections,
            )

        weighted = average("value_x_weight", value)
        weights = average("weight", weight)
        numerator = assign_moving_average(weighted, value * weight, decay, zero_debias=False)
        denominator = assign_moving_average(weights, weight, decay, zero_debias=False)
        divide = math.truediv if truediv else math.div
        return divide(numerator, denominator, name=scope.name)


class ExponentialMovingAverage:
    """Keeps shadow variables that follow variables or tensors, and names them for saving and restoring.

    Example:

        averages = tf.train.ExponentialMovingAverage(0.999, num_updates=global_step)
        with tf.control_dependencies([train_step]):
            train_op = averages.apply(tf.trainable_variables())
        ...
        saver = tf.train.Saver(averages.variables_to_restore())    # in the program that evaluates
    """

    def __init__(self, decay, num_updates=None, zero_debias=False, name="ExponentialMovingAverage"):
        """Keeps the arguments.

        Args:
          decay: a float or scalar `Tensor`, near 1.
          num_updates: a count of updates, which lowers the decay at the beginning to
            `min(decay, (1 + num_updates) / (10 + num_updates))`.
          zero_debias: whether averages of tensors, which begin at zero, are corrected for it.
          name: the last part of the shadows' names.
        """
        self._decay = decay
        self._num_updates = num_updates
        self._zero_debias = zero_debias
        self._name = name
        self._averages = {}

    @property
    def name(self):
        """The name given to the constructor."""
        return self._name

    def apply(self, var_list=None):
        """Makes the shadows that are missing, and the op that moves all of them.

        Args:
          var_list: variables and tensors of floats; None for all trainable variables.

        Returns:
          An `Operation`.

        Raises:
          TypeError: for values that are not floats.
        """
        if var_list is None:
            var_list = trainable_variables()
        corrected = set()
        for var in var_list:
            if var.dtype.base_dtype not in _AVERAGED:
                raise TypeError(f"The variables must be half, float, or double: {var.name}")
            if id(var) in self._averages:
                continue
            with init_scope():
                shadow = self._make_shadow(var)
            self._averages[id(var)] = (var, shadow)
            if self._zero_debias and not isinstance(var, Variable):
                corrected.add(id(var))
        with name_scope(self._name) as scope:
            decay = self._decay_now()
            updates = [
                assign_moving_average(self.average(var), var, decay, id(var) in corrected) for var in var_list
            ]
            return control_flow.group(*updates, name=scope)

    def _make_shadow(self, var):
        if isinstance(var, Variable):
            shadow = slot_creator.create_slot(var, var.initialized_value(), self._name, colocate_with_primary=True)
            add_to_collection(GraphKeys.MOVING_AVERAGE_VARIABLES, var)
            return shadow
        is_variable = var.op.type in ("Variable", "VariableV2", "VarHandleOp")
        return slot_creator.create_zeros_slot(var, self._name, colocate_with_primary=is_variable)

    def _decay_now(self):
        decay = convert_to_tensor(self._decay, name="decay")
        if self._num_updates is None:
            return decay
        count = math.cast(self._num_updates, dtypes.float32, name="num_updates")
        return math.minimum(decay, (1.0 + count) / (10.0 + count))

    def average(self, var):
        """Returns the shadow of `var`, or None before `apply`."""
        found = self._averages.get(id(var))
        return None if found is None else found[1]

    def average_name(self, var):
        """Returns the name of the shadow of `var`: that which it has, or would get."""
        shadow = self.average(var)
        if shadow is not None:
            return shadow.op.name
        graph = stacks.get_default_graph()
        return graph.unique_name(f"{var.op.name}/{self._name}", mark_as_used=False)

    def variables_to_restore(self, moving_avg_variables=None):
        """Returns a dict of names in a checkpoint to variables, for a `Saver` that loads shadows into the variables.

        Args:
          moving_avg_variables: variables that have shadows; None for all trainable and averaged ones.
        """
        if moving_avg_variables is None:
            moving_avg_variables = trainable_variables() + moving_average_variables()
        averaged = dict.fromkeys(moving_avg_variables)
        names = {self.average_name(var): var for var in averaged}
        covered = {var.name for var in averaged}
        for var in dict.fromkeys(global_variables()):
            if var.name not in covered and var.op.name not in names:
                names[var.op.name] = var
        return names
