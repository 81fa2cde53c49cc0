"""tf.global_variables and its kin, and the ops that initialize variables and say which have no value."""

import os

from ferroflow._src.framework import dtypes, slicing, stacks
from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.collections import get_collection
from ferroflow._src.framework.constant import constant
from ferroflow._src.framework.control_flow import group
from ferroflow._src.framework.graph_keys import GraphKeys
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.packing import stack
from ferroflow._src.framework.scopes import colocate_with, device


def global_variables(scope=None):
    """Returns the variables that checkpoints keep; with `scope` those whose names begin so."""
    return get_collection(GraphKeys.GLOBAL_VARIABLES, scope)


def all_variables():
    """`global_variables` by its older name."""
    return global_variables()


def local_variables(scope=None):
    """Returns the variables of this process alone."""
    return get_collection(GraphKeys.LOCAL_VARIABLES, scope)


def model_variables(scope=None):
    """Returns the variables that inference needs."""
    return get_collection(GraphKeys.MODEL_VARIABLES, scope)


def trainable_variables(scope=None):
    """Returns the variables that optimizers train."""
    return get_collection(GraphKeys.TRAINABLE_VARIABLES, scope)


def moving_average_variables(scope=None):
    """Returns the variables that have moving averages."""
    return get_collection(GraphKeys.MOVING_AVERAGE_VARIABLES, scope)


def all_saveable_objects(scope=None):
    """Returns what a saver saves by default."""
    return get_collection(GraphKeys.GLOBAL_VARIABLES, scope) + get_collection(GraphKeys.SAVEABLE_OBJECTS, scope)


_all_saveable_objects = all_saveable_objects


def variables_initializer(var_list, name="init"):
    """Makes an operation that gives variables their initial values.

    Args:
      var_list: the variables.
      name: the operation's name.
    """
    if var_list:
        return group(*[v.initializer for v in var_list], name=name)
    return group(name=name)


initialize_variables = variables_initializer


def global_variables_initializer():
    """Makes an operation that initializes all global variables made so far."""
    return variables_initializer(global_variables())


def initialize_all_variables():
    """`global_variables_initializer` by its older name."""
    return global_variables_initializer()


def local_variables_initializer():
    """Makes an operation that initializes all local variables made so far."""
    return variables_initializer(local_variables())


def initialize_local_variables():
    """`local_variables_initializer` by its older name."""
    return local_variables_initializer()


def tables_initializer(name="init_all_tables"):
    """Makes an operation that fills all lookup tables made so far."""
    return group(*get_collection(GraphKeys.TABLE_INITIALIZERS), name=name)


def initialize_all_tables(name="init_all_tables"):
    """`tables_initializer` by its older name."""
    return tables_initializer(name)


def is_variable_initialized(variable):
    """Returns whether a variable has a value, a bool scalar."""
    if variable.dtype._is_ref_dtype:
        return apply_op("IsVariableInitialized", variable)
    return variable.is_initialized()


def assert_variables_initialized(var_list=None):
    """Makes an operation that fails while a variable has no value; None when there are no variables.

    Args:
      var_list: the variables; None for all global and local ones.
    """
    variables = _all_variables() if var_list is None else var_list
    if not variables:
        return None
    ranks = [_rank(variable) for variable in variables]
    return ranks[0] if len(ranks) == 1 else stack(ranks)


def _rank(variable):
    with colocate_with(variable.op):
        return apply_op("Rank", variable)


def _all_variables():
    """The global and local variables; the buffers in the graph when the collections hold none."""
    found = global_variables() + local_variables()
    if found:
        return found
    kinds = ("Variable", "VariableV2", "AutoReloadVariable")
    return [op.outputs[0] for op in stacks.get_default_graph().get_operations() if op.type in kinds]


def report_uninitialized_variables(var_list=None, name="report_uninitialized_variables"):
    """Returns the names of variables that have no value, a string vector.

    Args:
      var_list: the variables; None for all global and local ones.
      name: the operation's name.
    """
    variables = _all_variables() if var_list is None else var_list
    with name_scope(name):
        flags = [is_variable_initialized(v) for v in variables]
        # Names and flags are small: on the host.
        with device(os.environ.get("TF_DEVICE_FOR_UNINITIALIZED_VARIABLE_REPORTING", "/cpu:0")):
            if not variables:
                return constant([], dtype=dtypes.string)
            missing = apply_op("LogicalNot", stack(flags))
            return slicing.masked(constant([v.op.name for v in variables]), missing)
