"""tf.variable_scope and tf.get_variable: names and defaults for variables, and whether they are found or made."""

import contextlib
import enum
import functools
import threading

from ferroflow._src.framework import dtypes, stacks
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.graph_keys import GraphKeys
from ferroflow._src.framework.name_scopes import graph_from_inputs, name_scope
from ferroflow._src.framework.partitioners import (
    fixed_size_partitioner,
    min_max_variable_partitioner,
    variable_axis_size_partitioner,
)
from ferroflow._src.framework.resource_variables import ResourceVariable
from ferroflow._src.framework.variable_store import VariableStore, default_variable_store
from ferroflow._src.framework.variables import (
    RefVariable,
    VariableAggregation,
    VariableSynchronization,
    register_default_creator,
)

_SCOPES = ("__varscope",)


class _ReuseMode(enum.Enum):
    AUTO_REUSE = 1


AUTO_REUSE = _ReuseMode.AUTO_REUSE

_uses_resource = False


def enable_resource_variables():
    """Makes resource variables the default."""
    global _uses_resource
    _uses_resource = True


def disable_resource_variables():
    """Makes reference variables the default, as they are at first."""
    global _uses_resource
    _uses_resource = False


def resource_variables_enabled():
    """Whether resource variables are the default."""
    return _uses_resource


