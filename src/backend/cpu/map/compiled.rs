//! Programs with their registers assigned.

use smallvec::SmallVec;

use crate::expr::{Arg, Instr, Op, Program, Scalar};
use crate::value::DType;

use super::single::Single;

/// Where an instruction reads.
#[derive(Clone, Copy, Debug)]
pub(super) enum From {
    Input(u16),
    Register(u16),
    Constant(u16),
}

/// Where an instruction writes.
#[derive(Clone, Copy, Debug)]
pub(super) enum To {
    Register(u16),
    Output(u16),
}

#[derive(Debug)]
pub(super) struct Code {
    pub(super) op: Op,
    pub(super) args: SmallVec<[From; 3]>,
    pub(super) from: DType,
    pub(super) to: DType,
    pub(super) dst: To,
}

/// A program with its registers assigned, ready to run.
#[derive(Debug)]
pub struct Compiled {
    pub(super) program: Program,
    pub(super) code: Vec<Code>,
    pub(super) constants: Vec<Scalar>,
    pub(super) registers: usize,
    /// The same as vector loops, for programs over `float32`.
    pub(super) single: Option<Box<Single>>,
    /// Outputs that are inputs, constants, or values that later instructions read: copied at the end of each block.
    pub(super) copies: Vec<(u16, From)>,
}

impl Compiled {
    pub fn new(program: Program) -> Compiled {
        let mut last_read = vec![0usize; program.instrs.len()];
        for (at, instr) in program.instrs.iter().enumerate() {
            for arg in &instr.args {
                if let Arg::Value(v) = arg {
                    last_read[*v as usize] = at;
                }
            }
        }
        let mut state = Assigning {
            constants: Vec::new(),
            place: Vec::new(),
            free: Vec::new(),
            registers: 0,
        };
        let mut code = Vec::with_capacity(program.instrs.len());
        for (at, instr) in program.instrs.iter().enumerate() {
            code.push(state.assign(&program, at, instr, &last_read));
        }
        let mut copies = Vec::new();
        for (k, output) in program.outputs.iter().enumerate() {
            let is_direct = code
                .iter()
                .any(|c| matches!(c.dst, To::Output(o) if o as usize == k));
            if !is_direct {
                copies.push((k as u16, state.source(*output)));
            }
        }
        Compiled {
            single: Single::new(&program).map(Box::new),
            program,
            code,
            constants: state.constants,
            registers: state.registers,
            copies,
        }
    }

    pub fn program(&self) -> &Program {
        &self.program
    }

    /// Whether it runs as vector loops, whose outputs may end as sums or over their operands.
    pub fn is_single(&self) -> bool {
        self.single.is_some()
    }
}

struct Assigning {
    constants: Vec<Scalar>,
    /// Where each instruction's result lies.
    place: Vec<To>,
    free: Vec<u16>,
    registers: usize,
}

impl Assigning {
    fn assign(&mut self, program: &Program, at: usize, instr: &Instr, last: &[usize]) -> Code {
        let value = Arg::Value(at as u16);
        let mut outputs = (0..program.outputs.len()).filter(|k| program.outputs[*k] == value);
        let args: SmallVec<[From; 3]> = instr.args.iter().map(|a| self.source(*a)).collect();
        let is_read = last[at] > at;
        let (output, is_output_twice) = (outputs.next(), outputs.next().is_some());
        let dst = match output {
            Some(output) if !is_read && !is_output_twice => To::Output(output as u16),
            is_output => {
                let register = self.free.pop().unwrap_or_else(|| {
                    self.registers += 1;
                    (self.registers - 1) as u16
                });
                if is_output.is_none() && !is_read {
                    // Nobody reads it: the register is free again at once.
                    self.free.push(register);
                }
                To::Register(register)
            }
        };
        self.place.push(dst);
        let mut freed: SmallVec<[u16; 3]> = SmallVec::new();
        for arg in &instr.args {
            let Arg::Value(v) = *arg else { continue };
            let is_kept = program.outputs.contains(arg);
            if last[v as usize] == at
                && !is_kept
                && let To::Register(register) = self.place[v as usize]
                && !freed.contains(&register)
            {
                freed.push(register);
            }
        }
        self.free.extend(freed);
        Code {
            op: instr.op,
            args,
            from: instr.from,
            to: instr.to,
            dst,
        }
    }

    fn source(&mut self, arg: Arg) -> From {
        match arg {
            Arg::Input(i) => From::Input(i),
            Arg::Value(v) => match self.place[v as usize] {
                To::Register(register) => From::Register(register),
                To::Output(_) => unreachable!("a value written straight to its output is not read"),
            },
            Arg::Constant(c) => {
                let known = self.constants.iter().position(|k| *k == c);
                let place = known.unwrap_or_else(|| {
                    self.constants.push(c);
                    self.constants.len() - 1
                });
                From::Constant(place as u16)
            }
        }
    }
}
