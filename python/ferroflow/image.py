"""tf.image: images."""

# fmt: off
from ferroflow._src import contents as _contents

_contents.begin(__name__)
from ferroflow._src.ops.image import (
    ResizeMethod as ResizeMethod,
    central_crop as central_crop,
    crop_to_bounding_box as crop_to_bounding_box,
    flip_left_right as flip_left_right,
    flip_up_down as flip_up_down,
    pad_to_bounding_box as pad_to_bounding_box,
    random_flip_left_right as random_flip_left_right,
    random_flip_up_down as random_flip_up_down,
    resize as resize,
    resize_area as resize_area,
    resize_bicubic as resize_bicubic,
    resize_bilinear as resize_bilinear,
    resize_image_with_crop_or_pad as resize_image_with_crop_or_pad,
    resize_images as resize_images,
    resize_nearest_neighbor as resize_nearest_neighbor,
    resize_with_crop_or_pad as resize_with_crop_or_pad,
    rot90 as rot90,
    transpose_image as transpose,
    transpose_image as transpose_image,
)
from ferroflow._src.ops.image_colour import (
    adjust_brightness as adjust_brightness,
    adjust_contrast as adjust_contrast,
    adjust_gamma as adjust_gamma,
    adjust_hue as adjust_hue,
    adjust_saturation as adjust_saturation,
    convert_image_dtype as convert_image_dtype,
    grayscale_to_rgb as grayscale_to_rgb,
    hsv_to_rgb as hsv_to_rgb,
    per_image_standardization as per_image_standardization,
    random_brightness as random_brightness,
    random_contrast as random_contrast,
    random_hue as random_hue,
    random_saturation as random_saturation,
    rgb_to_grayscale as rgb_to_grayscale,
    rgb_to_hsv as rgb_to_hsv,
    total_variation as total_variation,
)
from ferroflow._src.ops.image_files import (
    crop_and_resize as crop_and_resize,
    decode_and_crop_jpeg as decode_and_crop_jpeg,
    decode_bmp as decode_bmp,
    decode_gif as decode_gif,
    decode_image as decode_image,
    decode_jpeg as decode_jpeg,
    decode_png as decode_png,
    draw_bounding_boxes as draw_bounding_boxes,
    encode_jpeg as encode_jpeg,
    encode_png as encode_png,
    extract_jpeg_shape as extract_jpeg_shape,
    is_jpeg as is_jpeg,
    non_max_suppression as non_max_suppression,
    sample_distorted_bounding_box as sample_distorted_bounding_box,
)
from ferroflow._src.ops.random import random_crop as random_crop
from ferroflow._src.ops.spaces import (
    extract_image_patches as extract_image_patches,
    extract_patches as extract_patches,
)
from ferroflow._src.ops.image_quality import (
    image_gradients as image_gradients,
    psnr as psnr,
    sobel_edges as sobel_edges,
    ssim as ssim,
    ssim_multiscale as ssim_multiscale,
)
from ferroflow._src.ops.image_boxes import (
    adjust_jpeg_quality as adjust_jpeg_quality,
    combined_non_max_suppression as combined_non_max_suppression,
    extract_glimpse as extract_glimpse,
    non_max_suppression_padded as non_max_suppression_padded,
    non_max_suppression_with_scores as non_max_suppression_with_scores,
    random_jpeg_quality as random_jpeg_quality,
    resize_image_with_pad as resize_image_with_pad,
    non_max_suppression_with_overlaps as non_max_suppression_overlaps,
)
from ferroflow._src.ops.image_colour import (
    rgb_to_yiq as rgb_to_yiq,
    rgb_to_yuv as rgb_to_yuv,
    yiq_to_rgb as yiq_to_rgb,
    yuv_to_rgb as yuv_to_rgb,
)
_contents.end(__name__)
# fmt: on
