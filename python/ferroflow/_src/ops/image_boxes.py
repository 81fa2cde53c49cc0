"""Boxes that overlap, thinned out; glimpses; images resized within a frame; JPEG at a lower quality."""

from ferroflow._src.framework import dtypes
from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.control_flow import with_dependencies
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.tensor_like import TensorBase
from ferroflow._src.ops import array, image as images, math, random
from ferroflow._src.ops.image_colour import convert_image_dtype
from ferroflow._src.ops.image_files import decode_jpeg


def non_max_suppression_with_scores(
    boxes,
    scores,
    max_output_size,
    iou_threshold=0.5,
    score_threshold=float("-inf"),
    soft_nms_sigma=0.0,
    name=None,
):
    """Takes boxes from the best score on and leaves out, or scores lower, those that overlap one already taken.

    Args:
      boxes: a `Tensor` of floats [boxes, 4]: two opposite corners, y before x.
      scores: a `Tensor` of floats [boxes].
      max_output_size: a scalar integer: how many are taken at most.
      iou_threshold: how much of their union two boxes may have in common.
      score_threshold: boxes that score no more are left out.
      soft_nms_sigma: above 0, boxes that overlap lose score instead (Bodla and others, 2017).
      name: the name scope.

    Returns:
      The places of the boxes taken, int32, and their scores.
    """
    with name_scope(name, "non_max_suppression_with_scores"):
        iou_threshold = convert_to_tensor(iou_threshold, name="iou_threshold")
        score_threshold = convert_to_tensor(score_threshold, name="score_threshold")
        soft_nms_sigma = convert_to_tensor(soft_nms_sigma, name="soft_nms_sigma")
        made = apply_op(
            "NonMaxSuppressionV5",
            boxes,
            scores,
            max_output_size,
            iou_threshold,
            score_threshold,
            soft_nms_sigma,
            pad_to_max_output_size=False,
        )
        return made[0], made[1]


def non_max_suppression_padded(
    boxes,
    scores,
    max_output_size,
    iou_threshold=0.5,
    score_threshold=float("-inf"),
    pad_to_max_output_size=False,
    name=None,
):
    """Takes boxes from the best score on and leaves out those that overlap one already taken.

    Args:
      boxes: a `Tensor` of floats [boxes, 4]: two opposite corners, y before x.
      scores: a `Tensor` of floats [boxes].
      max_output_size: a scalar integer: how many are taken at most.
      iou_threshold: how much of their union two boxes may have in common.
      score_threshold: boxes that score no more are left out.
      pad_to_max_output_size: whether zeros fill the places up to `max_output_size`.
      name: the name scope.

    Returns:
      The places of the boxes taken, int32; and how many were taken, a scalar of int32.
    """
    with name_scope(name, "non_max_suppression_padded"):
        iou_threshold = convert_to_tensor(iou_threshold, name="iou_threshold")
        score_threshold = convert_to_tensor(score_threshold, name="score_threshold")
        return apply_op(
            "NonMaxSuppressionV4",
            boxes,
            scores,
            max_output_size,
            iou_threshold,
            score_threshold,
            pad_to_max_output_size=pad_to_max_output_size,
        )


def non_max_suppression_with_overlaps(
    overlaps, scores, max_output_size, overlap_threshold=0.5, score_threshold=float("-inf"), name=None
):
    """`tf.image.non_max_suppression` by a matrix of overlaps.

    Args:
      overlaps: a `Tensor` of float32 [boxes, boxes].
      scores: a `Tensor` of float32 [boxes].
      max_output_size: a scalar integer: how many are taken at most.
      overlap_threshold: how much two boxes may overlap.
      score_threshold: boxes that score no more are left out.
      name: the name scope.

    Returns:
      The places of the boxes taken, int32.
    """
    with name_scope(name, "non_max_suppression_overlaps"):
        overlap_threshold = convert_to_tensor(overlap_threshold, name="overlap_threshold")
        return apply_op(
            "NonMaxSuppressionWithOverlaps", overlaps, scores, max_output_size, overlap_threshold, score_threshold
        )


def combined_non_max_suppression(
    boxes,
    scores,
    max_output_size_per_class,
    max_total_size,
    iou_threshold=0.5,
    score_threshold=float("-inf"),
    pad_per_class=False,
    clip_boxes=True,
    name=None,
):
    """`tf.image.non_max_suppression` of each class of each image of a batch.

    Args:
      boxes: a `Tensor` of float32 [batch, boxes, classes or 1, 4].
      scores: a `Tensor` of float32 [batch, boxes, classes].
      max_output_size_per_class: a scalar integer.
      max_total_size: a scalar integer.
      iou_threshold: how much of their union two boxes may have in common.
      score_threshold: boxes that score no more are left out.
      pad_per_class: whether results are padded to what all classes may have together.
      clip_boxes: whether corners are clipped to [0, 1].
      name: the name scope.

    Returns:
      Boxes, scores, classes, and how many are valid in each image.
    """
    with name_scope(name, "combined_non_max_suppression"):
        iou_threshold = convert_to_tensor(iou_threshold, dtype=dtypes.float32, name="iou_threshold")
        score_threshold = convert_to_tensor(score_threshold, dtype=dtypes.float32, name="score_threshold")
        return apply_op(
            "CombinedNonMaxSuppression",
            boxes,
            scores,
            max_output_size_per_class,
            max_total_size,
            iou_threshold,
            score_threshold,
            pad_per_class=pad_per_class,
            clip_boxes=clip_boxes,
        )


