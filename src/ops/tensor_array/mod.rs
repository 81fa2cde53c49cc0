//! TensorArrays: lists of tensors that loops write and read, one tensor an index. The `flow` that goes in and comes out
//! orders the steps; it carries no data. Gradients go into a second array that belongs to the first.

mod array;
mod gpu;
mod gradients;
mod kernels;

use crate::error::Result;
use crate::graph::{Handle, ShapeContext, with_rank};
use crate::value::PartialShape;

use super::{Op, shape};

#[rustfmt::skip]
pub(super) const OPS: &[Op] = &[
    Op::new("TensorArrayV3", "size: int32 -> handle: resource, flow: float32").attr("dtype: type").attr("element_shape: shape = ?").attr("dynamic_size: bool = false").attr("clear_after_read: bool = true").attr("identical_element_shapes: bool = false").attr("tensor_array_name: string = ''").stateful().no_grad().shape(array_shape).host(kernels::make),
    Op::new("TensorArrayGradV3", "handle: resource, flow_in: float32 -> grad_handle: resource, flow_out: float32").attr("source: string").stateful().no_grad().shape(grad_shape).host(kernels::make_gradient),
    Op::new("TensorArrayGradWithShape", "handle: resource, flow_in: float32, shape_to_prepend: int32 -> grad_handle: resource, flow_out: float32").attr("source: string").stateful().no_grad().shape(grad_with_shape).host(kernels::make_gradient),
    Op::new("TensorArrayWriteV3", "handle: resource, index: int32, value: T, flow_in: float32 -> flow_out: float32").attr("T: type").stateful().shape(write_shape).grad(gradients::of_write).host(kernels::write),
    Op::new("TensorArrayReadV3", "handle: resource, index: int32, flow_in: float32 -> value: dtype").attr("dtype: type").stateful().shape(read_shape).grad(gradients::of_read).host(kernels::read),
    Op::new("TensorArrayGatherV3", "handle: resource, indices: int32, flow_in: float32 -> value: dtype").attr("dtype: type").attr("element_shape: shape = ?").stateful().shape(gather_shape).grad(gradients::of_gather).host(kernels::gather).gpu(gpu::gather).on_host(&[0, 1, 2]),
    Op::new("TensorArrayScatterV3", "handle: resource, indices: int32, value: T, flow_in: float32 -> flow_out: float32").attr("T: type").stateful().shape(scatter_shape).grad(gradients::of_scatter).host(kernels::scatter).gpu(gpu::scatter).on_host(&[0, 1, 2, 3]),
    Op::new("TensorArrayConcatV3", "handle: resource, flow_in: float32 -> value: dtype, lengths: int64").attr("dtype: type").attr("element_shape_except0: shape = ?").stateful().shape(concat_shape).grad(gradients::of_concat).host(kernels::concat),
    Op::new("TensorArraySplitV3", "handle: resource, value: T, lengths: int64, flow_in: float32 -> flow_out: float32").attr("T: type").stateful().shape(split_shape).grad(gradients::of_split).host(kernels::split),
    Op::new("TensorArraySizeV3", "handle: resource, flow_in: float32 -> size: int32").stateful().no_grad().shape(size_shape).host(kernels::size),
    Op::new("TensorArrayCloseV3", "handle: resource ->").stateful().no_grad().shape(close_shape).host(kernels::close),
];

fn array_shape(c: &mut ShapeContext) -> Result<()> {
    with_rank(&c.input(0), 0)?;
    c.set(0, PartialShape::vector(2));
    c.set(1, PartialShape::scalar());
    let attrs = c.attrs();
    let element = attrs.shape("element_shape")?;
    if element.is_fully_defined() || attrs.bool("identical_element_shapes")? {
        let handle = vec![(attrs.dtype("dtype")?, element.clone())];
        c.set_handle(0, Some(handle.into()));
    }
    Ok(())
}

/// Input 0, which must look like a handle.
fn check_handle(c: &ShapeContext) -> Result<()> {
    shape::dim_is(with_rank(&c.input(0), 1)?.dim(0), 2)
}

/// The shape of the elements, where the handle says it.
fn element_shape(handle: Handle) -> Option<PartialShape> {
    handle?.first().map(|(_, shape)| shape.clone())
}

fn grad_shape(c: &mut ShapeContext) -> Result<()> {
    check_handle(c)?;
    with_rank(&c.input(1), 0)?;
    c.set(0, PartialShape::vector(2));
    c.set(1, PartialShape::scalar());
    let handle = c.input_handle(0);
    c.set_handle(0, handle);
    Ok(())
}

fn grad_with_shape(c: &mut ShapeContext) -> Result<()> {
    with_rank(&c.input(2), 1)?;
    grad_shape(c)?;
    // The elements are larger than those of the first array.
    c.set_handle(0, None);
    Ok(())
}

fn write_shape(c: &mut ShapeContext) -> Result<()> {
    check_handle(c)?;
    with_rank(&c.input(1), 0)?;
    with_rank(&c.input(3), 0)?;
    if let Some(element) = element_shape(c.input_handle(0)) {
        shape::merge(&element, &c.input(2))?;
    }
    shape::scalar(c)
}

fn read_shape(c: &mut ShapeContext) -> Result<()> {
    check_handle(c)?;
    with_rank(&c.input(1), 0)?;
    with_rank(&c.input(2), 0)?;
    if let Some(element) = element_shape(c.input_handle(0)) {
        c.set(0, element);
    }
    Ok(())
}

fn concatenated(a: &PartialShape, b: &PartialShape) -> PartialShape {
    match (a.dims(), b.dims()) {
        (Some(a), Some(b)) => PartialShape::from_dims(a.iter().chain(b).copied()),
        _ => PartialShape::unknown(),
    }
}

fn gather_shape(c: &mut ShapeContext) -> Result<()> {
    check_handle(c)?;
    let indices = with_rank(&c.input(1), 1)?;
    with_rank(&c.input(2), 0)?;
    let element = match element_shape(c.input_handle(0)) {
        Some(element) => element,
        None => c.attrs().shape("element_shape")?.clone(),
    };
    c.set(0, concatenated(&indices, &element));
    Ok(())
}

fn scatter_shape(c: &mut ShapeContext) -> Result<()> {
    check_handle(c)?;
    let indices = with_rank(&c.input(1), 1)?;
    with_rank(&c.input(3), 0)?;
    let value = c.input(2);
    if value.rank() == Some(0) {
        shape::at_least(&value, 1)?;
    }
    if let Some(dims) = value.dims() {
        shape::merge_dim(dims[0], indices.dim(0))?;
        if let Some(element) = element_shape(c.input_handle(0)) {
            shape::merge(&element, &PartialShape::from_dims(dims[1..].to_vec()))?;
        }
    }
    shape::scalar(c)
}

fn concat_shape(c: &mut ShapeContext) -> Result<()> {
    check_handle(c)?;
    with_rank(&c.input(1), 0)?;
    c.set(1, PartialShape::vector(-1));
    Ok(())
}

fn split_shape(c: &mut ShapeContext) -> Result<()> {
    check_handle(c)?;
    with_rank(&c.input(2), 1)?;
    with_rank(&c.input(3), 0)?;
    shape::scalar(c)
}

fn size_shape(c: &mut ShapeContext) -> Result<()> {
    check_handle(c)?;
    with_rank(&c.input(1), 0)?;
    shape::scalar(c)
}

fn close_shape(c: &mut ShapeContext) -> Result<()> {
    check_handle(c)
}
