//! Programs over `float32` alone, with truths as 1 and 0 in between: compiled to vector loops over blocks that stay in
//! the innermost cache. A comparison and the choice it decides are one loop, and so are a product and its sum.

#![allow(
    unsafe_op_in_unsafe_fn,
    reason = "every function here is one step of `Single::run`, which vouches for the pointers"
)]

use smallvec::{SmallVec, smallvec};

use crate::backend::cpu::scratch::Scratch;
use crate::backend::cpu::simd::Shared;
use crate::backend::cpu::threads;
use crate::expr::{Arg, Binary, Instr, Op, Program, Ternary, Unary};
use crate::value::DType;

use super::layout::{Layout, repeat, stretch};
use super::vector::{self, Lane, Operand, WIDEST};
use super::{BLOCK, PIECE, float};

/// What a step computes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Work {
    Lane(Lane),
    /// Operations without a vector loop.
    Unary(Unary),
    Binary(Binary),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum From {
    Input(u16),
    Register(u16),
    Constant(u16),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum To {
    Register(u16),
    Output(u16),
}

#[derive(Debug)]
struct Step {
    work: Work,
    args: SmallVec<[From; 4]>,
    to: To,
}

/// What becomes of an output.
#[derive(Clone, Copy)]
pub enum Out {
    /// Every element is stored.
    Floats(Shared<f32>),
    Truths(Shared<u8>),
    /// Nothing is stored but the sum, as one element.
    Sum(Shared<f32>),
}

/// A program with its registers assigned.
#[derive(Debug)]
pub struct Single {
    steps: Vec<Step>,
    constants: Vec<f32>,
    registers: usize,
    truths: Vec<bool>,
    /// Where each output is found when its block is done; `None` where a step wrote it already.
    results: Vec<Option<From>>,
    /// What one element costs, an addition taken as 1.
    cost: usize,
}

/// An instruction after fusing: its operation and operands.
struct Fused {
    work: Work,
    args: SmallVec<[Arg; 4]>,
}

impl Single {
    /// `None` when the program has other types, or operations that only the general machine knows.
    pub fn new(program: &Program) -> Option<Single> {
        let fits = |t: DType| matches!(t, DType::F32 | DType::Bool);
        if !program.inputs.iter().all(|t| fits(*t)) {
            return None;
        }
        let mut uses = vec![0usize; program.instrs.len()];
        let args = program.instrs.iter().flat_map(|i| &i.args);
        for arg in args.chain(&program.outputs) {
            if let Arg::Value(v) = arg {
                uses[*v as usize] += 1;
            }
        }
        let mut fused: Vec<Option<Fused>> = Vec::with_capacity(program.instrs.len());
        for instr in &program.instrs {
            if !fits(instr.from) || !fits(instr.to) {
                return None;
            }
            let made = fuse(instr, program, &uses, &mut fused)?;
            fused.push(Some(made));
        }
        assign(program, &fused)
    }

    /// Runs the program over `total` elements. Outputs may lie where a full operand lies, and nowhere else where there
    /// are operands.
    pub fn run(&self, layouts: &[Layout], total: usize, outs: &[Out]) {
        let streams = layouts.len() + outs.len();
        let is_parallel = total * streams * 4 >= threads::WORTH_BYTES
            || total * self.cost >= threads::WORTH_FLOPS / 4;
        let piece = if is_parallel { PIECE } else { total };
        let sums = outs.iter().filter(|o| matches!(o, Out::Sum(_))).count();
        // Each piece has sums of its own, which are added in order: the bits do not depend on the threads.
        let mut partial = vec![0f64; sums * total.div_ceil(piece.max(1))];
        let shared = Shared::of(&mut partial);
        let split = split_of(layouts);
        threads::run_pieces(total, piece, is_parallel, |from, to| {
            let at = from / piece * sums;
            // SAFETY: each piece has its own place in the sums.
            let sums = unsafe { shared.part(at, sums) };
            // SAFETY: operands and outputs have `total` elements, as their layouts say; pieces do not overlap.
            unsafe { self.piece(layouts, outs, from, to, split, sums) };
        });
        let mut k = 0;
        for out in outs {
            if let Out::Sum(to) = out {
                let all: f64 = partial.iter().skip(k).step_by(sums).sum();
                // SAFETY: the output has one element.
                unsafe { to.ptr().write(all as f32) };
                k += 1;
            }
        }
    }

    /// # Safety
    /// As `run` says; elements `from..to` are nobody else's.
    unsafe fn piece(
        &self,
        layouts: &[Layout],
        outs: &[Out],
        from: usize,
        to: usize,
        split: usize,
        sums: &mut [f64],
    ) {
        let width = (to - from).min(BLOCK).next_multiple_of(WIDEST);
        let floats = width * (self.registers + layouts.len() + 3)
            + WIDEST * (self.constants.len() + 2 * layouts.len())
            + layouts.iter().map(tile_len).sum::<usize>();
        let mut scratch = Scratch::new(4 * floats);
        let mut room = Room(scratch.ptr());
        let registers = room.take(width * self.registers);
        let spare = room.take(3 * width);
        let constants = room.take(WIDEST * self.constants.len());
        for (k, x) in self.constants.iter().enumerate() {
            fill(constants.add(k * WIDEST), *x);
        }
        let mut sources: SmallVec<[Source; 6]> = SmallVec::new();
        for (layout, is_truth) in layouts.iter().zip(&self.truths) {
            sources.push(Source::new(layout, *is_truth, split, width, &mut room));
        }
        let mut machine = Machine {
            single: self,
            sources,
            operands: smallvec![Operand::NONE; layouts.len()],
            registers,
            constants,
            spare,
            width,
            outs,
        };
        let mut offset = from;
        while offset < to {
            let len = BLOCK.min(to - offset).min(split - offset % split);
            machine.block(offset, len, sums);
            offset += len;
        }
    }
}

/// An empty result, to ask whether an operation is known.
fn no_floats() -> &'static mut [u8] {
    bytemuck::cast_slice_mut::<f32, u8>(&mut [])
}

