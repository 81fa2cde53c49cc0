"""Images: resized, cropped, padded, flipped and turned."""

from ferroflow._src.framework import dtypes, tensor_util
from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.control_flow import Assert, case, cond, with_dependencies
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.tensor_like import TensorBase
from ferroflow._src.framework.variables import Variable
from ferroflow._src.ops import array, checks, indexing, math, random, shaping


def _is_tensor(x):
    return isinstance(x, (TensorBase, Variable))


def _check(condition, message):
    """Operations that check a condition in a run; ValueError when it is known not to hold."""
    if _is_tensor(condition):
        return [Assert(condition, [message])]
    if not condition:
        raise ValueError(message)
    return []


def _sizes(image, rank):
    """The size of each dimension: a number where it is known, else a scalar."""
    if image.shape.is_fully_defined():
        return image.shape.as_list()
    known = image.shape.with_rank(rank).as_list()
    dynamic = array.unstack(shaping.shape(image), rank)
    return [d if s is None else s for s, d in zip(known, dynamic, strict=True)]


def check_image(image):
    """Returns operations that check that an image has three dimensions or more, none of them empty.

    Raises:
      ValueError: when it is known not to.
    """
    try:
        known = image.shape.with_rank(3) if image.shape.ndims is None else image.shape.with_rank_at_least(3)
    except ValueError:
        raise ValueError("'image' must be at least three-dimensional.") from None
    if any(size == 0 for size in known.as_list()):
        raise ValueError(f"all dims of 'image.shape' must be > 0: {known}")
    if known.is_fully_defined():
        return []
    message = "'image' must be at least three-dimensional."
    return [
        checks.assert_positive(shaping.shape(image), ["all dims of 'image.shape' must be > 0."]),
        checks.assert_greater_equal(shaping.rank(image), 3, message=message),
    ]


def checked_image(image):
    """Returns an image that is checked in a run, where it is not known before."""
    return with_dependencies(check_image(image), image)


_RANKS = "'image' must have either 3 or 4 dimensions."


def _fix_flip_shape(image, result):
    result.set_shape([None, None, None] if image.shape.ndims is None else image.shape)
    return result


def _flip(image, axis, scope):
    with name_scope(None, scope, [image]):
        image = checked_image(convert_to_tensor(image, name="image"))
        ndims = image.shape.ndims
        if ndims in (3, None):
            return _fix_flip_shape(image, indexing.reverse(image, [axis]))
        if ndims == 4:
            return indexing.reverse(image, [axis + 1])
        raise ValueError(_RANKS)


def flip_left_right(image):
    """Turns images over sideways.

    Args:
      image: a `Tensor` [height, width, channels] or [batch, height, width, channels].

    Returns:
      A `Tensor` of its type and shape.

    Raises:
      ValueError: for another rank.
    """
    return _flip(image, 1, "flip_left_right")


def flip_up_down(image):
    """Turns images upside down.

    Args:
      image: a `Tensor` [height, width, channels] or [batch, height, width, channels].

    Returns:
      A `Tensor` of its type and shape.

    Raises:
      ValueError: for another rank.
    """
    return _flip(image, 0, "flip_up_down")


def _random_flip(image, axis, seed, scope_name):
    with name_scope(None, scope_name, [image]) as scope:
        image = checked_image(convert_to_tensor(image, name="image"))
        ndims = image.shape.ndims
        if ndims in (3, None):
            is_flipped = math.less(random.random_uniform([], 0, 1.0, seed=seed), 0.5)
            result = cond(is_flipped, lambda: indexing.reverse(image, [axis]), lambda: image, name=scope)
            return _fix_flip_shape(image, result)
        if ndims != 4:
            raise ValueError(_RANKS)
        batch = shaping.shape(image)[0]
        drawn = random.random_uniform([batch], 0, 1.0, seed=seed)
        flips = math.round(array.reshape(drawn, [batch, 1, 1, 1]))
        flips = math.cast(flips, image.dtype)
        flipped = indexing.reverse(image, [axis + 1])
        return flips * flipped + (1 - flips) * image


