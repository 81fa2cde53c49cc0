//! Groups of elementwise steps on a GPU: one dispatch, under the locks that the CPU would take.

use smallvec::SmallVec;

use crate::backend::gpu::Gpu;
use crate::backend::gpu::map;
use crate::error::Result;
use crate::ops::gpu::{has_room, to_device};
use crate::ops::kernel::Slot;
use crate::plan::{End, Group, Step};
use crate::value::{DType, Shape, Value};

use super::executor::Executor;
use super::groups::{Locks, common_shape, is_in_order, lock, places_of, shapes_of, variables_of};
use super::on_gpu::{formula_of, is_free, lies_on};

impl Executor<'_, '_> {
    /// The outputs of a group in one dispatch; `None` when its members have to run one by one.
    pub(super) fn launch_together(
        &self,
        step: &Step,
        gpu: &dyn Gpu,
        group: &Group,
        inputs: &[Slot],
    ) -> Result<Option<SmallVec<[Slot; 2]>>> {
        if !is_in_order(group, inputs) {
            return Ok(None);
        }
        let is_free: SmallVec<[bool; 6]> = inputs.iter().map(is_free).collect();
        let wanted = variables_of(inputs);
        let mut locks = lock(&wanted);
        let Some(values) = contents(gpu, inputs, &mut locks)? else {
            return Ok(None);
        };
        let values: SmallVec<[&Value; 6]> = values.iter().collect();
        let Some(shape) = common_shape(group, &shapes_of(&values)) else {
            return Ok(None);
        };
        let Some(ends) = ends_of(group, &is_free, &values, &shape) else {
            return Ok(None);
        };
        let formula = formula_of(group.program.program(), &step.node.name);
        if let Some(over) = updates_of(group)
            && map::run_with_others(gpu, self.run.formulas, formula, &values, &shape, &over)?
        {
            return Ok(Some(over.iter().map(|k| inputs[*k].clone()).collect()));
        }
        let made = map::run(gpu, self.run.formulas, formula, &values, &shape, &ends)?;
        let Some(made) = made else {
            return Ok(None);
        };
        let mut outputs = SmallVec::new();
        for (end, result) in group.ends.iter().zip(made) {
            outputs.push(match end {
                End::Value { .. } | End::Sum { .. } => Slot::Value(result),
                End::Update { input, .. } => inputs[*input].clone(),
            });
        }
        Ok(Some(outputs))
    }
}

/// What each operand holds. A variable that is written moves to the GPU; what was read back of it before is old.
fn contents(
    gpu: &dyn Gpu,
    inputs: &[Slot],
    locks: &mut Locks,
) -> Result<Option<SmallVec<[Value; 6]>>> {
    let mut values: SmallVec<[Value; 6]> = SmallVec::new();
    for input in inputs {
        values.push(match input {
            Slot::Value(value) | Slot::Read(value, _) => value.clone(),
            Slot::Empty => return Ok(None),
            Slot::Ref(variable) => {
                let Some(content) = locks.content_mut(variable) else {
                    return Ok(None);
                };
                if !has_room(gpu, content.dtype(), content.shape()) {
                    return Ok(None);
                }
                *content = match lies_on(content, gpu) {
                    true => content.clone().written(),
                    false => to_device(gpu, &content.deep_copy()?)?.written(),
                };
                content.clone()
            }
        });
    }
    Ok(Some(values))
}

/// Where each result goes; results take the place of operands that nobody needs any more.
fn ends_of(
    group: &Group,
    is_free: &[bool],
    values: &[&Value],
    shape: &Shape,
) -> Option<SmallVec<[map::End; 2]>> {
    let program = group.program.program();
    let places = places_of(group, values, shape, |k, _| is_free[k]);
    let mut ends: SmallVec<[map::End; 2]> = SmallVec::new();
    for ((end, result), place) in group.ends.iter().zip(&program.outputs).zip(places) {
        ends.push(match (end, place) {
            (End::Sum { is_mean, .. }, _) if program.dtype_of(*result) == DType::F32 => {
                map::End::Sum { is_mean: *is_mean }
            }
            (End::Sum { .. }, _) => return None,
            (End::Update { input, .. }, _) => {
                is_writable(values, *input, shape)?;
                map::End::Over(*input)
            }
            (End::Value { .. }, Some(k)) => map::End::Over(k),
            (End::Value { .. }, None) => map::End::Value,
        });
    }
    Some(ends)
}

/// The variables that a group writes, when it does nothing else.
fn updates_of(group: &Group) -> Option<SmallVec<[usize; 2]>> {
    let ends = group.ends.iter().map(|end| match end {
        End::Update { input, .. } => Some(*input),
        _ => None,
    });
    ends.collect()
}

/// Whether a variable's content can be written in place: it is all of the shape, and so is every operand that shows it.
fn is_writable(values: &[&Value], input: usize, shape: &Shape) -> Option<()> {
    let content = values[input];
    let own = content.device_buffer()?;
    let shows = |value: &&&Value| {
        let buffer = value.device_buffer();
        buffer.is_some_and(|buffer| buffer.shares_memory_with(own))
    };
    let is_whole = |value: &&Value| value.num_elements() == shape.num_elements();
    let fits = content.shape() == shape && values.iter().filter(shows).all(is_whole);
    fits.then_some(())
}
