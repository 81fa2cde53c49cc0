"""tf.Variable, and the variables of TensorFlow 1: references to a buffer that ops update in place."""

import enum

from ferroflow._src.framework import dtypes, stacks, variable_guard
from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.control_flow import cond
from ferroflow._src.framework.convert import convert_to_tensor, register_tensor_conversion_function
from ferroflow._src.framework.graph_keys import GraphKeys
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.operators import OVERLOADABLE
from ferroflow._src.framework.scopes import (
    colocate_with,
    device,
    init_scope,
    prepend_name_scope,
    strip_name_scope,
)
from ferroflow._src.framework.slicing import getitem_of_variable
from ferroflow._src.framework.tensor import Tensor
from ferroflow._src.framework.tensor_like import TensorLike, register_dense_tensor_like_type
from ferroflow._src.framework.tensor_shape import unknown_shape


class VariableSynchronization(enum.Enum):
    """When copies of a distributed variable are brought together."""

    AUTO = 0
    NONE = 1
    ON_WRITE = 2
    ON_READ = 3


class VariableAggregation(enum.Enum):
    """How copies of a distributed variable are brought together."""

    NONE = 0
    SUM = 1
    MEAN = 2
    ONLY_FIRST_REPLICA = 3


VariableAggregationV2 = VariableAggregation

# What makes a variable when a program calls `tf.Variable`; `variable_scope` sets it, since the choice is a scope's.
_default_creator = None


def register_default_creator(function):
    """Called once by `variable_scope`, which stands above this module."""
    global _default_creator
    _default_creator = function


def checked_options(synchronization, aggregation, trainable, name):
    """Returns (synchronization, aggregation, trainable) with defaults filled in.

    Raises:
      ValueError: for values of other kinds, or a trainable variable that is synchronized on read.
    """
    synchronization = _member(VariableSynchronization, synchronization, "synchronization", name)
    aggregation = _member(VariableAggregation, aggregation, "aggregation", name)
    on_read = synchronization is VariableSynchronization.ON_READ
    if on_read and trainable:
        raise ValueError(
            "Synchronization value can be set to VariableSynchronization.ON_READ only for non-trainable variables. You "
            "have specified trainable=True and synchronization=VariableSynchronization.ON_READ."
        )
    return synchronization, aggregation, not on_read if trainable is None else trainable


def _member(kind, value, what, name):
    if value.__class__ is kind:
        return value
    try:
        return kind(value or 0)
    except ValueError:
        raise ValueError(f"Invalid variable {what} mode: {value} for variable: {name}") from None


def class_attr(name):
    """Returns the serialized AttrValue of `_class`: operations that stay with the node `name`."""
    text = b"loc:@" + name.encode()
    item = b"\x12" + _varint(len(text)) + text
    return b"\x0a" + _varint(len(item)) + item


def _varint(number):
    made = bytearray()
    while number > 127:
        made.append(number & 127 | 128)
        number >>= 7
    made.append(number)
    return bytes(made)


class _VariableType(type):
    """Calling `tf.Variable` makes a variable of the kind that scopes and creators in force say."""

    def __call__(cls, *args, **kwargs):
        if cls is not Variable:
            return super().__call__(*args, **kwargs)
        return _create(*args, **kwargs)


def _create(
    initial_value=None,
    trainable=None,
    collections=None,
    validate_shape=True,
    caching_device=None,
    name=None,
    variable_def=None,
    dtype=None,
    expected_shape=None,
    import_scope=None,
    constraint=None,
    use_resource=None,
    synchronization=VariableSynchronization.AUTO,
    aggregation=VariableAggregation.NONE,
    shape=None,
):
    options = dict(locals())

    def make(**options):
        return _default_creator(None, **options)

    for _, creator in stacks.get_default_graph()._variable_creators:
        make = _bound(creator, make)
    return make(**options)


def _bound(creator, following):
    return lambda **options: creator(following, **options)