/// Takes comparisons and products into the instruction that uses them, when it alone does.
fn fuse(
    instr: &Instr,
    program: &Program,
    uses: &[usize],
    before: &mut [Option<Fused>],
) -> Option<Fused> {
    let args: SmallVec<[Arg; 4]> = instr.args.iter().copied().collect();
    let mut take = |arg: Arg, wanted: &[Lane]| -> Option<(Lane, SmallVec<[Arg; 4]>)> {
        let Arg::Value(v) = arg else { return None };
        let slot = before.get_mut(v as usize)?;
        let lane = match slot.as_ref()?.work {
            Work::Lane(lane) if wanted.contains(&lane) => lane,
            _ => return None,
        };
        if uses[v as usize] != 1 {
            return None;
        }
        slot.take().map(|made| (lane, made.args))
    };
    let lane = |lane: Lane, args: SmallVec<[Arg; 4]>| {
        Some(Fused {
            work: Work::Lane(lane),
            args,
        })
    };
    let swapped = |args: &[Arg]| smallvec![args[1], args[0]];
    match instr.op {
        Op::Unary(Unary::Not) => lane(Lane::Not, args),
        Op::Unary(op) => {
            if instr.from != DType::F32 || instr.to != DType::F32 {
                return None;
            }
            let work = match Lane::of_unary(op) {
                Some(lane) => Work::Lane(lane),
                None => {
                    float::unary_f32(op, &[], no_floats()).ok()?;
                    Work::Unary(op)
                }
            };
            Some(Fused { work, args })
        }
        Op::Binary(Binary::Less) => lane(Lane::Less, args),
        Op::Binary(Binary::LessEqual) => lane(Lane::AtMost, args),
        Op::Binary(Binary::Greater) => lane(Lane::Less, swapped(&args)),
        Op::Binary(Binary::GreaterEqual) => lane(Lane::AtMost, swapped(&args)),
        Op::Binary(Binary::Equal) => lane(Lane::Equal, args),
        Op::Binary(Binary::NotEqual) => lane(Lane::NotEqual, args),
        Op::Binary(Binary::And) => lane(Lane::Mul, args),
        Op::Binary(Binary::Or) => lane(Lane::Max, args),
        Op::Binary(op) => {
            if instr.from != DType::F32 || instr.to != DType::F32 {
                return None;
            }
            let product = [Lane::Mul];
            match op {
                Binary::Add => {
                    for (a, b) in [(0, 1), (1, 0)] {
                        if let Some((_, mut of)) = take(args[a], &product) {
                            of.push(args[b]);
                            return lane(Lane::MulAdd, of);
                        }
                    }
                }
                Binary::Sub => {
                    if let Some((_, mut of)) = take(args[0], &product) {
                        of.push(args[1]);
                        return lane(Lane::MulSub, of);
                    }
                    if let Some((_, mut of)) = take(args[1], &product) {
                        of.push(args[0]);
                        return lane(Lane::SubMul, of);
                    }
                }
                _ => {}
            }
            let work = match Lane::of_binary(op) {
                Some(lane) => Work::Lane(lane),
                None => {
                    float::binary_f32(op, &[], &[], no_floats()).ok()?;
                    Work::Binary(op)
                }
            };
            Some(Fused { work, args })
        }
        Op::Ternary(Ternary::Select) => {
            let tests = [Lane::Less, Lane::AtMost, Lane::Equal, Lane::NotEqual];
            if let Some((test, mut of)) = take(args[0], &tests) {
                let (mut yes, mut no) = (args[1], args[2]);
                if test == Lane::NotEqual {
                    std::mem::swap(&mut yes, &mut no);
                }
                of.extend([yes, no]);
                return lane(
                    match test {
                        Lane::Less => Lane::IfLess,
                        Lane::AtMost => Lane::IfAtMost,
                        _ => Lane::IfEqual,
                    },
                    of,
                );
            }
            lane(Lane::Choose, args)
        }
        Op::Cast if program.dtype_of(instr.args[0]) == DType::Bool && instr.to == DType::F32 => {
            lane(Lane::Copy, args)
        }
        _ => None,
    }
}

