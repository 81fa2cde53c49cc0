"""Images: types, brightness, contrast and colours."""

from ferroflow._src.framework import dtypes
from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.control_flow import Assert, with_dependencies
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.tensor_like import TensorBase
from ferroflow._src.ops import array, checks, filling, linalg, math, random, reductions, shaping
from ferroflow._src.ops.image import checked_image

_FLOATS = (dtypes.float16, dtypes.float32)


def convert_image_dtype(image, dtype, saturate=False, name=None):
    """Turns images into another type and scales them: floats reach from 0 to 1, integers to their greatest.

    Args:
      image: a `Tensor` of real numbers.
      dtype: the type.
      saturate: whether what the type cannot hold becomes its least or greatest.
      name: the operation's name.

    Returns:
      A `Tensor` of `dtype`.

    Raises:
      AttributeError: for a type of no numbers.
    """
    image = convert_to_tensor(image, name="image")
    dtype = dtypes.as_dtype(dtype)
    if not dtype.is_floating and not dtype.is_integer:
        raise AttributeError("dtype must be either floating point or integer")
    if dtype == image.dtype:
        return array.identity(image, name=name)
    cast = math.saturate_cast if saturate else math.cast
    with name_scope(name, "convert_image", [image]) as name:
        if image.dtype.is_integer and dtype.is_integer:
            greatest, new_greatest = image.dtype.max, dtype.max
            if greatest > new_greatest:
                scaled = math.div(image, (greatest + 1) // (new_greatest + 1))
                return cast(scaled, dtype, name=name)
            return math.multiply(cast(image, dtype), (new_greatest + 1) // (greatest + 1), name=name)
        if image.dtype.is_floating and dtype.is_floating:
            return math.cast(image, dtype, name=name)
        if image.dtype.is_integer:
            return math.multiply(math.cast(image, dtype), 1.0 / image.dtype.max, name=name)
        # Half more, so that every integer gets as many floats.
        return cast(math.multiply(image, dtype.max + 0.5), dtype, name=name)


def _as_float(image):
    return image if image.dtype in _FLOATS else convert_image_dtype(image, dtypes.float32)


def adjust_brightness(image, delta):
    """Adds to all pixels, on the scale from 0 to 1.

    Args:
      image: a `Tensor` of real numbers.
      delta: a scalar.

    Returns:
      A `Tensor` of its type and shape.
    """
    with name_scope(None, "adjust_brightness", [image, delta]) as name:
        image = convert_to_tensor(image, name="image")
        floats = _as_float(image)
        adjusted = math.add(floats, math.cast(delta, floats.dtype), name=name)
        return convert_image_dtype(adjusted, image.dtype, saturate=True)


def adjust_contrast(images, contrast_factor):
    """Scales the distance of pixels from the mean of their channel.

    Args:
      images: a `Tensor` of real numbers [*batch, height, width, channels].
      contrast_factor: a float32 scalar.

    Returns:
      A `Tensor` of its type and shape.
    """
    with name_scope(None, "adjust_contrast", [images, contrast_factor]) as name:
        images = convert_to_tensor(images, name="images")
        adjusted = apply_op("AdjustContrastv2", _as_float(images), contrast_factor, name=name)
        return convert_image_dtype(adjusted, images.dtype, saturate=True)


def adjust_gamma(image, gamma=1, gain=1):
    """Computes `gain * image ** gamma`, on the scale from 0 to 1.

    Args:
      image: a `Tensor` of real numbers.
      gamma: a scalar, not negative.
      gain: a scalar.

    Returns:
      A `Tensor` of its type and shape.

    Raises:
      ValueError: for a negative `gamma`.
    """
    with name_scope(None, "adjust_gamma", [image, gamma, gain]):
        image = convert_to_tensor(image, name="image")
        floats = _as_float(image)
        message = "Gamma should be a non-negative real number."
        if isinstance(gamma, TensorBase):
            gamma = with_dependencies([Assert(gamma >= 0, [message])], gamma)
        elif gamma < 0:
            raise ValueError(message)
        return convert_image_dtype(gain * floats**gamma, image.dtype, saturate=True)


def adjust_hue(image, delta, name=None):
    """Turns the hue of RGB images.

    Args:
      image: a `Tensor` of real numbers whose last dimension is 3.
      delta: a float32 scalar from -1 to 1.
      name: the name scope.

    Returns:
      A `Tensor` of its type and shape.
    """
    with name_scope(name, "adjust_hue", [image]) as name:
        image = convert_to_tensor(image, name="image")
        return convert_image_dtype(apply_op("AdjustHue", _as_float(image), delta), image.dtype)


def adjust_saturation(image, saturation_factor, name=None):
    """Scales the saturation of RGB images.

    Args:
      image: a `Tensor` of real numbers whose last dimension is 3.
      saturation_factor: a float32 scalar.
      name: the name scope.

    Returns:
      A `Tensor` of its type and shape.
    """
    with name_scope(name, "adjust_saturation", [image]) as name:
        image = convert_to_tensor(image, name="image")
        adjusted = apply_op("AdjustSaturation", _as_float(image), saturation_factor)
        return convert_image_dtype(adjusted, image.dtype)


def _check_interval(lower, upper):
    if upper <= lower:
        raise ValueError("upper must be > lower.")
    if lower < 0:
        raise ValueError("lower must be non-negative.")


def random_brightness(image, max_delta, seed=None):
    """`adjust_brightness` by a random amount.

    Args:
      image: a `Tensor` of real numbers.
      max_delta: how much at most, either way.
      seed: a Python integer.

    Returns:
      A `Tensor` of its type and shape.

    Raises:
      ValueError: for a negative amount.
    """
    if max_delta < 0:
        raise ValueError("max_delta must be non-negative.")
    return adjust_brightness(image, random.random_uniform([], -max_delta, max_delta, seed=seed))


def random_contrast(image, lower, upper, seed=None):
    """`adjust_contrast` by a random factor.

    Args:
      image: a `Tensor` of real numbers [*batch, height, width, channels].
      lower: the least factor.
      upper: the greatest.
      seed: a Python integer.

    Returns:
      A `Tensor` of its type and shape.

    Raises:
      ValueError: for an empty or negative interval.
    """
    _check_interval(lower, upper)
    return adjust_contrast(image, random.random_uniform([], lower, upper, seed=seed))


def random_saturation(image, lower, upper, seed=None):
    """`adjust_saturation` by a random factor.

    Args:
      image: a `Tensor` of real numbers whose last dimension is 3.
      lower: the least factor.
      upper: the greatest.
      seed: a Python integer.

    Returns:
      A `Tensor` of its type and shape.

    Raises:
      ValueError: for an empty or negative interval.
    """
    _check_interval(lower, upper)
    return adjust_saturation(image, random.random_uniform([], lower, upper, seed=seed))


def random_hue(image, max_delta, seed=None):
    """`adjust_hue` by a random amount.

    Args:
      image: a `Tensor` of real numbers whose last dimension is 3.
      max_delta: how much at most, either way, from 0 to 0.5.
      seed: a Python integer.

    Returns:
      A `Tensor` of its type and shape.

    Raises:
      ValueError: for another amount.
    """
    if max_delta > 0.5:
        raise ValueError("max_delta must be <= 0.5.")
    if max_delta < 0:
        raise ValueError("max_delta must be non-negative.")
    return adjust_hue(image, random.random_uniform([], -max_delta, max_delta, seed=seed))


def per_image_standardization(image):
    """Gives each image mean 0 and variance 1.

    Args:
      image: a `Tensor` of real numbers [*batch, height, width, channels].

    Returns:
      A `Tensor` of its type and shape.
    """
    with name_scope(None, "per_image_standardization", [image]) as scope:
        image = checked_image(convert_to_tensor(image, name="image"))
        dtype = image.dtype
        image = _as_float(image)
        count = reductions.reduce_prod(shaping.shape(image)[-3:])
        mean = reductions.reduce_mean(image, axis=[-1, -2, -3], keepdims=True)
        stddev = reductions.reduce_std(image, axis=[-1, -2, -3], keepdims=True)
        # An image of one colour has no deviation to divide by.
        least = math.rsqrt(math.cast(count, image.dtype))
        stddev = math.maximum(stddev, least)
        image -= mean
        return convert_image_dtype(math.div(image, stddev, name=scope), dtype, saturate=True)


def rgb_to_grayscale(images, name=None):
    """Turns RGB images into gray ones, by how bright each colour looks.

    Args:
      images: a `Tensor` of real numbers whose last dimension is 3.
      name: the operation's name.

    Returns:
      A `Tensor` of its type whose last dimension is 1.
    """
    with name_scope(name, "rgb_to_grayscale", [images]) as name:
        images = convert_to_tensor(images, name="images")
        floats = convert_image_dtype(images, dtypes.float32)
        gray = linalg.tensordot(floats, [0.2989, 0.5870, 0.1140], [-1, -1])
        return convert_image_dtype(array.expand_dims(gray, -1), images.dtype, name=name)


def _checked_gray(image):
    try:
        known = image.shape.with_rank(2) if image.shape.ndims is None else image.shape.with_rank_at_least(2)
    except ValueError:
        raise ValueError("A grayscale image must be at least two-dimensional.") from None
    message = "Last dimension of a grayscale image should be size 1."
    if known.is_fully_defined():
        if known.as_list()[-1] != 1:
            raise ValueError(message)
        return with_dependencies([], image)
    last = checks.assert_equal(shaping.shape(image)[-1], 1, message=message)
    rank = checks.assert_greater_equal(
        shaping.rank(image), 3, message="A grayscale image must be at least two-dimensional."
    )
    return with_dependencies([last, rank], image)


def grayscale_to_rgb(images, name=None):
    """Turns gray images into RGB ones of the same look.

    Args:
      images: a `Tensor` whose last dimension is 1.
      name: the operation's name.

    Returns:
      A `Tensor` of its type whose last dimension is 3.

    Raises:
      ValueError: when the last dimension is another.
    """
    with name_scope(name, "grayscale_to_rgb", [images]) as name:
        images = convert_to_tensor(_checked_gray(images), name="images")
        before_last = array.expand_dims(shaping.rank(images) - 1, 0)
        multiples = array.concat([filling.ones(before_last, dtype=dtypes.int32), array.expand_dims(3, 0)], 0)
        rgb = array.tile(images, multiples, name=name)
        rgb.set_shape(images.shape[:-1].concatenate([3]))
        return rgb


def rgb_to_hsv(images, name=None):
    """Turns RGB images into hue, saturation and value.

    Args:
      images: a `Tensor` of floats.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `images` and its shape.
    """
    return apply_op("RGBToHSV", images, name=name)


def hsv_to_rgb(images, name=None):
    """Turns hue, saturation and value into RGB images.

    Args:
      images: a `Tensor` of floats.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `images` and its shape.
    """
    return apply_op("HSVToRGB", images, name=name)


def total_variation(images, name=None):
    """Adds up the absolute differences of neighbouring pixels.

    Args:
      images: a `Tensor` of real numbers [height, width, channels] or [batch, height, width, channels].
      name: the name scope.

    Returns:
      A scalar, or [batch].

    Raises:
      ValueError: for another rank.
    """
    with name_scope(name, "total_variation"):
        if images.shape.ndims == 3:
            rows, columns, axes = images[1:, :, :] - images[:-1, :, :], images[:, 1:, :] - images[:, :-1, :], None
        elif images.shape.ndims == 4:
            rows = images[:, 1:, :, :] - images[:, :-1, :, :]
            columns = images[:, :, 1:, :] - images[:, :, :-1, :]
            axes = [1, 2, 3]
        else:
            raise ValueError("'images' must be either 3 or 4-dimensional.")
        vertical = reductions.reduce_sum(math.abs(rows), axis=axes)
        return vertical + reductions.reduce_sum(math.abs(columns), axis=axes)


_YIQ = [[0.299, 0.59590059, 0.2115], [0.587, -0.27455667, -0.52273617], [0.114, -0.32134392, 0.31119955]]
_FROM_YIQ = [[1, 1, 1], [0.95598634, -0.27201283, -1.10674021], [0.6208248, -0.64720424, 1.70423049]]
_YUV = [[0.299, -0.14714119, 0.61497538], [0.587, -0.28886916, -0.51496512], [0.114, 0.43601035, -0.10001026]]
_FROM_YUV = [[1, 1, 1], [0, -0.394642334, 2.03206185], [1.13988303, -0.58062185, 0]]


def _mixed(images, kernel):
    images = convert_to_tensor(images, name="images")
    kernel = convert_to_tensor(kernel, dtype=images.dtype, name="kernel")
    return linalg.tensordot(images, kernel, axes=[[images.shape.ndims - 1], [0]])


def rgb_to_yiq(images):
    """Turns red, green and blue into the Y, I and Q of NTSC.

    Args:
      images: a `Tensor` of floats [..., 3].

    Returns:
      A `Tensor` of its type and shape.
    """
    return _mixed(images, _YIQ)


def yiq_to_rgb(images):
    """Turns the Y, I and Q of NTSC into red, green and blue.

    Args:
      images: a `Tensor` of floats [..., 3].

    Returns:
      A `Tensor` of its type and shape.
    """
    return _mixed(images, _FROM_YIQ)


def rgb_to_yuv(images):
    """Turns red, green and blue into the Y, U and V of PAL.

    Args:
      images: a `Tensor` of floats [..., 3].

    Returns:
      A `Tensor` of its type and shape.
    """
    return _mixed(images, _YUV)


def yuv_to_rgb(images):
    """Turns the Y, U and V of PAL into red, green and blue.

    Args:
      images: a `Tensor` of floats [..., 3].

    Returns:
      A `Tensor` of its type and shape.
    """
    return _mixed(images, _FROM_YUV)
