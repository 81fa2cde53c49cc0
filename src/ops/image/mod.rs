//! Images: made larger or smaller, or of other colours.

use super::Op;

pub(super) mod boxes;
mod boxes_gpu;
pub(super) mod color;
pub(super) mod crop;
pub(super) mod files;
mod gpu;
mod gradients;
mod kernels;
mod scale;
mod shapes;

use gpu::Made;
use scale::Method;

pub(super) const OPS: &[Op] = &[
    Op::new(
        "ResizeNearestNeighbor",
        "images: T, size: int32 -> resized_images: T",
    )
    .attr("T: {int8, uint8, int16, uint16, int32, int64, float16, float32, float64}")
    .attr("align_corners: bool = false")
    .attr("half_pixel_centers: bool = false")
    .shape(shapes::resized)
    .grad(gradients::nearest)
    .kernel(kernels::nearest)
    .gpu(|c| gpu::resize(c, Made::Nearest, false))
    .on_host(&[1]),
    Op::new(
        "ResizeNearestNeighborGrad",
        "grads: T, size: int32 -> output: T",
    )
    .attr("T: {uint8, int8, int32, float16, float32, float64}")
    .attr("align_corners: bool = false")
    .attr("half_pixel_centers: bool = false")
    .shape(shapes::resized)
    .kernel(kernels::nearest_grad)
    .gpu(|c| gpu::resize(c, Made::Nearest, true))
    .on_host(&[1]),
    Op::new(
        "ResizeBilinear",
        "images: T, size: int32 -> resized_images: float32",
    )
    .attr("T: {int8, uint8, int16, uint16, int32, int64, bfloat16, float16, float32, float64}")
    .attr("align_corners: bool = false")
    .attr("half_pixel_centers: bool = false")
    .shape(shapes::resized)
    .grad(gradients::bilinear)
    .kernel(kernels::bilinear)
    .gpu(|c| gpu::resize(c, Made::Weighted(Method::Bilinear), false))
    .on_host(&[1]),
    Op::new(
        "ResizeBilinearGrad",
        "grads: float32, original_image: T -> output: T",
    )
    .attr("T: {float32, bfloat16, float16, float64}")
    .attr("align_corners: bool = false")
    .attr("half_pixel_centers: bool = false")
    .shape(shapes::original)
    .kernel(|c| kernels::weighted_grad(c, Method::Bilinear))
    .gpu(|c| gpu::resize(c, Made::Weighted(Method::Bilinear), true)),
    Op::new(
        "ResizeBicubic",
        "images: T, size: int32 -> resized_images: float32",
    )
    .attr("T: {int8, uint8, int16, uint16, int32, int64, float16, float32, float64}")
    .attr("align_corners: bool = false")
    .attr("half_pixel_centers: bool = false")
    .shape(shapes::resized)
    .grad(gradients::bicubic)
    .kernel(|c| kernels::weighted(c, Method::Bicubic))
    .gpu(|c| gpu::resize(c, Made::Weighted(Method::Bicubic), false))
    .on_host(&[1]),
    Op::new(
        "ResizeBicubicGrad",
        "grads: float32, original_image: T -> output: T",
    )
    .attr("T: {float32, float64}")
    .attr("align_corners: bool = false")
    .attr("half_pixel_centers: bool = false")
    .shape(shapes::original)
    .kernel(|c| kernels::weighted_grad(c, Method::Bicubic))
    .gpu(|c| gpu::resize(c, Made::Weighted(Method::Bicubic), true)),
    Op::new(
        "ResizeArea",
        "images: T, size: int32 -> resized_images: float32",
    )
    .attr("T: {int8, uint8, int16, uint16, int32, int64, float16, float32, float64}")
    .attr("align_corners: bool = false")
    .shape(shapes::resized)
    .kernel(|c| kernels::weighted(c, Method::Area))
    .gpu(|c| gpu::resize(c, Made::Weighted(Method::Area), false))
    .on_host(&[1]),
];
