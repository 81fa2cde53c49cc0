"""What tf.get_variable does: variables by name, made once and found again."""

import functools
import inspect
import traceback
from collections.abc import Sequence

from ferroflow._src.framework import dtypes, frames, initializers, stacks
from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.graph_keys import GraphKeys
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.partitioned_variable import PartitionedVariable
from ferroflow._src.framework.resource_variables import ResourceVariable
from ferroflow._src.framework.scopes import colocate_with, init_scope
from ferroflow._src.framework.tensor import Tensor
from ferroflow._src.framework.tensor_shape import as_shape
from ferroflow._src.framework.variables import (
    Variable,
    VariableAggregation,
    VariableSynchronization,
    checked_options,
)

_STORE = ("__variable_store",)


class PartitionInfo:
    """Tells an initializer which part of a larger variable it fills."""

    def __init__(self, full_shape, var_offset):
        """Creates the description: the whole's shape, and where the part begins, as lists."""
        if not isinstance(full_shape, Sequence) or isinstance(full_shape, str):
            raise TypeError(
                f"`full_shape` must be a sequence (like tuple or list) instead of {type(full_shape).__name__}"
            )
        if not isinstance(var_offset, Sequence) or isinstance(var_offset, str):
            raise TypeError(
                f"`var_offset` must be a sequence (like tuple or list) instead of {type(var_offset).__name__}"
            )
        if len(full_shape) != len(var_offset):
            raise ValueError(
                f"Expected equal length, but `var_offset` is of length {len(var_offset)} while full_shape is of length "
                f"{len(full_shape)}."
            )
        self.full_shape = full_shape
        self.var_offset = var_offset

    def single_offset(self, shape):
        """Returns where the part begins in the one dimension that is divided."""
        dim = self.single_slice_dim(shape)
        return 0 if dim is None else self.var_offset[dim]

    def single_slice_dim(self, shape):
        """Returns the dimension in which a part of that shape differs from the whole, or None.

        Raises:
          ValueError: when there are several.
        """
        found = [i for i, (size, full) in enumerate(zip(shape, self.full_shape, strict=True)) if size != full]
        if len(found) > 1:
            raise ValueError(
                f"Cannot use single_slice_dim() with shape {shape} and multi-dim partitioning: {self.full_shape}"
            )
        return found[0] if found else None