/// Gives each value a register, or its output's place.
fn assign(program: &Program, fused: &[Option<Fused>]) -> Option<Single> {
    let n = fused.len();
    // Where instructions read a value for the last time; and, in `ends`, outputs too.
    let mut last_read = vec![0usize; n];
    let mut last_input_read = 0;
    for (at, instr) in fused.iter().enumerate() {
        for arg in instr.iter().flat_map(|i| &i.args) {
            match arg {
                Arg::Value(v) => last_read[*v as usize] = at,
                Arg::Input(_) => last_input_read = at,
                Arg::Constant(_) => {}
            }
        }
    }
    let mut ends = last_read.clone();
    for output in &program.outputs {
        if let Arg::Value(v) = output {
            ends[*v as usize] = n;
        }
    }
    let mut constants: Vec<f32> = Vec::new();
    let mut place: Vec<Option<To>> = vec![None; n];
    let mut free: Vec<u16> = Vec::new();
    let mut registers = 0usize;
    let mut steps = Vec::new();
    let mut results: Vec<Option<From>> = vec![None; program.outputs.len()];
    let mut source = |arg: Arg, place: &[Option<To>]| -> Option<From> {
        Some(match arg {
            Arg::Input(i) => From::Input(i),
            Arg::Value(v) => match place[v as usize]? {
                To::Register(r) => From::Register(r),
                To::Output(_) => return None,
            },
            Arg::Constant(c) => {
                let x = match c.dtype() {
                    DType::F32 => f32::from_ne_bytes(c.bytes().try_into().ok()?),
                    _ => f32::from(c.bytes().first().copied()? != 0),
                };
                let known = constants.iter().position(|k| k.to_bits() == x.to_bits());
                From::Constant(known.unwrap_or_else(|| {
                    constants.push(x);
                    constants.len() - 1
                }) as u16)
            }
        })
    };
    for (at, instr) in fused.iter().enumerate() {
        let Some(instr) = instr else { continue };
        let mut args: SmallVec<[From; 4]> = SmallVec::new();
        for arg in &instr.args {
            args.push(source(*arg, &place)?);
        }
        let value = Arg::Value(at as u16);
        let mut wanted = (0..program.outputs.len()).filter(|k| program.outputs[*k] == value);
        let is_read_on = last_read[at] > at;
        // Straight into the output, when no operand is read afterwards: it may lie in an operand's memory.
        let direct = match (wanted.next(), wanted.next()) {
            (Some(k), None)
                if !is_read_on
                    && at >= last_input_read
                    && program.dtype_of(value) == DType::F32 =>
            {
                Some(k)
            }
            _ => None,
        };
        // Operands that end here leave their registers first: a loop may write over what it reads.
        for arg in &instr.args {
            if let Arg::Value(v) = *arg
                && ends[v as usize] == at
                && let Some(To::Register(r)) = place[v as usize]
                && !free.contains(&r)
            {
                free.push(r);
            }
        }
        let to = match direct {
            Some(k) => To::Output(k as u16),
            None => To::Register(free.pop().unwrap_or_else(|| {
                registers += 1;
                (registers - 1) as u16
            })),
        };
        place[at] = Some(to);
        steps.push(Step {
            work: instr.work,
            args,
            to,
        });
    }
    for (k, output) in program.outputs.iter().enumerate() {
        let is_direct = steps.iter().any(|s| s.to == To::Output(k as u16));
        if !is_direct {
            results[k] = Some(source(*output, &place)?);
        }
    }
    let cost = steps.iter().map(|s| match s.work {
        Work::Lane(lane) => lane.cost(),
        _ => 30,
    });
    Some(Single {
        cost: cost.sum(),
        truths: program.inputs.iter().map(|t| *t == DType::Bool).collect(),
        steps,
        constants,
        registers,
        results,
    })
}

