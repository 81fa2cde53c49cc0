"""batch_norm in contrib's manner: through the layer of tf.layers where that can do it, else op by op."""

from ferroflow._src.contrib.framework import variables
from ferroflow._src.contrib.framework.arg_scope import add_arg_scope
from ferroflow._src.contrib.layers.arguments import constant_value, smart_cond
from ferroflow._src.contrib.layers.outputs import (
    add_variable_to_collections,
    check_format,
    collect_named_outputs,
    get_variable_collections,
    model_variable_getter,
)
from ferroflow._src.framework import dtypes, variable_scope as scopes
from ferroflow._src.framework.collections import add_to_collections
from ferroflow._src.framework.constant import constant
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.graph_keys import GraphKeys
from ferroflow._src.framework.initializers import Ones, Zeros
from ferroflow._src.framework.scopes import control_dependencies
from ferroflow._src.layers import normalization as layers
from ferroflow._src.ops import array, normalization, shaping
from ferroflow._src.training.moving_averages import assign_moving_average


@add_arg_scope
def batch_norm(
    inputs,
    decay=0.999,
    center=True,
    scale=False,
    epsilon=0.001,
    activation_fn=None,
    param_initializers=None,
    param_regularizers=None,
    updates_collections=GraphKeys.UPDATE_OPS,
    is_training=True,
    reuse=None,
    variables_collections=None,
    outputs_collections=None,
    trainable=True,
    batch_weights=None,
    fused=None,
    data_format="NHWC",
    zero_debias_moving_mean=False,
    scope=None,
    renorm=False,
    renorm_clipping=None,
    renorm_decay=0.99,
    adjustment=None,
):
    """Normalizes each channel by the batch while training, by moving averages afterwards.

    Args:
      inputs: a `Tensor` of floats [batch, ..., channels].
      decay: how much of a moving average stays in each update.
      center: whether there is a shift `beta`.
      scale: whether there is a factor `gamma`.
      epsilon: added to the variance.
      activation_fn: a function; None for none.
      param_initializers: initializers by 'beta', 'gamma', 'moving_mean' and 'moving_variance'.
      param_regularizers: regularizers by 'beta' and 'gamma'.
      updates_collections: collections for the updates of the averages; None: they run before the output.
      is_training: a bool, or a scalar tensor.
      reuse: whether variables of this scope are used again.
      variables_collections: collections for the variables, or a dict of them by name.
      outputs_collections: collections for the output.
      trainable: whether the variables are trained.
      batch_weights: a `Tensor` [batch] of weights of the examples; None for equal ones.
      fused: whether one op does it where it can; None for True.
      data_format: 'NHWC' or 'NCHW'.
      zero_debias_moving_mean: whether the moving mean makes up for its start at zero.
      scope: the variable scope.
      renorm: whether batches are corrected towards the averages while training.
      renorm_clipping: the limits of that correction.
      renorm_decay: how much of a moving average stays, for the correction.
      adjustment: a function of the inputs' shape that makes a random (scale, bias) while training.

    Returns:
      A `Tensor` of the type and shape of `inputs`.

    Raises:
      ValueError: for another format, an unknown rank or number of channels, or `renorm` where it cannot be.
    """
    inputs = convert_to_tensor(inputs)
    rank = inputs.shape.ndims
    is_usual = updates_collections is GraphKeys.UPDATE_OPS and not zero_debias_moving_mean
    can_fuse = batch_weights is None and not renorm and rank in (2, 4) and adjustment is None
    parts = _Parts(
        data_format,
        center,
        scale,
        param_initializers or {},
        param_regularizers or {},
        variables_collections,
        trainable,
        is_training,
        updates_collections,
        decay,
        zero_debias_moving_mean,
        epsilon,
    )
    if fused in (None, True) and can_fuse and (not is_usual or rank == 2):
        check_format(data_format)
        with scopes.variable_scope(scope, "BatchNorm", [inputs], reuse=reuse) as sc:
            return _finished(_fused(inputs, parts), activation_fn, outputs_collections, sc)
    check_format(data_format)
    with scopes.variable_scope(scope, "BatchNorm", [inputs], reuse=reuse, custom_getter=model_variable_getter()) as sc:
        inputs = convert_to_tensor(inputs)
        if batch_weights is None and is_usual:
            outputs = _by_layer(inputs, parts, renorm, renorm_clipping, renorm_decay, adjustment, fused, reuse, sc)
        else:
            if renorm:
                raise ValueError(
                    "renorm is not supported with batch_weights, updates_collections or zero_debias_moving_mean"
                )
            outputs = _by_moments(inputs, parts, batch_weights)
        return _finished(outputs, activation_fn, outputs_collections, sc)