class VariableStore:
    """The variables of a graph by full name, as `tf.get_variable` makes and finds them."""

    def __init__(self):
        self._vars = {}
        self._partitioned_vars = {}

    def get_variable(
        self,
        name,
        shape=None,
        dtype=dtypes.float32,
        initializer=None,
        regularizer=None,
        reuse=None,
        trainable=None,
        collections=None,
        caching_device=None,
        partitioner=None,
        validate_shape=True,
        use_resource=None,
        custom_getter=None,
        constraint=None,
        synchronization=VariableSynchronization.AUTO,
        aggregation=VariableAggregation.NONE,
    ):
        """Finds a variable or makes it; the arguments are those of `tf.get_variable`, with `reuse` of the scope.

        Raises:
          ValueError: when it exists and must not, or must and does not, or is another than was asked for.
        """
        if custom_getter is not None and not callable(custom_getter):
            raise ValueError(f"Passed a custom_getter which is not callable: {custom_getter}")
        dtype = getattr(dtype, "base_dtype", dtype)
        synchronization, aggregation, trainable = checked_options(synchronization, aggregation, trainable, name)
        options = {
            "shape": shape,
            "dtype": dtype,
            "initializer": initializer,
            "regularizer": regularizer,
            "reuse": reuse,
            "trainable": trainable,
            "collections": collections,
            "caching_device": caching_device,
            "partitioner": partitioner,
            "validate_shape": validate_shape,
            "use_resource": use_resource,
            "synchronization": synchronization,
            "aggregation": aggregation,
        }
        if custom_getter is None:
            return self._get(name, constraint=constraint, **options)
        if _takes_constraint(custom_getter):
            options["constraint"] = constraint
        return custom_getter(getter=self._get, name=name, **options)

    def _get(self, name, shape=None, dtype=dtypes.float32, reuse=None, partitioner=None, **options):
        is_scalar = isinstance(shape, Sequence) and not shape
        if partitioner is not None and not is_scalar:
            if not callable(partitioner):
                raise ValueError(f"Partitioner must be callable, but received: {partitioner}")
            with name_scope(None):
                return self.get_partitioned(name, partitioner, shape, dtype, reuse, **options)
        if reuse is True and partitioner is None and name in self._partitioned_vars:
            return self.get_partitioned(name, None, shape, dtype, reuse, **options)
        if f"{name}/part_0" in self._vars:
            raise ValueError(
                "No partitioner was provided, but a partitioned version of the variable was found: "
                f"{name}/part_0. Perhaps a variable of the same name was already created with partitioning?"
            )
        return self._get_single(name, shape, dtype, reuse, **options)

    # -- one variable --

    def _get_single(
        self, name, shape, dtype, reuse, initializer=None, regularizer=None, partition_info=None, **options
    ):
        is_value = initializer is not None and not callable(initializer)
        if shape is not None and is_value:
            raise ValueError("If initializer is a constant, do not specify shape.")
        dtype = dtypes.as_dtype(dtype)
        shape = as_shape(shape)
        if name in self._vars:
            return self._found(name, shape, dtype, reuse)
        if reuse is True:
            raise ValueError(
                f"Variable {name} does not exist, or was not created with tf.get_variable(). Did you mean to set "
                "reuse=tf.AUTO_REUSE in VarScope?"
            )
        if initializer is None:
            initializer = default_initializer(name, dtype)
        with init_scope():
            value, kind = initializer, None
            if not is_value:
                value, kind = _initial_value(initializer, shape, dtype, partition_info)
        options["use_resource"] = options.get("use_resource") or False
        variable = Variable(initial_value=value, name=name, dtype=kind, **options)
        self._vars[name] = variable
        if regularizer:
            _add_regularizer(variable, name, regularizer)
        return variable

    def _found(self, name, shape, dtype, reuse):
        variable = self._vars[name]
        if reuse is False:
            message = (
                f"Variable {name} already exists, disallowed. Did you mean to set reuse=True or reuse=tf.AUTO_REUSE in "
                "VarScope?"
            )
            if isinstance(variable, ResourceVariable):
                raise ValueError(message)
            stack = frames.entries(variable.graph._stack_of(variable.op._node))[::-1][:5]
            raise ValueError(f"{message} Originally defined at:\n\n{''.join(traceback.format_list(stack))}")
        if not shape.is_compatible_with(variable.get_shape()):
            raise ValueError(
                f"Trying to share variable {name}, but specified shape {shape} and found shape {variable.get_shape()}."
            )
        if not dtype.is_compatible_with(variable.dtype):
            raise ValueError(
                f"Trying to share variable {name}, but specified dtype {dtype.name} and found dtype "
                f"{variable.dtype.name}."
            )
        return variable

    # -- a variable in parts --

    def get_partitioned(self, name, partitioner, shape, dtype, reuse, initializer=None, **options):
        """Finds a partitioned variable or makes it.

        Raises:
          ValueError: as `get_variable`, and when the parts differ from those that exist.
        """
        if name in self._vars:
            raise ValueError(
                "A partitioner was provided, but an unpartitioned version of the variable was found: "
                f"{name}.  Perhaps a variable of the same name was already created without partitioning?"
            )
        dtype = dtypes.as_dtype(dtype)
        shape = as_shape(shape)
        if isinstance(initializer, Tensor):
            shape = shape.merge_with(initializer.get_shape())
        partitions = None
        if not reuse or partitioner:
            partitions = _partitions(partitioner, shape, dtype)
        if name in self._partitioned_vars:
            return self._found_partitioned(name, shape, dtype, partitions, reuse)
        if reuse is True:
            raise ValueError(
                f"PartitionedVariable {name} does not exist, or was not created with tf.get_variable(). Did you mean to "
                "set reuse=False or reuse=tf.AUTO_REUSE in VarScope?"
            )
        axis = next((i for i, n in enumerate(partitions) if n > 1), 0)
        count = partitions[axis]
        self._check_parts(name, count)
        parts = [
            self._make_part(f"{name}/part_{i}", name, shape, offset, size, dtype, initializer, reuse, options)
            for i, (offset, size) in enumerate(_slices(shape.as_list(), count, axis))
        ]
        made = PartitionedVariable(name, shape, dtype, parts, partitions)
        self._partitioned_vars[name] = made
        return made

    def _found_partitioned(self, name, shape, dtype, partitions, reuse):
        if reuse is False:
            raise ValueError(
                f"Partitioned variable with name {name} already exists. Did you mean to set reuse=True or "
                "reuse=tf.AUTO_REUSE in VarScope?"
            )
        found = self._partitioned_vars[name]
        trouble = f"Trying to reuse partitioned variable {name}, but specified"
        if not shape.is_compatible_with(found.get_shape()):
            raise ValueError(f"{trouble} shape {shape} and found shape {found.get_shape()}.")
        if not dtype.is_compatible_with(found.dtype):
            raise ValueError(f"{trouble} dtype {dtype.name} and found dtype {found.dtype.name}.")
        if partitions is not None and found._get_partitions() != partitions:
            raise ValueError(f"{trouble} partitions {partitions} and found partitions {found._get_partitions()}.")
        return found

    def _check_parts(self, name, count):
        if f"{name}/part_0" not in self._vars:
            return
        head = (
            "Partitioner returned a different partitioning than what was already found.  Partitioner returned "
            f"{count} shards, and shard {name}/part_0 was found, but "
        )
        if f"{name}/part_{count - 1}" not in self._vars:
            raise ValueError(f"{head}{name}/part_{count - 1} was not.")
        if f"{name}/part_{count}" in self._vars:
            raise ValueError(f"{head}so was the extra shard {name}/part_{count}.")

    def _make_part(self, full_name, name, shape, offset, size, dtype, initializer, reuse, options):
        info = PartitionInfo(full_shape=shape.as_list(), var_offset=offset)
        part_shape = size
        with name_scope(full_name + "/PartitionedInitializer"):
            if initializer is None:
                part = default_initializer(name, dtype)
            elif callable(initializer):
                part = initializer
            else:
                whole = initializer if isinstance(initializer, Tensor) else convert_to_tensor(initializer, dtype=dtype)
                part = apply_op("Slice", whole, offset, size)
                dtype, part_shape = part.dtype.base_dtype, None
        with name_scope(None):
            made = self._get_single(
                full_name, part_shape, dtype, reuse, initializer=part, partition_info=info, **options
            )
        made._set_save_slice_info(Variable.SaveSliceInfo(name, shape.as_list(), offset, size))
        return made


