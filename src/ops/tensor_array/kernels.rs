//! The steps of a run: arrays are made, written and read.

use std::sync::Arc;

use crate::error::Result;
use crate::ops::kernel::KernelContext;
use crate::ops::moves::{Run, assemble};
use crate::value::{DType, PartialShape, Shape, Value};
use crate::{bail, ensure};

use super::array::{Setup, TensorArray, shown};

fn array(c: &KernelContext) -> Result<Arc<TensorArray>> {
    c.resource_input::<TensorArray>(0, "TensorArray")
}

fn flow() -> Result<Value> {
    Value::scalar(0f32)
}

pub(super) fn make(c: &mut KernelContext) -> Result<()> {
    let size = c.scalar_input(0, "TensorArray size")?.int()?;
    let Ok(size) = usize::try_from(size) else {
        bail!(invalid, "Size should be >= 0.");
    };
    let attrs = c.attrs();
    let name = match attrs.str("tensor_array_name")? {
        "" => &*c.node.name,
        name => name,
    };
    let setup = Setup {
        name: name.to_string(),
        dtype: attrs.dtype("dtype")?,
        element_shape: attrs.shape("element_shape")?.clone(),
        is_dynamic: attrs.bool("dynamic_size")?,
        clears_after_read: attrs.bool("clear_after_read")?,
        has_identical_shapes: attrs.bool("identical_element_shapes")?,
        is_gradient: false,
    };
    give(c, Arc::new(TensorArray::new(setup, size)))
}

fn give(c: &mut KernelContext, array: Arc<TensorArray>) -> Result<()> {
    c.set_output(0, Value::handle(DType::Resource, array));
    c.set_output(1, flow()?);
    Ok(())
}

pub(super) fn make_gradient(c: &mut KernelContext) -> Result<()> {
    let prefix = match c.num_inputs() {
        3 => c.ints_input(2)?,
        _ => Vec::new(),
    };
    let made = array(c)?.gradient(c.attrs().str("source")?, &prefix)?;
    give(c, made)
}

pub(super) fn write(c: &mut KernelContext) -> Result<()> {
    let array = array(c)?;
    let index = c.scalar_input(1, "TensorArray index")?.int()?;
    let value = c.take_input(2)?;
    array.check_dtype(value.dtype(), "is trying to write")?;
    array.write(index, value)?;
    c.set_output(0, flow()?);
    Ok(())
}

pub(super) fn read(c: &mut KernelContext) -> Result<()> {
    let array = array(c)?;
    let index = c.scalar_input(1, "TensorArray index")?.int()?;
    array.check_dtype(c.attrs().dtype("dtype")?, "requested")?;
    let value = array.read(index)?;
    c.set_output(0, value);
    Ok(())
}

/// Values side by side along a new first axis.
pub(super) fn gather(c: &mut KernelContext) -> Result<()> {
    let array = array(c)?;
    let dtype = c.attrs().dtype("dtype")?;
    array.check_dtype(dtype, "requested")?;
    let indices = c.input(1)?;
    ensure!(
        indices.shape().rank() == 1,
        invalid,
        "Expected indices to be a vector, but received shape: {}",
        indices.shape()
    );
    let wanted = c.attrs().shape("element_shape")?;
    let indices = indices.ints()?;
    if indices.is_empty() {
        let element = array.element_shape()?.merge(wanted)?;
        let Some(element) = element.to_shape() else {
            bail!(
                unimplemented,
                "TensorArray has size zero, but element shape {} is not fully defined. Currently only static \
                 shapes are supported when packing zero-size TensorArrays.",
                shown(&element)
            );
        };
        let made = Value::zeros(dtype, with_first(0, &element)?)?;
        c.set_output(0, made);
        return Ok(());
    }
    let (values, shape) = gathered(&array, &indices, wanted)?;
    let made = joined(dtype, shape, &values)?;
    c.set_output(0, made);
    Ok(())
}

/// The elements at `indices`, at least one, and their shape side by side. They are checked to have one shape.
pub(super) fn gathered(
    array: &TensorArray,
    indices: &[i64],
    wanted: &PartialShape,
) -> Result<(Vec<Value>, Shape)> {
    let values = indices.iter().map(|i| array.read(*i));
    let values = values.collect::<Result<Vec<_>>>()?;
    let first = values[0].shape().clone();
    ensure!(
        wanted.is_compatible_with(&PartialShape::from(&first)),
        invalid,
        "TensorArray was passed element_shape {wanted} which does not match the Tensor at index 0: {first}"
    );
    if let Some(other) = values.iter().position(|v| *v.shape() != first) {
        bail!(
            invalid,
            "TensorArray has inconsistent shapes.  Index 0 has shape: {first} but index {other} has shape: {}",
            values[other].shape()
        );
    }
    let shape = with_first(values.len() as i64, &first)?;
    Ok((values, shape))
}

fn with_first(n: i64, rest: &Shape) -> Result<Shape> {
    Shape::new(&[&[n], rest.dims()].concat())
}

pub(super) fn joined(dtype: DType, shape: Shape, values: &[Value]) -> Result<Value> {
    let sources: Vec<&Value> = values.iter().collect();
    let runs = values.iter().enumerate().map(|(source, v)| Run {
        source,
        from: 0,
        len: v.num_elements(),
    });
    assemble(dtype, shape, &sources, runs)
}

/// `len` rows of `value` from `from` on, in elements of one row.
fn part(value: &Value, shape: Shape, from: usize) -> Result<Value> {
    let run = Run {
        source: 0,
        from,
        len: shape.num_elements(),
    };
    assemble(value.dtype(), shape, &[value], [run].into_iter())
}

