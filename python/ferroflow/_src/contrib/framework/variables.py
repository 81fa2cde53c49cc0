"""Variables of models: made in collections of their own, and found by scope and name."""

import functools

from ferroflow._src.contrib.framework.arg_scope import add_arg_scope
from ferroflow._src.framework import dtypes, variable_scope as scopes
from ferroflow._src.framework.collections import add_to_collection, get_collection
from ferroflow._src.framework.graph_keys import GraphKeys
from ferroflow._src.framework.scopes import device as device_scope
from ferroflow._src.framework.variables import Variable, VariableAggregation, VariableSynchronization
from ferroflow._src.ops.checks import assert_same_float_dtype as assert_same_float_dtype, assert_scalar as assert_scalar


def local_variable(initial_value, validate_shape=True, name=None, use_resource=None):
    """Makes a variable that is not saved and not trained, in the collection of local ones.

    Args:
      initial_value: its first value.
      validate_shape: whether its shape must be known.
      name: its name.
      use_resource: whether it is a resource variable.
    """
    return _plain(initial_value, GraphKeys.LOCAL_VARIABLES, validate_shape, name, use_resource)


def global_variable(initial_value, validate_shape=True, name=None, use_resource=None):
    """Makes a variable that is not trained, in the collection of global ones.

    Args:
      initial_value: its first value.
      validate_shape: whether its shape must be known.
      name: its name.
      use_resource: whether it is a resource variable.
    """
    return _plain(initial_value, GraphKeys.GLOBAL_VARIABLES, validate_shape, name, use_resource)


def _plain(initial_value, collection, validate_shape, name, use_resource):
    return Variable(
        initial_value,
        trainable=False,
        collections=[collection],
        validate_shape=validate_shape,
        use_resource=use_resource,
        name=name,
    )


@add_arg_scope
def variable(
    name,
    shape=None,
    dtype=None,
    initializer=None,
    regularizer=None,
    trainable=True,
    collections=None,
    caching_device=None,
    device=None,
    partitioner=None,
    custom_getter=None,
    use_resource=None,
    synchronization=VariableSynchronization.AUTO,
    aggregation=VariableAggregation.NONE,
):
    """Finds or makes a variable of the variable scope in force: `tf.get_variable` with a device.

    Args:
      name: its name.
      shape: its shape.
      dtype: its type.
      initializer: makes its first value.
      regularizer: a function that makes a loss of it.
      trainable: whether it is trained.
      collections: graph collections for it; None for the global variables.
      caching_device: where its value is kept for reading.
      device: where it lies.
      partitioner: says into which parts it is split.
      custom_getter: a function in place of `tf.get_variable`.
      use_resource: whether it is a resource variable.
      synchronization: kept with it.
      aggregation: kept with it.

    Returns:
      The variable.
    """
    keys = [GraphKeys.GLOBAL_VARIABLES] if collections is None else collections
    getter = scopes.get_variable
    if custom_getter is not None:
        getter = functools.partial(custom_getter, reuse=scopes.get_variable_scope().reuse)
    with device_scope(device or ""):
        return getter(
            name,
            shape=shape,
            dtype=dtype,
            initializer=initializer,
            regularizer=regularizer,
            trainable=trainable,
            collections=list(dict.fromkeys(keys)),
            caching_device=caching_device,
            partitioner=partitioner,
            use_resource=use_resource,
            synchronization=synchronization,
            aggregation=aggregation,
        )