def random_flip_left_right(image, seed=None):
    """Turns images over sideways, each with probability 1/2.

    Args:
      image: a `Tensor` [height, width, channels] or [batch, height, width, channels].
      seed: a Python integer.

    Returns:
      A `Tensor` of its type and shape.

    Raises:
      ValueError: for another rank.
    """
    return _random_flip(image, 1, seed, "random_flip_left_right")


def random_flip_up_down(image, seed=None):
    """Turns images upside down, each with probability 1/2.

    Args:
      image: a `Tensor` [height, width, channels] or [batch, height, width, channels].
      seed: a Python integer.

    Returns:
      A `Tensor` of its type and shape.

    Raises:
      ValueError: for another rank.
    """
    return _random_flip(image, 0, seed, "random_flip_up_down")


def transpose_image(image, name=None):
    """Swaps height and width.

    Args:
      image: a `Tensor` [height, width, channels] or [batch, height, width, channels].
      name: the operation's name.

    Returns:
      A `Tensor` of its type.

    Raises:
      ValueError: for another rank.
    """
    with name_scope(name, "transpose", [image]):
        image = checked_image(convert_to_tensor(image, name="image"))
        ndims = image.shape.ndims
        if ndims in (3, None):
            return array.transpose(image, [1, 0, 2], name=name)
        if ndims == 4:
            return array.transpose(image, [0, 2, 1, 3], name=name)
        raise ValueError(_RANKS)


def rot90(image, k=1, name=None):
    """Turns images by quarters, against the clock.

    Args:
      image: a `Tensor` [height, width, channels] or [batch, height, width, channels].
      k: an int32 scalar: how many quarters.
      name: the name scope.

    Returns:
      A `Tensor` of its type.

    Raises:
      ValueError: for another rank.
    """
    with name_scope(name, "rot90", [image, k]) as scope:
        image = checked_image(convert_to_tensor(image, name="image"))
        k = convert_to_tensor(k, dtype=dtypes.int32, name="k")
        k.shape.assert_has_rank(0)
        k = math.mod(k, 4)
        ndims = image.shape.ndims
        if ndims not in (3, 4, None):
            raise ValueError(_RANKS)
        first = 1 if ndims == 4 else 0
        swapped = [0, 2, 1, 3] if ndims == 4 else [1, 0, 2]

        def quarter():
            return array.transpose(indexing.reverse(image, [first + 1]), swapped)

        def half():
            return indexing.reverse(image, [first, first + 1])

        def three_quarters():
            return indexing.reverse(array.transpose(image, swapped), [first + 1])

        cases = [(math.equal(k, 1), quarter), (math.equal(k, 2), half), (math.equal(k, 3), three_quarters)]
        result = case(cases, default=lambda: image, exclusive=True, name=scope)
        if ndims == 4:
            result.set_shape([result.shape[0], None, None, result.shape[3]])
        else:
            result.set_shape([None, None, image.shape[2] if ndims == 3 else None])
        return result


def _middle(size, is_dynamic, fraction):
    """Where the middle part of a dimension begins, and how long it is."""
    if is_dynamic:
        length = math.cast(size, dtypes.float64)
        start = math.cast((length - length * fraction) / 2, dtypes.int32)
    else:
        start = int((float(size) - float(size) * fraction) / 2)
    return start