class VariableScope:
    """A variable scope: a prefix for names, and defaults for the arguments of `tf.get_variable`."""

    def __init__(
        self,
        reuse,
        name="",
        initializer=None,
        regularizer=None,
        caching_device=None,
        partitioner=None,
        custom_getter=None,
        name_scope="",
        dtype=dtypes.float32,
        use_resource=None,
        constraint=None,
    ):
        self._name = name
        self._initializer = initializer
        self._regularizer = regularizer
        self._reuse = reuse
        self._caching_device = caching_device
        self._partitioner = partitioner
        self._custom_getter = custom_getter
        self._name_scope = name_scope
        self._dtype = dtype
        self._use_resource = use_resource
        self._constraint = constraint

    @property
    def name(self):
        return self._name

    @property
    def original_name_scope(self):
        """The name scope that the variable scope was first opened in."""
        return self._name_scope

    @property
    def reuse(self):
        """True: variables must exist; False: they must not; AUTO_REUSE: either."""
        return self._reuse

    @property
    def initializer(self):
        return self._initializer

    @property
    def dtype(self):
        return self._dtype

    @property
    def use_resource(self):
        return self._use_resource

    @property
    def regularizer(self):
        return self._regularizer

    @property
    def caching_device(self):
        return self._caching_device

    @property
    def partitioner(self):
        return self._partitioner

    @property
    def custom_getter(self):
        return self._custom_getter

    @property
    def constraint(self):
        return self._constraint

    def reuse_variables(self):
        """From now on variables in this scope must exist."""
        self._reuse = True

    def set_initializer(self, initializer):
        self._initializer = initializer

    def set_dtype(self, dtype):
        self._dtype = dtype

    def set_use_resource(self, use_resource):
        self._use_resource = use_resource

    def set_regularizer(self, regularizer):
        self._regularizer = regularizer

    def set_caching_device(self, caching_device):
        self._caching_device = caching_device

    def set_partitioner(self, partitioner):
        self._partitioner = partitioner

    def set_custom_getter(self, custom_getter):
        self._custom_getter = custom_getter

    def get_collection(self, name):
        """Returns what is in a collection and below this scope."""
        scope = self._name + "/" if self._name else ""
        return stacks.get_default_graph().get_collection(name, scope)

    def trainable_variables(self):
        return self.get_collection(GraphKeys.TRAINABLE_VARIABLES)

    def global_variables(self):
        return self.get_collection(GraphKeys.GLOBAL_VARIABLES)

    def local_variables(self):
        return self.get_collection(GraphKeys.LOCAL_VARIABLES)

    def get_variable(
        self,
        var_store,
        name,
        shape=None,
        dtype=None,
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
        """Finds or makes the variable `name` of this scope in `var_store`; see `tf.get_variable`."""
        if use_resource is None:
            use_resource = self._use_resource
        with name_scope(None):
            if dtype is not None and initializer is not None and not callable(initializer):
                kind = convert_to_tensor(initializer).dtype.base_dtype
                if kind != dtype:
                    raise ValueError(f"Initializer type '{kind}' and explicit dtype '{dtype}' don't match.")
            return var_store.get_variable(
                self._full(name),
                shape=shape,
                dtype=self._dtype if dtype is None else dtype,
                initializer=self._initializer if initializer is None else initializer,
                regularizer=self._regularizer if regularizer is None else regularizer,
                reuse=self._reuse if reuse is None else reuse,
                trainable=trainable,
                collections=collections,
                caching_device=self._caching_device if caching_device is None else caching_device,
                partitioner=self._partitioner if partitioner is None else partitioner,
                validate_shape=validate_shape,
                use_resource=_uses_resource if use_resource is None else use_resource,
                custom_getter=self._custom_getter if custom_getter is None else custom_getter,
                constraint=self._constraint if constraint is None else constraint,
                synchronization=synchronization,
                aggregation=aggregation,
            )

    def _full(self, name):
        return f"{self._name}/{name}" if self._name else name

    def get_partitioned(self, store, shape, dtype, initializer, partitioner, **options):
        """Makes the scope's own variable in parts: what `tf.create_partitioned_variables` does."""
        if self._custom_getter is not None:
            raise ValueError(
                "Private access to _get_partitioned_variable is not allowed when a custom getter is set.  Current "
                f"custom getter: {self._custom_getter}.  It is likely that you're using create_partitioned_variables.  "
                "If so, consider instead using get_variable with a non-empty partitioner parameter instead."
            )
        options.setdefault("regularizer", self._regularizer)
        options.setdefault("caching_device", self._caching_device)
        options.setdefault("use_resource", self._use_resource)
        options.setdefault("constraint", self._constraint)
        with name_scope(None):
            return store.get_partitioned(
                self._name,
                partitioner,
                shape,
                dtype,
                self._reuse,
                initializer=self._initializer if initializer is None else initializer,
                **options,
            )


class _ScopeStore(threading.local):
    """The variable scope in force in a graph, and how often each name was opened."""

    def __init__(self):
        self.current_scope = VariableScope(False)
        self.counts = {}

    def open(self, name):
        self.counts[name] = self.counts.get(name, 0) + 1

    def close_subscopes(self, name):
        for key in self.counts:
            if name is None or key.startswith(name + "/"):
                self.counts[key] = 0


def _scope_store():
    held = stacks.get_default_graph().get_collection_ref(_SCOPES)
    if not held:
        held.append(_ScopeStore())
    return held[0]


get_variable_scope_store = _scope_store


def get_variable_scope():
    """Returns the `VariableScope` in force."""
    return _scope_store().current_scope


def get_variable(
    name,
    shape=None,
    dtype=None,
    initializer=None,
    regularizer=None,
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
    """Finds or makes the variable `name` of the variable scope in force.

    Args:
      name: a string.
      shape: its shape; None when the initializer is a value, or a function without arguments.
      dtype: its type; None for the scope's.
      initializer: a value, a function of (shape, dtype, partition_info), or None for the scope's, or Glorot's.
      regularizer: a function of the variable; its result goes to the regularization losses.
      trainable: whether optimizers train it; None for yes.
      collections: graph collections; None for the global variables.
      caching_device: a device where reads are kept.
      partitioner: a function of (shape, dtype) that says into how many parts it is divided.
      validate_shape: whether its shape must be known.
      use_resource: whether it is a resource variable.
      custom_getter: a function that is called instead, with the true getter first.
      constraint: a function that optimizers apply after an update.
      synchronization: when distributed copies are brought together.
      aggregation: how they are.

    Returns:
      A `Variable`, or a `PartitionedVariable`.

    Raises:
      ValueError: when the scope's `reuse` forbids it, or the variable that exists is another.
    """
    return get_variable_scope().get_variable(
        default_variable_store(),
        name,
        shape=shape,
        dtype=dtype,
        initializer=initializer,
        regularizer=regularizer,
        trainable=trainable,
        collections=collections,
        caching_device=caching_device,
        partitioner=partitioner,
        validate_shape=validate_shape,
        use_resource=use_resource,
        custom_getter=custom_getter,
        constraint=constraint,
        synchronization=synchronization,
        aggregation=aggregation,
    )


def get_local_variable(
    name,
    shape=None,
    dtype=None,
    initializer=None,
    regularizer=None,
    trainable=False,
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
    """`get_variable` for a local variable: not trained, not saved."""
    return get_variable(
        name,
        shape=shape,
        dtype=dtype,
        initializer=initializer,
        regularizer=regularizer,
        trainable=False,
        collections=[*(collections or ()), GraphKeys.LOCAL_VARIABLES],
        caching_device=caching_device,
        partitioner=partitioner,
        validate_shape=validate_shape,
        use_resource=use_resource,
        custom_getter=custom_getter,
        constraint=constraint,
        synchronization=synchronization,
        aggregation=aggregation,
    )


class _PureScope:
    """The part of a variable scope that has no name scope."""

    def __init__(self, name_or_scope, reuse=None, old_name_scope=None, custom_getter=None, constraint=None, **defaults):
        self._name_or_scope = name_or_scope
        self._reuse = reuse
        self._old_name_scope = old_name_scope
        self._custom_getter = custom_getter
        self._constraint = constraint
        self._defaults = {key: value for key, value in defaults.items() if value is not None}
        self._store = _scope_store()
        # A scope object gives one and the same object each time the block is entered.
        self._cached = self._derived(name_or_scope) if isinstance(name_or_scope, VariableScope) else None

    def _derived(self, base, name=None, reuse=None, original=None):
        """A scope with the defaults of `base` and those given here over them."""
        options = {
            "initializer": base.initializer,
            "regularizer": base.regularizer,
            "caching_device": base.caching_device,
            "partitioner": base.partitioner,
            "dtype": base.dtype,
            "use_resource": base.use_resource,
            "custom_getter": base.custom_getter,
            **self._defaults,
        }
        if self._custom_getter is not None:
            options["custom_getter"] = _chained(self._custom_getter, base.custom_getter)
        return VariableScope(
            (self._reuse or base.reuse) if name is None else reuse,
            name=base.name if name is None else name,
            name_scope=base.original_name_scope if name is None else original,
            constraint=self._constraint,
            **options,
        )

    def __enter__(self):
        store = self._store
        self._old = store.current_scope
        if self._cached is not None:
            self._name = self._cached.name
            store.open(self._name)
            self._old_counts = dict(store.counts)
            scope = self._cached
        else:
            self._name = f"{self._old.name}/{self._name_or_scope}" if self._old.name else self._name_or_scope
            self._reuse = self._reuse or self._old.reuse
            original = self._name_or_scope if self._old_name_scope is None else self._old_name_scope
            scope = self._derived(self._old, self._name, self._reuse, original)
            store.open(self._name)
        store.current_scope = self._last = scope
        return scope

    def __exit__(self, kind, value, trace):
        store = self._store
        if store.current_scope is not self._last:
            raise RuntimeError("Improper nesting of variable_scope.")
        if self._cached is not None:
            store.counts = self._old_counts
        else:
            store.close_subscopes(self._name)
        store.current_scope = self._old
        return False


def _chained(custom_getter, outer):
    """A custom getter inside another: the outer one is called for what the inner asks."""
    if outer is None:
        return custom_getter

    def chained(getter, *args, **kwargs):
        return custom_getter(functools.partial(outer, getter), *args, **kwargs)

    return chained


def _unique_scope_name(prefix):
    """`prefix`, with a number when a scope of that name was opened already."""
    store = _scope_store()
    current = store.current_scope.name
    name = f"{current}/{prefix}" if current else prefix
    if not store.counts.get(name):
        return prefix
    i = 1
    while store.counts.get(f"{name}_{i}"):
        i += 1
    return f"{prefix}_{i}"


class variable_scope:
    """A block in which `tf.get_variable` puts a prefix before names and has other defaults.

    Example:

        with tf.variable_scope("layer") as scope:
            w = tf.get_variable("w", [2, 3])          # 'layer/w'
        with tf.variable_scope(scope, reuse=True):
            assert tf.get_variable("w") is w
    """

    def __init__(
        self,
        name_or_scope,
        default_name=None,
        values=None,
        initializer=None,
        regularizer=None,
        caching_device=None,
        partitioner=None,
        custom_getter=None,
        reuse=None,
        dtype=None,
        use_resource=None,
        constraint=None,
        auxiliary_name_scope=True,
    ):
        """Creates the block.

        Args:
          name_or_scope: a string, a `VariableScope` to open again, or None for `default_name`.
          default_name: the name when there is no other, made unique.
          values: tensors whose graph the block works in.
          initializer: default for variables.
          regularizer: default for variables.
          caching_device: default for variables.
          partitioner: default for variables.
          custom_getter: default for variables.
          reuse: True: variables must exist; AUTO_REUSE: they may; None: as outside.
          dtype: default for variables.
          use_resource: default for variables.
          constraint: default for variables.
          auxiliary_name_scope: whether operations get the name as a name scope.

        Raises:
          TypeError: without a name, or when an argument is of another kind.
          ValueError: for another `reuse`.
        """
        if default_name is None and name_or_scope is None:
            raise TypeError("If default_name is None then name_or_scope is required")
        if reuse is False:
            reuse = None
        if not (reuse is True or reuse is None or reuse is AUTO_REUSE):
            raise ValueError("The reuse parameter must be True or False or None.")
        if not isinstance(auxiliary_name_scope, bool):
            raise TypeError(f"The auxiliary_name_scope must be `True` or `False`, while get {auxiliary_name_scope}")
        self._name_or_scope = name_or_scope
        self._default_name = default_name
        self._reuse = reuse
        self._options = {
            "initializer": initializer,
            "regularizer": regularizer,
            "caching_device": caching_device,
            "partitioner": partitioner,
            "custom_getter": custom_getter,
            "dtype": dtype,
            "use_resource": use_resource,
            "constraint": constraint,
        }
        self._has_name_scope = auxiliary_name_scope
        self._graph = graph_from_inputs(values or ())
        self._name_block = None
        self._pure = None

    def __enter__(self):
        self._graph_block = self._graph.as_default()
        self._graph_block.__enter__()
        try:
            if self._pure is not None:
                if self._name_block is not None:
                    self._name_block.__enter__()
                return self._pure.__enter__()
            return self._enter_first()
        except BaseException:
            self._graph_block.__exit__(None, None, None)
            raise

    def _enter_first(self):
        block = None
        if not self._has_name_scope:
            current = self._graph.get_name_scope()
            block = name_scope(current + "/" if current else current)
        named = self._name_or_scope
        if named is None:
            if self._reuse:
                raise ValueError("reuse=True cannot be used without a name_or_scope")
            scope_name = self._open(block or name_scope(self._default_name))
            return self._open_pure(_unique_scope_name(self._default_name), None, scope_name)
        if not isinstance(named, (VariableScope, str)):
            raise TypeError("VariableScope: name_or_scope must be a string or VariableScope.")
        last = named if isinstance(named, str) else named.name.split("/")[-1]
        if not last and block is None:
            return self._open_pure(named, self._reuse, None)
        scope_name = self._open(block or name_scope(last))
        original = scope_name if isinstance(named, str) else named.original_name_scope
        return self._open_pure(named, self._reuse, original)

    def _open(self, block):
        name = block.__enter__()
        self._name_block = block
        return name

    def _open_pure(self, name_or_scope, reuse, original):
        pure = _PureScope(name_or_scope, reuse=reuse, old_name_scope=original, **self._options)
        scope = pure.__enter__()
        self._pure = pure
        return scope

    def __exit__(self, kind, value, trace):
        try:
            self._pure.__exit__(kind, value, trace)
        finally:
            try:
                if self._name_block is not None:
                    self._name_block.__exit__(kind, value, trace)
            finally:
                self._graph_block.__exit__(None, None, None)
        return False


@contextlib.contextmanager
def variable_op_scope(
    values,
    name_or_scope,
    default_name=None,
    initializer=None,
    regularizer=None,
    caching_device=None,
    partitioner=None,
    custom_getter=None,
    reuse=None,
    dtype=None,
    use_resource=None,
    constraint=None,
):
    """`tf.variable_scope` with its arguments in the order of older programs."""
    with variable_scope(
        name_or_scope,
        default_name=default_name,
        values=values,
        initializer=initializer,
        regularizer=regularizer,
        caching_device=caching_device,
        partitioner=partitioner,
        custom_getter=custom_getter,
        reuse=reuse,
        dtype=dtype,
        use_resource=use_resource,
        constraint=constraint,
    ) as scope:
        yield scope


def create_partitioned_variables(
    shape, slicing, initializer, dtype=dtypes.float32, trainable=True, collections=None, name=None, reuse=None
):
    """Returns a list of variables that are the parts of a larger one.

    Args:
      shape: the shape of the whole, as a list.
      slicing: the number of parts in each dimension; only one may be above 1.
      initializer: a tensor of that shape, or a function of (shape, dtype, partition_info).
      dtype: the type.
      trainable: whether optimizers train them.
      collections: graph collections, or None.
      name: the whole's name.
      reuse: as in `tf.variable_scope`.

    Raises:
      ValueError: when `slicing` does not fit.
    """
    if len(shape) != len(slicing):
        raise ValueError(
            "The 'shape' and 'slicing' of a partitioned Variable must have the length: "
            f"shape: {shape}, slicing: {slicing}"
        )
    if len(shape) < 1:
        raise ValueError(f"A partitioned Variable must have rank at least 1: shape: {shape}")
    with variable_scope(name, "PartitionedVariable", reuse=reuse) as scope:
        made = scope.get_partitioned(
            default_variable_store(),
            shape,
            dtype,
            initializer,
            lambda **unused_kwargs: slicing,
            trainable=trainable,
            collections=collections,
        )
        return list(made)


@contextlib.contextmanager
def variable_creator_scope(variable_creator):
    """A block in which `variable_creator` makes variables: called with (next_creator, **arguments)."""
    with stacks.get_default_graph()._variable_creator_scope(variable_creator):
        yield


def no_regularizer(_):
    """A regularizer that adds nothing: for a scope whose outer one has another."""
    return


def default_variable_creator(next_creator=None, **kwargs):
    """Makes a reference or a resource variable, as `use_resource`, the scope or the program's default says."""
    use_resource = kwargs.pop("use_resource", None)
    if use_resource is None:
        use_resource = get_variable_scope().use_resource
    if use_resource is None:
        use_resource = _uses_resource
    if not use_resource:
        kwargs.pop("distribute_strategy", None)
        return RefVariable(**kwargs)
    kwargs.pop("expected_shape", None)
    return ResourceVariable(**kwargs)


register_default_creator(default_variable_creator)

__all__ = [
    "AUTO_REUSE",
    "VariableScope",
    "VariableStore",
    "create_partitioned_variables",
    "default_variable_creator",
    "disable_resource_variables",
    "enable_resource_variables",
    "fixed_size_partitioner",
    "get_local_variable",
    "get_variable",
    "get_variable_scope",
    "min_max_variable_partitioner",
    "no_regularizer",
    "resource_variables_enabled",
    "variable_axis_size_partitioner",
    "variable_creator_scope",
    "variable_op_scope",
    "variable_scope",
]
