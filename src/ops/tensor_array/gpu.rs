//! Arrays whose elements lie on a GPU: joined there, and cut there. What is wrong with an op is left to the host, whose
//! kernel says so; what lies on the host stays there.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::ops::array::gpu::{View, copy_view, join};
use crate::ops::gpu::{GpuContext, is_known_to_shaders, to_device};
use crate::value::{DType, Value};

use super::array::TensorArray;
use super::kernels::{check_scattered, gathered};

fn array(c: &GpuContext) -> Result<Arc<TensorArray>> {
    let handle = c.any_input(0)?.resource()?.clone();
    handle.downcast::<TensorArray>().map_err(|_| {
        Error::invalid(format!(
            "input 0 of node '{}' is a handle of something else than a TensorArray",
            c.node.name
        ))
    })
}

pub(super) fn gather(c: &mut GpuContext) -> Result<()> {
    let (array, indices) = (array(c)?, c.host_input(1)?);
    let dtype = c.attrs().dtype("dtype")?;
    let is_there = is_known_to_shaders(dtype)
        && array.check_dtype(dtype, "").is_ok()
        && indices.shape().rank() == 1
        && indices.num_elements() > 0
        && array.lies_on_device()?;
    if !is_there {
        return c.leave_to_host();
    }
    let wanted = c.attrs().shape("element_shape")?;
    let (values, shape) = gathered(&array, &indices.ints()?, wanted)?;
    let values = values.iter().map(|value| to_device(c.gpu, value));
    let values = values.collect::<Result<Vec<_>>>()?;
    match join(c, &values, 1, shape.clone())? {
        Some(made) => c.set_output(0, made),
        // Read once, elements are gone: what no shader joins is joined on the host here.
        None => {
            let values = values.iter().map(Value::to_host);
            let values = values.collect::<Result<Vec<_>>>()?;
            let made = super::kernels::joined(dtype, shape, &values)?;
            c.set_output(0, made);
        }
    }
    Ok(())
}

pub(super) fn scatter(c: &mut GpuContext) -> Result<()> {
    let (array, indices) = (array(c)?, c.host_input(1)?);
    let value = c.any_input(2)?;
    // Floats of the host are sent at once: row by row it would cost more.
    let is_there = value.is_on_device() || value.dtype() == DType::F32;
    let is_right = is_there
        && is_known_to_shaders(value.dtype())
        && array.check_dtype(value.dtype(), "").is_ok()
        && indices.shape().rank() == 1
        && value.num_elements() > 0;
    if !is_right {
        return c.leave_to_host();
    }
    let (value, indices) = (c.input(2)?, indices.ints()?);
    let row = check_scattered(&array, &indices, &value)?;
    let mut rows = Vec::with_capacity(indices.len());
    for i in 0..indices.len() {
        let view = View::cut(value.shape().dims(), 0, i, 1);
        match copy_view(c, &value, &view, row.clone())? {
            Some(made) => rows.push(made),
            None => return c.leave_to_host(),
        }
    }
    for (index, row) in indices.iter().zip(rows) {
        array.write(*index, row)?;
    }
    c.set_output(0, Value::scalar(0f32)?);
    Ok(())
}