def central_crop(image, central_fraction):
    """Takes the middle of images.

    Args:
      image: a `Tensor` [height, width, channels] or [batch, height, width, channels].
      central_fraction: which part of height and width, above 0 and at most 1.

    Returns:
      A `Tensor` of its type.

    Raises:
      ValueError: for another rank or fraction.
    """
    with name_scope(None, "central_crop", [image]):
        image = convert_to_tensor(image, name="image")
        if not 0.0 < central_fraction <= 1.0:
            raise ValueError("central_fraction must be within (0, 1]")
        if central_fraction == 1.0:
            return image
        checked_image(image)
        ndims = image.shape.ndims
        if ndims not in (3, 4):
            raise ValueError(f"`image` should either be a Tensor with rank = 3 or rank = 4. Had rank = {ndims}.")
        first = ndims - 3
        known = [image.shape.dims[first + i].value for i in range(2)]
        sizes = [shaping.shape(image)[first + i] if size is None else size for i, size in enumerate(known)]
        starts = [_middle(size, own is None, central_fraction) for size, own in zip(sizes, known, strict=True)]
        lengths = [size - start * 2 for size, start in zip(sizes, starts, strict=True)]
        begin = array.stack([0] * first + [*starts, 0])
        size = array.stack([-1] * first + [*lengths, -1])
        batch, depth = image.shape.as_list()[:first], image.shape.as_list()[-1]
        image = array.slice(image, begin, size)
        static = [None if own is None else length for own, length in zip(known, lengths, strict=True)]
        image.set_shape([*batch, *static, depth])
        return image


def _as_batch(image):
    """Returns images with a batch dimension, and whether they had one."""
    ndims = image.shape.ndims
    if ndims == 4:
        return image, True
    if ndims not in (3, None):
        raise ValueError(_RANKS)
    image = array.expand_dims(image, 0)
    if ndims is None:
        image.set_shape([None] * 4)
    return image, False


def _known(*sizes):
    return [None if _is_tensor(size) else size for size in sizes]


def pad_to_bounding_box(image, offset_height, offset_width, target_height, target_width):
    """Adds zeros around images.

    Args:
      image: a `Tensor` [height, width, channels] or [batch, height, width, channels].
      offset_height: how many rows above.
      offset_width: how many columns to the left.
      target_height: the height of the result.
      target_width: the width of the result.

    Returns:
      A `Tensor` of its type.

    Raises:
      ValueError: when sizes do not fit, or for another rank.
    """
    with name_scope(None, "pad_to_bounding_box", [image]):
        image, is_batch = _as_batch(convert_to_tensor(image, name="image"))
        asserts = check_image(image)
        batch, height, width, depth = _sizes(image, 4)
        right = target_width - offset_width - width
        below = target_height - offset_height - height
        asserts += _check(offset_height >= 0, "offset_height must be >= 0")
        asserts += _check(offset_width >= 0, "offset_width must be >= 0")
        asserts += _check(right >= 0, "width must be <= target - offset")
        asserts += _check(below >= 0, "height must be <= target - offset")
        image = with_dependencies(asserts, image)
        rows = array.stack([0, 0, offset_height, below, offset_width, right, 0, 0])
        padded = array.pad(image, array.reshape(rows, [4, 2]))
        padded.set_shape(_known(batch, target_height, target_width, depth))
        return padded if is_batch else array.squeeze(padded, axis=[0])


def crop_to_bounding_box(image, offset_height, offset_width, target_height, target_width):
    """Takes a block of images.

    Args:
      image: a `Tensor` [height, width, channels] or [batch, height, width, channels].
      offset_height: the first row.
      offset_width: the first column.
      target_height: the height of the result.
      target_width: the width of the result.

    Returns:
      A `Tensor` of its type.

    Raises:
      ValueError: when sizes do not fit, or for another rank.
    """
    with name_scope(None, "crop_to_bounding_box", [image]):
        image, is_batch = _as_batch(convert_to_tensor(image, name="image"))
        asserts = check_image(image)
        batch, height, width, depth = _sizes(image, 4)
        asserts += _check(offset_width >= 0, "offset_width must be >= 0.")
        asserts += _check(offset_height >= 0, "offset_height must be >= 0.")
        asserts += _check(target_width > 0, "target_width must be > 0.")
        asserts += _check(target_height > 0, "target_height must be > 0.")
        asserts += _check(width >= target_width + offset_width, "width must be >= target + offset.")
        asserts += _check(height >= target_height + offset_height, "height must be >= target + offset.")
        image = with_dependencies(asserts, image)
        begin = array.stack([0, offset_height, offset_width, 0])
        size = array.stack([-1, target_height, target_width, -1])
        cropped = array.slice(image, begin, size)
        cropped.set_shape(_known(batch, target_height, target_width, depth))
        return cropped if is_batch else array.squeeze(cropped, axis=[0])


