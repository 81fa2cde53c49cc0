//! Runs a plan's steps in order. Values lie in slots; an empty slot is a dead tensor.
//!
//! A value read from a reference variable still lies in the variable's memory, so its lock is held while a kernel reads
//! it. A step that writes to variables, or keeps what it is given, gets copies instead and holds no locks.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use smallvec::SmallVec;

use crate::backend::cpu::map::{End, broadcast, run_to};
use crate::backend::gpu::map::Formulas;
use crate::error::{Error, Result};
use crate::ops::kernel::{Cancellation, Kernel, KernelContext, SessionState, Slot};
use crate::ops::map::{Map, check_terms, is_sum};
use crate::ops::resource::Variable;
use crate::plan::{Action, Enter, Fetch, Loop, NO_SLOT, Operand, Place, Plan, Site, Step};
use crate::value::{Buffer, DType, Value};
use crate::{bail, ensure};

use super::groups::{Wanted, in_order, lock};
use super::on_gpu::{Constants, gpu, keep_reads, to_host};
use super::plans::Lasting;
use super::trace::Trace;

pub(super) type Inputs = SmallVec<[Slot; 4]>;

/// The slots of a run; kept by the session from one run of a plan to the next.
#[derive(Default)]
pub struct Slots {
    pub(super) values: Vec<Slot>,
    alive: Vec<bool>,
}

impl Slots {
    pub fn for_plan(plan: &Plan) -> Slots {
        let mut values = Vec::new();
        values.resize_with(plan.slots, Slot::default);
        Slots {
            values,
            alive: vec![false; plan.alive_bits],
        }
    }

    /// Drops what a run left behind.
    pub fn clear(&mut self) {
        for slot in &mut self.values {
            if !slot.is_empty() {
                *slot = Slot::Empty;
            }
        }
    }
}

/// What a run works with.
pub struct Run<'a> {
    pub plan: &'a Plan,
    pub session: &'a dyn SessionState,
    pub cancellation: &'a Cancellation,
    pub lasting: &'a Lasting,
    pub constants: &'a Constants,
    pub formulas: &'a Formulas,
    /// Where to note how long each step took.
    pub trace: Option<&'a Trace>,
}

/// Runs the plan and returns its fetches. A panic in a kernel is an error that names its node.
pub fn run(run: &Run, slots: &mut Slots, feeds: Vec<Value>) -> Result<Vec<Value>> {
    let current = Cell::new(None);
    let mut executor = Executor {
        run,
        slots,
        current: &current,
    };
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        executor.feed(feeds)?;
        executor.block(&run.plan.steps, true)?;
        executor.fetch_all()
    }));
    let outcome = outcome.unwrap_or_else(|panic| Err(describe_panic(&*panic, current.get())));
    if outcome.is_err() {
        executor.abandon();
    }
    outcome
}

/// Goes on with a run in parts: feeds some tensors, runs the steps that `may_run`, and returns some of the fetches.
pub fn run_part(
    run: &Run,
    slots: &mut Slots,
    feeds: Vec<(usize, Value)>,
    may_run: &[bool],
    fetches: &[usize],
) -> Result<Vec<Value>> {
    let current = Cell::new(None);
    let mut executor = Executor {
        run,
        slots,
        current: &current,
    };
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        for (feed, value) in feeds {
            executor.slots.values[feed] = Slot::Value(value);
        }
        for (step, _) in run
            .plan
            .steps
            .iter()
            .zip(may_run)
            .filter(|(_, may_run)| **may_run)
        {
            executor.block(std::slice::from_ref(step), true)?;
        }
        let fetches = fetches.iter().map(|i| (&run.plan.fetches[*i], true));
        executor.fetch_each(fetches)
    }));
    outcome.unwrap_or_else(|panic| Err(describe_panic(&*panic, current.get())))
}

pub(super) fn describe_panic(panic: &(dyn std::any::Any + Send), step: Option<&Step>) -> Error {
    let what = panic.downcast_ref::<String>().map(String::as_str);
    let what = what.or_else(|| panic.downcast_ref::<&str>().copied());
    let error = Error::internal(format!("a kernel failed: {}", what.unwrap_or("no message")));
    match step {
        Some(step) => error.at(&*step.node.name),
        None => error,
    }
}

/// How a step computes its outputs.
#[derive(Clone, Copy)]
pub(super) enum Work<'a> {
    Kernel(Kernel),
    Map(&'a Map),
}

