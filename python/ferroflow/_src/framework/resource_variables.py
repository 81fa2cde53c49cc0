"""Resource variables: a handle to a value; a read keeps what it read."""

import contextlib

from ferroflow._src.framework import dtypes, stacks, variable_guard
from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.collections import register_proto_function
from ferroflow._src.framework.convert import convert_to_tensor, register_tensor_conversion_function
from ferroflow._src.framework.graph_keys import GraphKeys
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.scopes import (
    colocate_with,
    control_dependencies,
    device,
    init_scope,
    prepend_name_scope,
    strip_name_scope,
)
from ferroflow._src.framework.tensor_like import ResourceVariableBase, register_dense_tensor_like_type
from ferroflow._src.framework.tensor_shape import TensorShape, as_shape
from ferroflow._src.framework.variables import (
    RefVariable,
    Variable,
    check_outside_control_flow,
    check_slices,
    checked_options,
    class_attr,
)


class BaseResourceVariable(Variable, ResourceVariableBase):
    """What `ResourceVariable` and the result of its updates have in common."""

    _cached_value = None

    @property
    def dtype(self):
        return self._dtype

    @property
    def device(self):
        return self._handle.device

    @property
    def graph(self):
        return self._handle.graph

    @property
    def name(self):
        return self._handle_name

    @property
    def shape(self):
        return self._shape

    @property
    def handle(self):
        """The `Tensor` of type resource that ops on the variable take."""
        return self._handle

    @property
    def create(self):
        """The `Operation` that gives the variable its initial value."""
        return self._initializer_op

    @property
    def op(self):
        return self._handle.op

    def _shape_as_list(self):
        return None if self._shape.ndims is None else self._shape.as_list()

    def _shape_tuple(self):
        sizes = self._shape_as_list()
        return None if sizes is None else tuple(sizes)

    def _as_graph_element(self):
        return self._graph_element

    def value(self):
        """Returns a new read, or the cached one."""
        if self._cached_value is not None:
            return self._cached_value
        with colocate_with(None, ignore_existing=True), device(self._handle.device):
            return self._read_variable_op()

    def _read_variable_op(self):
        return apply_op("ReadVariableOp", self._handle, dtype=self._dtype)

    def read_value(self):
        """Returns a new read, whatever is cached."""
        with name_scope("Read"), device(self._handle.device):
            value = self._read_variable_op()
        return apply_op("Identity", value)

    def sparse_read(self, indices, name=None):
        """Returns some rows."""
        with name_scope("Gather" if name is None else name) as name:
            value = apply_op("ResourceGather", self._handle, indices, dtype=self._dtype, name=name)
        return apply_op("Identity", value)

    def gather_nd(self, indices, name=None):
        """Returns some slices."""
        with name_scope("GatherNd" if name is None else name) as name:
            value = apply_op("ResourceGatherNd", self._handle, indices, dtype=self._dtype, name=name)
        return apply_op("Identity", value)

    def eval(self, session=None):
        """Returns the value in a session."""
        return self._graph_element.eval(session=session)

    def numpy(self):
        raise NotImplementedError("numpy() is only available when eager execution is enabled.")

    def set_shape(self, shape):
        raise NotImplementedError("ResourceVariable does not implement set_shape()")

    def is_initialized(self, name=None):
        """Returns whether the variable has a value, a bool scalar."""
        return apply_op("VarIsInitializedOp", self._handle, name=name)

    def count_up_to(self, limit):
        """Makes an op that adds one, and fails at `limit`."""
        return apply_op("ResourceCountUpTo", self._handle, limit=limit, T=self._dtype)

    @contextlib.contextmanager
    def _assign_dependencies(self):
        if self._cached_value is None:
            yield
        else:
            with control_dependencies([self._cached_value]):
                yield

    def _lazy_read(self, op):
        return _UnreadVariable(self, op)

    def _update(self, op_type, value, use_locking, name, read_value):
        with self.graph.as_default(), self._assign_dependencies():
            value = convert_to_tensor(value, dtype=self._dtype)
            made = apply_op(op_type + "VariableOp", self._handle, value, name=name)
        return self._lazy_read(made) if read_value else made

    def assign(self, value, use_locking=None, name=None, read_value=True):
        """Makes an op that gives the variable a new value.

        Args:
          value: what can become a tensor of the variable's type and shape.
          use_locking: not used.
          name: the operation's name.
          read_value: whether to return a variable whose reads come after, rather than the operation.

        Raises:
          ValueError: when the shape is another.
        """
        with self.graph.as_default():
            value = convert_to_tensor(value, dtype=self._dtype)
            self._shape.assert_is_compatible_with(value.shape)
            made = apply_op("AssignVariableOp", self._handle, value, name=name)
            return self._lazy_read(made) if read_value else made

    def _scatter(self, op_type, sparse_delta, use_locking, name):
        check_slices(sparse_delta)
        values = convert_to_tensor(sparse_delta.values, self._dtype)
        return self._lazy_read(apply_op("Resource" + op_type, self._handle, sparse_delta.indices, values, name=name))

    def _scatter_nd(self, op_type, indices, updates, name):
        updates = convert_to_tensor(updates, self._dtype)
        return self._lazy_read(apply_op("Resource" + op_type, self._handle, indices, updates, name=name))

    def _strided_slice_assign(self, begin, end, strides, value, name, **masks):
        with self.graph.as_default(), self._assign_dependencies():
            value = convert_to_tensor(value, dtype=self._dtype)
            made = apply_op("ResourceStridedSliceAssign", self._handle, begin, end, strides, value, name=name, **masks)
            return self._lazy_read(made)

    def _dense_var_to_tensor(self, dtype=None, name=None, as_ref=False):
        if dtype is not None and not dtypes.as_dtype(dtype).is_compatible_with(self.dtype):
            raise ValueError(
                f"Incompatible type conversion requested to type {dtypes.as_dtype(dtype).name!r} for variable of type "
                f"{self.dtype.name!r}"
            )
        return self.read_value().op.inputs[0] if as_ref else self.value()

    def to_proto(self, export_scope=None):
        """Returns a `VariableDef`; None when the variable lies outside `export_scope`."""
        from ferroflow._src import proto

        if export_scope is not None and not self.handle.name.startswith(export_scope):
            return None
        snapshot = self._graph_element if self._cached_value is None else self._cached_value
        message = proto.VariableDef(
            variable_name=strip_name_scope(self.handle.name, export_scope),
            initializer_name=strip_name_scope(self.initializer.name, export_scope),
            snapshot_name=strip_name_scope(snapshot.name, export_scope),
            is_resource=True,
            trainable=self.trainable,
            synchronization=self.synchronization.value,
            aggregation=self.aggregation.value,
        )
        if self._initial_value is not None:
            message.initial_value_name = strip_name_scope(self._initial_value.name, export_scope)
        if self._save_slice_info:
            message.save_slice_info_def.MergeFrom(self._save_slice_info.to_proto(export_scope))
        return message

    @staticmethod
    def from_proto(variable_def, import_scope=None):
        """Returns the variable that a `VariableDef` describes, of the default graph."""
        return ResourceVariable(variable_def=variable_def, import_scope=import_scope)

    def __copy__(self):
        return self

    def __bool__(self):
        return bool(self.read_value())