class Variable(metaclass=_VariableType):
    """A tensor that keeps its value from run to run, until an op assigns another.

    Example:

        w = tf.Variable(tf.zeros([10]), name="w")
        step = w.assign_add(tf.ones([10]))
        with tf.Session() as sess:
            sess.run(tf.global_variables_initializer())
            sess.run(step)
    """

    __array_priority__ = 100

    def __init__(
        self,
        initial_value=None,
        trainable=None,
        collections=None,
        validate_shape=True,
        caching_device=None,
        name=None,
        variable_def=None,
        dtype=None,
        expected_shape=None,
        import_scope=None,
        constraint=None,
        use_resource=None,
        synchronization=VariableSynchronization.AUTO,
        aggregation=VariableAggregation.NONE,
        shape=None,
    ):
        """Creates a variable.

        Args:
          initial_value: what can become a tensor, or a function without arguments that returns it.
          trainable: whether optimizers train it; None for yes.
          collections: graph collections to add it to; None for the global variables.
          validate_shape: whether the initial value's shape must be known, and later values must have it.
          caching_device: a device where reads are kept, or None.
          name: the variable's name, made unique.
          variable_def: a `VariableDef` to make it from instead.
          dtype: the type; None for the initial value's.
          expected_shape: not used.
          import_scope: the scope of names in `variable_def`.
          constraint: a function of the variable that optimizers apply after an update, or None.
          use_resource: whether it is a resource variable; None for what the variable scope says.
          synchronization: when distributed copies are brought together.
          aggregation: how they are.
          shape: the shape; None for the initial value's.

        Raises:
          ValueError: without an initial value, or when its shape is not known.
        """

    _initial_value = None
    _save_slice_info = None
    _caching_device = None
    _constraint = None
    _in_graph_mode = True

    def value(self):
        """Returns the `Tensor` that a read of the variable is."""
        raise NotImplementedError

    @property
    def name(self):
        """The name, with ":0" at the end."""
        raise NotImplementedError

    @property
    def dtype(self):
        """The `DType` of its elements."""
        raise NotImplementedError

    @property
    def shape(self):
        """The `TensorShape`."""
        raise NotImplementedError

    @property
    def device(self):
        """The device that the program asked for, as text."""
        raise NotImplementedError

    @property
    def op(self):
        """The `Operation` that holds the variable."""
        raise NotImplementedError

    @property
    def graph(self):
        """The `Graph` that it lies in."""
        raise NotImplementedError

    def read_value(self):
        """Returns a new read."""
        raise NotImplementedError

    def eval(self, session=None):
        """Returns the value in a session."""
        raise NotImplementedError

    def set_shape(self, shape):
        """Adds to what is known of the shape."""
        raise NotImplementedError

    def to_proto(self, export_scope=None):
        """Returns a `VariableDef`; None when the variable lies outside `export_scope`."""
        raise NotImplementedError

    # -- updates: subclasses say in `_update`, `_scatter` and `_scatter_nd` how an op of theirs is made --

    def assign(self, value, use_locking=False, name=None, read_value=True):
        """Makes an op that gives the variable a new value.

        Args:
          value: what can become a tensor of the variable's type and shape.
          use_locking: whether other updates wait.
          name: the operation's name.
          read_value: whether to return the new value rather than the operation.
        """
        return self._update("Assign", value, use_locking, name, read_value)

    def assign_add(self, delta, use_locking=False, name=None, read_value=True):
        """Makes an op that adds `delta`; see `assign`."""
        return self._update("AssignAdd", delta, use_locking, name, read_value)

    def assign_sub(self, delta, use_locking=False, name=None, read_value=True):
        """Makes an op that subtracts `delta`; see `assign`."""
        return self._update("AssignSub", delta, use_locking, name, read_value)

    def scatter_sub(self, sparse_delta, use_locking=False, name=None):
        """Makes an op that subtracts `IndexedSlices` from rows."""
        return self._scatter("ScatterSub", sparse_delta, use_locking, name)

    def scatter_add(self, sparse_delta, use_locking=False, name=None):
        """Makes an op that adds `IndexedSlices` to rows."""
        return self._scatter("ScatterAdd", sparse_delta, use_locking, name)

    def scatter_max(self, sparse_delta, use_locking=False, name=None):
        """Makes an op that takes the larger of rows and `IndexedSlices`."""
        return self._scatter("ScatterMax", sparse_delta, use_locking, name)

    def scatter_min(self, sparse_delta, use_locking=False, name=None):
        """Makes an op that takes the smaller of rows and `IndexedSlices`."""
        return self._scatter("ScatterMin", sparse_delta, use_locking, name)

    def scatter_mul(self, sparse_delta, use_locking=False, name=None):
        """Makes an op that multiplies rows by `IndexedSlices`."""
        return self._scatter("ScatterMul", sparse_delta, use_locking, name)

    def scatter_div(self, sparse_delta, use_locking=False, name=None):
        """Makes an op that divides rows by `IndexedSlices`."""
        return self._scatter("ScatterDiv", sparse_delta, use_locking, name)

    def scatter_update(self, sparse_delta, use_locking=False, name=None):
        """Makes an op that assigns `IndexedSlices` to rows."""
        return self._scatter("ScatterUpdate", sparse_delta, use_locking, name)

    def scatter_nd_sub(self, indices, updates, name=None):
        """Makes an op that subtracts from slices."""
        return self._scatter_nd("ScatterNdSub", indices, updates, name)

    def scatter_nd_add(self, indices, updates, name=None):
        """Makes an op that adds to slices."""
        return self._scatter_nd("ScatterNdAdd", indices, updates, name)

    def scatter_nd_update(self, indices, updates, name=None):
        """Makes an op that assigns slices."""
        return self._scatter_nd("ScatterNdUpdate", indices, updates, name)

    def count_up_to(self, limit):
        """Makes an op that adds one, and fails at `limit`."""
        raise NotImplementedError

    def sparse_read(self, indices, name=None):
        """Returns some rows."""
        raise NotImplementedError

    def gather_nd(self, indices, name=None):
        """Returns some slices."""
        raise NotImplementedError

    def __repr__(self):
        return f"<tf.Variable '{self.name}' shape={self.get_shape()} dtype={self.dtype.name}>"

    def __hash__(self):
        return id(self)

    def __eq__(self, other):
        return self is other

    def __ne__(self, other):
        return self is not other

    def __iter__(self):
        raise TypeError("'Variable' object is not iterable.")

    @property
    def trainable(self):
        return self._trainable

    @property
    def synchronization(self):
        return self._synchronization

    @property
    def aggregation(self):
        return self._aggregation

    @property
    def constraint(self):
        return self._constraint

    @property
    def initial_value(self):
        """The `Tensor` that the initializer assigns."""
        return self._initial_value

    @property
    def initializer(self):
        """The `Operation` that gives the variable its initial value."""
        return self._initializer_op

    @property
    def _shared_name(self):
        return self.name[: self.name.index(":")]

    @property
    def _distribute_strategy(self):
        return None

    @property
    def _graph_key(self):
        return self.graph

    @property
    def _unique_id(self):
        return self._shared_name

    def get_shape(self):
        return self.shape

    def initialized_value(self):
        """Returns the variable's value, or its initial value when it has none yet: for initial values of others."""
        with init_scope():
            return cond(_is_initialized(self), self.read_value, lambda: self.initial_value)

    def load(self, value, session=None):
        """Assigns a value at once, without a new operation.

        Args:
          value: an array or what can become one.
          session: a `Session`; None for the default one.

        Raises:
          ValueError: without a session.
        """
        session = session or stacks.get_default_session()
        if session is None:
            raise ValueError("Either session argument should be provided or default session should be established")
        session.run(self.initializer, {self.initializer.inputs[1]: value})

    def _set_save_slice_info(self, save_slice_info):
        self._save_slice_info = save_slice_info

    def _get_save_slice_info(self):
        return self._save_slice_info

    def _gather_saveables_for_checkpoint(self):
        return {"VARIABLE_VALUE": self}

    def experimental_ref(self):
        """Returns a key for sets and dicts."""
        return self

    @staticmethod
    def from_proto(variable_def, import_scope=None):
        """Returns the variable that a `VariableDef` describes, of the default graph."""
        return RefVariable(variable_def=variable_def, import_scope=import_scope)

    class SaveSliceInfo:
        """Which part of a larger variable a part is, for savers."""

        def __init__(
            self,
            full_name=None,
            full_shape=None,
            var_offset=None,
            var_shape=None,
            save_slice_info_def=None,
            import_scope=None,
        ):
            """Creates the description of a part.

            Args:
              full_name: the larger variable's name.
              full_shape: its shape as a list.
              var_offset: where the part begins in each dimension.
              var_shape: the part's shape.
              save_slice_info_def: a `SaveSliceInfoDef` that says all this instead.
              import_scope: the scope of its name.
            """
            if save_slice_info_def:
                full_name = prepend_name_scope(save_slice_info_def.full_name, import_scope)
                full_shape = list(save_slice_info_def.full_shape)
                var_offset = list(save_slice_info_def.var_offset)
                var_shape = list(save_slice_info_def.var_shape)
            self.full_name = full_name
            self.full_shape = full_shape
            self.var_offset = var_offset
            self.var_shape = var_shape

        @property
        def spec(self):
            """The part as SaveV2 wants it: "7 2 0,3:0,2"."""
            sizes = "".join(f"{d} " for d in self.full_shape)
            pairs = zip(self.var_offset, self.var_shape, strict=True)
            return sizes + ":".join(f"{offset},{size}" for offset, size in pairs)

        def to_proto(self, export_scope=None):
            """Returns a `SaveSliceInfoDef`; None when the variable lies outside `export_scope`."""
            from ferroflow._src import proto

            if export_scope is not None and not self.full_name.startswith(export_scope):
                return None
            return proto.SaveSliceInfoDef(
                full_name=strip_name_scope(self.full_name, export_scope),
                full_shape=self.full_shape,
                var_offset=self.var_offset,
                var_shape=self.var_shape,
            )


