//! Which steps may be members of a group, and what they compute for each element.

use smallvec::SmallVec;

use crate::error::Result;
use crate::expr::{Expr, Formula, Program};
use crate::ops::map::{Map, is_sum};
use crate::value::DType;

use super::super::step::{Action, Need, Place, Step};

/// How a step takes part in a group.
pub enum Part {
    /// Its output is one more value of each element.
    Value {
        program: Program,
        needs: SmallVec<[Need; 3]>,
    },
    /// It replaces the content of the variable that input 0 refers to.
    Update {
        program: Program,
        needs: SmallVec<[Need; 3]>,
    },
    /// It adds all elements up; with `true`, for their mean.
    Sum { is_mean: bool },
}

/// What a step would be in a group; `None` when it cannot be in one.
pub fn part_of(step: &Step) -> Option<Part> {
    if step.says_alive.is_some() || !step.needs_alive.is_empty() || step.node.outputs.len() > 1 {
        return None;
    }
    match &step.action {
        Action::Map(Map::Program(compiled)) => Some(Part::Value {
            program: compiled.program().clone(),
            needs: match is_sum(&step.node) {
                true => SmallVec::from_elem(Need::Full, step.inputs.len()),
                false => SmallVec::new(),
            },
        }),
        Action::Kernel(_) => kernel_part(step),
        _ => None,
    }
}

/// Kernels that are elementwise at heart.
fn kernel_part(step: &Step) -> Option<Part> {
    let output = step.node.outputs.first();
    let is_float = |step: &Step| step.node.attrs.dtype("T") == Ok(DType::F32);
    if !is_float(step) {
        return None;
    }
    let float = DType::F32;
    match step.node.op() {
        "BiasAdd" | "BiasAddV1" => {
            let channels_last = step.node.attrs.str("data_format");
            if channels_last.is_ok_and(|format| format != "NHWC") {
                return None;
            }
            let program = program(|x| &x[0] + &x[1], &[float, float])?;
            let needs = SmallVec::from_slice(&[Need::Full, Need::Channels]);
            Some(Part::Value { program, needs })
        }
        "Select" => {
            let program = program(|x| x[0].select(&x[1], &x[2]), &[DType::Bool, float, float])?;
            let needs = SmallVec::from_elem(Need::Full, 3);
            Some(Part::Value { program, needs })
        }
        "AssignAdd" => update(|x| &x[0] + &x[1], &[Need::Full, Need::Full]),
        "AssignSub" => update(|x| &x[0] - &x[1], &[Need::Full, Need::Full]),
        "ApplyGradientDescent" => update(
            |x| &x[0] - &x[1] * &x[2],
            &[Need::Full, Need::Scalar, Need::Full],
        ),
        "Sum" | "Mean" if output.is_some_and(|o| o.shape.rank() == Some(0)) => {
            // A result without axes is the sum over all of them: the graph says so, and groups know their shape.
            let axes = step.inputs.get(1)?;
            let is_mean = step.node.op() == "Mean";
            matches!(axes.place, Place::Constant(_)).then_some(Part::Sum { is_mean })
        }
        _ => None,
    }
}

fn program(formula: Formula, types: &[DType]) -> Option<Program> {
    let made: Result<Program> = Program::of(&formula(&Expr::inputs(types.len())), types);
    made.ok()
}

fn update(formula: Formula, needs: &[Need]) -> Option<Part> {
    let types: SmallVec<[DType; 3]> = SmallVec::from_elem(DType::F32, needs.len());
    let program = program(formula, &types)?;
    let needs = needs.into();
    Some(Part::Update { program, needs })
}

/// Whether a step of this kind is worth a group of its own: its kernel is slower than the pass.
pub fn gains_alone(part: &Part) -> bool {
    match part {
        Part::Value { needs, .. } => !needs.is_empty(),
        Part::Update { .. } => true,
        Part::Sum { .. } => false,
    }
}
