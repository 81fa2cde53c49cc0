//! Runs kernels of a GPU that end in a formula: in one dispatch where shapes and the kernel allow, else one after the
//! other, with the same results.

use smallvec::SmallVec;

use crate::backend::cpu::map::broadcast;
use crate::backend::gpu::Gpu;
use crate::error::Result;
use crate::ops::gpu::{Follower, GpuContext, is_on_host};
use crate::ops::kernel::Slot;
use crate::ops::map::is_sum;
use crate::plan::{Action, Ended, Operand, Place, Site, Step};
use crate::value::{Shape, Value};

use super::executor::{Executor, Inputs};
use super::groups::common_shape;
use super::on_gpu::{formula_of, gpu, keep_reads};

/// How much of it one dispatch did.
#[derive(PartialEq)]
enum Done {
    All,
    Kernel,
    Nothing,
}

impl<'a> Executor<'a, '_> {
    pub(super) fn ended(&mut self, step: &'a Step, ended: &'a Ended, is_first: bool) -> Result<()> {
        // A traced run shows every node by itself.
        let done = match (step.site, self.run.trace) {
            (Site::Gpu(number), None) => self.launch_ended(step, gpu(number)?, ended)?,
            _ => Done::Nothing,
        };
        if done == Done::All {
            return Ok(());
        }
        if done == Done::Nothing {
            self.part(&ended.kernel, is_first)?;
        }
        self.part(&ended.then, is_first)?;
        let own = ended.kernel.outputs.iter().take(1);
        let own = own.filter(|_| !ended.keeps_output);
        let read = step.inputs.iter().filter(|o| o.is_last);
        let read = read.filter_map(|o| match o.place {
            Place::Slot(slot) => Some(slot),
            Place::Constant(_) => None,
        });
        for slot in read.chain(own.copied()) {
            self.set(slot, Slot::Empty);
        }
        Ok(())
    }

    fn launch_ended(&mut self, step: &'a Step, gpu: &dyn Gpu, ended: &'a Ended) -> Result<Done> {
        let (kernel, Some(launch)) = (&ended.kernel, ended.kernel.launch) else {
            return Ok(Done::Nothing);
        };
        let count = kernel.inputs.len();
        let mut inputs = Inputs::new();
        for (i, operand) in step.inputs.iter().enumerate() {
            if self.has_no_value(operand) {
                break;
            }
            let taken = match i {
                i if i >= count => self.take_there(&ended.then, gpu, operand, true),
                i if is_on_host(launch.host_inputs, i) => self.take(kernel, operand),
                _ => self.take_there(kernel, gpu, operand, false),
            };
            // The part that reads it will meet the error and be named.
            let Ok(taken) = taken else { break };
            inputs.push(taken);
        }
        if inputs.len() < step.inputs.len() {
            self.put_back(&step.inputs, inputs);
            return Ok(Done::Nothing);
        }
        let others: Inputs = inputs.drain(count..).collect();
        let operands = operands(&others, ended.place);
        let fits = |shape: &Shape| match &operands {
            Some(operands) => fits(ended, operands, shape),
            None => false,
        };
        let run = self.run;
        let mut context = GpuContext::new(
            kernel.id,
            &kernel.node,
            &mut inputs,
            run.session,
            gpu,
            run.formulas,
        )
        .followed_by(Follower {
            formula: formula_of(&ended.program, &ended.then.node.name),
            operands: operands.clone().unwrap_or_default(),
            fits: &fits,
        });
        let outcome = (launch.kernel)(&mut context);
        if outcome.is_err() && context.is_too_large() {
            self.put_back(&step.inputs[count..], others);
            self.put_back(&step.inputs[..count], inputs);
            return Ok(Done::Nothing);
        }
        outcome.map_err(|e| e.at(&*kernel.node.name))?;
        if let Some(made) = context.take_followed() {
            let others = context.into_outputs().unwrap_or_default();
            let made = made.into_iter().map(Slot::Value);
            for (slot, made) in step
                .outputs
                .iter()
                .zip(made.chain(others.into_iter().skip(1)))
            {
                self.set(*slot, made);
            }
            return Ok(Done::All);
        }
        let outputs = context.into_outputs();
        self.put_back(&step.inputs[count..], others);
        let Some(mut outputs) = outputs else {
            self.put_back(&step.inputs[..count], inputs);
            return Ok(Done::Nothing);
        };
        keep_reads(&inputs, &mut outputs);
        for (slot, output) in kernel.outputs.iter().zip(outputs) {
            self.set(*slot, output);
        }
        Ok(Done::Kernel)
    }

    /// What was moved out lies in its slots again.
    pub(super) fn put_back(&mut self, operands: &[Operand], taken: impl IntoIterator<Item = Slot>) {
        for (operand, input) in operands.iter().zip(taken) {
            if let Place::Slot(slot) = operand.place
                && operand.is_last
            {
                self.set(slot, input);
            }
        }
    }
}

type Operands = SmallVec<[Option<Value>; 6]>;

/// The operands of the formula, with nothing in the place of the kernel's output.
fn operands(others: &[Slot], place: usize) -> Option<Operands> {
    let mut all = Operands::new();
    for input in others {
        match input {
            Slot::Value(value) | Slot::Read(value, _) => all.push(Some(value.clone())),
            _ => return None,
        }
    }
    all.insert(place, None);
    Some(all)
}

/// Whether the formula gives results of the shape of the kernel's output.
fn fits(ended: &Ended, operands: &Operands, shape: &Shape) -> bool {
    let shapes = operands
        .iter()
        .map(|o| o.as_ref().map_or(shape, Value::shape));
    let shapes: SmallVec<[&Shape; 6]> = shapes.collect();
    let result = match &ended.then.action {
        Action::Group(group) => common_shape(group, &shapes),
        _ if is_sum(&ended.then.node) && shapes.iter().any(|own| *own != shape) => None,
        _ => broadcast(shapes.into_iter()).ok(),
    };
    result.as_ref() == Some(shape)
}
