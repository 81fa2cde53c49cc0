"""Images: files decoded and encoded, boxes drawn and cropped."""

from ferroflow._src.framework import dtypes
from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.control_flow import Assert, cond
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.scopes import control_dependencies
from ferroflow._src.ops import indexing, math, strings
from ferroflow._src.ops.arguments import renamed
from ferroflow._src.ops.image_colour import convert_image_dtype


def decode_jpeg(
    contents,
    channels=0,
    ratio=1,
    fancy_upscaling=True,
    try_recover_truncated=False,
    acceptable_fraction=1,
    dct_method="",
    name=None,
):
    """Decodes a JPEG file.

    Args:
      contents: a `Tensor` of string.
      channels: an integer.
      ratio: an integer.
      fancy_upscaling: a bool.
      try_recover_truncated: a bool.
      acceptable_fraction: a float.
      dct_method: a string.
      name: the operation's name.

    Returns:
      A `Tensor` of uint8.
    """
    return apply_op(
        "DecodeJpeg",
        contents,
        channels=channels,
        ratio=ratio,
        fancy_upscaling=fancy_upscaling,
        try_recover_truncated=try_recover_truncated,
        acceptable_fraction=acceptable_fraction,
        dct_method=dct_method,
        name=name,
    )


def decode_png(contents, channels=0, dtype=dtypes.uint8, name=None):
    """Decodes a PNG file.

    Args:
      contents: a `Tensor` of string.
      channels: an integer.
      dtype: a `DType`: uint16 or uint8.
      name: the operation's name.

    Returns:
      A `Tensor` of uint16 or uint8.
    """
    return apply_op("DecodePng", contents, channels=channels, dtype=dtype, name=name)


def decode_bmp(contents, channels=0, name=None):
    """Decodes a BMP file.

    Args:
      contents: a `Tensor` of string.
      channels: an integer.
      name: the operation's name.

    Returns:
      A `Tensor` of uint8.
    """
    return apply_op("DecodeBmp", contents, channels=channels, name=name)


def decode_gif(contents, name=None):
    """Decodes all frames of a GIF file.

    Args:
      contents: a `Tensor` of string.
      name: the operation's name.

    Returns:
      A `Tensor` of uint8.
    """
    return apply_op("DecodeGif", contents, name=name)


def decode_and_crop_jpeg(
    contents,
    crop_window,
    channels=0,
    ratio=1,
    fancy_upscaling=True,
    try_recover_truncated=False,
    acceptable_fraction=1,
    dct_method="",
    name=None,
):
    """Decodes a part of a JPEG file.

    Args:
      contents: a `Tensor` of string.
      crop_window: a `Tensor` of int32.
      channels: an integer.
      ratio: an integer.
      fancy_upscaling: a bool.
      try_recover_truncated: a bool.
      acceptable_fraction: a float.
      dct_method: a string.
      name: the operation's name.

    Returns:
      A `Tensor` of uint8.
    """
    return apply_op(
        "DecodeAndCropJpeg",
        contents,
        crop_window,
        channels=channels,
        ratio=ratio,
        fancy_upscaling=fancy_upscaling,
        try_recover_truncated=try_recover_truncated,
        acceptable_fraction=acceptable_fraction,
        dct_method=dct_method,
        name=name,
    )


def encode_jpeg(
    image,
    format="",
    quality=95,
    progressive=False,
    optimize_size=False,
    chroma_downsampling=True,
    density_unit="in",
    x_density=300,
    y_density=300,
    xmp_metadata="",
    name=None,
):
    """Encodes an image as a JPEG file.

    Args:
      image: a `Tensor` of uint8.
      format: one of '', 'grayscale', 'rgb'.
      quality: an integer.
      progressive: a bool.
      optimize_size: a bool.
      chroma_downsampling: a bool.
      density_unit: one of 'in', 'cm'.
      x_density: an integer.
      y_density: an integer.
      xmp_metadata: a string.
      name: the operation's name.

    Returns:
      A `Tensor` of string.
    """
    return apply_op(
        "EncodeJpeg",
        image,
        format=format,
        quality=quality,
        progressive=progressive,
        optimize_size=optimize_size,
        chroma_downsampling=chroma_downsampling,
        density_unit=density_unit,
        x_density=x_density,
        y_density=y_density,
        xmp_metadata=xmp_metadata,
        name=name,
    )


