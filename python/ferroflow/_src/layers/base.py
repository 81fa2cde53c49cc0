"""tf.layers.Layer: variables made on first use in a scope of their own, losses, updates, and checks of inputs."""

import collections
import contextlib
import copy
import inspect
import re
import weakref

import numpy as np

from ferroflow._src.framework import dtypes, nest, stacks, variable_lists, variable_scope as scopes
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.graph_keys import GraphKeys
from ferroflow._src.framework.initializers import (
    Constant,
    GlorotNormal,
    GlorotUniform,
    Identity,
    Ones,
    Orthogonal,
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
    VarianceScaling,
    Zeros,
)
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.operation import Operation
from ferroflow._src.framework.partitioned_variable import PartitionedVariable
from ferroflow._src.framework.tensor_like import TensorBase, TensorLike
from ferroflow._src.framework.tensor_shape import TensorShape
from ferroflow._src.framework.variables import VariableAggregation, VariableSynchronization
from ferroflow._src.layers.config import Configured
from ferroflow._src.ops import activations, math, shaping

_INITIALIZERS = {
    "zeros": Zeros,
    "ones": Ones,
    "constant": Constant,
    "random_uniform": RandomUniform,
    "uniform": RandomUniform,
    "random_normal": RandomNormal,
    "normal": RandomNormal,
    "truncated_normal": TruncatedNormal,
    "variance_scaling": VarianceScaling,
    "glorot_uniform": GlorotUniform,
    "glorot_normal": GlorotNormal,
    "orthogonal": Orthogonal,
    "identity": Identity,
}

_ACTIVATIONS = {
    "relu": activations.relu,
    "elu": activations.elu,
    "selu": activations.selu,
    "softmax": activations.softmax,
    "softplus": activations.softplus,
    "softsign": activations.softsign,
    "sigmoid": math.sigmoid,
    "tanh": math.tanh,
    "exponential": math.exp,
    "linear": None,
}


def get_initializer(value):
    """Returns the initializer that a name, a class or an initializer stands for; None for None.

    Raises:
      ValueError: for an unknown name, or another object.
    """
    if isinstance(value, str):
        if value not in _INITIALIZERS:
            raise ValueError(f"Unknown initializer: {value}")
        return _INITIALIZERS[value]()
    if inspect.isclass(value):
        return value()
    if value is None or callable(value):
        return value
    raise ValueError(f"Could not interpret initializer identifier: {value}")


def get_activation(value):
    """Returns the activation that a name or a function stands for; None for none.

    Raises:
      ValueError: for an unknown name, or another object.
    """
    if isinstance(value, str):
        if value not in _ACTIVATIONS:
            raise ValueError(f"Unknown activation function:{value}")
        return _ACTIVATIONS[value]
    if value is None or callable(value):
        return value
    raise ValueError(f"Could not interpret activation function identifier: {value}")


def _snake_case(name):
    spaced = re.sub("(.)([A-Z][a-z0-9]+)", r"\1_\2", name)
    spaced = re.sub("([a-z])([A-Z])", r"\1_\2", spaced).lower()
    return "private" + spaced if spaced[0] == "_" else spaced


_counts = weakref.WeakKeyDictionary()


def _numbered(kind):
    """Returns 'dense_1', 'dense_2', ...: counted in each graph."""
    counts = _counts.setdefault(stacks.get_default_graph(), collections.Counter())
    counts[kind] += 1
    return f"{kind}_{counts[kind]}"


