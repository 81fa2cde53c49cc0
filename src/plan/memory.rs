//! Last pass: finds where each slot is read for the last time, so that its value is moved out there: memory is free as
//! early as can be, and kernels may write their results over their inputs.

use super::step::{Action, Loop, Operand, Place, Plan, Step};

/// Marks the last use of each slot.
pub fn assign_memory(mut plan: Plan) -> Plan {
    let mut is_read_later = vec![false; plan.slots];
    for fetch in &plan.fetches {
        if let Place::Slot(slot) = fetch.place {
            is_read_later[slot as usize] = true;
        }
    }
    mark_block(&mut plan.steps, &mut is_read_later);
    plan
}

fn mark_block(steps: &mut [Step], is_read_later: &mut [bool]) {
    for step in steps.iter_mut().rev() {
        match &mut step.action {
            Action::Loop(body) => mark_loop(body, is_read_later),
            _ => {
                for operand in step.inputs.iter_mut().rev() {
                    mark(operand, is_read_later);
                }
            }
        }
    }
}

fn mark(operand: &mut Operand, is_read_later: &mut [bool]) {
    if let Place::Slot(slot) = operand.place {
        operand.is_last = !std::mem::replace(&mut is_read_later[slot as usize], true);
    }
}

/// Inside, what entered stays for every iteration. The recursion follows the nesting of loops, which `frames` bounds.
fn mark_loop(body: &mut Loop, is_read_later: &mut [bool]) {
    let mut stays: Vec<u32> = body.enters.iter().map(|e| e.slot).collect();
    stays.extend(&body.exits);
    for slot in stays {
        if let Some(read) = is_read_later.get_mut(slot as usize) {
            *read = true;
        }
    }
    mark_block(&mut body.steps, is_read_later);
    for enter in body.enters.iter_mut().rev() {
        mark(&mut enter.input, is_read_later);
    }
}