def encode_png(image, compression=-1, name=None):
    """Encodes an image as a PNG file.

    Args:
      image: a `Tensor` of uint16 or uint8.
      compression: an integer.
      name: the operation's name.

    Returns:
      A `Tensor` of string.
    """
    return apply_op("EncodePng", image, compression=compression, name=name)


def extract_jpeg_shape(contents, output_type=dtypes.int32, name=None):
    """Reads the shape of a JPEG file's image.

    Args:
      contents: a `Tensor` of string.
      output_type: a `DType`: int32 or int64.
      name: the operation's name.

    Returns:
      A `Tensor` of int32 or int64.
    """
    return apply_op("ExtractJpegShape", contents, output_type=output_type, name=name)


def is_jpeg(contents, name=None):
    """Finds whether bytes are a JPEG file.

    Args:
      contents: a string scalar.
      name: the operation's name.

    Returns:
      A bool scalar.
    """
    with name_scope(name, "is_jpeg"):
        return math.equal(strings.substr(contents, 0, 3), b"\xff\xd8\xff", name=name)


def _is_png(contents, name=None):
    with name_scope(name, "is_png"):
        return math.equal(strings.substr(contents, 0, 3), b"\211PN", name=name)


def _asserted(is_good, message):
    return Assert(is_good, [message])


def decode_image(contents, channels=None, dtype=dtypes.uint8, name=None, expand_animations=True):
    """Decodes a file of any of these: BMP, GIF, JPEG, PNG.

    Args:
      contents: a string scalar.
      channels: 0, 1, 3 or 4; None or 0 for as many as there are.
      dtype: the type of the result.
      name: the name scope.
      expand_animations: whether a GIF gives all frames, with a dimension more.

    Returns:
      A `Tensor` of `dtype` whose rank is not known.

    Raises:
      ValueError: for another number of channels.
    """
    with name_scope(name, "decode_image"):
        if channels not in (None, 0, 1, 3, 4):
            raise ValueError("channels must be in (None, 0, 1, 3, 4)")
        start = strings.substr(contents, 0, 3)
        wanted = 0 if channels is None else channels

        def bmp():
            is_bmp = math.equal(strings.substr(contents, 0, 2), "BM", name="is_bmp")
            asserts = [_asserted(is_bmp, "Unable to decode bytes as JPEG, PNG, GIF, or BMP")]
            is_good = math.not_equal(wanted, 1, name="check_channels")
            asserts.append(_asserted(is_good, "Channels must be in (None, 0, 3) when decoding BMP images"))
            with control_dependencies(asserts):
                return convert_image_dtype(decode_bmp(contents), dtype)

        def gif():
            is_good = math.logical_and(
                math.not_equal(wanted, 1, name="check_gif_channels"),
                math.not_equal(wanted, 4, name="check_gif_channels"),
            )
            check = _asserted(is_good, "Channels must be in (None, 0, 3) when decoding GIF images")
            with control_dependencies([check]):
                result = convert_image_dtype(decode_gif(contents), dtype)
                return result if expand_animations else indexing.gather(result, 0)

        def check_gif():
            return cond(math.equal(start, b"\x47\x49\x46", name="is_gif"), gif, bmp, name="cond_gif")

        def png():
            return convert_image_dtype(
                decode_png(contents, channels, dtype=dtypes.uint8 if dtype == dtypes.uint8 else dtypes.uint16), dtype
            )

        def check_png():
            return cond(_is_png(contents), png, check_gif, name="cond_png")

        def jpeg():
            is_good = math.not_equal(wanted, 4, name="check_jpeg_channels")
            check = _asserted(is_good, "Channels must be in (None, 0, 1, 3) when decoding JPEG images")
            with control_dependencies([check]):
                return convert_image_dtype(decode_jpeg(contents, channels), dtype)

        return cond(is_jpeg(contents), jpeg, check_png, name="cond_jpeg")