def _initial_value(initializer, shape, dtype, partition_info):
    """The function that makes the first value, and the type to convert it to."""
    if inspect.isclass(initializer):
        initializer = initializer()
    if shape.is_fully_defined():
        return lambda: initializer(shape.as_list(), dtype=dtype, partition_info=partition_info), dtype.base_dtype
    if _has_only_defaults(initializer):
        return initializer, None
    raise ValueError(
        "The initializer passed is not valid. It should be a callable with no arguments and the shape should not be "
        "provided or an instance of `tf.keras.initializers.*' and `shape` should be fully defined."
    )


def _has_only_defaults(function):
    """Whether TensorFlow takes the function for one without arguments: `self` counts as one."""
    spec = inspect.getfullargspec(function)
    return len(spec.args) == len(spec.defaults or ())


def _takes_constraint(getter):
    while isinstance(getter, functools.partial):
        getter = getter.func
    try:
        parameters = inspect.signature(getter).parameters.values()
    except (TypeError, ValueError):
        return True
    return any(p.name == "constraint" or p.kind is p.VAR_KEYWORD for p in parameters)


def default_initializer(name, dtype):
    """Returns what a variable without an initializer gets: Glorot's even values, or zeros.

    Raises:
      ValueError: for a type that has neither.
    """
    if dtype.is_floating:
        return initializers.GlorotUniform()
    if dtype.is_integer or dtype.is_bool or dtype.base_dtype is dtypes.string:
        return initializers.Zeros()
    raise ValueError(f"An initializer for variable {name} of {dtype.base_dtype} is required")


def _add_regularizer(variable, name, regularizer):
    with colocate_with(variable), name_scope(name + "/Regularizer/"), init_scope():
        loss = regularizer(variable)
    if loss is not None:
        stacks.get_default_graph().add_to_collection(GraphKeys.REGULARIZATION_LOSSES, loss)


def _partitions(partitioner, shape, dtype):
    if not shape.is_fully_defined():
        raise ValueError(f"Shape of a new partitioned variable must be fully defined, but instead was {shape}.")
    if shape.ndims < 1:
        raise ValueError(f"A partitioned Variable must have rank at least 1, shape: {shape}")
    found = partitioner(shape=shape, dtype=dtype)
    if not isinstance(found, Sequence):
        raise ValueError(f"Partitioner must return a sequence, but saw: {found}")
    if len(found) != shape.ndims:
        raise ValueError(
            f"Partitioner returned a partition list that does not match the Variable's rank: {found} vs. {shape}"
        )
    if any(p < 1 for p in found):
        raise ValueError(f"Partitioner returned zero partitions for some axes: {found}")
    if sum(p > 1 for p in found) > 1:
        raise ValueError(f"Can only slice a variable along one dimension: shape: {shape}, partitioning: {found}")
    return found


def _slices(full_shape, count, axis):
    """Yields (offset, shape) of each part; the first ones are larger by one where it does not come out even."""
    smallest, larger = divmod(full_shape[axis], count)
    offset = [0] * len(full_shape)
    for i in range(count):
        shape = list(full_shape)
        shape[axis] = smallest + (i < larger)
        yield list(offset), shape
        offset[axis] += shape[axis]


def default_variable_store():
    """Returns the store of the default graph."""
    held = stacks.get_default_graph().get_collection_ref(_STORE)
    if not held:
        held.append(VariableStore())
    return held[0]