def _finished(outputs, activation_fn, outputs_collections, scope):
    if activation_fn is not None:
        outputs = activation_fn(outputs)
    return collect_named_outputs(outputs_collections, scope.name, outputs)


class _Parts:
    """The arguments that all three ways share, and the variables they make."""

    def __init__(
        self,
        data_format,
        center,
        scale,
        initializers,
        regularizers,
        collections,
        trainable,
        is_training,
        updates_collections,
        decay,
        zero_debias,
        epsilon,
    ):
        self.data_format = data_format
        self.center, self.scale = center, scale
        self.initializers, self.regularizers = initializers, regularizers
        self.collections, self.trainable = collections, trainable
        self.is_training, self.updates_collections = is_training, updates_collections
        self.decay, self.zero_debias, self.epsilon = decay, zero_debias, epsilon
        self.moving_mean = self.moving_variance = None

    @property
    def axis(self):
        return 1 if self.data_format == "NCHW" else -1

    def initializer(self, name, default):
        return self.initializers.get(name, default)

    def _variable(self, name, shape, dtype, default, regularizer=None, trainable=None):
        return variables.model_variable(
            name,
            shape=shape,
            dtype=dtype,
            initializer=self.initializer(name, default),
            regularizer=regularizer,
            collections=get_variable_collections(self.collections, name),
            trainable=self.trainable if trainable is None else trainable,
        )

    def beta(self, shape, dtype, is_regularized):
        regularizer = self.regularizers.get("beta") if is_regularized else None
        return self._variable("beta", shape, dtype, Zeros(), regularizer)

    def gamma(self, shape, dtype, is_regularized):
        regularizer = self.regularizers.get("gamma") if is_regularized else None
        return self._variable("gamma", shape, dtype, Ones(), regularizer)

    def make_averages(self, shape, dtype):
        """Makes the moving averages, which are never divided into parts."""
        with scopes.variable_scope(scopes.get_variable_scope()) as local_scope:
            local_scope.set_partitioner(None)
            self.moving_mean = self._variable("moving_mean", shape, dtype, Zeros(), trainable=False)
            self.moving_variance = self._variable("moving_variance", shape, dtype, Ones(), trainable=False)

    def updated(self, mean, variance):
        """Moves the averages towards the moments of a batch."""
        return (
            assign_moving_average(self.moving_mean, mean, self.decay, zero_debias=self.zero_debias),
            assign_moving_average(self.moving_variance, variance, self.decay, zero_debias=False),
        )

    def averages(self):
        return self.moving_mean, self.moving_variance

    def delay_updates(self, mean, variance):
        """Puts the updates, which do nothing unless training, into their collections."""
        updates = smart_cond(self.is_training, lambda: self.updated(mean, variance), self.averages)
        for update in updates:
            add_to_collections(self.updates_collections, update)


def _by_layer(inputs, parts, renorm, renorm_clipping, renorm_decay, adjustment, fused, reuse, scope):
    layer = layers.BatchNormalization(
        axis=parts.axis,
        momentum=parts.decay,
        epsilon=parts.epsilon,
        center=parts.center,
        scale=parts.scale,
        beta_initializer=parts.initializer("beta", Zeros()),
        gamma_initializer=parts.initializer("gamma", Ones()),
        moving_mean_initializer=parts.initializer("moving_mean", Zeros()),
        moving_variance_initializer=parts.initializer("moving_variance", Ones()),
        beta_regularizer=parts.regularizers.get("beta"),
        gamma_regularizer=parts.regularizers.get("gamma"),
        trainable=parts.trainable,
        renorm=renorm,
        renorm_clipping=renorm_clipping,
        renorm_momentum=renorm_decay,
        adjustment=adjustment,
        name=scope.name,
        _scope=scope,
        _reuse=reuse,
        fused=True if fused is None else fused,
    )
    outputs = layer.apply(inputs, training=parts.is_training)
    for name in ("moving_mean", "moving_variance", "beta", "gamma"):
        if getattr(layer, name) is not None:
            add_variable_to_collections(getattr(layer, name), parts.collections, name)
    return outputs