/// Memory handed out piece by piece.
struct Room(*mut f32);

impl Room {
    unsafe fn take(&mut self, n: usize) -> *mut f32 {
        let at = self.0;
        self.0 = at.add(n.next_multiple_of(WIDEST));
        at
    }
}

unsafe fn fill(to: *mut f32, x: f32) {
    for i in 0..WIDEST {
        to.add(i).write(x);
    }
}

/// Rows and columns of this length or more are not written out: blocks end where they do.
const LONG: usize = 256;

/// Blocks end at multiples of this many elements.
fn split_of(layouts: &[Layout]) -> usize {
    let lengths = layouts.iter().filter_map(|layout| match layout {
        Layout::Row(_, n) | Layout::Column(_, n) if *n >= LONG => Some(*n),
        _ => None,
    });
    lengths.min().unwrap_or(usize::MAX)
}

/// Floats that an operand needs beside a block: a row written out as long as a block reads it.
fn tile_len(layout: &Layout) -> usize {
    match layout {
        Layout::Row(_, period) if *period < LONG => period + BLOCK + WIDEST,
        _ => 0,
    }
}

/// How an operand is brought before each block.
enum Source {
    Elements(*const f32),
    /// It stays the same.
    Fixed(Operand),
    /// A row that blocks never cross; or one that is written out as long as a block.
    Row(*const f32, usize),
    /// A row written into the buffer for each block.
    Repeat(*const f32, usize, *mut f32),
    /// A column with one element a block, and where that goes.
    Cell(*const f32, usize, *mut f32),
    /// A column written out in the buffer.
    Column(*const f32, usize, *mut f32),
    /// Truths, written as floats into the buffer.
    Truths(*const u8, *mut f32),
}

impl Source {
    unsafe fn new(
        layout: &Layout,
        is_truth: bool,
        split: usize,
        width: usize,
        room: &mut Room,
    ) -> Source {
        let float = |bytes: &[u8]| bytes.as_ptr().cast::<f32>();
        match *layout {
            Layout::Full(bytes) if is_truth => Source::Truths(bytes.as_ptr(), room.take(width)),
            Layout::Full(bytes) => Source::Elements(float(bytes)),
            Layout::One(bytes) => {
                let to = room.take(WIDEST);
                let x = match is_truth {
                    false => float(bytes).read(),
                    true => f32::from(bytes[0] != 0),
                };
                fill(to, x);
                Source::Fixed(Operand::repeated(to))
            }
            Layout::Row(bytes, period) if period < LONG => {
                let to = room.take(period + width);
                let out = std::slice::from_raw_parts_mut(to.cast::<u8>(), 4 * (period + width));
                repeat(bytes, 0, 4 * period, out);
                Source::Row(to, period)
            }
            Layout::Row(bytes, period) if period.is_multiple_of(split) => {
                Source::Row(float(bytes), period)
            }
            Layout::Row(bytes, period) => Source::Repeat(float(bytes), period, room.take(width)),
            Layout::Column(bytes, inner) if inner.is_multiple_of(split) => {
                Source::Cell(float(bytes), inner, room.take(WIDEST))
            }
            Layout::Column(bytes, inner) => Source::Column(float(bytes), inner, room.take(width)),
        }
    }

    /// The operand for elements `offset..offset + len`.
    unsafe fn operand(&self, offset: usize, len: usize) -> Operand {
        let bytes = |to: *mut f32| std::slice::from_raw_parts_mut(to.cast::<u8>(), 4 * len);
        match *self {
            Source::Elements(from) => Operand::elements(from.add(offset)),
            Source::Fixed(operand) => operand,
            Source::Row(from, period) => Operand::elements(from.add(offset % period)),
            Source::Repeat(from, period, to) => {
                let from = std::slice::from_raw_parts(from.cast::<u8>(), 4 * period);
                repeat(from, 4 * (offset % period), 4 * period, bytes(to));
                Operand::elements(to)
            }
            Source::Cell(from, inner, to) => {
                fill(to, from.add(offset / inner).read());
                Operand::repeated(to)
            }
            Source::Column(from, inner, to) => {
                let count = (offset + len).div_ceil(inner);
                let from = std::slice::from_raw_parts(from.cast::<u8>(), 4 * count);
                stretch(from, 4, offset, inner, bytes(to));
                Operand::elements(to)
            }
            Source::Truths(from, to) => {
                for i in 0..len {
                    to.add(i).write(f32::from(from.add(offset + i).read() != 0));
                }
                Operand::elements(to)
            }
        }
    }
}