def _refused(symbol, instead):
    def method(self, other):
        raise RuntimeError(f"Variable {symbol} value not supported. Use {instead} to get a new Tensor object.")

    return method


BaseResourceVariable.__iadd__ = _refused(
    "+=", "variable.assign_add(value) to modify the variable value and variable = variable + value"
)
BaseResourceVariable.__isub__ = _refused(
    "-=", "variable.assign_sub(value) to modify the variable value and variable = variable - value"
)
BaseResourceVariable.__imul__ = _refused(
    "*=", "`var.assign(var * value)` to modify the variable or `var = var * value`"
)
BaseResourceVariable.__itruediv__ = _refused(
    "/=", "`var.assign(var / value)` to modify the variable or `var = var / value`"
)
BaseResourceVariable.__ipow__ = _refused(
    "**=", "`var.assign(var ** value)` to modify the variable or `var = var ** value`"
)


class ResourceVariable(BaseResourceVariable):
    """A variable behind a handle; see `tf.Variable` for the arguments."""

    _take_options = RefVariable._take_options

    def __init__(
        self,
        initial_value=None,
        trainable=None,
        collections=None,
        validate_shape=True,
        caching_device=None,
        name=None,
        dtype=None,
        variable_def=None,
        import_scope=None,
        constraint=None,
        distribute_strategy=None,
        synchronization=None,
        aggregation=None,
        shape=None,
    ):
        """Creates a variable; see `Variable`."""
        if variable_def:
            if initial_value is not None:
                raise ValueError("variable_def and initial_value are mutually exclusive.")
            self._init_from_proto(variable_def, import_scope)
            return
        collections = self._take_options(
            initial_value, trainable, collections, constraint, synchronization, aggregation, name
        )
        is_function = callable(initial_value)
        with init_scope():
            with name_scope(name, "Variable", [] if is_function else [initial_value]) as name:
                value = self._make_handle(initial_value, is_function, name, dtype, shape)
                self._make_ops(value, name, caching_device)
                self._initial_value = value
            stacks.get_default_graph().add_to_collections(collections, self)
        self._caching_device = caching_device

    def _make_handle(self, initial_value, is_function, name, dtype, shape):
        handle_name = name[:-1]
        core = stacks.get_default_graph()._core
        core.push_attr_scope([("_class", class_attr(handle_name))])
        try:
            with name_scope("Initializer"), device(None):
                value = convert_to_tensor(
                    initial_value() if is_function else initial_value, name="initial_value", dtype=dtype
                )
            if shape is None:
                shape = value.shape
            elif not value.shape.is_compatible_with(shape):
                raise ValueError(
                    f"The initial value's shape ({value.shape}) is not compatible with the explicitly supplied `shape` "
                    f"argument ({shape})."
                )
            if not name:
                raise ValueError("'' is not a valid node name")
            self._dtype = value.dtype.base_dtype
            self._shape = as_shape(shape)
            self._handle = apply_op(
                "VarHandleOp", dtype=self._dtype, shape=self._shape, shared_name=handle_name, name=name
            )
        finally:
            core.pop_attr_scope()
        check_outside_control_flow(value, name)
        self._handle_name = handle_name + ":0"
        return value

    def _make_ops(self, value, name, caching_device):
        handle = self._handle
        with name_scope("IsInitialized"):
            self._is_initialized_op = apply_op("VarIsInitializedOp", handle)
        with (
            name_scope("Assign") as scope,
            colocate_with(None, ignore_existing=True),
            device(handle.device),
        ):
            guarded = variable_guard.guarded(name, value)
            self._initializer_op = apply_op("AssignVariableOp", handle, guarded, name=scope)
        with name_scope("Read"):
            with device(handle.device):
                self._graph_element = apply_op("ReadVariableOp", handle, dtype=self._dtype)
            if caching_device is not None:
                with colocate_with(None, ignore_existing=True), device(caching_device):
                    self._cached_value = apply_op("Identity", self._graph_element)

    def _init_from_proto(self, variable_def, import_scope):
        if not variable_def.is_resource:
            raise ValueError("Trying to restore Variable as ResourceVariable.")
        graph = stacks.get_default_graph()

        def found(name):
            return graph.as_graph_element(prepend_name_scope(name, import_scope))

        self._handle = found(variable_def.variable_name)
        self._shape = TensorShape(self._handle.op.get_attr("shape"))
        self._handle_name = self._handle.name
        self._dtype = self._handle.op.get_attr("dtype")
        self._initializer_op = found(variable_def.initializer_name)
        if variable_def.initial_value_name:
            self._initial_value = found(variable_def.initial_value_name)
        options = checked_options(
            variable_def.synchronization,
            variable_def.aggregation,
            variable_def.trainable,
            variable_def.variable_name,
        )
        self._synchronization, self._aggregation, self._trainable = options
        if variable_def.snapshot_name:
            snapshot = found(variable_def.snapshot_name)
            if snapshot.op.type != "ReadVariableOp":
                self._cached_value = snapshot
            while snapshot.op.type != "ReadVariableOp":
                snapshot = snapshot.op.inputs[0]
            self._graph_element = snapshot
        else:
            self._graph_element = graph.get_tensor_by_name(self._handle.op.name + "/Read/ReadVariableOp:0")
        if variable_def.HasField("save_slice_info_def"):
            self._save_slice_info = Variable.SaveSliceInfo(
                save_slice_info_def=variable_def.save_slice_info_def, import_scope=import_scope
            )


