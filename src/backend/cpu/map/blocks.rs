//! A program on one block after another: its registers, and the operands that repeat.

use std::cell::RefCell;

use smallvec::SmallVec;

use crate::backend::cpu::simd::Shared;
use crate::error::Result;
use crate::expr::{Op, Ternary};
use crate::value::DType;

use super::compiled::{Code, Compiled, From, To};
use super::layout::{Layout, repeat, stretch};
use super::loops::{binary, select, unary};
use super::missing::no_kernel;
use super::{BLOCK, cast};

/// Room for a block of the widest elements, aligned for all of them.
type Register = Box<[u64]>;

thread_local! {
    /// Registers of earlier runs.
    static POOL: RefCell<Vec<Register>> = const { RefCell::new(Vec::new()) };
}

fn new_register() -> Register {
    let kept = POOL.with_borrow_mut(Vec::pop);
    kept.unwrap_or_else(|| vec![0u64; BLOCK * 2].into_boxed_slice())
}

fn give_back(registers: impl IntoIterator<Item = Register>) {
    POOL.with_borrow_mut(|pool| {
        for register in registers {
            if register.len() == BLOCK * 2 && pool.len() < 64 {
                pool.push(register);
            }
        }
    });
}

/// Bytes `from..from + len` of an output, for the block that writes them.
fn part<'a>(output: Shared<u8>, from: usize, len: usize) -> &'a mut [u8] {
    // SAFETY: a block lies within the elements of the output, blocks do not overlap, and each is run once, by one
    // instruction at a time; `run` holds the outputs until all blocks are done.
    unsafe { output.part(from, len) }
}

pub(super) struct Machine<'a> {
    compiled: &'a Compiled,
    layouts: &'a [Layout<'a>],
    /// For each operand that is not full.
    operands: SmallVec<[Option<Register>; 4]>,
    constants: SmallVec<[Register; 4]>,
    registers: SmallVec<[Register; 4]>,
}

impl<'a> Machine<'a> {
    pub(super) fn new(compiled: &'a Compiled, layouts: &'a [Layout<'a>], total: usize) -> Self {
        let n = total.min(BLOCK);
        let splat = |bytes: &[u8]| {
            let mut register = new_register();
            repeat(
                bytes,
                0,
                bytes.len(),
                &mut as_bytes(&mut register)[..n * bytes.len()],
            );
            register
        };
        let operands = layouts.iter().map(|layout| match layout {
            Layout::Full(_) => None,
            Layout::One(bytes) => Some(splat(bytes)),
            _ => Some(new_register()),
        });
        Machine {
            operands: operands.collect(),
            constants: compiled
                .constants
                .iter()
                .map(|c| splat(c.bytes()))
                .collect(),
            registers: (0..compiled.registers).map(|_| new_register()).collect(),
            compiled,
            layouts,
        }
    }

    pub(super) fn finish(self) {
        give_back(self.operands.into_iter().flatten());
        give_back(self.constants);
        give_back(self.registers);
    }

    pub(super) fn block(
        &mut self,
        offset: usize,
        len: usize,
        outputs: &[Shared<u8>],
    ) -> Result<()> {
        for (k, layout) in self.layouts.iter().enumerate() {
            let size = self.compiled.program.inputs[k].size().unwrap_or(1);
            let Some(register) = &mut self.operands[k] else {
                continue;
            };
            let out = &mut as_bytes(register)[..len * size];
            match layout {
                Layout::Row(bytes, period) => {
                    repeat(bytes, offset % period * size, period * size, out);
                }
                Layout::Column(bytes, inner) => stretch(bytes, size, offset, *inner, out),
                _ => {}
            }
        }
        for code in &self.compiled.code {
            let size = code.to.size().unwrap_or(1);
            match code.dst {
                To::Output(k) => {
                    let out = part(outputs[k as usize], offset * size, len * size);
                    self.execute(code, offset, len, out)?;
                }
                To::Register(r) => {
                    let mut register = std::mem::take(&mut self.registers[r as usize]);
                    let result = self.execute(
                        code,
                        offset,
                        len,
                        &mut as_bytes(&mut register)[..len * size],
                    );
                    self.registers[r as usize] = register;
                    result?;
                }
            }
        }
        self.copy(offset, len, outputs);
        Ok(())
    }

    fn copy(&self, offset: usize, len: usize, outputs: &[Shared<u8>]) {
        for (k, from) in &self.compiled.copies {
            let program = &self.compiled.program;
            let dtype = program.dtype_of(program.outputs[*k as usize]);
            let size = dtype.size().unwrap_or(1);
            let bytes = self.source(*from, dtype, offset, len);
            part(outputs[*k as usize], offset * size, len * size).copy_from_slice(bytes);
        }
    }

    fn source(&self, from: From, dtype: DType, offset: usize, len: usize) -> &[u8] {
        let size = dtype.size().unwrap_or(1);
        let register = match from {
            From::Register(r) => &self.registers[r as usize],
            From::Constant(c) => &self.constants[c as usize],
            From::Input(i) => match (&self.layouts[i as usize], &self.operands[i as usize]) {
                (Layout::Full(bytes), _) => return &bytes[offset * size..(offset + len) * size],
                (_, Some(register)) => register,
                (_, None) => return &[],
            },
        };
        &bytemuck::cast_slice::<u64, u8>(register)[..len * size]
    }

    fn execute(&self, code: &Code, offset: usize, len: usize, out: &mut [u8]) -> Result<()> {
        let arg = |i: usize, dtype: DType| self.source(code.args[i], dtype, offset, len);
        match code.op {
            Op::Unary(op) => unary(op, code.from, arg(0, code.from), out),
            Op::Binary(op) => binary(op, code.from, arg(0, code.from), arg(1, code.from), out),
            Op::Ternary(Ternary::Select) => {
                let (c, a, b) = (arg(0, DType::Bool), arg(1, code.from), arg(2, code.from));
                select(code.from.size().unwrap_or(1), c, a, b, out);
                Ok(())
            }
            Op::Ternary(op) => Err(no_kernel(op, code.from)),
            Op::Cast => cast::cast(code.from, code.to, arg(0, code.from), out),
        }
    }
}

fn as_bytes(register: &mut Register) -> &mut [u8] {
    bytemuck::cast_slice_mut(register)
}