/// Runs a formula; its result takes the place of an operand that nobody needs any more.
fn run_map(step: &Step, map: &Map, inputs: &[Slot]) -> Result<SmallVec<[Slot; 2]>> {
    let mut values: SmallVec<[&Value; 4]> = SmallVec::new();
    for input in inputs {
        match input {
            Slot::Value(value) | Slot::Read(value, _) => values.push(value),
            _ => bail!(internal, "an operand has no value"),
        }
    }
    if is_sum(&step.node) {
        check_terms(&step.node, values.iter().copied())?;
    }
    if let Map::Program(compiled) = map
        && let [output] = compiled.program().outputs.as_slice()
        && compiled.is_single()
    {
        let dtype = compiled.program().dtype_of(*output);
        let shape = broadcast(values.iter().map(|v| v.shape()))?;
        let is_free = |k: &usize| {
            matches!(&inputs[*k], Slot::Value(value) if value.is_unique() && value.shape() == &shape)
                && values[*k].dtype() == dtype
                && dtype == DType::F32
        };
        let free = (0..inputs.len()).find(is_free);
        let end = free.map_or(End::Value, End::Over);
        // SAFETY: an operand that is written over belongs to this step alone.
        let made = unsafe { run_to(compiled, &values, &shape, &[end]) }?;
        return Ok(made.into_iter().map(Slot::Value).collect());
    }
    Ok(map.run(&values)?.into_iter().map(Slot::Value).collect())
}

pub(super) struct Executor<'a, 's> {
    pub(super) run: &'a Run<'a>,
    pub(super) slots: &'s mut Slots,
    /// The step that runs, for the message of a panic.
    current: &'s Cell<Option<&'a Step>>,
}

