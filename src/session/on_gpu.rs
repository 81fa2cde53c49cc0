//! Steps on GPUs: brings operands there, launches, and reads back what the run gives.

use std::sync::Arc;

use parking_lot::RwLock;
use smallvec::SmallVec;

use crate::backend::cpu::map::{Compiled, broadcast};
use crate::backend::gpu::map::{self, End, Formula, is_parameter};
use crate::backend::gpu::{self, Gpu};
use crate::bail;
use crate::error::{Error, Result};
use crate::expr::Program;
use crate::ops::gpu::{GpuContext, has_room, is_on_host, to_device};
use crate::ops::kernel::Slot;
use crate::ops::map::{Map, check_terms, is_sum};
use crate::ops::resource::Variable;
use crate::plan::{Launch, Operand, Place, Plan, Step};
use crate::value::{Buffer, DeviceBuffer, Value};

use super::executor::{Executor, Inputs, Work, copy_read};

/// The plan's constants on each GPU that reads them: sent there once.
#[derive(Default)]
pub struct Constants(RwLock<Vec<(u8, u32, Value)>>);

impl Constants {
    fn on(&self, gpu: &dyn Gpu, plan: &Plan, constant: u32) -> Result<Value> {
        let number = gpu.index() as u8;
        let is_it = |entry: &&(u8, u32, Value)| entry.0 == number && entry.1 == constant;
        if let Some((_, _, value)) = self.0.read().iter().find(is_it) {
            return Ok(value.clone());
        }
        let value = to_device(gpu, &plan.constants[constant as usize])?;
        self.0.write().push((number, constant, value.clone()));
        Ok(value)
    }
}

/// GPU number `number`.
pub fn gpu(number: u8) -> Result<&'static dyn Gpu> {
    let found = gpu::gpus().get(usize::from(number));
    found
        .map(|gpu| &**gpu)
        .ok_or_else(|| Error::internal(format!("there is no GPU {number}")))
}

/// Outputs of a step that ran on a GPU; or its operands, when it is left to the host.
pub(super) type Launched = std::result::Result<SmallVec<[Slot; 2]>, Inputs>;

