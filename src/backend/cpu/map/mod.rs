//! The block machine: runs elementwise programs a block at a time, so that no value between two instructions leaves
//! the innermost cache. Operands broadcast as NumPy's do.
//!
//! The loops here are plain; they are the truth that vector code is tested against.

mod cast;
mod complex;
mod float;
mod int;
mod single;
mod special;
mod vector;

use std::cell::RefCell;

use half::{bf16, f16};
use num_complex::Complex;
use parking_lot::Mutex;
use smallvec::SmallVec;

pub use special::lgamma;

use crate::error::{Error, Result};
use crate::expr::{Arg, Binary, Instr, Op, Program, Scalar, Ternary, Unary};
use crate::value::{DType, Shape, Value};
use crate::{bail, ensure};

use super::simd::Shared;
use super::threads;
use single::{Out, Single};

/// Elements in a block: 4 KiB of floats.
const BLOCK: usize = 1024;
/// Elements in a job of the thread pool.
const PIECE: usize = 32 * BLOCK;

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

#[derive(Clone, Copy, Debug)]
enum From {
    Input(u16),
    Register(u16),
    Constant(u16),
}

#[derive(Clone, Copy, Debug)]
enum To {
    Register(u16),
    Output(u16),
}

#[derive(Debug)]
struct Code {
    op: Op,
    args: SmallVec<[From; 3]>,
    from: DType,
    to: DType,
    dst: To,
}

/// A program with its registers assigned, ready to run.
#[derive(Debug)]
pub struct Compiled {
    program: Program,
    code: Vec<Code>,
    constants: Vec<Scalar>,
    registers: usize,
    /// The same as vector loops, for programs over `float32`.
    single: Option<Box<Single>>,
    /// Outputs that are inputs, constants, or values that later instructions read: copied at the end of each block.
    copies: Vec<(u16, From)>,
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

/// How an operand lies relative to the result.
enum Layout<'a> {
    /// Element for element.
    Full(&'a [u8]),
    /// One element for all.
    One(&'a [u8]),
    /// Repeats after so many elements: a row under a matrix.
    Row(&'a [u8], usize),
    /// Each element stands for so many in a row: a column beside a matrix.
    Column(&'a [u8], usize),
}

/// The shape of elementwise results.
pub fn broadcast<'a>(shapes: impl IntoIterator<Item = &'a Shape>) -> Result<Shape> {
    let mut dims: SmallVec<[i64; 5]> = SmallVec::new();
    let mut is_first = true;
    for shape in shapes {
        if is_first {
            dims = shape.dims().into();
            is_first = false;
            continue;
        }
        if dims.as_slice() == shape.dims() {
            continue;
        }
        let before = dims.clone();
        while dims.len() < shape.rank() {
            dims.insert(0, 1);
        }
        let skip = dims.len() - shape.rank();
        for (a, b) in dims[skip..].iter_mut().zip(shape.dims()) {
            match (*a, *b) {
                (x, y) if x == y => {}
                (1, y) => *a = y,
                (_, 1) => {}
                _ => bail!(
                    invalid,
                    "Incompatible shapes: {} vs. {shape}",
                    Shape::new(&before)?
                ),
            }
        }
    }
    Shape::new(&dims)
}

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

/// Bytes `from..from + len` of an output, for the block that writes them.
fn part<'a>(output: Shared<u8>, from: usize, len: usize) -> &'a mut [u8] {
    // SAFETY: a block lies within the elements of the output, blocks do not overlap, and each is run once, by one
    // instruction at a time; `run` holds the outputs until all blocks are done.
    unsafe { output.part(from, len) }
}

fn layout_of<'a>(value: &'a Value, shape: &Shape) -> Result<Layout<'a>> {
    let bytes = value.bytes()?;
    if value.num_elements() == shape.num_elements() {
        return Ok(Layout::Full(bytes));
    }
    if value.num_elements() == 1 {
        return Ok(Layout::One(bytes));
    }
    match pattern(value.shape(), shape) {
        Some(Pattern::Row(period)) => Ok(Layout::Row(bytes, period)),
        Some(Pattern::Column(inner)) => Ok(Layout::Column(bytes, inner)),
        None => bail!(internal, "an operand was not expanded"),
    }
}

enum Pattern {
    Row(usize),
    Column(usize),
}

/// Whether `from` is a row (its dimensions are the last of `to`) or a column (the first, then ones).
fn pattern(from: &Shape, to: &Shape) -> Option<Pattern> {
    let leading = from.dims().iter().take_while(|d| **d == 1).count();
    let rest = &from.dims()[leading..];
    if to.dims().ends_with(rest) {
        return Some(Pattern::Row(from.num_elements()));
    }
    if from.rank() != to.rank() {
        return None;
    }
    let trailing = from.dims().iter().rev().take_while(|d| **d == 1).count();
    let kept = from.rank() - trailing;
    (from.dims()[..kept] == to.dims()[..kept])
        .then(|| Pattern::Column(to.dims()[kept..].iter().product::<i64>() as usize))
}

/// Operands that repeat in another way are written out in full, once.
fn expand_irregular(inputs: &[&Value], shape: &Shape) -> Result<SmallVec<[Option<Value>; 4]>> {
    let mut all = SmallVec::new();
    for value in inputs {
        let n = value.num_elements();
        // Truths that repeat are rare: no vector loop brings them.
        let is_regular = n == shape.num_elements()
            || n == 1
            || (value.dtype() != DType::Bool && pattern(value.shape(), shape).is_some());
        all.push(if is_regular {
            None
        } else {
            Some(expand(value, shape)?)
        });
    }
    Ok(all)
}

/// `value` repeated to `shape`.
pub fn expand(value: &Value, shape: &Shape) -> Result<Value> {
    let mut out = Value::uninit(value.dtype(), shape.clone())?;
    let size = value.dtype().size().unwrap_or(1);
    let rank = shape.rank();
    let skip = rank - value.shape().rank();
    let mut strides: SmallVec<[usize; 8]> = SmallVec::from_elem(0, rank);
    let mut stride = size;
    for axis in (skip..rank).rev() {
        let dim = value.shape().dim(axis - skip);
        strides[axis] = if dim == 1 { 0 } else { stride };
        stride *= dim;
    }
    let from = value.bytes()?;
    let mut index: SmallVec<[usize; 8]> = SmallVec::from_elem(0, rank);
    let mut at = 0;
    for to in out.bytes_mut()?.chunks_exact_mut(size) {
        to.copy_from_slice(&from[at..at + size]);
        for axis in (0..rank).rev() {
            index[axis] += 1;
            at += strides[axis];
            if index[axis] < shape.dim(axis) {
                break;
            }
            at -= strides[axis] * index[axis];
            index[axis] = 0;
        }
    }
    Ok(out)
}

struct Machine<'a> {
    compiled: &'a Compiled,
    layouts: &'a [Layout<'a>],
    /// For each operand that is not full.
    operands: SmallVec<[Option<Register>; 4]>,
    constants: SmallVec<[Register; 4]>,
    registers: SmallVec<[Register; 4]>,
}