impl<'a> Executor<'a, '_> {
    pub(super) fn set_current(&self, step: &'a Step) {
        self.current.set(Some(step));
    }

    fn feed(&mut self, feeds: Vec<Value>) -> Result<()> {
        let wanted = &self.run.plan.feeds;
        ensure!(
            feeds.len() == wanted.len(),
            invalid,
            "{} values were fed, but the run was set up for {}",
            feeds.len(),
            wanted.len()
        );
        for (slot, (value, feed)) in feeds.into_iter().zip(wanted).enumerate() {
            ensure!(
                value.dtype() == feed.dtype,
                invalid,
                "Tensor {} was fed a value of type {} but has type {}",
                feed.name,
                value.dtype().short_name(),
                feed.dtype.short_name()
            );
            self.slots.values[slot] = Slot::Value(value);
        }
        Ok(())
    }

    fn block(&mut self, steps: &'a [Step], is_first: bool) -> Result<()> {
        for step in steps {
            self.current.set(Some(step));
            self.run.cancellation.check_often()?;
            if step.can_die && self.note_death(step, is_first) {
                continue;
            }
            self.noted(step, is_first)?;
        }
        Ok(())
    }

    /// One part of a step, for itself.
    pub(super) fn part(&mut self, step: &'a Step, is_first: bool) -> Result<()> {
        self.set_current(step);
        self.noted(step, is_first)
    }

    /// Runs a step. Its errors say where, and a traced run keeps when.
    fn noted(&mut self, step: &'a Step, is_first: bool) -> Result<()> {
        let begun = self.run.trace.map(|_| Instant::now());
        self.step(step, is_first)
            .map_err(|e| e.at(&*step.node.name))?;
        if let (Some(trace), Some(begun)) = (self.run.trace, begun) {
            let values = &self.slots.values;
            // The members of a group and the parts of an ended kernel have noted themselves.
            if !matches!(step.action, Action::Group(_) | Action::Ended(_)) {
                trace.note(step, begun, |slot| values.get(slot as usize));
            }
        }
        Ok(())
    }

    /// Whether the step is dead; then its outputs are dead too.
    fn note_death(&mut self, step: &Step, is_first: bool) -> bool {
        let is_dead = self.is_dead(step, is_first);
        if let Some(bit) = step.says_alive {
            self.slots.alive[bit as usize] = !is_dead;
        }
        // An Exit is dead in all iterations but one: the value of that one stays.
        if is_dead && !matches!(step.action, Action::Exit) {
            for &slot in &step.outputs {
                self.set(slot, Slot::Empty);
            }
        }
        is_dead
    }

    fn is_dead(&self, step: &Step, is_first: bool) -> bool {
        let is_empty = |o: &Operand| match o.place {
            Place::Slot(s) => self.slots.values[s as usize].is_empty(),
            Place::Constant(_) => false,
        };
        let is_dead_by_data = match step.action {
            Action::Merge => step.inputs.iter().all(is_empty),
            Action::LoopMerge { entering } => {
                let (enter, back) = step.inputs.split_at(entering);
                if is_first { enter } else { back }.iter().all(is_empty)
            }
            _ => step.inputs.iter().any(is_empty),
        };
        is_dead_by_data || self.is_held_back(&step.needs_alive)
    }

    fn is_held_back(&self, needs_alive: &[u32]) -> bool {
        needs_alive
            .iter()
            .any(|bit| !self.slots.alive[*bit as usize])
    }

    pub(super) fn step(&mut self, step: &'a Step, is_first: bool) -> Result<()> {
        match &step.action {
            Action::Kernel(kernel) => self.compute(step, Work::Kernel(*kernel)),
            Action::Map(map) => self.compute(step, Work::Map(map)),
            Action::Forward | Action::NextIteration | Action::Exit => {
                let value = self.take(step, &step.inputs[0])?;
                self.set(step.outputs[0], value);
                Ok(())
            }
            Action::Nothing => Ok(()),
            Action::Unfed => Err(unfed(step)),
            Action::Constant(c) => {
                let value = self.run.plan.constants[*c as usize].clone();
                self.set(step.outputs[0], Slot::Value(value));
                Ok(())
            }
            Action::Switch => self.switch(step),
            Action::Merge => self.merge(step, 0, &step.inputs),
            Action::LoopMerge { entering } => {
                let (enter, back) = step.inputs.split_at(*entering);
                if is_first {
                    self.merge(step, 0, enter)
                } else {
                    self.merge(step, *entering, back)
                }
            }
            Action::Loop(body) => self.run_loop(body),
            Action::Group(group) => self.group(step, group, is_first),
            Action::Ended(ended) => self.ended(step, ended, is_first),
        }
    }

    // ---- operands ----

    pub(super) fn set(&mut self, slot: u32, value: Slot) {
        if slot != NO_SLOT {
            self.slots.values[slot as usize] = value;
        }
    }

    /// An operand as the step wants it: a reference, or what it refers to.
    pub(super) fn take(&mut self, step: &Step, operand: &Operand) -> Result<Slot> {
        let slot = match operand.place {
            Place::Constant(c) => {
                return Ok(Slot::Value(self.run.plan.constants[c as usize].clone()));
            }
            Place::Slot(s) => &mut self.slots.values[s as usize],
        };
        // A look before it is taken: after an error the operand still lies there, for a group's members to meet.
        if let Slot::Ref(variable) = slot {
            if !operand.wants_ref {
                let value = read(variable.clone())?;
                if operand.is_last {
                    *slot = Slot::Empty;
                }
                return Ok(value);
            }
            if !step.node.def.allows_uninitialized_input && !variable.is_initialized() {
                return Err(variable.uninitialized());
            }
        }
        Ok(if operand.is_last {
            std::mem::take(slot)
        } else {
            slot.clone()
        })
    }

    // ---- kernels ----

    fn compute(&mut self, step: &'a Step, work: Work) -> Result<()> {
        if let Some(place) = step.is_lasting {
            return self.lasting(step, work, place);
        }
        let mut inputs = Inputs::new();
        if let Site::Gpu(number) = step.site {
            match self.on_gpu(step, gpu(number)?, work)? {
                Ok(outputs) => {
                    for (slot, output) in step.outputs.iter().zip(outputs) {
                        self.set(*slot, output);
                    }
                    return Ok(());
                }
                Err(left) => inputs = left,
            }
        } else {
            for operand in &step.inputs {
                inputs.push(self.take(step, operand)?);
            }
        }
        to_host(&mut inputs, step.kept)?;
        let reads = inputs.iter().any(|i| matches!(i, Slot::Read(..)));
        let outputs = match (reads, step.keeps_inputs) {
            (false, _) => self.call(step, work, &mut inputs)?,
            (true, true) => {
                copy_reads(&mut inputs)?;
                self.call(step, work, &mut inputs)?
            }
            (true, false) => self.call_locked(step, work, &mut inputs)?,
        };
        for (slot, output) in step.outputs.iter().zip(outputs) {
            self.set(*slot, output);
        }
        Ok(())
    }

    fn call(&self, step: &Step, work: Work, inputs: &mut [Slot]) -> Result<SmallVec<[Slot; 2]>> {
        let run = self.run;
        let kernel = match work {
            Work::Kernel(kernel) => kernel,
            Work::Map(map) => return run_map(step, map, inputs),
        };
        let mut context =
            KernelContext::new(step.id, &step.node, inputs, run.session, run.cancellation);
        kernel(&mut context)?;
        let outputs = context.into_outputs();
        for (i, output) in outputs.iter().enumerate() {
            ensure!(
                !output.is_empty(),
                internal,
                "{} did not set output {i}",
                step.node.op()
            );
        }
        Ok(outputs)
    }

    /// Calls a kernel under the locks of the variables in whose memory its inputs lie. Where an output lies there too
    /// (a reshape, say), that is kept in mind.
    fn call_locked(
        &self,
        step: &Step,
        work: Work,
        inputs: &mut [Slot],
    ) -> Result<SmallVec<[Slot; 2]>> {
        let mut memory: SmallVec<[(Buffer, Arc<Variable>); 2]> = SmallVec::new();
        for input in inputs.iter() {
            if let Slot::Read(value, variable) = input
                && let Some(buffer) = value.buffer()
            {
                memory.push((buffer.clone(), variable.clone()));
            }
        }
        let variables = memory.iter().map(|(_, variable)| (variable.clone(), false));
        let mut wanted: SmallVec<[Wanted; 4]> = variables.collect();
        in_order(&mut wanted);
        let guards = lock(&wanted);
        let on_device: SmallVec<[Slot; 2]> = inputs
            .iter()
            .filter(|i| matches!(i, Slot::Read(v, _) if v.is_on_device()))
            .cloned()
            .collect();
        let mut outputs = self.call(step, work, inputs)?;
        drop(guards);
        keep_reads(&on_device, &mut outputs);
        for output in &mut outputs {
            let owner = match output {
                Slot::Value(value) => value.buffer().and_then(|out| {
                    memory
                        .iter()
                        .find(|(buffer, _)| out.shares_memory_with(buffer))
                }),
                _ => None,
            };
            if let (Some((_, variable)), Slot::Value(value)) = (owner, &*output) {
                *output = Slot::Read(value.clone(), variable.clone());
            }
        }
        Ok(outputs)
    }

    /// A variable or a handle: found by name once, then kept for as long as no resource is removed.
    fn lasting(&mut self, step: &'a Step, work: Work, place: u32) -> Result<()> {
        let removals = self.run.session.resources().removals();
        let found = match self.run.lasting.get(place, removals) {
            Some(found) => found,
            None => {
                let mut outputs = self.call(step, work, &mut [])?;
                let made = std::mem::take(&mut outputs[0]);
                self.run.lasting.put(place, removals, made.clone());
                made
            }
        };
        self.set(step.outputs[0], found);
        Ok(())
    }

    // ---- control flow ----

    fn switch(&mut self, step: &'a Step) -> Result<()> {
        // In this order: where both are one slot, the last of them is its last use.
        let value = self.take(step, &step.inputs[0])?;
        let predicate = self.take(step, &step.inputs[1])?;
        let branch = usize::from(predicate_of(&predicate)?);
        self.set(step.outputs[1 - branch], Slot::Empty);
        self.set(step.outputs[branch], value);
        Ok(())
    }

    fn merge(&mut self, step: &'a Step, offset: usize, inputs: &'a [Operand]) -> Result<()> {
        for (i, operand) in inputs.iter().enumerate() {
            let value = self.take(step, operand)?;
            if value.is_empty() {
                continue;
            }
            self.set(step.outputs[0], value);
            if step.outputs[1] != NO_SLOT {
                let index = Value::scalar((offset + i) as i32)?;
                self.set(step.outputs[1], Slot::Value(index));
            }
            return Ok(());
        }
        bail!(internal, "no input of a Merge is alive")
    }

    fn run_loop(&mut self, body: &'a Loop) -> Result<()> {
        for enter in &body.enters {
            self.enter(enter).map_err(|e| e.at(&*enter.node.name))?;
        }
        for &slot in body.exits.iter().chain(&body.next) {
            self.set(slot, Slot::Empty);
        }
        let mut is_first = true;
        loop {
            self.block(&body.steps, is_first)?;
            is_first = false;
            let goes_on = |slot: &u32| !self.slots.values[*slot as usize].is_empty();
            if !body.next.iter().any(goes_on) {
                break;
            }
        }
        for enter in &body.enters {
            self.set(enter.slot, Slot::Empty);
        }
        Ok(())
    }

    fn enter(&mut self, enter: &Enter) -> Result<()> {
        let is_dead = self.is_held_back(&enter.needs_alive);
        let value = match enter.input.place {
            Place::Constant(c) => Slot::Value(self.run.plan.constants[c as usize].clone()),
            Place::Slot(s) if enter.input.is_last => {
                std::mem::take(&mut self.slots.values[s as usize])
            }
            Place::Slot(s) => self.slots.values[s as usize].clone(),
        };
        let value = match value {
            _ if is_dead => Slot::Empty,
            Slot::Ref(variable) if !enter.input.wants_ref => read(variable)?,
            other => other,
        };
        if let Some(bit) = enter.says_alive {
            self.slots.alive[bit as usize] = !value.is_empty();
        }
        self.set(enter.slot, value);
        Ok(())
    }

    // ---- results ----

    fn fetch_all(&mut self) -> Result<Vec<Value>> {
        let fetches = &self.run.plan.fetches;
        let each = fetches.iter().enumerate().map(|(i, fetch)| {
            let is_taken_again = fetches[i + 1..].iter().any(|f| f.place == fetch.place);
            (fetch, is_taken_again)
        });
        self.fetch_each(each)
    }

    fn fetch_each(
        &mut self,
        fetches: impl Iterator<Item = (&'a Fetch, bool)>,
    ) -> Result<Vec<Value>> {
        let mut values = Vec::new();
        let mut is_fresh: SmallVec<[bool; 8]> = SmallVec::new();
        for (fetch, is_taken_again) in fetches {
            let (value, fresh) = self.fetch(fetch, is_taken_again)?;
            values.push(value);
            is_fresh.push(fresh);
        }
        if !self.run.plan.gpus.is_empty() || values.iter().any(Value::is_on_device) {
            self.bring(&mut values, &is_fresh)?;
        }
        Ok(values)
    }

    /// What is fetched is the state at the end of the run: what lies in a variable's memory is copied now, or, with
    /// `true`, is to be read from a device.
    fn fetch(&mut self, fetch: &Fetch, is_taken_again: bool) -> Result<(Value, bool)> {
        let slot = match fetch.place {
            Place::Constant(c) => return Ok((self.run.plan.constants[c as usize].clone(), false)),
            Place::Slot(s) if is_taken_again => self.slots.values[s as usize].clone(),
            Place::Slot(s) => std::mem::take(&mut self.slots.values[s as usize]),
        };
        let at = |e: Error| e.at(&*fetch.name);
        let position = || {
            let fetches = &self.run.plan.fetches;
            let found = fetches.iter().position(|f| std::ptr::eq(f, fetch));
            found.unwrap_or(0)
        };
        let copy = |value: &Value| match value.is_on_device() {
            true => Ok((value.clone(), true)),
            false => Ok((value.deep_copy()?, false)),
        };
        match slot {
            Slot::Value(value) => Ok((value, false)),
            Slot::Read(value, variable) => {
                let _guard = variable.value.read();
                copy(&value)
            }
            Slot::Ref(variable) => {
                let guard = variable.value.read();
                let value = guard.as_ref().ok_or_else(|| {
                    // TensorFlow names the node that it puts behind what is fetched.
                    let mut error = variable.uninitialized();
                    error.message +=
                        &format!("\n\t [[{{{{node {}_{}}}}}]]", fetch.name, position());
                    at(error)
                })?;
                copy(value)
            }
            Slot::Empty => Err(at(Error::invalid(format!(
                "Retval[{}] does not have value",
                position()
            )))),
        }
    }
}