impl<'a> Executor<'a, '_> {
    /// Runs a step on a GPU. An error value of inputs: it is left to the host, with these operands.
    pub(super) fn on_gpu(&mut self, step: &'a Step, gpu: &dyn Gpu, work: Work) -> Result<Launched> {
        match (work, step.launch) {
            (Work::Map(Map::Program(compiled)), _) => self.map_on_gpu(step, gpu, compiled),
            (Work::Kernel(_), Some(launch)) => self.launch(step, gpu, launch),
            _ => {
                let taken = step.inputs.iter().map(|operand| self.take(step, operand));
                Ok(Err(taken.collect::<Result<Inputs>>()?))
            }
        }
    }

    fn launch(&mut self, step: &'a Step, gpu: &dyn Gpu, launch: Launch) -> Result<Launched> {
        let mut inputs = Inputs::new();
        for (i, operand) in step.inputs.iter().enumerate() {
            inputs.push(match is_on_host(launch.host_inputs, i) {
                true => self.take(step, operand)?,
                false => self.take_there(step, gpu, operand, false)?,
            });
        }
        let run = self.run;
        let mut context = GpuContext::new(
            step.id,
            &step.node,
            &mut inputs,
            run.session,
            gpu,
            run.formulas,
        );
        let outcome = (launch.kernel)(&mut context);
        if outcome.is_err() && context.is_too_large() {
            return Ok(Err(inputs));
        }
        outcome?;
        let Some(mut outputs) = context.into_outputs() else {
            return Ok(Err(inputs));
        };
        keep_reads(&inputs, &mut outputs);
        Ok(Ok(outputs))
    }

    /// An operand on the GPU; with `scalars_stay` a single element that lies on the host stays there.
    pub(super) fn take_there(
        &mut self,
        step: &Step,
        gpu: &dyn Gpu,
        operand: &Operand,
        scalars_stay: bool,
    ) -> Result<Slot> {
        // What no buffer holds stays as well: then the step is left to the host.
        let fits = |value: &Value| has_room(gpu, value.dtype(), value.shape());
        let stays = |value: &Value| (scalars_stay && is_parameter(value)) || !fits(value);
        match operand.place {
            Place::Constant(c) if !stays(&self.run.plan.constants[c as usize]) => {
                let run = self.run;
                return Ok(Slot::Value(run.constants.on(gpu, run.plan, c)?));
            }
            Place::Slot(slot) if !operand.wants_ref => {
                let slot = &mut self.slots.values[slot as usize];
                if let Slot::Value(value) = slot
                    && value.is_plain()
                    && !lies_on(value, gpu)
                    && !stays(value)
                {
                    // Once for all that read it there.
                    *value = to_device(gpu, &value.to_host()?)?;
                }
            }
            _ => {}
        }
        match self.take(step, operand)? {
            Slot::Read(value, variable) if !fits(&value) => Ok(Slot::Read(value, variable)),
            Slot::Read(value, variable) if stays(&value) => {
                Ok(Slot::Value(copy_read(&value, &variable)?))
            }
            Slot::Read(value, variable) => move_variable(gpu, value, variable),
            other => Ok(other),
        }
    }

    fn map_on_gpu(
        &mut self,
        step: &'a Step,
        gpu: &dyn Gpu,
        compiled: &Compiled,
    ) -> Result<Launched> {
        let mut inputs = Inputs::new();
        for operand in &step.inputs {
            inputs.push(self.take_there(step, gpu, operand, true)?);
        }
        let mut values: SmallVec<[&Value; 4]> = SmallVec::new();
        for input in &inputs {
            match input {
                Slot::Value(value) | Slot::Read(value, _) => values.push(value),
                _ => bail!(internal, "an operand has no value"),
            }
        }
        if is_sum(&step.node) {
            check_terms(&step.node, values.iter().copied())?;
        }
        let shape = broadcast(values.iter().map(|v| v.shape()))?;
        let program = compiled.program();
        let ends: SmallVec<[End; 2]> = match program.outputs.as_slice() {
            [output] => {
                let dtype = program.dtype_of(*output);
                let fits = |k: &usize| values[*k].dtype() == dtype && *values[*k].shape() == shape;
                let free = (0..inputs.len()).find(|k| is_free(&inputs[*k]) && fits(k));
                SmallVec::from_iter([free.map_or(End::Value, End::Over)])
            }
            outputs => SmallVec::from_elem(End::Value, outputs.len()),
        };
        let formula = formula_of(program, &step.node.name);
        let made = map::run(gpu, self.run.formulas, formula, &values, &shape, &ends)?;
        drop(values);
        Ok(match made {
            Some(made) => Ok(made.into_iter().map(Slot::Value).collect()),
            None => Err(inputs),
        })
    }

    /// What a run gives: all that lies on a device comes back in one go. Without such results the work is handed over,
    /// and the run waits only where a kernel may have found something wrong.
    pub(super) fn bring(&self, values: &mut [Value], is_fresh: &[bool]) -> Result<()> {
        for &number in &self.run.plan.gpus {
            let gpu = gpu(number)?;
            let mut wanted: Vec<(usize, DeviceBuffer)> = Vec::new();
            for (i, value) in values.iter().enumerate() {
                if let Some(buffer) = value.device_buffer()
                    && lies_on(value, gpu)
                    && (is_fresh[i] || buffer.host_if_known().is_none())
                {
                    wanted.push((i, buffer.clone()));
                }
            }
            if wanted.is_empty() {
                gpu.finish()?;
                continue;
            }
            let buffers: Vec<&DeviceBuffer> = wanted.iter().map(|(_, b)| b).collect();
            let read: Vec<Buffer> = gpu.download(&buffers)?;
            for ((i, _), bytes) in wanted.iter().zip(read) {
                let value = &values[*i];
                values[*i] = Value::from_buffer(value.dtype(), value.shape().clone(), bytes)?;
            }
        }
        for (value, is_fresh) in values.iter_mut().zip(is_fresh) {
            // Memory that is written in place may be newer than what was read back before.
            *value = match *is_fresh && value.is_on_device() {
                true => value.deep_copy()?,
                false => value.to_host()?,
            };
        }
        Ok(())
    }

    /// Hands over what a failed run has launched; its own error is the one that counts.
    pub(super) fn abandon(&self) {
        for &number in &self.run.plan.gpus {
            if let Ok(gpu) = gpu(number) {
                let _ = gpu.finish();
            }
        }
    }
}

