//! Assignment to a strided slice of a variable: `v[1:3, 0].assign(x)`.

use std::sync::Arc;

use crate::error::Result;
use crate::graph::ShapeContext;
use crate::ops::Op;
use crate::ops::kernel::KernelContext;
use crate::ops::moves::Offsets;
use crate::ops::resource::{Variable, Writing};
use crate::ops::shape;
use crate::ops::state::{forward_ref, is_ref};
use crate::value::{DType, Value};
use crate::{dispatch, ensure};

use super::slice::spec_of;

pub(in crate::ops) const OPS: &[Op] = &[
    Op::new(
        "StridedSliceAssign",
        "ref: Ref(T), begin: Index, end: Index, strides: Index, value: T -> output_ref: Ref(T)",
    )
    .attr("T: type")
    .attr("Index: {int32, int64}")
    .attr("begin_mask: int = 0")
    .attr("end_mask: int = 0")
    .attr("ellipsis_mask: int = 0")
    .attr("new_axis_mask: int = 0")
    .attr("shrink_axis_mask: int = 0")
    .shape(same_as_variable)
    .host(assign),
    Op::new(
        "ResourceStridedSliceAssign",
        "ref: resource, begin: Index, end: Index, strides: Index, value: T ->",
    )
    .attr("T: type")
    .attr("Index: {int32, int64}")
    .attr("begin_mask: int = 0")
    .attr("end_mask: int = 0")
    .attr("ellipsis_mask: int = 0")
    .attr("new_axis_mask: int = 0")
    .attr("shrink_axis_mask: int = 0")
    .stateful()
    .shape(shape::unknown)
    .host(assign),
];

fn same_as_variable(c: &mut ShapeContext) -> Result<()> {
    let variable = c.input(0);
    c.set(0, variable);
    Ok(())
}

fn assign(c: &mut KernelContext) -> Result<()> {
    let variable = c.variable(0)?;
    write(c, &variable)?;
    forward_ref(c, variable);
    Ok(())
}

fn write(c: &KernelContext, variable: &Arc<Variable>) -> Result<()> {
    let value = c.input(4)?;
    let mut writing = variable.write(is_ref(c.node))?;
    let dims = writing.value().shape().dims().to_vec();
    let spec = spec_of(c, &dims, 1)?;
    ensure!(
        value.shape().dims() == spec.shape,
        unimplemented,
        "sliced l-value shape {} does not match r-value shape {}. Automatic broadcasting not yet implemented.",
        crate::value::PartialShape::from_dims(spec.shape.clone()),
        value.shape()
    );
    let (start, steps) = spec.walk(&dims);
    let places = Offsets::new(start, &spec.counts, &steps);
    if value.dtype() == DType::String {
        return write_strings(&mut writing, value, places);
    }
    dispatch!(plain, value.dtype(), T => {
        let (from, to) = (value.slice::<T>()?, writing.slice_mut::<T>()?);
        for (x, at) in from.iter().zip(places) {
            to[at as usize] = *x;
        }
    });
    Ok(())
}

fn write_strings(writing: &mut Writing, value: &Value, places: Offsets) -> Result<()> {
    let mut all = writing.value().string_slice()?.to_vec();
    for (x, at) in value.string_slice()?.iter().zip(places) {
        all[at as usize].clone_from(x);
    }
    let made = Value::strings(writing.value().shape().clone(), all)?;
    writing.replace(made);
    Ok(())
}