fn unfed(step: &Step) -> Error {
    let output = &step.node.outputs[0];
    let mut message = format!(
        "You must feed a value for placeholder tensor '{}' with dtype {}",
        step.node.name,
        output.dtype.short_name()
    );
    if let Ok(shape) = step.node.attrs.shape("shape")
        && shape.rank().is_some_and(|rank| rank > 0)
    {
        message.push_str(&format!(" and shape {shape}"));
    }
    Error::invalid(message)
}

/// What a reference refers to. Nothing is copied: the value lies in the variable's memory.
fn read(variable: Arc<Variable>) -> Result<Slot> {
    let value = variable.read()?;
    Ok(match value.is_plain() {
        true => Slot::Read(value, variable),
        false => Slot::Value(value),
    })
}

/// A copy on the host of what was read of a variable, as it is now.
pub(super) fn copy_read(value: &Value, variable: &Variable) -> Result<Value> {
    let _guard = variable.value.read();
    value.deep_copy()
}

fn copy_reads(inputs: &mut [Slot]) -> Result<()> {
    for input in inputs {
        if let Slot::Read(value, variable) = input {
            *input = Slot::Value(copy_read(value, variable)?);
        }
    }
    Ok(())
}

fn predicate_of(slot: &Slot) -> Result<bool> {
    let check = |value: &Value| {
        ensure!(
            value.shape().is_scalar(),
            invalid,
            "The second input must be a scalar, but it has shape {}",
            value.shape()
        );
        value.item_bool()
    };
    match slot {
        Slot::Value(value) => check(value),
        Slot::Read(value, variable) => {
            let _guard = variable.value.read();
            check(value)
        }
        _ => bail!(internal, "the predicate of a Switch has no value"),
    }
}
