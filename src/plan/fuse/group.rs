//! From members to a step: one program over the elements, and what becomes of its results.

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::backend::cpu::map::Compiled;
use crate::error::Result;
use crate::expr::{Arg, Builder, Scalar};
use crate::value::{DType, Value};

use super::super::step::{Action, End, Group, Member, NO_SLOT, Need, Operand, Place, Source, Step};
use super::members::{Part, gains_alone};

/// For operands that are all of a variable: which variable, by step and operand.
pub type Exact = FxHashMap<(usize, usize), u32>;

/// The block with each group in the place of its last member.
pub fn rebuild(
    steps: Vec<Step>,
    mut parts: Vec<Option<Part>>,
    groups: Vec<Vec<usize>>,
    exact: &Exact,
    constants: &[Value],
    reads: &[u32],
) -> Vec<Step> {
    let mut steps: Vec<Option<Step>> = steps.into_iter().map(Some).collect();
    for places in groups {
        let is_worth_it = match places.as_slice() {
            [one] => parts[*one].as_ref().is_some_and(gains_alone),
            _ => true,
        };
        if !is_worth_it {
            continue;
        }
        let mut making = Making {
            constants,
            exact,
            builder: Builder::default(),
            inputs: Vec::new(),
            last_reads: SmallVec::new(),
            values: FxHashMap::default(),
            variables: FxHashMap::default(),
            written: written(&steps, &parts, &places, exact),
            places: &places,
        };
        let ends = making.run(&steps, &mut parts, reads);
        let Some((ends, results, plans)) = ends.ok().flatten() else {
            continue;
        };
        let (inputs, last_reads, written) = (making.inputs, making.last_reads, making.written);
        let program = Compiled::new(making.builder.finish(results));
        let is_plain = |end: &End| matches!(end, End::Value { .. });
        if !program.is_single() && !ends.iter().all(is_plain) {
            continue;
        }
        let members = places
            .iter()
            .zip(plans)
            .filter_map(|(at, (needs, sources))| {
                let mut step = steps[*at].take()?;
                for (i, operand) in step.inputs.iter_mut().enumerate() {
                    // One by one, too, members read written variables where the group has them.
                    let root = exact.get(&(*at, i));
                    if let Some(variable) = root.and_then(|root| written.get(root)) {
                        operand.place = variable.place;
                    }
                }
                Some(Member {
                    step,
                    needs,
                    sources,
                })
            });
        let members: Vec<Member> = members.collect();
        let Some(last) = members.last() else { continue };
        let outputs = ends.iter().map(|end| match end {
            End::Value { slot } | End::Update { slot, .. } | End::Sum { slot, .. } => *slot,
        });
        let step = Step {
            id: last.step.id,
            node: last.step.node.clone(),
            site: last.step.site,
            kept: 0,
            launch: None,
            inputs: inputs.iter().copied().collect(),
            outputs: outputs.collect(),
            can_die: last.step.can_die,
            life: last.step.life,
            needs_alive: SmallVec::new(),
            says_alive: None,
            keeps_inputs: false,
            is_lasting: None,
            action: Action::Group(Box::new(Group {
                program,
                ends,
                last_reads,
                members,
            })),
        };
        let at = places[places.len() - 1];
        steps[at] = Some(step);
    }
    steps.into_iter().flatten().collect()
}

/// The variables that members update, and the operands by which they do.
fn written(
    steps: &[Option<Step>],
    parts: &[Option<Part>],
    places: &[usize],
    exact: &Exact,
) -> FxHashMap<u32, Operand> {
    let mut all = FxHashMap::default();
    for &at in places {
        if let (Some(step), Some(Part::Update { .. })) = (&steps[at], &parts[at])
            && let (Some(root), Some(operand)) = (exact.get(&(at, 0)), step.inputs.first())
        {
            all.insert(*root, *operand);
        }
    }
    all
}

type Plans = Vec<(SmallVec<[Need; 3]>, SmallVec<[Source; 3]>)>;

/// What goes into a program, and where its values are.
struct Making<'a> {
    constants: &'a [Value],
    exact: &'a Exact,
    builder: Builder,
    inputs: Vec<Operand>,
    last_reads: SmallVec<[u16; 6]>,
    /// What members gave: by slot.
    values: FxHashMap<u32, (Arg, u16)>,
    /// What variables hold now, where members updated them.
    variables: FxHashMap<u32, (Arg, u16)>,
    /// What members update; all that reads such a variable is one input.
    written: FxHashMap<u32, Operand>,
    places: &'a [usize],
}