pub(super) fn scatter(c: &mut KernelContext) -> Result<()> {
    let array = array(c)?;
    let (indices, value) = (c.input(1)?, c.input(2)?);
    array.check_dtype(value.dtype(), "is trying to write")?;
    ensure!(
        indices.shape().rank() == 1,
        invalid,
        "Expected indices to be a vector, but received shape: {}",
        indices.shape()
    );
    let indices = indices.ints()?;
    let row = check_scattered(&array, &indices, value)?;
    for (i, index) in indices.iter().enumerate() {
        let from = i * row.num_elements();
        array.write(*index, part(value, row.clone(), from)?)?;
    }
    c.set_output(0, flow()?);
    Ok(())
}

/// The shape of the rows of `value`, of which there is one for each index.
pub(super) fn check_scattered(
    array: &TensorArray,
    indices: &[i64],
    value: &Value,
) -> Result<Shape> {
    let dims = rows_of(value)?;
    ensure!(
        indices.len() as i64 == dims[0],
        invalid,
        "Expected len(indices) == values.shape[0], but saw: {} vs. {}",
        indices.len(),
        dims[0]
    );
    let size = array.size()? as i64;
    let max = indices.iter().copied().max().unwrap_or(-1);
    ensure!(
        max < size || array.is_dynamic()?,
        invalid,
        "Max scatter index must be < array size ({max} vs. {size})"
    );
    Shape::new(&dims[1..])
}

fn rows_of(value: &Value) -> Result<&[i64]> {
    ensure!(
        value.shape().rank() >= 1,
        invalid,
        "Expected value to be at least a vector, but received shape: {}",
        value.shape()
    );
    Ok(value.shape().dims())
}

/// All elements one after the other along their first axis, and how long each is.
pub(super) fn concat(c: &mut KernelContext) -> Result<()> {
    let array = array(c)?;
    let dtype = c.attrs().dtype("dtype")?;
    array.check_dtype(dtype, "requested")?;
    let size = array.size()?;
    if size == 0 {
        let rest = c.attrs().shape("element_shape_except0")?;
        let Some(rest) = rest.to_shape() else {
            bail!(
                unimplemented,
                "TensorArray has size zero, but element_shape_except0 {} is not fully defined. Currently only \
                 static shapes are supported when concatenating zero-size TensorArrays.",
                shown(rest)
            );
        };
        let made = Value::zeros(dtype, with_first(0, &rest)?)?;
        c.set_output(0, made);
        c.set_output(1, Value::vector::<i64>(&[])?);
        return Ok(());
    }
    let mut values = Vec::with_capacity(size);
    let mut lengths = Vec::with_capacity(size);
    for i in 0..size {
        let value = array.read(i as i64)?;
        ensure!(
            value.shape().rank() >= 1,
            invalid,
            "Concat saw a scalar shape at index {i} but requires at least vectors.  Did you mean to call pack?"
        );
        lengths.push(value.shape().dims()[0]);
        values.push(value);
    }
    let rest = Shape::new(&values[0].shape().dims()[1..])?;
    for (i, value) in values.iter().enumerate() {
        let own = Shape::new(&value.shape().dims()[1..])?;
        ensure!(
            own == rest,
            invalid,
            "TensorArray has inconsistent shapes.  Index 0 has (excepting dimension 0) shape: {rest} but index {i} has \
             (excepting dimension 0) shape: {own}"
        );
    }
    let made = joined(dtype, with_first(lengths.iter().sum(), &rest)?, &values)?;
    c.set_output(0, made);
    c.set_output(1, Value::vector(&lengths)?);
    Ok(())
}

pub(super) fn split(c: &mut KernelContext) -> Result<()> {
    let array = array(c)?;
    let (value, lengths) = (c.input(1)?, c.input(2)?);
    array.check_dtype(value.dtype(), "is trying to write")?;
    ensure!(
        lengths.shape().rank() == 1,
        invalid,
        "Expected lengths to be a vector, received shape: {}",
        lengths.shape()
    );
    let dims = rows_of(value)?;
    let lengths = lengths.ints()?;
    ensure!(
        lengths.iter().all(|n| *n >= 0),
        invalid,
        "Expected lengths to be at least 0, but got {lengths:?}"
    );
    let total = lengths.iter().try_fold(0i64, |sum, n| sum.checked_add(*n));
    ensure!(
        total == Some(dims[0]),
        invalid,
        "Expected sum of lengths to be equal to values.shape[0], but sum of lengths is {} and value's shape is: {}",
        total.unwrap_or(i64::MAX),
        value.shape()
    );
    let size = array.size()?;
    ensure!(
        size == lengths.len() || (array.is_dynamic()? && size < lengths.len()),
        invalid,
        "TensorArray's size is not equal to the size of lengths ({size} vs. {}), and the TensorArray is not marked as \
         dynamically resizeable",
        lengths.len()
    );
    let row: usize = dims[1..].iter().map(|d| *d as usize).product();
    let mut from = 0;
    for (i, n) in lengths.iter().enumerate() {
        let shape = Shape::new(&[&[*n], &dims[1..]].concat())?;
        array.write(i as i64, part(value, shape, from * row)?)?;
        from += *n as usize;
    }
    c.set_output(0, flow()?);
    Ok(())
}

pub(super) fn size(c: &mut KernelContext) -> Result<()> {
    let size = array(c)?.size()?;
    c.set_output(0, Value::scalar(size as i32)?);
    Ok(())
}

pub(super) fn close(c: &mut KernelContext) -> Result<()> {
    array(c)?.close();
    Ok(())
}
