"""Means and variances, and what is normalized by them."""

from ferroflow._src.framework import dtypes
from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.constant import constant
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.ops import array, filling, indexing, math, reductions, shaping
from ferroflow._src.ops.arguments import renamed


def moments(x, axes, shift=None, name=None, keep_dims=None, keepdims=None):
    """Computes mean and variance along dimensions.

    Args:
      x: a `Tensor` of floats.
      axes: integers: the dimensions.
      shift: has no effect.
      name: the name scope.
      keep_dims: whether the dimensions stay, with size 1.
      keepdims: another name of `keep_dims`.

    Returns:
      (mean, variance), of the type of `x`.
    """
    keep_dims = renamed("keepdims", keepdims, "keep_dims", keep_dims)
    with name_scope(name, "moments", [x, axes]):
        is_half = x.dtype == dtypes.float16
        y = math.cast(x, dtypes.float32) if is_half else x
        mean = reductions.reduce_mean(y, axes, keepdims=True, name="mean")
        distances = math.squared_difference(y, array.stop_gradient(mean))
        variance = reductions.reduce_mean(distances, axes, keepdims=True, name="variance")
        if not keep_dims:
            mean = array.squeeze(mean, axes)
            variance = array.squeeze(variance, axes)
        if is_half:
            return math.cast(mean, dtypes.float16), math.cast(variance, dtypes.float16)
        return mean, variance


def moments_v2(x, axes, shift=None, keepdims=False, name=None):
    """`moments` with TensorFlow 2's order of arguments."""
    return moments(x, axes, shift, name, keepdims)


def weighted_moments(x, axes, frequency_weights, name=None, keep_dims=None, keepdims=None):
    """Computes mean and variance along dimensions of elements that count differently.

    Args:
      x: a `Tensor` of floats.
      axes: integers: the dimensions.
      frequency_weights: what each element counts; its shape broadcasts to that of `x`.
      name: the name scope.
      keep_dims: whether the dimensions stay, with size 1.
      keepdims: another name of `keep_dims`.

    Returns:
      (mean, variance), of the type of `x`.
    """
    keep_dims = renamed("keepdims", keepdims, "keep_dims", keep_dims)
    with name_scope(name, "weighted_moments", [x, frequency_weights, axes]):
        x = convert_to_tensor(x, name="x")
        weights = convert_to_tensor(frequency_weights, name="frequency_weights")
        is_half = x.dtype == dtypes.float16
        if is_half:
            x = math.cast(x, dtypes.float32)
        if weights.dtype != x.dtype:
            weights = math.cast(weights, x.dtype)
        total = reductions.reduce_sum(weights * x, axes, name="weighted_input_sum", keepdims=True)
        everywhere = weights + filling.zeros_like(x)
        weight = reductions.reduce_sum(everywhere, axes, name="sum_of_weights", keepdims=True)
        divisor = math.reciprocal(weight, name="inv_weight_sum")
        mean = math.multiply(total, divisor)
        distances = weights * math.squared_difference(x, mean)
        distance = reductions.reduce_sum(distances, axes, name="weighted_distsq", keepdims=True)
        variance = math.multiply(distance, divisor)
        if not keep_dims:
            mean = array.squeeze(mean, axis=axes)
            variance = array.squeeze(variance, axis=axes)
        if is_half:
            return math.cast(mean, dtypes.float16), math.cast(variance, dtypes.float16)
        return mean, variance


def sufficient_statistics(x, axes, shift=None, keep_dims=None, name=None, keepdims=None):
    """Computes the count, sum and sum of squares along dimensions, from which `normalize_moments` makes moments.

    Args:
      x: a `Tensor` of floats.
      axes: integers: the dimensions.
      shift: a value near the mean that is subtracted first; None for zero.
      keep_dims: whether the dimensions stay, with size 1.
      name: the name scope.
      keepdims: another name of `keep_dims`.

    Returns:
      (count, sum, sum of squares, shift).
    """
    axes = list(set(axes))
    keep_dims = renamed("keepdims", keepdims, "keep_dims", keep_dims)
    with name_scope(name, "sufficient_statistics", [x, shift]):
        x = convert_to_tensor(x, name="x")
        sizes = [None] if x.shape.ndims is None else [x.shape.as_list()[d] for d in axes]
        if None not in sizes:
            count = 1
            for size in sizes:
                count *= size
            counts = constant(count, dtype=x.dtype)
        else:
            counted = indexing.gather(math.cast(shaping.shape(x), x.dtype), axes)
            counts = reductions.reduce_prod(counted, name="count")
        if shift is not None:
            shift = convert_to_tensor(shift, name="shift")
            values, squares = math.subtract(x, shift), math.squared_difference(x, shift)
        else:
            values, squares = x, math.square(x)
        values = reductions.reduce_sum(values, axes, keepdims=keep_dims, name="mean_ss")
        squares = reductions.reduce_sum(squares, axes, keepdims=keep_dims, name="var_ss")
    return counts, values, squares, shift