def _greater(x, y):
    return math.maximum(x, y) if _is_tensor(x) or _is_tensor(y) else max(x, y)


def _lesser(x, y):
    return math.minimum(x, y) if _is_tensor(x) or _is_tensor(y) else min(x, y)


def _equal(x, y):
    return math.equal(x, y) if _is_tensor(x) or _is_tensor(y) else x == y


def resize_image_with_crop_or_pad(image, target_height, target_width):
    """Crops or pads images around their middle.

    Args:
      image: a `Tensor` [height, width, channels] or [batch, height, width, channels].
      target_height: the height of the result.
      target_width: the width of the result.

    Returns:
      A `Tensor` of its type.

    Raises:
      ValueError: for sizes of 0, or another rank.
    """
    with name_scope(None, "resize_image_with_crop_or_pad", [image]):
        image, is_batch = _as_batch(convert_to_tensor(image, name="image"))
        asserts = check_image(image)
        asserts += _check(target_width > 0, "target_width must be > 0.")
        asserts += _check(target_height > 0, "target_height must be > 0.")
        image = with_dependencies(asserts, image)
        if _is_tensor(target_height):
            target_height = with_dependencies(asserts, target_height)
        if _is_tensor(target_width):
            target_width = with_dependencies(asserts, target_width)
        _, height, width, _ = _sizes(image, 4)
        more_width = target_width - width
        crop_left = _greater(-more_width // 2, 0)
        pad_left = _greater(more_width // 2, 0)
        more_height = target_height - height
        crop_top = _greater(-more_height // 2, 0)
        pad_top = _greater(more_height // 2, 0)
        cropped = crop_to_bounding_box(
            image, crop_top, crop_left, _lesser(target_height, height), _lesser(target_width, width)
        )
        resized = pad_to_bounding_box(cropped, pad_top, pad_left, target_height, target_width)
        _, its_height, its_width, _ = _sizes(resized, 4)
        asserts = _check(_equal(its_height, target_height), "resized height is not correct.")
        asserts += _check(_equal(its_width, target_width), "resized width is not correct.")
        resized = with_dependencies(asserts, resized)
        return resized if is_batch else array.squeeze(resized, axis=[0])


resize_with_crop_or_pad = resize_image_with_crop_or_pad


class ResizeMethod:
    """Ways to resize images."""

    BILINEAR = 0
    NEAREST_NEIGHBOR = 1
    BICUBIC = 2
    AREA = 3


_RESIZE_OPS = {
    0: "ResizeBilinear",
    "bilinear": "ResizeBilinear",
    1: "ResizeNearestNeighbor",
    "nearest": "ResizeNearestNeighbor",
    2: "ResizeBicubic",
    "bicubic": "ResizeBicubic",
    3: "ResizeArea",
    "area": "ResizeArea",
}


def resize_images(
    images,
    size,
    method=ResizeMethod.BILINEAR,
    align_corners=False,
    preserve_aspect_ratio=False,
    name=None,
):
    """Resizes images.

    Args:
      images: a `Tensor` [height, width, channels] or [batch, height, width, channels].
      size: int32 [2]: height and width of the result.
      method: a `ResizeMethod`.
      align_corners: whether the middles of corner pixels stay where they are.
      preserve_aspect_ratio: whether the result may be smaller than `size`, to keep the ratio.
      name: the name scope.

    Returns:
      A `Tensor` of float32; of the type of `images` for nearest neighbours or when nothing is to be done.

    Raises:
      ValueError: for another method, size or rank.
    """
    with name_scope(name, "resize", [images, size]):
        images = convert_to_tensor(images, name="images")
        if images.shape.ndims is None:
            raise ValueError("'images' contains no shape.")
        if images.shape.ndims not in (3, 4):
            raise ValueError("'images' must have either 3 or 4 dimensions.")
        images, is_batch = _as_batch(images)
        _, height, width, _ = images.shape.as_list()
        try:
            size = convert_to_tensor(size, dtypes.int32, name="size")
        except (TypeError, ValueError):
            raise ValueError("'size' must be a 1-D int32 Tensor") from None
        if not size.shape.is_compatible_with([2]):
            raise ValueError("'size' must be a 1-D Tensor of 2 elements: new_height, new_width")
        new_height, new_width = tensor_util.constant_value_as_shape(size).as_list()
        if preserve_aspect_ratio:
            size = _fitting_size(images, new_height, new_width)
            new_height, new_width = tensor_util.constant_value_as_shape(size).as_list()
        if None in (width, height) or (width, height) != (new_width, new_height):
            if method not in _RESIZE_OPS:
                raise ValueError("Resize method is not implemented.")
            images = apply_op(_RESIZE_OPS[method], images, size, align_corners=align_corners)
            images.set_shape([None, new_height, new_width, None])
        return images if is_batch else array.squeeze(images, axis=[0])


def _fitting_size(images, new_height, new_width):
    """The greatest size of the images' own ratio within the given one."""
    _, height, width, _ = _sizes(images, 4)
    scale_height = math.cast(new_height, dtypes.float32) / math.cast(height, dtypes.float32)
    scale_width = math.cast(new_width, dtypes.float32) / math.cast(width, dtypes.float32)
    scale = math.minimum(scale_height, scale_width)
    new_height = math.cast(math.round(scale * math.cast(height, dtypes.float32)), dtypes.int32)
    new_width = math.cast(math.round(scale * math.cast(width, dtypes.float32)), dtypes.int32)
    return convert_to_tensor([new_height, new_width], dtypes.int32, name="size")


resize = resize_images


def resize_bilinear(images, size, align_corners=False, name=None, half_pixel_centers=False):
    """Resizes images by bilinear interpolation.

    Args:
      images: a `Tensor` of real numbers.
      size: a `Tensor` of int32.
      align_corners: a bool.
      name: the operation's name.
      half_pixel_centers: a bool.

    Returns:
      A `Tensor` of float32.
    """
    return apply_op(
        "ResizeBilinear", images, size, align_corners=align_corners, half_pixel_centers=half_pixel_centers, name=name
    )


def resize_nearest_neighbor(images, size, align_corners=False, name=None, half_pixel_centers=False):
    """Resizes images by the nearest pixels.

    Args:
      images: a `Tensor` of real numbers.
      size: a `Tensor` of int32.
      align_corners: a bool.
      name: the operation's name.
      half_pixel_centers: a bool.

    Returns:
      A `Tensor` of the type of `images`.
    """
    return apply_op(
        "ResizeNearestNeighbor",
        images,
        size,
        align_corners=align_corners,
        half_pixel_centers=half_pixel_centers,
        name=name,
    )


def resize_bicubic(images, size, align_corners=False, name=None, half_pixel_centers=False):
    """Resizes images by bicubic interpolation.

    Args:
      images: a `Tensor` of real numbers.
      size: a `Tensor` of int32.
      align_corners: a bool.
      name: the operation's name.
      half_pixel_centers: a bool.

    Returns:
      A `Tensor` of float32.
    """
    return apply_op(
        "ResizeBicubic", images, size, align_corners=align_corners, half_pixel_centers=half_pixel_centers, name=name
    )


def resize_area(images, size, align_corners=False, name=None):
    """Resizes images by the means of areas.

    Args:
      images: a `Tensor` of real numbers.
      size: a `Tensor` of int32.
      align_corners: a bool.
      name: the operation's name.

    Returns:
      A `Tensor` of float32.
    """
    return apply_op("ResizeArea", images, size, align_corners=align_corners, name=name)
