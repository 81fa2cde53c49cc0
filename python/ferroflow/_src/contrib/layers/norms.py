"""Normalization of layers, instances and groups of channels, and of lengths."""

from ferroflow._src.contrib.framework import variables
from ferroflow._src.contrib.framework.arg_scope import add_arg_scope
from ferroflow._src.contrib.layers.outputs import check_format, collect_named_outputs, get_variable_collections
from ferroflow._src.framework import dtypes, variable_scope as scopes
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.initializers import Ones, Zeros
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.ops import array, filling, math, normalization, reductions, shaping


def _shift_and_factor(center, scale, shape, dtype, initializers, collections, trainable, spread=None):
    """Makes `beta` and `gamma` where they are wanted, in the shape they are spread to."""
    made = []
    for name, is_wanted, default in (("beta", center, Zeros()), ("gamma", scale, Ones())):
        if not is_wanted:
            made.append(None)
            continue
        variable = variables.model_variable(
            name,
            shape=shape,
            dtype=dtype,
            initializer=initializers.get(name, default),
            collections=get_variable_collections(collections, name),
            trainable=trainable,
        )
        made.append(array.reshape(variable, spread) if spread else variable)
    return made


def _finished(outputs, activation_fn, outputs_collections, scope):
    if activation_fn is not None:
        outputs = activation_fn(outputs)
    return collect_named_outputs(outputs_collections, scope.name, outputs)


@add_arg_scope
def layer_norm(
    inputs,
    center=True,
    scale=True,
    activation_fn=None,
    reuse=None,
    variables_collections=None,
    outputs_collections=None,
    trainable=True,
    begin_norm_axis=1,
    begin_params_axis=-1,
    scope=None,
):
    """Normalizes each example by its own mean and variance (Ba, Kiros and Hinton, 2016).

    Args:
      inputs: a `Tensor` of floats, of known rank.
      center: whether there is a shift `beta`.
      scale: whether there is a factor `gamma`.
      activation_fn: a function; None for none.
      reuse: whether variables of this scope are used again.
      variables_collections: collections for the variables, or a dict of them by name.
      outputs_collections: collections for the output.
      trainable: whether the variables are trained.
      begin_norm_axis: the first of the dimensions that are normalized together.
      begin_params_axis: the first of the dimensions that `beta` and `gamma` have.
      scope: the variable scope.

    Returns:
      A `Tensor` of the type and shape of `inputs`.

    Raises:
      ValueError: for an unknown rank or parameters' shape, or axes beyond the rank.
    """
    with scopes.variable_scope(scope, "LayerNorm", [inputs], reuse=reuse) as sc:
        inputs = convert_to_tensor(inputs)
        rank = inputs.shape.ndims
        if rank is None:
            raise ValueError(f"Inputs {inputs.name} has undefined rank.")
        dtype = inputs.dtype.base_dtype
        if begin_norm_axis < 0:
            begin_norm_axis = rank + begin_norm_axis
        if begin_params_axis >= rank or begin_norm_axis >= rank:
            raise ValueError(
                f"begin_params_axis ({begin_params_axis}) and begin_norm_axis ({begin_norm_axis}) must be < "
                f"rank(inputs) ({rank})"
            )
        shape = inputs.shape[begin_params_axis:]
        if not shape.is_fully_defined():
            raise ValueError(
                f"Inputs {inputs.name}: shape(inputs)[{begin_params_axis}:] is not fully defined: {inputs.shape}"
            )
        beta, gamma = _shift_and_factor(center, scale, shape, dtype, {}, variables_collections, trainable)
        mean, variance = normalization.moments(inputs, list(range(begin_norm_axis, rank)), keep_dims=True)
        epsilon = 1e-3 if dtype == dtypes.float16 else 1e-12
        outputs = normalization.batch_normalization(
            inputs, mean, variance, offset=beta, scale=gamma, variance_epsilon=epsilon
        )
        outputs.set_shape(inputs.shape)
        return _finished(outputs, activation_fn, outputs_collections, sc)