class InputSpec:
    """What a layer asks of an input: type, shape, rank, or the sizes of some dimensions."""

    def __init__(self, dtype=None, shape=None, ndim=None, max_ndim=None, min_ndim=None, axes=None):
        """Creates the specification.

        Args:
          dtype: the type; None for any.
          shape: the shape, in which None stands for any size; None for any.
          ndim: the rank; None for any.
          max_ndim: the greatest rank.
          min_ndim: the least rank.
          axes: dimension -> size.
        """
        self.dtype = dtypes.as_dtype(dtype).name if dtype is not None else None
        self.shape = shape
        self.ndim = len(shape) if shape is not None else ndim
        self.max_ndim = max_ndim
        self.min_ndim = min_ndim
        self.axes = axes or {}
        if self.axes and (self.ndim is not None or self.max_ndim is not None):
            limit = (self.ndim if self.ndim is not None else self.max_ndim) - 1
            greatest = max(int(axis) for axis in self.axes)
            if greatest > limit:
                raise ValueError(f"Axis {greatest} is greater than the maximum allowed value: {limit}")

    def __repr__(self):
        fields = ("dtype", "shape", "ndim", "max_ndim", "min_ndim", "axes")
        return f"InputSpec({', '.join(f'{k}={getattr(self, k)}' for k in fields if getattr(self, k))})"

    def check(self, x, layer, index):
        """Raises ValueError when the tensor `x`, input number `index` of the layer, does not fit."""
        shape, ndims = x.shape, x.shape.ndims
        prefix = f"Input {index} of layer {layer} is incompatible with the layer: "
        if ndims is None:
            if self.ndim is not None or self.min_ndim is not None or self.max_ndim is not None:
                raise ValueError(prefix + "its rank is undefined, but the layer requires a defined rank.")
            return
        full = f"Full shape received: {shape.as_list()}"
        if self.ndim is not None and ndims != self.ndim:
            raise ValueError(f"{prefix}expected ndim={self.ndim}, found ndim={ndims}. {full}")
        if self.max_ndim is not None and ndims > self.max_ndim:
            raise ValueError(f"{prefix}expected max_ndim={self.max_ndim}, found ndim={ndims}")
        if self.min_ndim is not None and ndims < self.min_ndim:
            raise ValueError(f"{prefix}: expected min_ndim={self.min_ndim}, found ndim={ndims}. {full}")
        if self.dtype is not None and x.dtype != self.dtype:
            raise ValueError(f"{prefix}expected dtype={self.dtype}, found dtype={x.dtype}")
        sizes = shape.as_list()
        for axis, size in self.axes.items():
            if size is not None and sizes[int(axis)] not in (size, None):
                raise ValueError(
                    f"{prefix}expected axis {axis} of input shape to have value {size} but received input with shape "
                    f"{sizes}"
                )
        for wanted, size in zip(self.shape or (), sizes, strict=False):
            if wanted is not None and size is not None and wanted != size:
                raise ValueError(f"{prefix}expected shape={self.shape}, found shape={sizes}")


def _add_to_collection(elements, key):
    collection = stacks.get_default_graph().get_collection_ref(key)
    known = {id(item) for item in collection}
    for element in nest.flatten(elements):
        if id(element) not in known:
            known.add(id(element))
            collection.append(element)


def _reaches(inputs, targets):
    """Returns which of the targets depend on the inputs."""
    wanted = {id(t): t for t in targets}
    found, seen, queue = [], set(), list(inputs)
    while queue:
        item = queue.pop()
        if id(item) in wanted and wanted[id(item)] not in found:
            found.append(item)
        if isinstance(item, Operation):
            following = item.outputs
            key = ("op", item.name)
        elif isinstance(item, TensorBase):
            following = item.consumers()
            key = ("tensor", item.name)
        else:
            continue
        if key not in seen:
            seen.add(key)
            queue.extend(following)
    return found


