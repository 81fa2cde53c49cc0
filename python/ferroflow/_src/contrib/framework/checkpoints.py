"""Variables from checkpoints and from arrays, without their values in the graph."""

import re

from ferroflow._src.framework import control_flow
from ferroflow._src.framework.collections import get_collection
from ferroflow._src.framework.graph_keys import GraphKeys
from ferroflow._src.framework.placeholders import placeholder
from ferroflow._src.proto import SaverDef
from ferroflow._src.training.checkpoint_utils import new_checkpoint_reader
from ferroflow._src.training.log import logger
from ferroflow._src.training.saver import Saver


def assign_from_values(var_names_to_values):
    """Makes an operation that sets variables to arrays, which are fed.

    Args:
      var_names_to_values: a dict of variables' names to arrays.

    Returns:
      (operation, feed_dict).

    Raises:
      ValueError: when there is no variable of a name.
    """
    feed_dict, assigns = {}, []
    for name, value in var_names_to_values.items():
        variable = _named(name)
        fed = _placeholder_for(variable)
        assigns.append(variable.assign(fed))
        feed_dict[fed] = value.reshape(variable.get_shape())
    return control_flow.group(*assigns), feed_dict


def _named(name):
    found = get_collection(GraphKeys.GLOBAL_VARIABLES, name)
    if not found:
        raise ValueError(f"Variable {name} wasn't found")
    if len(found) == 1:
        return found[0]
    for variable in found:
        if variable.op.name == name:
            return variable
    raise ValueError(f"Variable {name} doesn't uniquely identify a variable")


def _placeholder_for(variable):
    return placeholder(
        dtype=variable.dtype.base_dtype, shape=variable.get_shape(), name="placeholder/" + variable.op.name
    )


def assign_from_values_fn(var_names_to_values):
    """Returns a function that sets the variables in the session that it is given; see `assign_from_values`."""
    assign, feed_dict = assign_from_values(var_names_to_values)

    def callback(session):
        return session.run(assign, feed_dict)

    return callback


def get_variable_full_name(var):
    """Returns a variable's name in checkpoints: of a part the name of the whole."""
    return var._save_slice_info.full_name if var._save_slice_info else var.op.name


def assign_from_checkpoint(model_path, var_list, ignore_missing_vars=False):
    """Makes an operation that sets variables to what a checkpoint, read now, has for them.

    Args:
      model_path: the checkpoint's prefix.
      var_list: a list of variables, or a dict of names in the checkpoint to variables or lists of parts.
      ignore_missing_vars: whether variables that it lacks stay as they are.

    Returns:
      (operation, feed_dict).

    Raises:
      ValueError: when it lacks a variable, or a shape differs.
    """
    groups = {}
    if isinstance(var_list, (tuple, list)):
        for variable in var_list:
            groups.setdefault(get_variable_full_name(variable), []).append(variable)
    else:
        for name, value in var_list.items():
            groups[name] = value if isinstance(value, (tuple, list)) else [value]
    reader = new_checkpoint_reader(model_path)
    feed_dict, assigns = {}, []
    for name, variables in groups.items():
        if not reader.has_tensor(name):
            message = f"Checkpoint is missing variable [{name}]"
            if not ignore_missing_vars:
                raise ValueError(message)
            logger.warning(message)
            continue
        whole = reader.get_tensor(name)
        for variable in variables:
            fed = _placeholder_for(variable)
            assigns.append(variable.assign(fed))
            feed_dict[fed] = _part_of(whole, variable, name)
    return control_flow.group(*assigns), feed_dict


def _part_of(whole, variable, name):
    part = variable._save_slice_info
    if part:
        ranges = zip(part.var_offset, part.var_shape, strict=True)
        return whole[tuple(slice(start, start + size) for start, size in ranges)]
    if variable.get_shape() != whole.shape:
        raise ValueError(
            f"Total size of new array must be unchanged for {name} lh_shape: [{whole.shape}], "
            f"rh_shape: [{variable.get_shape()}]"
        )
    return whole


def assign_from_checkpoint_fn(model_path, var_list, ignore_missing_vars=False, reshape_variables=False):
    """Returns a function that restores variables in the session that it is given.

    Args:
      model_path: the checkpoint's prefix.
      var_list: a list of variables, or a dict of names in the checkpoint to variables.
      ignore_missing_vars: whether variables that it lacks stay as they are.
      reshape_variables: whether its tensors may have other shapes of as many elements.

    Returns:
      The function; None when the checkpoint has none of the variables.

    Raises:
      ValueError: when `var_list` is empty.
    """
    if not var_list:
        raise ValueError("var_list cannot be empty")
    if ignore_missing_vars:
        reader = new_checkpoint_reader(model_path)
        named = var_list if isinstance(var_list, dict) else {v.op.name: v for v in var_list}
        var_list = {name: v for name, v in named.items() if reader.has_tensor(name)}
        for name in named:
            if name not in var_list:
                logger.warning("Variable %s missing in checkpoint %s", name, model_path)
    if not var_list:
        logger.warning("No Variables to restore")
        return None
    saver = Saver(var_list, reshape=reshape_variables, write_version=SaverDef.V1)

    def callback(session):
        saver.restore(session, model_path)

    return callback


def filter_variables(var_list, include_patterns=None, exclude_patterns=None, reg_search=True):
    """Returns the variables whose names match one of the first patterns and none of the second.

    Args:
      var_list: variables.
      include_patterns: regular expressions; None for all.
      exclude_patterns: regular expressions; None for none.
      reg_search: whether a pattern may match anywhere in a name, not only at its beginning.
    """
    find = re.search if reg_search else re.match

    def matches(variable, patterns):
        return any(find(pattern, variable.name) for pattern in patterns)

    return [
        v
        for v in var_list
        if (include_patterns is None or matches(v, include_patterns)) and not matches(v, exclude_patterns or ())
    ]
