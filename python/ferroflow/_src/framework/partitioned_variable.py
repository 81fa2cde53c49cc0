"""Variables in parts: one large variable as several, each on a device of its own."""

from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.convert import convert_to_tensor, register_tensor_conversion_function
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.scopes import control_dependencies
from ferroflow._src.framework.tensor_shape import dimension_value


class PartitionedVariable:
    """Several variables that are slices of one along a dimension."""

    def __init__(self, name, shape, dtype, variable_list, partitions):
        """Creates the whole of its parts.

        Args:
          name: the name of the whole.
          shape: its shape.
          dtype: its type.
          variable_list: the parts, each with its `SaveSliceInfo`.
          partitions: the number of parts in each dimension.

        Raises:
          TypeError: when an argument is of another kind.
          ValueError: when the parts do not fit the whole.
        """
        if not isinstance(variable_list, (list, tuple)):
            raise TypeError(f"variable_list is not a list or tuple: {variable_list}")
        if not isinstance(partitions, (list, tuple)):
            raise TypeError(f"partitions is not a list or tuple: {partitions}")
        if not all(p >= 1 for p in partitions):
            raise ValueError(f"partition values must be positive: {partitions}")
        if not variable_list:
            raise ValueError("variable_list may not be empty")
        if any(v._get_save_slice_info() is None for v in variable_list):
            raise ValueError(f"All variables must have a save_slice_info available: {[v.name for v in variable_list]}")
        if len(shape) != len(partitions):
            raise ValueError(f"len(shape) != len(partitions): {shape} vs. {partitions}")
        for v in variable_list:
            if v._get_save_slice_info().full_shape != shape:
                raise ValueError(
                    f"All variables' full shapes must match shape: {shape}; but full shapes were: "
                    f"{[v._get_save_slice_info().full_shape]}"
                )
        self._variable_list = sorted(variable_list, key=lambda v: v._get_save_slice_info().var_offset)
        self._name = name
        self._shape = shape
        self._dtype = dtype
        self._partitions = partitions

    def __iter__(self):
        return iter(self._variable_list)

    def __len__(self):
        axes = self._partition_axes()
        if len(axes) > 1:
            raise ValueError(f"Cannot get a length for {len(axes)} > 1 partition axes")
        return len(self._variable_list)

    @property
    def name(self):
        return self._name

    @property
    def dtype(self):
        return self._dtype

    @property
    def shape(self):
        return self._shape

    def get_shape(self):
        return self._shape

    def _get_variable_list(self):
        return self._variable_list

    def _get_partitions(self):
        return self._partitions

    def _partition_axes(self):
        """The dimensions that are divided; the first one when none is."""
        return [i for i, p in enumerate(self._partitions) if p > 1] or [0]

    def _single_axis(self, what):
        axes = self._partition_axes()
        if len(axes) > 1:
            raise NotImplementedError(f"Cannot {what} along more than one dimension: {axes}.")
        return axes[0]

    def _concat(self):
        if len(self._variable_list) == 1:
            with name_scope(None):
                return apply_op("Identity", self._variable_list[0], name=self._name)
        axis = self._single_axis("concatenate")
        with name_scope(self._name + "/ConcatPartitions/"):
            whole = apply_op("ConcatV2", self._variable_list, axis, name="concat")
        with name_scope(None):
            return apply_op("Identity", whole, name=self._name)

    def as_tensor(self):
        """Returns the whole as one `Tensor`."""
        with control_dependencies(None):
            return self._concat()

    def _assign_each(self, value, assign, read_value):
        if isinstance(value, list):
            values = value
        elif isinstance(value, PartitionedVariable):
            values = list(value)
        else:
            axis = self._single_axis("do assign action")
            sizes = [dimension_value(v.shape[axis]) for v in self._variable_list]
            value = convert_to_tensor(value, dtype=self._dtype)
            values = apply_op("SplitV", value, sizes, axis, num_split=len(sizes), name="split")
        made = [assign(v, part) for v, part in zip(self._variable_list, values, strict=True)]
        return made if read_value else [m.op for m in made]

    def assign(self, value, use_locking=False, name=None, read_value=True):
        """Makes ops that give the parts new values: slices of `value`, or a list of values."""
        return self._assign_each(value, lambda v, x: v.assign(x, use_locking, name, read_value), read_value)

    def assign_add(self, value, use_locking=False, name=None, read_value=True):
        """Makes ops that add to the parts; see `assign`."""
        return self._assign_each(value, lambda v, x: v.assign_add(x, use_locking, name, read_value), read_value)

    def assign_sub(self, value, use_locking=False, name=None, read_value=True):
        """Makes ops that subtract from the parts; see `assign`."""
        return self._assign_each(value, lambda v, x: v.assign_sub(x, use_locking, name, read_value), read_value)


def _convert(variable, dtype=None, name=None, as_ref=False):
    if dtype is not None and not dtype.is_compatible_with(variable.dtype):
        raise ValueError(
            f"Incompatible type conversion requested to type '{dtype.name}' for variable of type "
            f"'{variable.dtype.name}'"
        )
    if as_ref:
        raise NotImplementedError("PartitionedVariable doesn't support being used as a reference.")
    return variable.as_tensor()


register_tensor_conversion_function(PartitionedVariable, _convert)