class Layer(Configured):
    """A part of a model: it makes variables on first use and is called with tensors.

    Subclasses define `call`, and `build` when they have variables.
    """

    def __init__(self, trainable=True, name=None, dtype=None, **kwargs):
        """Creates the layer.

        Args:
          trainable: whether its variables go into the collection of those that training changes.
          name: its name, or a `VariableScope`; None for a name made from the class.
          dtype: the type of its variables; None for that of the first input.
          **kwargs: `activity_regularizer`; `_scope` and `_reuse`, given by the functions of this module.

        Raises:
          TypeError: for other keywords.
        """
        scope = kwargs.pop("_scope", None)
        self._reuse = kwargs.pop("_reuse", None)
        self._activity_regularizer = kwargs.pop("activity_regularizer", None)
        kwargs.pop("autocast", None)
        self._initial_weights = kwargs.pop("weights", None)
        for key in kwargs:
            if key not in ("input_shape", "batch_input_shape", "batch_size"):
                raise TypeError(f"Keyword argument not understood: {key}")
        self._trainable = trainable
        self._use_resource_variables = False
        self.stateful = False
        self.built = False
        self.input_spec = None
        self.supports_masking = False
        self._dtype = None if dtype is None else dtypes.as_dtype(dtype).name
        self._trainable_weights, self._non_trainable_weights = [], []
        self._weights_by_name = {}  # by the names that the layer gave, as checkpoints of objects have them
        self._updates, self._losses, self._loss_functions = [], [], []
        self._unconditional_losses, self._unconditional_updates = set(), set()
        self._calls = []
        self._set_name(name)
        self._call_arguments = dict(inspect.signature(self.call).parameters)  # a plain dict: layers are copied
        self._scope = self._current_scope = None
        if scope:
            with scopes.variable_scope(scope) as captured:
                self._scope = captured

    def _set_name(self, name):
        kind = _snake_case(type(self).__name__)
        if isinstance(name, scopes.VariableScope):
            self._base_name, self._name = name.name, _numbered(kind)
        elif name:
            self._base_name = self._name = name
        else:
            self._base_name, self._name = kind, _numbered(kind)

    # -- what it is --

    @property
    def name(self):
        """The layer's name."""
        return self._name

    @property
    def dtype(self):
        """The type of its variables, by name; None until it is known."""
        return self._dtype

    @property
    def graph(self):
        """None: layers are not bound to a graph."""
        return None

    @property
    def scope_name(self):
        """The name of its variable scope.

        Raises:
          ValueError: before the first call.
        """
        if not self._scope:
            raise ValueError(
                f'No name available for layer scope because the layer "{self._name}" has not been used yet. The scope '
                "name  is determined the first time the layer instance is called. You must therefore call the layer "
                "before querying `scope_name`."
            )
        return self._scope.name

    @property
    def trainable(self):
        """Whether its variables are trained."""
        return self._trainable

    @trainable.setter
    def trainable(self, value):
        self._trainable = value

    @property
    def activity_regularizer(self):
        """A function that makes a loss of the layer's output, or None."""
        return self._activity_regularizer

    @activity_regularizer.setter
    def activity_regularizer(self, value):
        self._activity_regularizer = value

    # -- variables --

    @property
    def trainable_weights(self):
        """The variables that are trained."""
        return list(self._trainable_weights) if self.trainable else []

    @property
    def non_trainable_weights(self):
        """The other variables."""
        if self.trainable:
            return list(self._non_trainable_weights)
        return self._trainable_weights + self._non_trainable_weights

    @property
    def weights(self):
        """All variables."""
        return self.trainable_weights + self.non_trainable_weights

    variables = weights
    trainable_variables = trainable_weights
    non_trainable_variables = non_trainable_weights

    def count_params(self):
        """Returns how many numbers the variables hold.

        Raises:
          ValueError: before they are made.
        """
        if not self.built:
            raise ValueError(
                f"You tried to call `count_params` on {self.name}, but the layer isn't built. You can build it "
                f"manually via: `{self.name}.build(batch_input_shape)`."
            )
        return int(sum(np.prod(w.shape.as_list()) for w in self.weights))

    def _set_scope(self, scope=None):
        if self._scope is not None:
            return
        if self._reuse:
            made = scopes.variable_scope(self._base_name if scope is None else scope)
        else:
            made = scopes.variable_scope(scope, default_name=self._base_name)
        with made as captured:
            self._scope = captured

    def _name_scope(self):
        return self._current_scope.original_name_scope

    def add_weight(
        self,
        name,
        shape,
        dtype=None,
        initializer=None,
        regularizer=None,
        trainable=None,
        constraint=None,
        use_resource=None,
        synchronization=VariableSynchronization.AUTO,
        aggregation=VariableAggregation.NONE,
        partitioner=None,
        **kwargs,
    ):
        """Makes a variable, or finds it when the layer's scope reuses variables.

        Args:
          name: the variable's name in the layer's scope.
          shape: its shape.
          dtype: its type; None for the layer's.
          initializer: makes its first value; None for the scope's, or Glorot's uniform one.
          regularizer: a function that makes a loss of it, which goes into the collection of such losses.
          trainable: whether it is trained; None for True.
          constraint: a function that an optimizer applies after each update.
          use_resource: whether it is a resource variable.
          synchronization: ON_READ makes it not trainable.
          aggregation: kept with the variable.
          partitioner: says into which parts it is split.
          **kwargs: `experimental_autocast`, without effect.

        Returns:
          The variable.

        Raises:
          TypeError: for other keywords.
          ValueError: when a variable that is synchronized on read is to be trained, or nothing says how to fill it.
        """
        for key in kwargs:
            if key != "experimental_autocast":
                raise TypeError("Unknown keyword argument:", key)
        if synchronization == VariableSynchronization.ON_READ:
            if trainable:
                raise ValueError(
                    "Synchronization value can be set to VariableSynchronization.ON_READ only for non-trainable "
                    "variables. You have specified trainable=True and "
                    "synchronization=VariableSynchronization.ON_READ."
                )
            trainable = False
        elif trainable is None:
            trainable = True
        existing = {id(v) for v in variable_lists.global_variables()}
        dtype = dtypes.as_dtype(dtype or self.dtype or dtypes.float32)
        if self._dtype is None:
            self._dtype = dtype.base_dtype.name
        self._set_scope(None)
        reuse = self.built or self._reuse
        with scopes.variable_scope(self._scope, reuse=reuse, auxiliary_name_scope=False) as scope:
            self._current_scope = scope
            with name_scope(self._name_scope()):
                variable = scopes.get_variable(
                    name,
                    shape=shape,
                    dtype=dtype,
                    initializer=self._initializer_for(name, dtype, initializer, scope),
                    trainable=trainable and self.trainable,
                    constraint=constraint,
                    partitioner=partitioner,
                    use_resource=use_resource or self._use_resource_variables or scope.use_resource,
                    synchronization=synchronization,
                    aggregation=aggregation,
                )
                parts = list(variable) if isinstance(variable, PartitionedVariable) else [variable]
                if regularizer and not any(id(part) in existing for part in parts):
                    for part in parts:
                        self._regularize(name, part, regularizer)
        self._weights_by_name[name] = variable
        is_trained = {id(v) for v in variable_lists.trainable_variables()}
        if trainable and self.trainable and all(id(part) in is_trained for part in parts):
            self._trainable_weights.append(variable)
        else:
            self._non_trainable_weights.append(variable)
        return variable

    add_variable = add_weight

    def _initializer_for(self, name, dtype, initializer, scope):
        found = get_initializer(scope.initializer if initializer is None else initializer)
        if found is not None:
            return found
        if dtype.is_floating:
            return GlorotUniform()
        if dtype.is_integer or dtype is dtypes.bool:
            return Zeros()
        raise ValueError(
            f"An initializer for variable {name} of type {dtype.base_dtype} is required for layer {self.name}"
        )

    def _regularize(self, name, variable, regularizer):
        def loss():
            with name_scope(name + "/Regularizer"):
                return regularizer(variable)

        self.add_loss(loss)

    # -- losses and updates --

    def add_loss(self, losses, inputs=None):
        """Adds losses of the layer, also to the graph's collection of regularization losses.

        Args:
          losses: a tensor, a function that makes one, or a list of them.
          inputs: the tensors on which they depend; None when they depend on none.
        """
        made = []
        for loss in nest.flatten(losses):
            if callable(loss):
                self._loss_functions.append((loss, inputs is None))
                loss = loss()
            elif loss is not None:
                loss = convert_to_tensor(loss)
                self._losses.append(loss)
            if loss is not None:
                made.append(loss)
                if inputs is None:
                    self._unconditional_losses.add(id(loss))
        _add_to_collection(made, GraphKeys.REGULARIZATION_LOSSES)

    @property
    def losses(self):
        """The layer's losses; those given as functions are made anew."""
        found = list(self._losses)
        for function, is_unconditional in self._loss_functions:
            loss = function()
            if loss is not None:
                if is_unconditional:
                    self._unconditional_losses.add(id(loss))
                found.append(loss)
        return found

    def add_update(self, updates, inputs=None):
        """Adds operations that a training step has to run, such as those of moving averages.

        Args:
          updates: an operation, a tensor, a function that makes one, or a list of them.
          inputs: has no effect: what they depend on is found from the graph.
        """
        relevant = self._calls[-1] if self._calls else []
        for update in updates if isinstance(updates, (list, tuple)) else [updates]:
            while callable(update) and not isinstance(update, (Operation, TensorLike)):
                update = update()
            if not isinstance(update, Operation):
                update = update.op if hasattr(update, "op") else convert_to_tensor(update)
            if not _reaches(relevant, [update]):
                self._unconditional_updates.add(id(update))
            self._updates.append(update)

    @property
    def updates(self):
        """The layer's updates; none when it is not trained."""
        return list(self._updates) if self.trainable or self.stateful else []

    def get_updates_for(self, inputs):
        """Returns the updates that depend on the inputs; for None those that depend on no input."""
        if inputs is None:
            return [u for u in self.updates if id(u) in self._unconditional_updates]
        rest = [u for u in self.updates if id(u) not in self._unconditional_updates]
        reached = {id(u) for u in _reaches(nest.flatten(inputs), rest)}
        return [u for u in rest if id(u) in reached]

    def get_losses_for(self, inputs):
        """Returns the losses that depend on the inputs; for None those that depend on no input."""
        losses = self.losses
        if inputs is None:
            return [x for x in losses if id(x) in self._unconditional_losses]
        rest = [x for x in losses if id(x) not in self._unconditional_losses]
        reached = {id(x) for x in _reaches(nest.flatten(inputs), rest)}
        return [x for x in rest if id(x) in reached]

    # -- use --

    def build(self, input_shape):
        """Makes the variables; called once, with the shape (or shapes) of the first inputs."""
        self.built = True

    def call(self, inputs, **kwargs):
        """Makes the outputs."""
        return inputs

    def compute_output_shape(self, input_shape):
        """Returns the shape of the output for one of the input.

        Raises:
          NotImplementedError: when the layer does not know.
        """
        raise NotImplementedError

    def __call__(self, inputs, *args, **kwargs):
        """Makes the variables when this is the first call, and the outputs.

        Args:
          inputs: a tensor, or a structure of them.
          *args: further arguments of `call`.
          **kwargs: the same by name; `scope`, the variable scope to use.

        Returns:
          What `call` returns.

        Raises:
          ValueError: when inputs do not fit the layer.
        """
        self._set_scope(kwargs.pop("scope", None))
        reuse = True if self.built else self._reuse
        with self._entered(reuse) as scope:
            self._current_scope = scope
            if "scope" in self._call_arguments:
                kwargs["scope"] = scope
            outputs = self._apply(inputs, args, kwargs)
        _add_to_collection(self.updates, GraphKeys.UPDATE_OPS)
        return outputs

    @contextlib.contextmanager
    def _entered(self, reuse):
        with scopes.variable_scope(self._scope, reuse=reuse, auxiliary_name_scope=False) as scope:
            yield scope

    def _apply(self, inputs, args, kwargs):
        if any(isinstance(x, (np.ndarray, float, int)) for x in nest.flatten(inputs)):
            inputs = nest.map_structure(
                lambda x: convert_to_tensor(x) if isinstance(x, (np.ndarray, float, int)) else x, inputs
            )
        if "training" not in self._call_arguments and not self._takes_keywords():
            kwargs.pop("training", None)
        self._check_inputs(inputs)
        self._calls.append(nest.flatten(inputs))
        with name_scope(self._name_scope()):
            self._build_once(inputs)
            outputs = self.call(inputs, *args, **kwargs)
            if outputs is None:
                raise ValueError(
                    "A layer's `call` method should return a Tensor or a list of Tensors, not None (layer: "
                    f"{self.name})."
                )
            self._regularize_activity(inputs, outputs)
        return outputs

    def _takes_keywords(self):
        return any(p.kind is p.VAR_KEYWORD for p in self._call_arguments.values())

    def _check_inputs(self, inputs):
        if not self.input_spec:
            return
        specs, given = nest.flatten(self.input_spec), nest.flatten(inputs)
        if len(given) != len(specs):
            raise ValueError(
                f"Layer {self.name} expects {len(specs)} inputs, but it received {len(given)} input tensors. Inputs "
                f"received: {inputs}"
            )
        for i, (x, spec) in enumerate(zip(given, specs, strict=True)):
            if spec is not None:
                spec.check(convert_to_tensor(x) if not isinstance(x, TensorLike) else x, self.name, i)

    def _build_once(self, inputs):
        if self.built:
            return
        first = nest.flatten(inputs)
        if self._dtype is None and first and hasattr(first[0], "dtype"):
            self._dtype = dtypes.as_dtype(first[0].dtype).base_dtype.name
        shapes = None
        if all(hasattr(x, "shape") for x in first):
            shapes = nest.map_structure(lambda x: TensorShape(x.shape), inputs)
        self.build(shapes)
        self.built = True

    def _regularize_activity(self, inputs, outputs):
        if not self._activity_regularizer:
            return
        with name_scope("ActivityRegularizer"):
            for output in nest.flatten(outputs):
                loss = self._activity_regularizer(output)
                batch = math.cast(_batch_size(output), loss.dtype)
                self.add_loss(loss / batch, inputs=inputs)

    def apply(self, inputs, *args, **kwargs):
        """Calls the layer."""
        return self(inputs, *args, **kwargs)

    def __deepcopy__(self, memo):
        made = type(self).__new__(type(self))
        memo[id(self)] = made
        for key, value in self.__dict__.items():
            if key in ("_scope", "_current_scope"):
                made.__dict__[key] = copy.copy(value)
            elif isinstance(value, TensorLike):
                made.__dict__[key] = value
            else:
                made.__dict__[key] = copy.deepcopy(value, memo)
        return made


def _batch_size(output):
    return shaping.shape(output)[0]