def crop_and_resize(
    image,
    boxes,
    box_ind=None,
    crop_size=None,
    method="bilinear",
    extrapolation_value=0,
    name=None,
    box_indices=None,
):
    """Takes boxes of images and resizes them to one size.

    Args:
      image: a `Tensor` of real numbers [batch, height, width, channels].
      boxes: float32 [count, 4]: y1, x1, y2, x2 on the scale from 0 to 1.
      box_ind: int32 [count]: the image of each.
      crop_size: int32 [2]: height and width of the result.
      method: 'bilinear' or 'nearest'.
      extrapolation_value: the value outside the image.
      name: the operation's name.
      box_indices: another name of `box_ind`.

    Returns:
      A `Tensor` of float32 [count, height, width, channels].
    """
    box_ind = renamed("box_indices", box_indices, "box_ind", box_ind)
    return apply_op(
        "CropAndResize",
        image,
        boxes,
        box_ind,
        crop_size,
        method=method,
        extrapolation_value=extrapolation_value,
        name=name,
    )


def draw_bounding_boxes(images, boxes, name=None, colors=None):
    """Draws boxes on images.

    Args:
      images: float32 or float16 [batch, height, width, channels].
      boxes: float32 [batch, count, 4]: y1, x1, y2, x2 on the scale from 0 to 1.
      name: the operation's name.
      colors: float32 [count, channels]; None for the op's own.

    Returns:
      A `Tensor` of the type and shape of `images`.
    """
    if colors is None:
        return apply_op("DrawBoundingBoxes", images, boxes, name=name)
    return apply_op("DrawBoundingBoxesV2", images, boxes, colors, name=name)


def sample_distorted_bounding_box(
    image_size,
    bounding_boxes,
    seed=None,
    seed2=None,
    min_object_covered=0.1,
    aspect_ratio_range=None,
    area_range=None,
    max_attempts=None,
    use_image_if_no_bounding_boxes=None,
    name=None,
):
    """Draws a random box that covers enough of given ones.

    Args:
      image_size: integers [3]: height, width, channels.
      bounding_boxes: float32 [batch, count, 4].
      seed: a Python integer.
      seed2: a second one.
      min_object_covered: how much of one given box must be inside.
      aspect_ratio_range: two floats.
      area_range: two floats.
      max_attempts: an integer.
      use_image_if_no_bounding_boxes: whether the whole image counts when there is no box.
      name: the name scope.

    Returns:
      A named tuple: `begin` and `size`, for `tf.slice`; `bboxes`, to draw.
    """
    with name_scope(name, "sample_distorted_bounding_box"):
        return apply_op(
            "SampleDistortedBoundingBoxV2",
            image_size,
            bounding_boxes,
            min_object_covered,
            seed=seed,
            seed2=seed2,
            aspect_ratio_range=aspect_ratio_range,
            area_range=area_range,
            max_attempts=max_attempts,
            use_image_if_no_bounding_boxes=use_image_if_no_bounding_boxes,
            name=name,
        )


def non_max_suppression(boxes, scores, max_output_size, iou_threshold=0.5, score_threshold=float("-inf"), name=None):
    """Chooses the boxes of the highest scores that do not overlap too much.

    Args:
      boxes: float32 [count, 4].
      scores: float32 [count].
      max_output_size: an int32 scalar: how many at most.
      iou_threshold: how much two may overlap.
      score_threshold: the least score.
      name: the name scope.

    Returns:
      A `Tensor` of int32: the places of those chosen.
    """
    with name_scope(name, "non_max_suppression"):
        iou_threshold = convert_to_tensor(iou_threshold, name="iou_threshold")
        score_threshold = convert_to_tensor(score_threshold, name="score_threshold")
        return apply_op("NonMaxSuppressionV3", boxes, scores, max_output_size, iou_threshold, score_threshold)