VariableV1 = Variable


def _is_initialized(variable):
    if variable.dtype._is_ref_dtype:
        return apply_op("IsVariableInitialized", variable)
    return variable.is_initialized()


def _overload(name):
    def method(variable, *args):
        return getattr(Tensor, name)(variable.value(), *args)

    method.__name__ = name
    return method


for _name in OVERLOADABLE:
    setattr(Variable, _name, _overload(_name))
Variable.__getitem__ = getitem_of_variable


def _absent(variable):
    raise AttributeError(f"{type(variable).__name__!r} object has no such attribute")


class RefVariable(Variable):
    """A variable of TensorFlow 1: reads see updates in place, as `Assign` and the training ops make them."""

    def __init__(
        self,
        initial_value=None,
        trainable=None,
        collections=None,
        validate_shape=True,
        caching_device=None,
        name=None,
        variable_def=None,
        dtype=None,
        expected_shape=None,
        import_scope=None,
        constraint=None,
        synchronization=None,
        aggregation=None,
        shape=None,
    ):
        """Creates a variable; see `Variable`."""
        if variable_def:
            if initial_value:
                raise ValueError("variable_def and initial_value are mutually exclusive.")
            self._init_from_proto(variable_def, import_scope)
            return
        collections = self._take_options(
            initial_value, trainable, collections, constraint, synchronization, aggregation, name
        )
        is_function = callable(initial_value)
        with init_scope():
            with name_scope(name, "Variable", [] if is_function else [initial_value]) as name:
                self._make_variable(initial_value, is_function, name, dtype, shape, validate_shape)
                value = variable_guard.guarded(name, self._initial_value)
                self._initializer_op = apply_op("Assign", self._variable, value, validate_shape=validate_shape).op
                self._make_snapshot(caching_device)
            stacks.get_default_graph().add_to_collections(collections, self)
        self._caching_device = caching_device

    def _take_options(self, initial_value, trainable, collections, constraint, synchronization, aggregation, name):
        """Checks what all variables have in common; returns the collections."""
        if initial_value is None:
            raise ValueError("initial_value must be specified.")
        if collections is None:
            collections = [GraphKeys.GLOBAL_VARIABLES]
        if not isinstance(collections, (list, tuple, set)):
            raise ValueError(
                "collections argument to Variable constructor must be a list, tuple, or set. Got "
                f"{collections} of type {type(collections)}"
            )
        if constraint is not None and not callable(constraint):
            raise ValueError("The `constraint` argument must be a callable.")
        self._constraint = constraint
        options = checked_options(synchronization, aggregation, trainable, name)
        self._synchronization, self._aggregation, self._trainable = options
        if self._trainable and GraphKeys.TRAINABLE_VARIABLES not in collections:
            collections = [*collections, GraphKeys.TRAINABLE_VARIABLES]
        return collections

    def _make_variable(self, initial_value, is_function, name, dtype, shape, validate_shape):
        if is_function:
            # What the function makes stays with the variable, which is not there yet.
            core = stacks.get_default_graph()._core
            core.push_attr_scope([("_class", class_attr(name[:-1]))])
            try:
                with name_scope("Initializer"), device(None):
                    self._initial_value = convert_to_tensor(initial_value(), name="initial_value", dtype=dtype)
                self._variable = self._make_buffer(name, shape, validate_shape)
            finally:
                core.pop_attr_scope()
        else:
            self._initial_value = convert_to_tensor(initial_value, name="initial_value", dtype=dtype)
            check_outside_control_flow(self._initial_value, name)
            self._variable = self._make_buffer(name, shape, validate_shape)
        if validate_shape and not self._initial_value.get_shape().is_fully_defined():
            raise ValueError(f"initial_value must have a shape specified: {self._initial_value}")

    def _make_buffer(self, name, shape, validate_shape):
        if not name:
            raise ValueError("'' is not a valid node name")
        if shape is None:
            shape = self._initial_value.get_shape() if validate_shape else unknown_shape()
        return apply_op("VariableV2", shape=shape, dtype=self._initial_value.dtype.base_dtype, name=name)

    def _make_snapshot(self, caching_device):
        block = colocate_with(self._variable.op) if caching_device is None else device(caching_device)
        with block:
            self._snapshot = apply_op("Identity", self._variable, name="read")

    def _init_from_proto(self, variable_def, import_scope):
        graph = stacks.get_default_graph()

        def found(name):
            return graph.as_graph_element(prepend_name_scope(name, import_scope))

        self._variable = found(variable_def.variable_name)
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
        self._snapshot = found(variable_def.snapshot_name)
        if variable_def.HasField("save_slice_info_def"):
            self._save_slice_info = Variable.SaveSliceInfo(
                save_slice_info_def=variable_def.save_slice_info_def, import_scope=import_scope
            )

    def _as_graph_element(self):
        return self._variable

    # Ops ask a variable whether it can be read in part: a reference cannot.
    sparse_read = gather_nd = property(_absent)

    def value(self):
        """Returns the read that all ops share."""
        return self._snapshot

    def read_value(self):
        """Returns a new read."""
        return apply_op("Identity", self._variable, name="read")

    def _ref(self):
        return self._variable

    def set_shape(self, shape):
        """Adds to what is known of the shape."""
        self._variable.set_shape(shape)
        self._snapshot.set_shape(shape)

    def eval(self, session=None):
        """Returns the value in a session."""
        return self._variable.eval(session=session)

    @property
    def name(self):
        return self._variable.name

    @property
    def device(self):
        return self._variable.device

    @property
    def dtype(self):
        return self._variable.dtype

    @property
    def op(self):
        return self._variable.op

    @property
    def graph(self):
        return self._variable.graph

    @property
    def shape(self):
        return self._variable.get_shape()

    def _update(self, op_type, value, use_locking, name, read_value):
        made = apply_op(op_type, self._variable, value, use_locking=use_locking, name=name)
        return made if read_value else made.op

    def _scatter(self, op_type, sparse_delta, use_locking, name):
        check_slices(sparse_delta)
        return apply_op(
            op_type, self._variable, sparse_delta.indices, sparse_delta.values, use_locking=use_locking, name=name
        )

    def _scatter_nd(self, op_type, indices, updates, name):
        return apply_op(op_type, self._variable, indices, updates, use_locking=True, name=name)

    def _strided_slice_assign(self, begin, end, strides, value, name, **masks):
        return apply_op("StridedSliceAssign", self._variable, begin, end, strides, value, name=name, **masks)

    def count_up_to(self, limit):
        """Makes an op that adds one, and fails at `limit`."""
        return apply_op("CountUpTo", self._variable, limit=limit)

    def to_proto(self, export_scope=None):
        """Returns a `VariableDef`; None when the variable lies outside `export_scope`."""
        from ferroflow._src import proto

        if export_scope is not None and not self._variable.name.startswith(export_scope):
            return None
        message = proto.VariableDef(
            variable_name=strip_name_scope(self._variable.name, export_scope),
            trainable=self.trainable,
            synchronization=self.synchronization.value,
            aggregation=self.aggregation.value,
            initializer_name=strip_name_scope(self.initializer.name, export_scope),
            snapshot_name=strip_name_scope(self._snapshot.name, export_scope),
        )
        if self._initial_value is not None:
            message.initial_value_name = strip_name_scope(self._initial_value.name, export_scope)
        if self._save_slice_info:
            message.save_slice_info_def.MergeFrom(self._save_slice_info.to_proto(export_scope))
        return message

    def __iadd__(self, other):
        return self + other

    def __isub__(self, other):
        return self - other

    def __imul__(self, other):
        return self * other

    def __itruediv__(self, other):
        return self / other

    def __ipow__(self, other):
        return self**other


def check_slices(sparse_delta):
    """Raises TypeError for what is no `IndexedSlices`."""
    if not (isinstance(sparse_delta, TensorLike) and hasattr(sparse_delta, "indices")):
        raise TypeError(f"sparse_delta is not IndexedSlices: {sparse_delta}")


def check_outside_control_flow(initial_value, name):
    """Raises ValueError when an initial value was made inside a conditional or loop."""
    if initial_value._graph._core.node_context(initial_value._endpoint >> 16) is not None:
        raise ValueError(
            f"Initializer for variable {name} is from inside a control-flow construct, such as a loop or conditional. "
            "When creating a variable inside a loop or conditional, use a lambda as the initializer."
        )


def _convert(variable, dtype=None, name=None, as_ref=False):
    if dtype is not None and not dtypes.as_dtype(dtype).is_compatible_with(variable.dtype):
        raise ValueError(
            f"Incompatible type conversion requested to type '{dtype.name}' for variable of type "
            f"'{variable.dtype.name}'"
        )
    return variable._ref() if as_ref else variable.value()


register_tensor_conversion_function(RefVariable, _convert)
register_dense_tensor_like_type(RefVariable)