def extract_glimpse(input, size, offsets, centered=True, normalized=True, uniform_noise=True, name=None):
    """Cuts a window out of each image; what lies outside is noise.

    Args:
      input: a `Tensor` of float32 [batch, height, width, channels].
      size: int32 [2]: the window's height and width.
      offsets: a `Tensor` of float32 [batch, 2]: the windows' centres.
      centered: whether (0, 0) is the image's centre.
      normalized: whether offsets are in [-1, 1] (or [0, 1]) instead of pixels.
      uniform_noise: whether the noise is uniform, or normal.
      name: the operation's name.

    Returns:
      A `Tensor` [batch, *size, channels].
    """
    return apply_op(
        "ExtractGlimpse",
        input,
        size,
        offsets,
        centered=centered,
        normalized=normalized,
        uniform_noise=uniform_noise,
        name=name,
    )


def _larger(x, y):
    is_known = not (isinstance(x, TensorBase) or isinstance(y, TensorBase))
    return max(x, y) if is_known else math.maximum(x, y)


def resize_image_with_pad(image, target_height, target_width, method=images.ResizeMethod.BILINEAR, align_corners=False):
    """Resizes images to fit within a frame, keeps their shape, and pads the rest with zeros.

    Args:
      image: a `Tensor` [batch, height, width, channels] or [height, width, channels].
      target_height: the frame's height.
      target_width: the frame's width.
      method: a `ResizeMethod`.
      align_corners: whether the corners of both images lie on each other.

    Returns:
      A `Tensor` [batch, target_height, target_width, channels], or without batch.

    Raises:
      ValueError: for another rank, or sizes that are not positive.
    """
    with name_scope(None, "resize_image_with_pad", [image]):
        image = convert_to_tensor(image, name="image")
        rank = image.shape.ndims
        if rank not in (None, 3, 4):
            raise ValueError("'image' must have either 3 or 4 dimensions.")
        if rank != 4:
            image = array.expand_dims(image, 0)
            if rank is None:
                image.set_shape([None] * 4)
        checks = images.check_image(image)
        checks += images._check(target_width > 0, "target_width must be > 0.")
        checks += images._check(target_height > 0, "target_height must be > 0.")
        image = with_dependencies(checks, image)
        _, height, width, _ = images._sizes(image, 4)
        as_double = [math.cast(x, dtype=dtypes.float64) for x in (height, width, target_height, target_width)]
        height, width, frame_height, frame_width = as_double
        ratio = _larger(width / frame_width, height / frame_height)
        new_height, new_width = height / ratio, width / ratio
        size = [
            math.cast(math.floor(new_height), dtype=dtypes.int32),
            math.cast(math.floor(new_width), dtype=dtypes.int32),
        ]
        above, left = (frame_height - new_height) / 2, (frame_width - new_width) / 2
        above, left = math.floor(above), math.floor(left)
        above = _larger(0, math.cast(above, dtype=dtypes.int32))
        left = _larger(0, math.cast(left, dtype=dtypes.int32))
        resized = images.resize_images(image, size, method, align_corners=align_corners)
        padded = images.pad_to_bounding_box(resized, above, left, target_height, target_width)
        if padded.shape.ndims is None:
            raise ValueError("padded contains no shape.")
        images._sizes(padded, 4)
        return padded if rank == 4 else array.squeeze(padded, axis=[0])


def adjust_jpeg_quality(image, jpeg_quality, name=None):
    """Encodes an image as JPEG at a quality and decodes it again.

    Args:
      image: a `Tensor` of uint8 or floats in [0, 1], [height, width, channels].
      jpeg_quality: an integer in [0, 100], or a scalar tensor.
      name: the name scope.

    Returns:
      A `Tensor` of the type and shape of `image`.
    """
    with name_scope(name, "adjust_jpeg_quality", [image]) as name:
        image = convert_to_tensor(image, name="image")
        dtype = image.dtype
        image = convert_image_dtype(image, dtypes.uint8)
        if not isinstance(jpeg_quality, TensorBase):
            jpeg_quality = convert_to_tensor(jpeg_quality, dtype=dtypes.int32)
        file = apply_op("EncodeJpegVariableQuality", image, jpeg_quality)
        return convert_image_dtype(decode_jpeg(file), dtype)


def random_jpeg_quality(image, min_jpeg_quality, max_jpeg_quality, seed=None):
    """`tf.image.adjust_jpeg_quality` at a random quality.

    Args:
      image: a `Tensor` of uint8 or floats in [0, 1], [height, width, channels].
      min_jpeg_quality: the least quality.
      max_jpeg_quality: the quality that all are below.
      seed: a Python integer.

    Returns:
      A `Tensor` of the type and shape of `image`.

    Raises:
      ValueError: for qualities outside of [0, 100], or in the wrong order.
    """
    if not (0 <= min_jpeg_quality <= 100 and 0 <= max_jpeg_quality <= 100):
        raise ValueError("jpeg encoding range must be between 0 and 100.")
    if min_jpeg_quality >= max_jpeg_quality:
        raise ValueError("`min_jpeg_quality` must be less than `max_jpeg_quality`.")
    quality = random.random_uniform([], min_jpeg_quality, max_jpeg_quality, seed=seed, dtype=dtypes.int32)
    return adjust_jpeg_quality(image, quality)