class _UnreadVariable(BaseResourceVariable):
    """The variable after an update: its reads wait for it."""

    def __init__(self, variable, update):
        self._handle = variable._handle
        self._handle_name = variable._handle.op.name + ":0"
        self._dtype = variable._dtype
        self._shape = variable._shape
        self._trainable = True
        self._synchronization, self._aggregation, _ = checked_options(None, None, None, None)
        self._parent_op = update
        self._initializer_op = None
        self._graph_element = self._read_variable_op()

    @property
    def name(self):
        return self._parent_op.name

    @property
    def op(self):
        """The update."""
        return self._parent_op

    def value(self):
        return self._read_variable_op()

    def read_value(self):
        return self._read_variable_op()

    def _read_variable_op(self):
        with control_dependencies([self._parent_op]):
            return apply_op("ReadVariableOp", self._handle, dtype=self._dtype)


def is_resource_variable(var):
    """Whether `var` is a resource variable, or says that it should be treated as one."""
    return isinstance(var, BaseResourceVariable) or bool(getattr(var, "_should_act_as_resource_variable", False))


def shape_safe_assign_variable_handle(handle, shape, value, name=None):
    """Makes an op that assigns `value` to the variable behind a handle, after a look at shapes."""
    value = convert_to_tensor(value)
    as_shape(shape).assert_is_compatible_with(value.shape)
    return apply_op("AssignVariableOp", handle, value, name=name)


def _convert(variable, dtype=None, name=None, as_ref=False):
    return variable._dense_var_to_tensor(dtype=dtype, name=name, as_ref=as_ref)


register_tensor_conversion_function(BaseResourceVariable, _convert)
register_dense_tensor_like_type(BaseResourceVariable)


def variable_to_proto(variable, export_scope=None):
    """Returns the `VariableDef` of a variable of either kind."""
    return variable.to_proto(export_scope=export_scope)


def variable_from_proto(variable_def, import_scope=None):
    """Returns the variable, of either kind, that a `VariableDef` describes."""
    kind = ResourceVariable if variable_def.is_resource else RefVariable
    return kind(variable_def=variable_def, import_scope=import_scope)


for _key in (
    GraphKeys.GLOBAL_VARIABLES,
    GraphKeys.TRAINABLE_VARIABLES,
    GraphKeys.MOVING_AVERAGE_VARIABLES,
    GraphKeys.LOCAL_VARIABLES,
    GraphKeys.MODEL_VARIABLES,
    GraphKeys.GLOBAL_STEP,
    GraphKeys.METRIC_VARIABLES,
):
    register_proto_function(_key, "VariableDef", variable_to_proto, variable_from_proto)