@add_arg_scope
def instance_norm(
    inputs,
    center=True,
    scale=True,
    epsilon=1e-6,
    activation_fn=None,
    param_initializers=None,
    reuse=None,
    variables_collections=None,
    outputs_collections=None,
    trainable=True,
    data_format="NHWC",
    scope=None,
):
    """Normalizes each channel of each example by its own mean and variance (Ulyanov, Vedaldi and Lempitsky, 2016).

    Args:
      inputs: a `Tensor` of floats [batch, ..., channels].
      center: whether there is a shift `beta`.
      scale: whether there is a factor `gamma`.
      epsilon: added to the variance.
      activation_fn: a function; None for none.
      param_initializers: initializers by 'beta' and 'gamma'.
      reuse: whether variables of this scope are used again.
      variables_collections: collections for the variables, or a dict of them by name.
      outputs_collections: collections for the output.
      trainable: whether the variables are trained.
      data_format: 'NHWC' or 'NCHW'.
      scope: the variable scope.

    Returns:
      A `Tensor` of the type and shape of `inputs`.

    Raises:
      ValueError: for another format, or an unknown rank or number of channels.
    """
    inputs = convert_to_tensor(inputs)
    rank = inputs.shape.ndims
    if rank is None:
        raise ValueError(f"Inputs {inputs.name} has undefined rank.")
    check_format(data_format)
    with scopes.variable_scope(scope, "InstanceNorm", [inputs], reuse=reuse) as sc:
        axis, spread = rank - 1, None
        if data_format == "NCHW":
            axis, spread = 1, [1, inputs.shape[1].value] + [1] * (rank - 2)
        axes = [i for i in range(1, rank) if i != axis]
        shape = inputs.shape[axis : axis + 1]
        if not shape.is_fully_defined():
            raise ValueError(f"Inputs {inputs.name} has undefined channels dimension {shape}.")
        beta, gamma = _shift_and_factor(
            center,
            scale,
            shape,
            inputs.dtype.base_dtype,
            param_initializers or {},
            variables_collections,
            trainable,
            spread,
        )
        mean, variance = normalization.moments(inputs, axes, keep_dims=True)
        outputs = normalization.batch_normalization(inputs, mean, variance, beta, gamma, epsilon, name="instancenorm")
        return _finished(outputs, activation_fn, outputs_collections, sc)


def _positive_axes(inputs, channels_axis, reduction_axes):
    """Checks a group's axes; returns them counted from the first, and the number of channels."""
    rank = inputs.shape.ndims
    if channels_axis < 0:
        channels_axis += rank
    channels = inputs.shape[channels_axis].value
    if channels is None:
        raise ValueError(f"Inputs {inputs.name} has undefined channel dimension: {channels_axis}.")
    reduction_axes = [a + rank if a < 0 else a for a in reduction_axes]
    for a in reduction_axes:
        if a > rank:
            raise ValueError("Axis is out of bounds.")
        if inputs.shape[a].value is None:
            raise ValueError(f"Inputs {inputs.name} has undefined dimensions {a}.")
        if channels_axis == a:
            raise ValueError("reduction_axis must be mutually exclusive with channels_axis")
    return channels_axis, reduction_axes, channels