impl<'a> Machine<'a> {
    fn new(compiled: &'a Compiled, layouts: &'a [Layout<'a>], total: usize) -> Self {
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

    fn finish(self) {
        give_back(self.operands.into_iter().flatten());
        give_back(self.constants);
        give_back(self.registers);
    }

    fn block(&mut self, offset: usize, len: usize, outputs: &[Shared<u8>]) -> Result<()> {
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

/// Fills `out` with `period` bytes of `from` again and again, from `start` on.
fn repeat(from: &[u8], start: usize, period: usize, out: &mut [u8]) {
    let mut at = start;
    let mut done = 0;
    while done < out.len() {
        let n = (period - at).min(out.len() - done);
        out[done..done + n].copy_from_slice(&from[at..at + n]);
        done += n;
        at = 0;
        if done >= period && done < out.len() {
            // What is there already is copied in ever larger pieces.
            let n = done.min(out.len() - done) / period * period;
            if n > 0 {
                let whole = done / period * period;
                let n = n.min(whole);
                out.copy_within(done - whole..done - whole + n, done);
                done += n;
                at = 0;
            }
        }
    }
}

/// Fills `out` with elements `offset..` of a column, each of which stands `inner` times.
fn stretch(from: &[u8], size: usize, offset: usize, inner: usize, out: &mut [u8]) {
    let mut element = offset / inner;
    let mut left = inner - offset % inner;
    let mut done = 0;
    while done < out.len() {
        let bytes = &from[element * size..(element + 1) * size];
        let n = left.min((out.len() - done) / size);
        for to in out[done..done + n * size].chunks_exact_mut(size) {
            to.copy_from_slice(bytes);
        }
        done += n * size;
        element += 1;
        left = inner;
    }
}

fn select(size: usize, c: &[u8], a: &[u8], b: &[u8], out: &mut [u8]) {
    macro_rules! as_type {
        ($t:ty) => {{
            let (a, b): (&[$t], &[$t]) = (bytemuck::cast_slice(a), bytemuck::cast_slice(b));
            let out: &mut [$t] = bytemuck::cast_slice_mut(out);
            for (i, out) in out.iter_mut().enumerate() {
                *out = if c[i] != 0 { a[i] } else { b[i] };
            }
        }};
    }
    match size {
        1 => as_type!(u8),
        2 => as_type!(u16),
        4 => as_type!(u32),
        8 => as_type!(u64),
        _ => as_type!([u64; 2]),
    }
}

fn no_kernel(op: impl std::fmt::Debug, dtype: DType) -> Error {
    Error::unimplemented(format!(
        "no kernel for {op:?} of elements of type {}",
        dtype.short_name()
    ))
}

fn unary(op: Unary, dtype: DType, x: &[u8], out: &mut [u8]) -> Result<()> {
    match dtype {
        DType::F32 => vector::unary(op, bytemuck::cast_slice(x), out),
        DType::F64 => float::unary_f64(op, bytemuck::cast_slice(x), out),
        DType::F16 => narrow_unary::<f16>(op, x, out),
        DType::BF16 => narrow_unary::<bf16>(op, x, out),
        DType::C64 => complex::unary_f32(op, bytemuck::cast_slice::<_, Complex<f32>>(x), out),
        DType::C128 => complex::unary_f64(op, bytemuck::cast_slice::<_, Complex<f64>>(x), out),
        DType::Bool => match op {
            Unary::Not => {
                for (out, x) in out.iter_mut().zip(x) {
                    *out = u8::from(*x == 0);
                }
                Ok(())
            }
            _ => Err(no_kernel(op, dtype)),
        },
        _ => int::unary(op, dtype, x, out),
    }
}

fn binary(op: Binary, dtype: DType, a: &[u8], b: &[u8], out: &mut [u8]) -> Result<()> {
    use bytemuck::cast_slice as cast;
    match dtype {
        DType::F32 => vector::binary(op, cast(a), cast(b), out),
        DType::F64 => float::binary_f64(op, cast(a), cast(b), out),
        DType::F16 => narrow_binary::<f16>(op, a, b, out),
        DType::BF16 => narrow_binary::<bf16>(op, a, b, out),
        DType::C64 => complex::binary_f32(op, cast::<_, Complex<f32>>(a), cast(b), out),
        DType::C128 => complex::binary_f64(op, cast::<_, Complex<f64>>(a), cast(b), out),
        DType::Bool => bool_binary(op, a, b, out),
        _ => int::binary(op, dtype, a, b, out),
    }
}

fn bool_binary(op: Binary, a: &[u8], b: &[u8], out: &mut [u8]) -> Result<()> {
    let f: fn(bool, bool) -> bool = match op {
        Binary::And => |a, b| a && b,
        Binary::Or => |a, b| a || b,
        Binary::Equal => |a, b| a == b,
        Binary::NotEqual => |a, b| a != b,
        _ => return Err(no_kernel(op, DType::Bool)),
    };
    for (i, out) in out.iter_mut().enumerate() {
        *out = u8::from(f(a[i] != 0, b[i] != 0));
    }
    Ok(())
}

/// A 16-bit float: computed as `float32` and rounded after each instruction, as TensorFlow does.
trait Narrow: bytemuck::Pod {
    fn widen(self) -> f32;
    fn narrow(x: f32) -> Self;
}

impl Narrow for f16 {
    fn widen(self) -> f32 {
        self.to_f32()
    }
    fn narrow(x: f32) -> Self {
        f16::from_f32(x)
    }
}

impl Narrow for bf16 {
    fn widen(self) -> f32 {
        self.to_f32()
    }
    fn narrow(x: f32) -> Self {
        bf16::from_f32(x)
    }
}

fn widen<T: Narrow>(x: &[u8]) -> Vec<f32> {
    bytemuck::cast_slice::<u8, T>(x)
        .iter()
        .map(|x| x.widen())
        .collect()
}

/// Runs `f` into a block of `float32`, or straight into `out` when its result is of bytes.
fn narrowed<T: Narrow>(
    n: usize,
    out: &mut [u8],
    f: impl FnOnce(&mut [u8]) -> Result<()>,
) -> Result<()> {
    if out.len() == n {
        return f(out);
    }
    let mut wide = vec![0f32; n];
    f(bytemuck::cast_slice_mut(&mut wide))?;
    for (out, x) in bytemuck::cast_slice_mut::<u8, T>(out).iter_mut().zip(wide) {
        *out = T::narrow(x);
    }
    Ok(())
}

fn narrow_unary<T: Narrow>(op: Unary, x: &[u8], out: &mut [u8]) -> Result<()> {
    let x = widen::<T>(x);
    narrowed::<T>(x.len(), out, |out| vector::unary(op, &x, out))
}

fn narrow_binary<T: Narrow>(op: Binary, a: &[u8], b: &[u8], out: &mut [u8]) -> Result<()> {
    if op == Binary::NextAfter {
        bail!(unimplemented, "no kernel for NextAfter of 16-bit floats");
    }
    let (a, b) = (widen::<T>(a), widen::<T>(b));
    narrowed::<T>(a.len(), out, |out| vector::binary(op, &a, &b, out))
}

#[cfg(test)]
mod tests;
