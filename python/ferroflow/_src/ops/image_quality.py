"""How alike two images are, and where an image changes."""

import numpy as np

from ferroflow._src.framework import dtypes
from ferroflow._src.framework.constant import constant
from ferroflow._src.framework.control_flow import Assert, cond
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.scopes import control_dependencies
from ferroflow._src.ops import activations, array, convolution, filling, math, pool, reductions, shaping
from ferroflow._src.ops.image_colour import convert_image_dtype


def _checked_pair(a, b):
    """The shapes of two images as tensors, and assertions that they fit."""
    first, second = a.shape.with_rank_at_least(3), b.shape.with_rank_at_least(3)
    first[-3:].assert_is_compatible_with(second[-3:])
    if first.ndims is not None and second.ndims is not None:
        for x, y in zip(reversed(first.dims[:-3]), reversed(second.dims[:-3]), strict=False):
            if not (x == 1 or y == 1 or x.is_compatible_with(y)):
                raise ValueError(f"Two images are not compatible: {first} and {second}")
    first, second = shaping.shape_n([a, b])
    data = [first, second]
    is_image = math.greater_equal(shaping.size(first), 3)
    checks = [Assert(is_image, data, summarize=10)]
    is_same = reductions.reduce_all(math.equal(first[-3:], second[-3:]))
    checks.append(Assert(is_same, data, summarize=10))
    return first, second, checks


def psnr(a, b, max_val, name=None):
    """The peak signal-to-noise ratio of two images, in decibels.

    Args:
      a: a `Tensor` [*batch, height, width, channels].
      b: a `Tensor` of its type and shape.
      max_val: the difference between the greatest and the least value that pixels may have.
      name: the name scope.

    Returns:
      A `Tensor` [*batch] of float32.

    Raises:
      ValueError: when shapes do not fit.
    """
    with name_scope(name, "PSNR", [a, b]):
        max_val = convert_image_dtype(math.cast(max_val, a.dtype), dtypes.float32)
        a, b = convert_image_dtype(a, dtypes.float32), convert_image_dtype(b, dtypes.float32)
        error = reductions.reduce_mean(math.squared_difference(a, b), [-3, -2, -1])
        peak = 20 * math.log(max_val) / math.log(10.0)
        value = math.subtract(peak, np.float32(10 / np.log(10)) * math.log(error), name="psnr")
        _, _, checks = _checked_pair(a, b)
        with control_dependencies(checks):
            return array.identity(value)


def _bell(size, sigma):
    """A filter [size, size, 1, 1] that falls off as the normal law does."""
    size, sigma = convert_to_tensor(size, dtypes.int32), convert_to_tensor(sigma)
    at = math.cast(math.range(size), sigma.dtype)
    at -= math.cast(size - 1, sigma.dtype) / 2.0
    exponent = math.square(at)
    exponent *= -0.5 / math.square(sigma)
    exponent = array.reshape(exponent, shape=[1, -1]) + array.reshape(exponent, shape=[-1, 1])
    exponent = array.reshape(exponent, shape=[1, -1])
    return array.reshape(activations.softmax(exponent), shape=[size, size, 1, 1])


def _similarity(x, y, blurred, max_val, k1, k2):
    """Luminance, and contrast with structure, at each place."""
    c1, c2 = (k1 * max_val) ** 2, (k2 * max_val) ** 2
    mean_x, mean_y = blurred(x), blurred(y)
    product = mean_x * mean_y * 2.0
    squares = math.square(mean_x) + math.square(mean_y)
    luminance = (product + c1) / (squares + c1)
    both = blurred(x * y) * 2.0
    each = blurred(math.square(x) + math.square(y))
    c2 *= 1.0
    return luminance, (both - product + c2) / (each - squares + c2)


def _ssim_of_channels(a, b, max_val, filter_size, filter_sigma, k1, k2):
    filter_size = constant(filter_size, dtype=dtypes.int32)
    filter_sigma = constant(filter_sigma, dtype=a.dtype)
    checks = []
    shapes = shaping.shape_n([a, b])
    for shape in shapes:
        is_large = reductions.reduce_all(math.greater_equal(shape[-3:-1], filter_size))
        checks.append(Assert(is_large, [shape, filter_size], summarize=8))
    with control_dependencies(checks):
        a = array.identity(a)
    kernel = array.tile(_bell(filter_size, filter_sigma), multiples=[1, 1, shapes[0][-1], 1])

    def blurred(x):
        shape = shaping.shape(x)
        x = array.reshape(x, shape=array.concat([[-1], shape[-3:]], 0))
        y = convolution.depthwise_conv2d(x, kernel, strides=[1, 1, 1, 1], padding="VALID")
        return array.reshape(y, array.concat([shape[:-3], shaping.shape(y)[1:]], 0))

    luminance, contrast = _similarity(a, b, blurred, max_val, k1, k2)
    axes = constant([-3, -2], dtype=dtypes.int32)
    whole = reductions.reduce_mean(luminance * contrast, axes)
    return whole, reductions.reduce_mean(contrast, axes)


def _prepared(a, b, checks, max_val):
    with control_dependencies(checks):
        a = array.identity(a)
    max_val = convert_image_dtype(math.cast(max_val, a.dtype), dtypes.float32)
    return convert_image_dtype(a, dtypes.float32), convert_image_dtype(b, dtypes.float32), max_val