@add_arg_scope
def model_variable(
    name,
    shape=None,
    dtype=dtypes.float32,
    initializer=None,
    regularizer=None,
    trainable=True,
    collections=None,
    caching_device=None,
    device=None,
    partitioner=None,
    custom_getter=None,
    use_resource=None,
    synchronization=VariableSynchronization.AUTO,
    aggregation=VariableAggregation.NONE,
):
    """`variable` that also goes into the collection of the model's variables.

    Args:
      name: its name.
      shape: its shape.
      dtype: its type.
      initializer: makes its first value.
      regularizer: a function that makes a loss of it.
      trainable: whether it is trained.
      collections: further graph collections for it.
      caching_device: where its value is kept for reading.
      device: where it lies.
      partitioner: says into which parts it is split.
      custom_getter: a function in place of `tf.get_variable`.
      use_resource: whether it is a resource variable.
      synchronization: kept with it.
      aggregation: kept with it.

    Returns:
      The variable.
    """
    keys = [*(collections or []), GraphKeys.GLOBAL_VARIABLES, GraphKeys.MODEL_VARIABLES]
    return variable(
        name,
        shape=shape,
        dtype=dtype,
        initializer=initializer,
        regularizer=regularizer,
        trainable=trainable,
        collections=keys,
        caching_device=caching_device,
        device=device,
        partitioner=partitioner,
        custom_getter=custom_getter,
        use_resource=use_resource,
        synchronization=synchronization,
        aggregation=aggregation,
    )


def add_model_variable(var):
    """Adds a variable to the collection of the model's variables, once."""
    if not any(v is var for v in get_collection(GraphKeys.MODEL_VARIABLES)):
        add_to_collection(GraphKeys.MODEL_VARIABLES, var)


def get_variables(scope=None, suffix=None, collection=GraphKeys.GLOBAL_VARIABLES):
    """Returns the variables of a collection.

    Args:
      scope: keeps those whose name begins with it: text, or a `VariableScope`.
      suffix: keeps those whose name ends with it.
      collection: the collection.
    """
    if isinstance(scope, scopes.VariableScope):
        scope = scope.name
    if suffix is not None:
        scope = f"{scope or ''}.*{suffix if ':' in suffix else suffix + ':'}"
    return get_collection(collection, scope)


def get_model_variables(scope=None, suffix=None):
    """Returns the model's variables; see `get_variables`."""
    return get_variables(scope, suffix, GraphKeys.MODEL_VARIABLES)


def get_local_variables(scope=None, suffix=None):
    """Returns the local variables; see `get_variables`."""
    return get_variables(scope, suffix, GraphKeys.LOCAL_VARIABLES)


def get_trainable_variables(scope=None, suffix=None):
    """Returns the trained variables; see `get_variables`."""
    return get_variables(scope, suffix, GraphKeys.TRAINABLE_VARIABLES)


def get_variables_by_suffix(suffix, scope=None):
    """Returns the global variables whose name ends with `suffix`."""
    return get_variables(scope=scope, suffix=suffix)


def get_variables_by_name(given_name, scope=None):
    """Returns the global variables of a name, in whatever scope."""
    return get_variables(scope=scope, suffix=f"/{given_name}:|^{given_name}:")


def get_unique_variable(var_op_name):
    """Returns the variable with exactly this name.

    Raises:
      ValueError: when there is none.
    """
    candidates = get_variables(scope=var_op_name)
    if not candidates:
        raise ValueError(f"Couldn't find variable {var_op_name}")
    for candidate in candidates:
        if candidate.op.name == var_op_name:
            return candidate
    raise ValueError(f"Variable {var_op_name} does not uniquely identify a variable")


def get_variables_to_restore(include=None, exclude=None):
    """Returns the global variables of some scopes without those of others.

    Args:
      include: a list of scopes; None for all variables.
      exclude: a list of scopes.

    Raises:
      TypeError: when one of them is no list.
    """
    for label, value in (("include", include), ("exclude", exclude)):
        if value is not None and not isinstance(value, (list, tuple)):
            raise TypeError(f"{label} is provided but is not a list or a tuple.")
    found = get_variables() if include is None else [v for scope in include for v in get_variables(scope)]
    left_out = {id(v) for scope in exclude or () for v in get_variables(scope)}
    return [v for v in found if id(v) not in left_out]
