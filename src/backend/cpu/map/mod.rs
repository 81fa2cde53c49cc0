//! The block machine: runs elementwise programs a block at a time, so that no value between two instructions leaves
//! the innermost cache. Operands broadcast as NumPy's do.
//!
//! The loops here are plain; they are the truth that vector code is tested against.

mod blocks;
mod cast;
mod compiled;
mod complex;
mod float;
mod int;
mod layout;
mod loops;
mod missing;
mod single;
mod special;
mod vector;

use parking_lot::Mutex;
use smallvec::SmallVec;

pub use compiled::Compiled;
pub use layout::{broadcast, expand};
pub use special::lgamma;

use crate::ensure;
use crate::error::Result;
use crate::value::{DType, Shape, Value};

use super::simd::Shared;
use super::threads;
use blocks::Machine;
use layout::{Layout, expand_irregular, layout_of};
use single::Out;

/// Elements in a block: 4 KiB of floats.
const BLOCK: usize = 1024;
/// Elements in a job of the thread pool.
const PIECE: usize = 32 * BLOCK;

/// What becomes of an output of a program.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum End {
    /// A value of its own.
    Value,
    /// Written where this operand lies, which nobody needs any more. It has the type and the shape of the output.
    Over(usize),
    /// The sum of all elements.
    Sum,
}

/// Runs a program on these inputs. The outputs all have the shape of the inputs together.
pub fn run(compiled: &Compiled, inputs: &[&Value]) -> Result<SmallVec<[Value; 1]>> {
    let ends: SmallVec<[End; 1]> = compiled
        .program
        .outputs
        .iter()
        .map(|_| End::Value)
        .collect();
    let shape = broadcast(inputs.iter().map(|v| v.shape()))?;
    // SAFETY: no output is written over an operand.
    unsafe { run_to(compiled, inputs, &shape, &ends) }
}

/// Runs a program on inputs that together have this shape.
///
/// # Safety
/// Nobody else reads or writes the memory of an operand that an end names: its buffer has one owner, or the lock of the
/// variable that it belongs to is held for writing.
pub unsafe fn run_to(
    compiled: &Compiled,
    inputs: &[&Value],
    shape: &Shape,
    ends: &[End],
) -> Result<SmallVec<[Value; 1]>> {
    let program = &compiled.program;
    ensure!(
        inputs.len() == program.inputs.len() && ends.len() == program.outputs.len(),
        internal,
        "{} operands and {} results for a program of {} and {}",
        inputs.len(),
        ends.len(),
        program.inputs.len(),
        program.outputs.len()
    );
    for (value, dtype) in inputs.iter().zip(&program.inputs) {
        ensure!(
            value.dtype() == *dtype,
            internal,
            "an operand of type {} where {} is due",
            value.dtype().short_name(),
            dtype.short_name()
        );
    }
    let total = shape.num_elements();
    let mut outputs: SmallVec<[Value; 1]> = SmallVec::new();
    let mut places: SmallVec<[Shared<u8>; 2]> = SmallVec::new();
    for (output, end) in program.outputs.iter().zip(ends) {
        let dtype = program.dtype_of(*output);
        let mut made = match *end {
            End::Value => Value::uninit(dtype, shape.clone())?,
            End::Sum => Value::zeros(dtype, Shape::scalar())?,
            End::Over(k) => {
                let over = inputs[k];
                ensure!(
                    over.dtype() == dtype && over.shape() == shape,
                    internal,
                    "a result of shape {shape} over an operand of shape {}",
                    over.shape()
                );
                over.clone()
            }
        };
        places.push(match (*end, made.buffer()) {
            // SAFETY: the caller's promise.
            (End::Over(_), Some(buffer)) => Shared::of(unsafe { buffer.shared_mut() }),
            _ => Shared::of(made.bytes_mut()?),
        });
        outputs.push(made);
    }
    if total == 0 {
        return Ok(outputs);
    }
    let expanded = expand_irregular(inputs, shape)?;
    let mut layouts: SmallVec<[Layout; 4]> = SmallVec::new();
    for (value, expanded) in inputs.iter().zip(&expanded) {
        layouts.push(layout_of(expanded.as_ref().unwrap_or(value), shape)?);
    }
    if let Some(single) = &compiled.single {
        let mut outs: SmallVec<[Out; 2]> = SmallVec::new();
        for ((output, end), place) in program.outputs.iter().zip(ends).zip(&places) {
            let is_truth = program.dtype_of(*output) == DType::Bool;
            outs.push(match (*end, is_truth) {
                (_, true) => Out::Truths(*place),
                (End::Sum, false) => Out::Sum(Shared(place.ptr().cast())),
                (_, false) => Out::Floats(Shared(place.ptr().cast())),
            });
        }
        single.run(&layouts, total, &outs);
        return Ok(outputs);
    }
    ensure!(
        ends.iter().all(|end| *end == End::Value),
        internal,
        "only programs of float32 end otherwise than in values"
    );
    run_general(compiled, &layouts, total, &places)?;
    Ok(outputs)
}

fn run_general(
    compiled: &Compiled,
    layouts: &[Layout],
    total: usize,
    places: &[Shared<u8>],
) -> Result<()> {
    let failure = Mutex::new(None);
    let streams = layouts.len() + places.len();
    let is_parallel = total * streams * 4 * compiled.code.len().max(1) >= threads::WORTH_BYTES;
    let piece = if is_parallel { PIECE } else { total };
    threads::run_pieces(total, piece, is_parallel, |from, to| {
        let mut machine = Machine::new(compiled, layouts, to - from);
        for offset in (from..to).step_by(BLOCK) {
            let len = BLOCK.min(to - offset);
            if let Err(error) = machine.block(offset, len, places) {
                failure.lock().get_or_insert(error);
                break;
            }
        }
        machine.finish();
    });
    match failure.into_inner() {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