def ssim(img1, img2, max_val, filter_size=11, filter_sigma=1.5, k1=0.01, k2=0.03):
    """The structural similarity of two images (Wang and others, 2004).

    Args:
      img1: a `Tensor` [*batch, height, width, channels].
      img2: a `Tensor` of its type and shape.
      max_val: the difference between the greatest and the least value that pixels may have.
      filter_size: the size of the window.
      filter_sigma: its width.
      k1: keeps the luminance from being divided by 0.
      k2: keeps the contrast from being divided by 0.

    Returns:
      A `Tensor` [*batch] of float32 in (-1, 1]; 1 for equal images.

    Raises:
      ValueError: when shapes do not fit.
    """
    _, _, checks = _checked_pair(img1, img2)
    img1, img2, max_val = _prepared(img1, img2, checks, max_val)
    whole, _ = _ssim_of_channels(img1, img2, max_val, filter_size, filter_sigma, k1, k2)
    return reductions.reduce_mean(whole, [-1])


_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


def ssim_multiscale(img1, img2, max_val, power_factors=_WEIGHTS, filter_size=11, filter_sigma=1.5, k1=0.01, k2=0.03):
    """The structural similarity of two images at several scales (Wang, Simoncelli and Bovik, 2003).

    Args:
      img1: a `Tensor` [*batch, height, width, channels].
      img2: a `Tensor` of its type and shape.
      max_val: the difference between the greatest and the least value that pixels may have.
      power_factors: the weight of each scale; each is half as large as the one before.
      filter_size: the size of the window.
      filter_sigma: its width.
      k1: keeps the luminance from being divided by 0.
      k2: keeps the contrast from being divided by 0.

    Returns:
      A `Tensor` [*batch] of float32 in [0, 1].

    Raises:
      ValueError: when shapes do not fit.
    """
    with name_scope(None, "MS-SSIM", [img1, img2]):
        img1, img2 = convert_to_tensor(img1, name="img1"), convert_to_tensor(img2, name="img2")
        shape1, shape2, checks = _checked_pair(img1, img2)
        img1, img2, max_val = _prepared(img1, img2, checks, max_val)
        images, shapes = [img1, img2], [shape1, shape2]
        heads, tails = [s[:-3] for s in shapes], [s[-3:] for s in shapes]
        halves = [1, 2, 2, 1]
        halves_tensor = constant(halves[1:], dtype=dtypes.int32)
        contrasts = []
        for k in range(len(power_factors)):
            with name_scope(None, f"Scale{k:d}", images):
                if k > 0:
                    smaller, tails = _halved(images, tails, halves, halves_tensor)
                    images = [
                        array.reshape(x, array.concat([h, t], 0)) for x, h, t in zip(smaller, heads, tails, strict=True)
                    ]
                whole, contrast = _ssim_of_channels(*images, max_val, filter_size, filter_sigma, k1, k2)
                contrasts.append(activations.relu(contrast))
        contrasts.pop()
        all_scales = array.stack([*contrasts, activations.relu(whole)], axis=-1)
        product = reductions.reduce_prod(math.pow(all_scales, power_factors), [-1])
        return reductions.reduce_mean(product, [-1])


def _halved(images, tails, halves, halves_tensor):
    """Both images at half the size, made even first, and their new sizes."""
    flat = [array.reshape(x, array.concat([[-1], t], 0)) for x, t in zip(images, tails, strict=True)]
    rest = tails[0] % halves_tensor
    is_odd = reductions.reduce_any(math.not_equal(rest, 0))

    def padded():
        padding = array.pad(array.expand_dims(rest, -1), [[1, 0], [1, 0]])
        return [array.pad(x, padding, mode="SYMMETRIC") for x in flat]

    even = cond(is_odd, padded, lambda: flat)
    smaller = [pool.avg_pool(x, ksize=halves, strides=halves, padding="VALID") for x in even]
    return smaller, [x[1:] for x in shaping.shape_n(smaller)]


def image_gradients(image):
    """The differences between neighbouring rows and columns; 0 in the last ones.

    Args:
      image: a `Tensor` [batch, height, width, channels].

    Returns:
      Two `Tensor`s of its shape: between rows, between columns.

    Raises:
      ValueError: for another rank.
    """
    if image.shape.ndims != 4:
        raise ValueError("image_gradients expects a 4D tensor [batch_size, h, w, d], not %s.", image.shape)
    now = shaping.shape(image)
    batch, height, width, depth = array.unstack(now)
    dy = image[:, 1:, :, :] - image[:, :-1, :, :]
    dx = image[:, :, 1:, :] - image[:, :, :-1, :]
    shape = array.stack([batch, 1, width, depth])
    dy = array.reshape(array.concat([dy, filling.zeros(shape, image.dtype)], 1), now)
    shape = array.stack([batch, height, 1, depth])
    dx = array.reshape(array.concat([dx, filling.zeros(shape, image.dtype)], 2), now)
    return dy, dx


def sobel_edges(image):
    """The Sobel edge maps: how much an image changes down and across.

    Args:
      image: a `Tensor` of floats [batch, height, width, channels].

    Returns:
      A `Tensor` [batch, height, width, channels, 2].
    """
    known, now = image.shape, shaping.shape(image)
    down = [[-1, -2, -1], [0, 0, 0], [1, 2, 1]]
    across = [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]
    filters = np.expand_dims(np.transpose(np.asarray([down, across]), (1, 2, 0)), -2)
    filters = constant(filters, dtype=image.dtype)
    filters = array.tile(filters, [1, 1, now[-1], 1], name="sobel_filters")
    padded = array.pad(image, [[0, 0], [1, 1], [1, 1], [0, 0]], mode="REFLECT")
    edges = convolution.depthwise_conv2d(padded, filters, [1, 1, 1, 1], "VALID")
    edges = array.reshape(edges, shape=array.concat([now, [2]], 0))
    edges.set_shape(known.concatenate([2]))
    return edges