impl Making<'_> {
    /// `None` when the members are better left alone.
    fn run(
        &mut self,
        steps: &[Option<Step>],
        parts: &mut [Option<Part>],
        reads: &[u32],
    ) -> Result<Option<(Vec<End>, Vec<Arg>, Plans)>> {
        let places = self.places;
        let mut inside: FxHashMap<u32, u32> = FxHashMap::default();
        let members = || places.iter().filter_map(|at| steps[*at].as_ref());
        for operand in members().flat_map(|s| &s.inputs) {
            if let Place::Slot(slot) = operand.place {
                *inside.entry(slot).or_insert(0) += 1;
            }
        }
        let mut ends: Vec<(End, Arg)> = Vec::new();
        let mut plans: Plans = Vec::new();
        for (member, &at) in places.iter().enumerate() {
            let (Some(step), Some(part)) = (&steps[at], &parts[at]) else {
                return Ok(None);
            };
            let member = member as u16;
            let slot = step.outputs.first().copied().unwrap_or(NO_SLOT);
            let read = |slot: u32| reads.get(slot as usize).copied().unwrap_or(0);
            let is_read = slot != NO_SLOT && read(slot) > inside.get(&slot).copied().unwrap_or(0);
            match part {
                Part::Value { program, needs } => {
                    let (args, sources) = self.operands(at, step, &program.inputs, member)?;
                    let result = self.builder.append(program, &args)?;
                    let [result] = result.as_slice() else {
                        return Ok(None);
                    };
                    if matches!(result, Arg::Input(_) | Arg::Constant(_)) {
                        return Ok(None);
                    }
                    self.values.insert(slot, (*result, member));
                    if is_read {
                        ends.push((End::Value { slot }, *result));
                    }
                    plans.push((needs.clone(), sources));
                }
                Part::Update { program, needs } => {
                    let (args, sources) = self.operands(at, step, &program.inputs, member)?;
                    let (Some(Arg::Input(input)), Some(root)) =
                        (args.first(), self.exact.get(&(at, 0)))
                    else {
                        return Ok(None);
                    };
                    let input = *input as usize;
                    let [result] = *self.builder.append(program, &args)?.as_slice() else {
                        return Ok(None);
                    };
                    self.variables.insert(*root, (result, member));
                    let slot = if is_read { slot } else { NO_SLOT };
                    let end = End::Update {
                        slot,
                        input,
                        member,
                    };
                    ends.push((end, result));
                    plans.push((needs.clone(), sources));
                }
                Part::Sum { is_mean } => {
                    let Place::Slot(from) = step.inputs[0].place else {
                        return Ok(None);
                    };
                    let Some((result, source)) = self.values.get(&from).copied() else {
                        return Ok(None);
                    };
                    let is_mean = *is_mean;
                    ends.push((End::Sum { slot, is_mean }, result));
                    let sources = SmallVec::from_iter([Source::Member(source)]);
                    plans.push((SmallVec::from_iter([Need::Full]), sources));
                }
            }
        }
        let (ends, results): (Vec<End>, Vec<Arg>) = ends.into_iter().unzip();
        Ok((!ends.is_empty()).then_some((ends, results, plans)))
    }

    /// A step's operands in the program, and for the comparison of shapes.
    fn operands(
        &mut self,
        at: usize,
        step: &Step,
        types: &[DType],
        member: u16,
    ) -> Result<(SmallVec<[Arg; 3]>, SmallVec<[Source; 3]>)> {
        let (mut args, mut sources) = (SmallVec::new(), SmallVec::new());
        for (i, (operand, dtype)) in step.inputs.iter().zip(types).enumerate() {
            let (arg, source) = match self.known(at, i, operand) {
                Some((arg, source)) => (arg, source),
                None => {
                    let root = self.exact.get(&(at, i));
                    let variable = root.and_then(|root| self.written.get(root)).copied();
                    let operand = variable.unwrap_or(*operand);
                    let input = self.input(&operand, *dtype, member)?;
                    (Arg::Input(input), Source::Input(input))
                }
            };
            args.push(arg);
            sources.push(source);
        }
        Ok((args, sources))
    }

    /// An operand that a member gave, or a constant of one element.
    fn known(&self, at: usize, i: usize, operand: &Operand) -> Option<(Arg, Source)> {
        match operand.place {
            Place::Constant(c) => {
                let value = self.constants.get(c as usize)?;
                if !value.shape().is_scalar() {
                    return None;
                }
                let scalar = Scalar::from_bytes(value.dtype(), value.bytes().ok()?).ok()?;
                Some((Arg::Constant(scalar), Source::Scalar))
            }
            Place::Slot(slot) => {
                let by_slot = self.values.get(&slot);
                let root = self.exact.get(&(at, i));
                let by_variable = || root.and_then(|root| self.variables.get(root));
                let (arg, member) = by_slot.or_else(by_variable)?;
                Some((*arg, Source::Member(*member)))
            }
        }
    }

    /// An operand from outside.
    fn input(&mut self, operand: &Operand, dtype: DType, member: u16) -> Result<u16> {
        let same = |o: &Operand| o.place == operand.place && o.wants_ref == operand.wants_ref;
        let known = self.inputs.iter().position(same);
        let place = match known {
            Some(place) => place,
            None => {
                self.builder.input(dtype)?;
                self.inputs.push(*operand);
                self.last_reads.push(member);
                self.inputs.len() - 1
            }
        };
        self.last_reads[place] = member;
        Ok(place as u16)
    }
}
