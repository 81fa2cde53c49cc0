//! Variables on a GPU: assigned, read and updated there. What is wrong (no value, another shape) is left to the CPU's
//! kernels, which say so.

use crate::error::Result;
use crate::expr::Expr;
use crate::ops::gpu::GpuContext;
use crate::ops::resource::Variable;
use crate::value::{Shape, Value};

use super::is_ref;

/// What a variable holds now has this shape.
fn has_shape(variable: &Variable, shape: &Shape) -> bool {
    let content = variable.value.read();
    content.as_ref().is_some_and(|value| value.shape() == shape)
}

/// A value that nobody else holds.
fn own(c: &GpuContext, value: Value) -> Result<Value> {
    match value.is_on_device() && value.is_unique() {
        true => Ok(value),
        false => {
            let shape = value.shape().clone();
            c.map(|x| x[0].clone(), &[&value], &shape, None)
        }
    }
}

pub fn assign(c: &mut GpuContext) -> Result<()> {
    let variable = c.variable(0)?;
    let shape = c.shape(1)?.clone();
    let by_reference = is_ref(c.node);
    let is_in_place = by_reference && has_shape(&variable, &shape);
    // Another shape than before: the CPU's kernel knows when that is allowed.
    let is_first = !variable.is_initialized() && variable.shape.admits(&shape);
    if variable.dtype != c.dtype(1)? || !(is_in_place || is_first || !by_reference) {
        return c.leave_to_host();
    }
    let value = c.take_input(1)?;
    if is_in_place {
        let content = c.update(&variable, true)?;
        c.map(
            |x| x[1].clone(),
            &[content.value(), &value],
            &shape,
            Some(0),
        )?;
    } else {
        let value = own(c, value)?;
        *variable.value.write() = Some(value);
    }
    if c.num_outputs() > 0 {
        c.set_output_ref(0, variable);
    }
    Ok(())
}

/// The variable's content and the operands behind it, by a formula.
fn update(c: &mut GpuContext, formula: fn(&[Expr]) -> Expr, full: usize) -> Result<()> {
    let variable = c.variable(0)?;
    let shape = c.shape(full)?.clone();
    if !has_shape(&variable, &shape) {
        return c.leave_to_host();
    }
    let operands: Vec<Value> = (1..c.num_inputs())
        .map(|i| c.any_input(i).cloned())
        .collect::<Result<_>>()?;
    let content = c.update(&variable, is_ref(c.node))?;
    let mut all = vec![content.value()];
    all.extend(&operands);
    c.map(formula, &all, &shape, Some(0))?;
    drop(content);
    if c.num_outputs() > 0 {
        c.set_output_ref(0, variable);
    }
    Ok(())
}

pub fn assign_add(c: &mut GpuContext) -> Result<()> {
    update(c, |x| &x[0] + &x[1], 1)
}

pub fn assign_sub(c: &mut GpuContext) -> Result<()> {
    update(c, |x| &x[0] - &x[1], 1)
}

/// `var -= alpha * delta`.
pub fn gradient_descent(c: &mut GpuContext) -> Result<()> {
    if c.any_input(1)?.num_elements() != 1 {
        return c.leave_to_host();
    }
    update(c, |x| &x[0] - &x[1] * &x[2], 2)
}

/// What a resource variable holds; a variable that lies elsewhere moves to the GPU, and stays.
pub fn read(c: &mut GpuContext) -> Result<()> {
    let variable = c.variable(0)?;
    let mut content = variable.value.write();
    let Some(value) = content.as_mut() else {
        return c.leave_to_host();
    };
    if !value.is_on_device() {
        *value = c.upload(value)?;
    }
    let value = value.clone();
    c.set_output(0, value);
    Ok(())
}