/// What runs the blocks of a piece.
struct Machine<'a> {
    single: &'a Single,
    sources: SmallVec<[Source; 6]>,
    operands: SmallVec<[Operand; 6]>,
    registers: *mut f32,
    constants: *const f32,
    /// Room for three operands of operations without a vector loop.
    spare: *mut f32,
    /// Elements in a register.
    width: usize,
    outs: &'a [Out],
}

impl Machine<'_> {
    /// # Safety
    /// As `Single::piece` says, for elements `offset..offset + len`.
    unsafe fn block(&mut self, offset: usize, len: usize, sums: &mut [f64]) {
        for (operand, source) in self.operands.iter_mut().zip(&self.sources) {
            *operand = source.operand(offset, len);
        }
        for step in &self.single.steps {
            let mut args = [Operand::NONE; 4];
            for (to, from) in args.iter_mut().zip(&step.args) {
                *to = self.operand(*from);
            }
            let to = match step.to {
                To::Register(r) => self.registers.add(r as usize * self.width),
                To::Output(k) => match self.outs[k as usize] {
                    Out::Floats(to) => to.ptr().add(offset),
                    _ => self.spare,
                },
            };
            match step.work {
                Work::Lane(lane) => vector::run_lanes(lane, &args, to, len),
                work => self.plain(work, &args, to, len),
            }
            if let To::Output(k) = step.to
                && let Out::Sum(_) = self.outs[k as usize]
            {
                self.sum(k as usize, Operand::elements(to), len, sums);
            }
        }
        for (k, result) in self.single.results.iter().enumerate() {
            let Some(from) = result else { continue };
            let from = self.operand(*from);
            match self.outs[k] {
                Out::Floats(to) => {
                    let args = [from, Operand::NONE, Operand::NONE, Operand::NONE];
                    vector::run_lanes(Lane::Copy, &args, to.ptr().add(offset), len);
                }
                Out::Truths(to) => {
                    let from = self.written_out(from, self.spare, len);
                    let to = to.part(offset, len);
                    for (i, to) in to.iter_mut().enumerate() {
                        *to = u8::from(from.add(i).read() != 0.0);
                    }
                }
                Out::Sum(_) => self.sum(k, from, len, sums),
            }
        }
    }

    unsafe fn operand(&self, from: From) -> Operand {
        match from {
            From::Input(i) => self.operands[i as usize],
            From::Register(r) => {
                Operand::elements(self.registers.add(r as usize * self.width).cast_const())
            }
            From::Constant(c) => Operand::repeated(self.constants.add(c as usize * WIDEST)),
        }
    }

    /// Adds a block to the sum of output `k`.
    unsafe fn sum(&self, k: usize, x: Operand, len: usize, sums: &mut [f64]) {
        let before = self.outs[..k].iter();
        let at = before.filter(|o| matches!(o, Out::Sum(_))).count();
        let x = self.written_out(x, self.spare.add(self.width), len);
        sums[at] += f64::from(vector::sum(x, len));
    }

    /// Where the operand lies element by element.
    unsafe fn written_out(&self, x: Operand, spare: *mut f32, len: usize) -> *const f32 {
        if !x.is_repeated() {
            return x.ptr();
        }
        let element = x.ptr().read();
        std::slice::from_raw_parts_mut(spare, len).fill(element);
        spare
    }

    unsafe fn plain(&self, work: Work, args: &[Operand; 4], to: *mut f32, len: usize) {
        let slice = |x: Operand, k: usize| {
            let ptr = self.written_out(x, self.spare.add(k * self.width), len);
            std::slice::from_raw_parts(ptr, len)
        };
        // The loops take no operand that they write over.
        let out = self.spare.add(2 * self.width);
        let bytes = std::slice::from_raw_parts_mut(out.cast::<u8>(), 4 * len);
        let done = match work {
            Work::Unary(op) => float::unary_f32(op, slice(args[0], 0), bytes),
            Work::Binary(op) => float::binary_f32(op, slice(args[0], 0), slice(args[1], 1), bytes),
            Work::Lane(_) => Ok(()),
        };
        debug_assert!(done.is_ok(), "{work:?} was known when the program was made");
        std::ptr::copy_nonoverlapping(out, to, len);
    }
}