def normalize_moments(counts, mean_ss, variance_ss, shift, name=None):
    """Makes mean and variance of what `sufficient_statistics` returns.

    Args:
      counts: a scalar.
      mean_ss: the sum.
      variance_ss: the sum of squares.
      shift: what was subtracted first; None for zero.
      name: the name scope.

    Returns:
      (mean, variance).
    """
    with name_scope(name, "normalize", [counts, mean_ss, variance_ss, shift]):
        divisor = math.reciprocal(counts, name="divisor")
        if shift is not None:
            shifted = math.multiply(mean_ss, divisor, name="shifted_mean")
            mean = math.add(shifted, shift, name="mean")
        else:
            shifted = mean = math.multiply(mean_ss, divisor, name="mean")
        variance = math.subtract(math.multiply(variance_ss, divisor), math.square(shifted), name="variance")
    return mean, variance


def batch_normalization(x, mean, variance, offset, scale, variance_epsilon, name=None):
    """Computes `(x - mean) / sqrt(variance + variance_epsilon) * scale + offset`.

    Args:
      x: a `Tensor` of floats.
      mean: one that broadcasts to `x`.
      variance: one that broadcasts to `x`.
      offset: one that broadcasts to `x`; None for zero.
      scale: one that broadcasts to `x`; None for one.
      variance_epsilon: a small float.
      name: the name scope.

    Returns:
      A `Tensor` of the type and shape of `x`.
    """
    with name_scope(name, "batchnorm", [x, mean, variance, scale, offset]):
        inverse = math.rsqrt(variance + variance_epsilon)
        if scale is not None:
            inverse *= scale
        scaled = x * math.cast(inverse, x.dtype)
        shift = offset - mean * inverse if offset is not None else -mean * inverse
        return scaled + math.cast(shift, x.dtype)


def fused_batch_norm(
    x,
    scale,
    offset,
    mean=None,
    variance=None,
    epsilon=0.001,
    data_format="NHWC",
    is_training=True,
    name=None,
):
    """Normalizes batches of images in one op.

    Args:
      x: a `Tensor` of floats of rank 4.
      scale: float32 [channels].
      offset: float32 [channels].
      mean: float32 [channels]; None when training.
      variance: float32 [channels]; None when training.
      epsilon: a float, at least 1.001e-5.
      data_format: 'NHWC' or 'NCHW'.
      is_training: whether mean and variance are those of the batch.
      name: the operation's name.

    Returns:
      (y, mean, variance), the latter two those of the batch.

    Raises:
      ValueError: when mean or variance are given for training.
    """
    x = convert_to_tensor(x, name="input")
    scale = convert_to_tensor(scale, name="scale")
    offset = convert_to_tensor(offset, name="offset")
    if is_training and (mean is not None or variance is not None):
        raise ValueError("Both 'mean' and 'variance' must be None if is_training is True.")
    if mean is None:
        mean = constant([])
    if variance is None:
        variance = constant([])
    made = apply_op(
        "FusedBatchNormV3",
        x,
        scale,
        offset,
        mean,
        variance,
        epsilon=max(epsilon, 1.001e-5),  # what cuDNN accepts
        data_format=data_format,
        is_training=is_training,
        name=name,
    )
    return made.y, made.batch_mean, made.batch_variance


def batch_norm_with_global_normalization(
    t=None,
    m=None,
    v=None,
    beta=None,
    gamma=None,
    variance_epsilon=None,
    scale_after_normalization=None,
    name=None,
    input=None,
    mean=None,
    variance=None,
):
    """`batch_normalization` by its older name.

    Args:
      t: a `Tensor` of floats of rank 4.
      m: the mean [channels].
      v: the variance [channels].
      beta: the offset [channels].
      gamma: the scale [channels].
      variance_epsilon: a small float.
      scale_after_normalization: whether `gamma` counts.
      name: the name scope.
      input: another name of `t`.
      mean: another name of `m`.
      variance: another name of `v`.

    Returns:
      A `Tensor` of the type and shape of `t`.
    """
    t = renamed("input", input, "t", t)
    m = renamed("mean", mean, "m", m)
    v = renamed("variance", variance, "v", v)
    return batch_normalization(t, m, v, beta, gamma if scale_after_normalization else None, variance_epsilon, name)


def l2_normalize(x, axis=None, epsilon=1e-12, name=None, dim=None):
    """Scales vectors to length 1.

    Args:
      x: a `Tensor` of floats.
      axis: a number or numbers of dimensions along which the vectors lie; None for all.
      epsilon: the least squared length to divide by.
      name: the operation's name.
      dim: the older name of `axis`.

    Returns:
      A `Tensor` of the type and shape of `x`.
    """
    axis = renamed("axis", axis, "dim", dim)
    with name_scope(name, "l2_normalize", [x]) as name:
        x = convert_to_tensor(x, name="x")
        squares = reductions.reduce_sum(math.square(x), axis, keepdims=True)
        inverse = math.rsqrt(math.maximum(squares, epsilon))
        return math.multiply(x, inverse, name=name)


def lrn(input, depth_radius=5, bias=1, alpha=1, beta=0.5, name=None):
    """Normalizes each element by its neighbours in depth.

    Args:
      input: a `Tensor` of floats.
      depth_radius: an integer.
      bias: a float.
      alpha: a float.
      beta: a float.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `input`.
    """
    return apply_op("LRN", input, depth_radius=depth_radius, bias=bias, alpha=alpha, beta=beta, name=name)


local_response_normalization = lrn