@add_arg_scope
def group_norm(
    inputs,
    groups=32,
    channels_axis=-1,
    reduction_axes=(-3, -2),
    center=True,
    scale=True,
    epsilon=1e-6,
    activation_fn=None,
    param_initializers=None,
    reuse=None,
    variables_collections=None,
    outputs_collections=None,
    trainable=True,
    scope=None,
    mean_close_to_zero=False,
):
    """Normalizes groups of channels of each example by their own mean and variance (Wu and He, 2018).

    Args:
      inputs: a `Tensor` of floats, of known rank.
      groups: how many groups the channels are divided into.
      channels_axis: the dimension of the channels.
      reduction_axes: the dimensions that are normalized together.
      center: whether there is a shift `beta`.
      scale: whether there is a factor `gamma`.
      epsilon: added to the variance.
      activation_fn: a function; None for none.
      param_initializers: initializers by 'beta' and 'gamma'.
      reuse: whether variables of this scope are used again.
      variables_collections: collections for the variables, or a dict of them by name.
      outputs_collections: collections for the output.
      trainable: whether the variables are trained.
      scope: the variable scope.
      mean_close_to_zero: whether the moments are taken of sums, which suits a mean near 0.

    Returns:
      A `Tensor` of the type and shape of `inputs`.

    Raises:
      ValueError: for an unknown rank or size, or groups and axes that do not fit.
    """
    inputs = convert_to_tensor(inputs)
    rank = inputs.shape.ndims
    if rank is None:
        raise ValueError(f"Inputs {inputs.name} has undefined rank.")
    if channels_axis > rank - 1:
        raise ValueError("Axis is out of bounds.")
    now = shaping.shape(inputs)
    sizes = [now[i] if dim.value is None else dim for i, dim in enumerate(inputs.shape)]
    channels_axis, reduction_axes, channels = _positive_axes(inputs, channels_axis, reduction_axes)
    if groups > channels:
        raise ValueError(f"Invalid groups {groups} for {channels} channels.")
    if channels % groups:
        raise ValueError(f"{channels} channels is not commensurate with {groups} groups.")
    before, after = sizes[:channels_axis], sizes[channels_axis + 1 :]
    divided = [groups, channels // groups]
    spread = [1] * len(before) + divided + [1] * len(after)
    inputs = array.reshape(inputs, before + divided + after)
    axes = [channels_axis + 1, *(a + 1 if a > channels_axis else a for a in reduction_axes)]
    with scopes.variable_scope(scope, "GroupNorm", [inputs], reuse=reuse) as sc:
        beta, gamma = _shift_and_factor(
            center,
            scale,
            [channels],
            inputs.dtype.base_dtype,
            param_initializers or {},
            variables_collections,
            trainable,
            spread,
        )
        if mean_close_to_zero:
            count, mean_ss, variance_ss, _ = normalization.sufficient_statistics(inputs, axes, keep_dims=True)
            mean, variance = normalization.normalize_moments(count, mean_ss, variance_ss, shift=None)
        else:
            mean, variance = normalization.moments(inputs, axes, keep_dims=True)
        gain = math.rsqrt(variance + epsilon)
        offset = -mean * gain
        if gamma is not None:
            gain *= gamma
            offset *= gamma
        if beta is not None:
            offset += beta
        outputs = array.reshape(inputs * gain + offset, sizes)
        return _finished(outputs, activation_fn, outputs_collections, sc)


@add_arg_scope
def unit_norm(inputs, dim, epsilon=1e-7, scope=None):
    """Divides by the Euclidean length along a dimension.

    Args:
      inputs: a `Tensor` of floats, of known rank.
      dim: the dimension.
      epsilon: added to the square of the length.
      scope: the variable scope.

    Returns:
      A `Tensor` of the type and shape of `inputs`.

    Raises:
      ValueError: for an unknown rank, or a dimension beyond it.
    """
    with scopes.variable_scope(scope, "UnitNorm", [inputs]):
        if not inputs.shape:
            raise ValueError("The input rank must be known.")
        rank = inputs.shape.ndims
        if dim < 0 or dim >= rank:
            raise ValueError("dim must be positive but smaller than the input rank.")
        lengths = math.sqrt(epsilon + reductions.reduce_sum(math.square(inputs), dim, True))
        multiples = []
        if dim > 0:
            multiples.append(filling.ones([dim], dtypes.int32))
        multiples.append(array.strided_slice(shaping.shape(inputs), [dim], [dim + 1]))
        if dim < rank - 1:
            multiples.append(filling.ones([rank - 1 - dim], dtypes.int32))
        return math.div(inputs, array.tile(lengths, array.concat(multiples, 0)))


def poincare_normalize(x, axis=1, epsilon=1e-5, name=None):
    """Brings vectors into the unit ball: those of length 1 or more are shortened to just below it.

    Args:
      x: a `Tensor` of floats.
      axis: the dimension of the vectors.
      epsilon: how far from the edge they stay.
      name: the name scope.

    Returns:
      A `Tensor` of the type and shape of `x`.
    """
    with name_scope(name, "poincare_normalize", [x]) as name:
        x = convert_to_tensor(x, name="x")
        inverse = math.rsqrt(reductions.reduce_sum(math.square(x), axis, keepdims=True))
        return math.multiply(x, math.minimum((1.0 - epsilon) * inverse, 1.0), name=name)