def _fused(inputs, parts):
    """One op for images; a batch of vectors becomes images of one pixel."""
    inputs = original = convert_to_tensor(inputs)
    is_first = parts.data_format == "NCHW"
    if original.shape.ndims == 2:
        channels = inputs.shape.dims[-1].value
        if channels is None:
            raise ValueError("`C` dimension must be known but is None")
        inputs = array.reshape(inputs, [-1, channels, 1, 1] if is_first else [-1, 1, 1, channels])
    shape = inputs.shape[1:2] if is_first else inputs.shape[-1:]
    if not shape.is_fully_defined():
        raise ValueError(f"Inputs {inputs.name} has undefined `C` dimension {shape}.")
    dtype = dtypes.float32
    beta = parts.beta(shape, dtype, True) if parts.center else constant(0.0, dtype=dtype, shape=shape)
    gamma = parts.gamma(shape, dtype, True) if parts.scale else constant(1.0, dtype=dtype, shape=shape)
    parts.make_averages(shape, dtype)
    options = {"epsilon": parts.epsilon, "data_format": parts.data_format}

    def training():
        return normalization.fused_batch_norm(inputs, gamma, beta, **options)

    def inference():
        mean, variance = parts.averages()
        return normalization.fused_batch_norm(
            inputs, gamma, beta, mean=mean, variance=variance, is_training=False, **options
        )

    outputs, mean, variance = smart_cond(parts.is_training, training, inference)
    if constant_value(parts.is_training) in (None, True):
        if parts.updates_collections is None:
            normalized = outputs

            def updated():
                with control_dependencies(list(parts.updated(mean, variance))):
                    return array.identity(normalized)

            outputs = smart_cond(parts.is_training, updated, lambda: normalized)
        else:
            parts.delay_updates(mean, variance)
    outputs.set_shape(inputs.shape)
    if original.shape.ndims == 2:
        outputs = array.reshape(outputs, shaping.shape(original))
    return outputs


def _moments(inputs, axes, weights, is_first):
    """The mean and variance of each channel: two vectors."""
    if weights is None:
        found = normalization.moments(inputs, axes, **({"keep_dims": True} if is_first else {}))
    else:
        found = normalization.weighted_moments(inputs, axes, weights, **({"keepdims": True} if is_first else {}))
    return [array.reshape(x, [-1]) for x in found] if is_first else found


def _by_moments(inputs, parts, weights):
    rank = inputs.shape.ndims
    if rank is None:
        raise ValueError(f"Inputs {inputs.name} has undefined rank.")
    dtype = inputs.dtype.base_dtype
    if weights is not None:
        weights = convert_to_tensor(weights)
        inputs.shape[0:1].assert_is_compatible_with(weights.shape)
        weights = array.reshape(weights, [-1] + [1] * (rank - 1))
    is_first = parts.data_format == "NCHW"
    axes = [0, *range(2, rank)] if is_first else list(range(rank - 1))
    shape = inputs.shape[1:2] if is_first else inputs.shape[-1:]
    if not shape.is_fully_defined():
        raise ValueError(f"Inputs {inputs.name} has undefined channels dimension {shape}.")
    beta = parts.beta(shape, dtype, False) if parts.center else None
    gamma = parts.gamma(shape, dtype, False) if parts.scale else None
    parts.make_averages(shape, dtype)
    if constant_value(parts.is_training) in (None, True):
        moments = _moments(inputs, axes, weights, is_first)
        if parts.updates_collections is None:

            def updated():
                with control_dependencies(list(parts.updated(*moments))):
                    return tuple(array.identity(x) for x in moments)

            mean, variance = smart_cond(parts.is_training, updated, parts.averages)
        else:
            parts.delay_updates(*moments)
            mean, variance = smart_cond(parts.is_training, lambda: tuple(moments), parts.averages)
    else:
        mean, variance = parts.averages()
    if is_first:
        spread = [1, inputs.shape.dims[1].value] + [1] * (rank - 2)
        mean, variance = array.reshape(mean, spread), array.reshape(variance, spread)
        beta = beta if beta is None else array.reshape(beta, spread)
        gamma = gamma if gamma is None else array.reshape(gamma, spread)
    outputs = normalization.batch_normalization(inputs, mean, variance, beta, gamma, parts.epsilon)
    outputs.set_shape(inputs.shape)
    return outputs