/// A program of the plan: it is known by where it lies.
pub(super) fn formula_of<'p>(program: &'p Program, node: &'p str) -> Formula<'p> {
    Formula {
        program,
        number: std::ptr::from_ref(program) as usize,
        node,
    }
}

/// Whether an operand's memory may hold a result: nobody else has it.
pub(super) fn is_free(input: &Slot) -> bool {
    matches!(input, Slot::Value(value) if value.is_on_device() && value.is_unique())
}

pub(super) fn lies_on(value: &Value, gpu: &dyn Gpu) -> bool {
    let memory = value.device_buffer().and_then(DeviceBuffer::memory);
    match memory {
        Some(memory) => memory.device_index() == gpu.index(),
        // Without bytes it lies nowhere, and everywhere.
        None => value.is_on_device(),
    }
}

/// What was read of a variable, on the GPU: a variable that lies elsewhere moves there, and stays.
fn move_variable(gpu: &dyn Gpu, value: Value, variable: Arc<Variable>) -> Result<Slot> {
    if lies_on(&value, gpu) {
        return Ok(Slot::Read(value, variable));
    }
    let mut content = variable.value.write();
    let Some(current) = content.as_mut() else {
        drop(content);
        return Err(variable.uninitialized());
    };
    // A part of the variable, or what it was before: a copy of it is sent.
    let is_whole = current.shape() == value.shape()
        && match (current.buffer(), value.buffer()) {
            (Some(a), Some(b)) => a.shares_memory_with(b),
            _ => current.is_on_device() && value.is_on_device(),
        };
    if !is_whole {
        return Ok(Slot::Value(to_device(gpu, &value.deep_copy()?)?));
    }
    if !lies_on(current, gpu) {
        *current = to_device(gpu, &current.deep_copy()?)?;
    }
    let moved = current.clone();
    drop(content);
    Ok(Slot::Read(moved, variable))
}

/// Where an output lies in the memory of a variable that was read, that is kept in mind.
pub(super) fn keep_reads(inputs: &[Slot], outputs: &mut [Slot]) {
    for output in outputs {
        let Slot::Value(value) = &*output else {
            continue;
        };
        let Some(buffer) = value.device_buffer() else {
            continue;
        };
        let owner = inputs.iter().find_map(|input| match input {
            Slot::Read(read, variable) => {
                let memory = read.device_buffer()?;
                memory.shares_memory_with(buffer).then(|| variable.clone())
            }
            _ => None,
        });
        if let Some(variable) = owner {
            *output = Slot::Read(value.clone(), variable);
        }
    }
}

/// The operands of a step of the host, there. The first `kept` are left where they lie: no data of them is read.
pub(super) fn to_host(inputs: &mut [Slot], kept: usize) -> Result<()> {
    for input in inputs.iter_mut().skip(kept) {
        match input {
            Slot::Value(value) if value.is_on_device() => *value = value.to_host()?,
            Slot::Read(value, variable) if value.is_on_device() => {
                // The memory may have been written since: what is known of it on the host counts for nothing.
                *input = Slot::Value(copy_read(value, variable)?);
            }
            _ => {}
        }
    }
    Ok(())
}
