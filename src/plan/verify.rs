//! What must hold of any plan, checked after every planning: a plan that breaks a rule is an error, not a wrong run.

use crate::ensure;
use crate::error::Result;

use super::step::{Action, Operand, Place, Plan, Step};

/// Slots are in range and written before they are read; loops' own rules are checked within them.
pub fn verify(plan: &Plan) -> Result<()> {
    let mut is_written = vec![false; plan.slots];
    for slot in 0..plan.feeds.len() {
        ensure!(slot < plan.slots, internal, "plan: feed {slot} has no slot");
        is_written[slot] = true;
    }
    verify_block(plan, &plan.steps, &mut is_written)?;
    for fetch in &plan.fetches {
        verify_place(plan, fetch.place, &is_written, &fetch.name)?;
    }
    Ok(())
}

fn verify_block(plan: &Plan, steps: &[Step], is_written: &mut [bool]) -> Result<()> {
    for step in steps {
        match &step.action {
            Action::Loop(body) => {
                for enter in &body.enters {
                    verify_operand(plan, &enter.input, is_written, &enter.node.name)?;
                    write(is_written, enter.slot);
                }
                for slot in &body.next {
                    write(is_written, *slot);
                }
                verify_block(plan, &body.steps, is_written)?;
            }
            Action::Group(group) => {
                for operand in &step.inputs {
                    verify_operand(plan, operand, is_written, &step.node.name)?;
                }
                ensure!(
                    step.inputs.len() == group.program.program().inputs.len(),
                    internal,
                    "plan: group '{}' has {} operands for a program of {}",
                    step.node.name,
                    step.inputs.len(),
                    group.program.program().inputs.len()
                );
                for member in &group.members {
                    verify_block(plan, std::slice::from_ref(&member.step), is_written)?;
                }
            }
            Action::Ended(ended) => {
                for operand in &step.inputs {
                    verify_operand(plan, operand, is_written, &step.node.name)?;
                }
                for part in [&ended.kernel, &ended.then] {
                    verify_block(plan, std::slice::from_ref(part), is_written)?;
                }
            }
            _ => {
                for operand in &step.inputs {
                    verify_operand(plan, operand, is_written, &step.node.name)?;
                }
                for slot in &step.outputs {
                    write(is_written, *slot);
                }
            }
        }
        let mut bits = step.needs_alive.iter().chain(step.says_alive.iter());
        ensure!(
            bits.all(|b| (*b as usize) < plan.alive_bits),
            internal,
            "plan: step '{}' refers to a bit that is not there",
            step.node.name
        );
    }
    Ok(())
}

fn write(is_written: &mut [bool], slot: u32) {
    if let Some(written) = is_written.get_mut(slot as usize) {
        *written = true;
    }
}

fn verify_operand(plan: &Plan, operand: &Operand, is_written: &[bool], node: &str) -> Result<()> {
    verify_place(plan, operand.place, is_written, node)
}

fn verify_place(plan: &Plan, place: Place, is_written: &[bool], node: &str) -> Result<()> {
    match place {
        Place::Constant(c) => ensure!(
            (c as usize) < plan.constants.len(),
            internal,
            "plan: '{node}' reads constant {c}, which is not there"
        ),
        Place::Slot(s) => ensure!(
            is_written.get(s as usize).copied().unwrap_or(false),
            internal,
            "plan: '{node}' reads slot {s} before it is written"
        ),
    }
    Ok(())
}
