//! The loops of reductions. A tensor is seen as alternating groups of axes, kept and reduced, so that the innermost loop
//! runs over neighbours in memory. Sums of floats run in a fixed number of lanes: the same bits on every run.

use std::marker::PhantomData;

use half::{bf16, f16};
use num_complex::Complex;

use crate::backend::cpu::{simd, threads};
use crate::error::Result;
use crate::ops::kernel::KernelContext;
use crate::value::{DType, Element, Shape, Value, resolve_axis};
use crate::{bail, dispatch, ensure};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    Sum,
    Mean,
    Prod,
    Max,
    Min,
}

/// How elements are taken into an accumulator.
trait Fold<T: Copy> {
    type Acc: Copy + Send;
    fn start() -> Self::Acc;
    fn step(acc: Self::Acc, x: T) -> Self::Acc;
    fn join(a: Self::Acc, b: Self::Acc) -> Self::Acc;
    fn end(acc: Self::Acc, count: usize) -> T;
}

/// A type with arithmetic for reductions; halves are accumulated in float32.
trait Number: Element {
    type Acc: Copy + Send;
    fn up(self) -> Self::Acc;
    fn down(acc: Self::Acc) -> Self;
    fn zero() -> Self::Acc;
    fn unit() -> Self::Acc;
    fn plus(a: Self::Acc, b: Self::Acc) -> Self::Acc;
    fn times(a: Self::Acc, b: Self::Acc) -> Self::Acc;
    fn divide(a: Self::Acc, n: usize) -> Self::Acc;
}

/// A number with an order.
trait Ordered: Element {
    fn lowest() -> Self;
    fn highest() -> Self;
    /// NaN never counts, as in TensorFlow; `a` is none.
    fn larger(a: Self, b: Self) -> Self;
    fn smaller(a: Self, b: Self) -> Self;
}

macro_rules! floats {
    ($($t:ty, $acc:ty, $up:expr, $down:expr;)*) => {$(
        impl Number for $t {
            type Acc = $acc;
            fn up(self) -> $acc { $up(self) }
            fn down(acc: $acc) -> $t { $down(acc) }
            fn zero() -> $acc { 0.0 }
            fn unit() -> $acc { 1.0 }
            fn plus(a: $acc, b: $acc) -> $acc { a + b }
            fn times(a: $acc, b: $acc) -> $acc { a * b }
            fn divide(a: $acc, n: usize) -> $acc { a / n as $acc }
        }
        impl Ordered for $t {
            fn lowest() -> $t { <$t>::NEG_INFINITY }
            fn highest() -> $t { <$t>::INFINITY }
            fn larger(a: $t, b: $t) -> $t { if b > a { b } else { a } }
            fn smaller(a: $t, b: $t) -> $t { if b < a { b } else { a } }
        }
    )*};
}

floats! {
    f32, f32, |x| x, |x| x;
    f64, f64, |x| x, |x| x;
    f16, f32, f16::to_f32, f16::from_f32;
    bf16, f32, bf16::to_f32, bf16::from_f32;
}

macro_rules! integers {
    ($($t:ty)*) => {$(
        impl Number for $t {
            type Acc = $t;
            fn up(self) -> $t { self }
            fn down(acc: $t) -> $t { acc }
            fn zero() -> $t { 0 }
            fn unit() -> $t { 1 }
            fn plus(a: $t, b: $t) -> $t { a.wrapping_add(b) }
            fn times(a: $t, b: $t) -> $t { a.wrapping_mul(b) }
            fn divide(a: $t, n: usize) -> $t { a.checked_div(n as $t).unwrap_or(0) }
        }
        impl Ordered for $t {
            fn lowest() -> $t { <$t>::MIN }
            fn highest() -> $t { <$t>::MAX }
            fn larger(a: $t, b: $t) -> $t { a.max(b) }
            fn smaller(a: $t, b: $t) -> $t { a.min(b) }
        }
    )*};
}

integers!(i8 i16 i32 i64 u8 u16 u32 u64);

macro_rules! complexes {
    ($($t:ty)*) => {$(
        impl Number for Complex<$t> {
            type Acc = Complex<$t>;
            fn up(self) -> Self { self }
            fn down(acc: Self) -> Self { acc }
            fn zero() -> Self { Complex::new(0.0, 0.0) }
            fn unit() -> Self { Complex::new(1.0, 0.0) }
            fn plus(a: Self, b: Self) -> Self { a + b }
            fn times(a: Self, b: Self) -> Self { a * b }
            fn divide(a: Self, n: usize) -> Self { a / n as $t }
        }
    )*};
}

complexes!(f32 f64);

struct Sum;
struct Mean;
struct Prod;
struct Max;
struct Min;

impl<T: Number> Fold<T> for Sum {
    type Acc = T::Acc;
    fn start() -> T::Acc {
        T::zero()
    }
    fn step(acc: T::Acc, x: T) -> T::Acc {
        T::plus(acc, x.up())
    }
    fn join(a: T::Acc, b: T::Acc) -> T::Acc {
        T::plus(a, b)
    }
    fn end(acc: T::Acc, _: usize) -> T {
        T::down(acc)
    }
}

impl<T: Number> Fold<T> for Mean {
    type Acc = T::Acc;
    fn start() -> T::Acc {
        T::zero()
    }
    fn step(acc: T::Acc, x: T) -> T::Acc {
        T::plus(acc, x.up())
    }
    fn join(a: T::Acc, b: T::Acc) -> T::Acc {
        T::plus(a, b)
    }
    fn end(acc: T::Acc, count: usize) -> T {
        T::down(T::divide(acc, count))
    }
}

impl<T: Number> Fold<T> for Prod {
    type Acc = T::Acc;
    fn start() -> T::Acc {
        T::unit()
    }
    fn step(acc: T::Acc, x: T) -> T::Acc {
        T::times(acc, x.up())
    }
    fn join(a: T::Acc, b: T::Acc) -> T::Acc {
        T::times(a, b)
    }
    fn end(acc: T::Acc, _: usize) -> T {
        T::down(acc)
    }
}

macro_rules! extremes {
    ($($name:ident $start:ident $pick:ident;)*) => {$(
        impl<T: Ordered> Fold<T> for $name {
            type Acc = T;
            fn start() -> T {
                T::$start()
            }
            fn step(acc: T, x: T) -> T {
                T::$pick(acc, x)
            }
            fn join(a: T, b: T) -> T {
                T::$pick(a, b)
            }
            fn end(acc: T, _: usize) -> T {
                acc
            }
        }
    )*};
}

extremes! {
    Max lowest larger;
    Min highest smaller;
}

/// Sizes of alternating groups of axes, beginning with a kept one (perhaps of size 1).
pub(super) fn groups(shape: &Shape, reduced: &[bool]) -> Vec<usize> {
    let mut sizes = vec![1];
    let mut is_reduced = false;
    for (axis, &r) in reduced.iter().enumerate() {
        let size = shape.dim(axis);
        if size == 1 {
            continue;
        }
        if r != is_reduced {
            sizes.push(1);
            is_reduced = r;
        }
        if let Some(last) = sizes.last_mut() {
            *last *= size;
        }
    }
    sizes
}

/// Lanes in which a short row is folded, and a long one.
const LANES: [usize; 2] = [16, 64];
/// Rows of so many elements are long.
const LONG: usize = 1024;
/// Elements a lane takes before its sum is put aside, so that small terms are not lost.
const DEPTH: usize = 256;
/// Elements of the parts into which one long fold is cut.
const PART: usize = 64 << 10;
/// Columns that are worth a loop; fewer are laid side by side.
const COLUMNS: usize = 64;

/// A row folded into one accumulator.
struct Row<'a, T, F>(&'a [T], PhantomData<F>);

impl<T: Copy, F: Fold<T>> simd::Loop for Row<'_, T, F> {
    type Output = F::Acc;

    #[inline(always)]
    fn run(self) -> F::Acc {
        match self.0.len() < LONG {
            true => fold_row::<T, F, { LANES[0] }>(self.0),
            false => fold_row::<T, F, { LANES[1] }>(self.0),
        }
    }
}

/// Rows folded into one row of accumulators.
struct Side<'a, T, A, F>(&'a mut [A], &'a [T], PhantomData<F>);

impl<T: Copy, F: Fold<T>> simd::Loop for Side<'_, T, F::Acc, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let w = self.0.len();
        let mut fours = self.1.chunks_exact(4 * w);
        for four in &mut fours {
            let (ab, cd) = four.split_at(2 * w);
            let ((a, b), (c, d)) = (ab.split_at(w), cd.split_at(w));
            for (j, to) in self.0.iter_mut().enumerate() {
                *to = F::step(F::step(F::step(F::step(*to, a[j]), b[j]), c[j]), d[j]);
            }
        }
        for row in fours.remainder().chunks(w) {
            for (to, x) in self.0.iter_mut().zip(row) {
                *to = F::step(*to, *x);
            }
        }
    }
}

#[inline(always)]
fn fold_row<T: Copy, F: Fold<T>, const N: usize>(row: &[T]) -> F::Acc {
    let mut total = F::start();
    for block in row.chunks(DEPTH * N) {
        let mut lanes = [F::start(); N];
        let mut chunks = block.chunks_exact(N);
        for chunk in &mut chunks {
            for (lane, x) in lanes.iter_mut().zip(chunk) {
                *lane = F::step(*lane, *x);
            }
        }
        for (lane, x) in lanes.iter_mut().zip(chunks.remainder()) {
            *lane = F::step(*lane, *x);
        }
        let mut width = N;
        while width > 1 {
            width /= 2;
            for i in 0..width {
                lanes[i] = F::join(lanes[i], lanes[i + width]);
            }
        }
        total = F::join(total, lanes[0]);
    }
    total
}

/// Folds rows of `to.len()` elements into `to`.
fn fold_columns<T: Copy, F: Fold<T>>(from: &[T], to: &mut [F::Acc]) {
    let width = to.len();
    if width == 0 {
        return;
    }
    if width >= COLUMNS || from.len() < 4 * COLUMNS {
        return simd::run(Side::<T, F::Acc, F>(to, from, PhantomData));
    }
    let mut wide = vec![F::start(); width * COLUMNS.div_ceil(width)];
    simd::run(Side::<T, F::Acc, F>(&mut wide, from, PhantomData));
    for part in wide.chunks_exact(width) {
        to.iter_mut()
            .zip(part)
            .for_each(|(to, x)| *to = F::join(*to, *x));
    }
}

/// Folds `from`, whose axes are grouped as `sizes` says, into `to` (one accumulator for each kept element).
fn fold_groups<T: Copy, F: Fold<T>>(sizes: &[usize], from: &[T], to: &mut [F::Acc]) {
    let (Some((&outer, rest)), n) = (sizes.split_first(), from.len()) else {
        return;
    };
    let Some((&reduced, inner)) = rest.split_first() else {
        return fold_columns::<T, F>(from, to);
    };
    if outer == 0 || reduced == 0 || n == 0 {
        return;
    }
    let (step, kept) = (n / outer, to.len() / outer);
    for (i, to) in to.chunks_exact_mut(kept.max(1)).enumerate().take(outer) {
        let from = &from[i * step..(i + 1) * step];
        match inner {
            [] => to[0] = F::join(to[0], simd::run(Row::<T, F>(from, PhantomData))),
            [_] => fold_columns::<T, F>(from, to),
            _ => {
                for part in from.chunks_exact(step / reduced) {
                    fold_groups::<T, F>(inner, part, to);
                }
            }
        }
    }
}

/// The same for much data: kept rows are shared among threads, and one long fold is cut by its size alone into parts
/// whose results are joined in order.
fn fold_parts<T, F>(sizes: &[usize], from: &[T], to: &mut [F::Acc])
where
    T: Copy + Sync,
    F: Fold<T>,
{
    let (&[outer, reduced, ..], n) = (sizes, from.len()) else {
        return fold_groups::<T, F>(sizes, from, to);
    };
    if size_of_val(from) < threads::WORTH_BYTES || outer * reduced == 0 {
        return fold_groups::<T, F>(sizes, from, to);
    }
    let (kept, step) = (to.len() / outer, n / outer);
    let mut inside = sizes.to_vec();
    inside[0] = 1;
    if outer > 1 {
        return threads::run_rows(to, kept, true, |i, to| {
            fold_groups::<T, F>(&inside, &from[i * step..(i + 1) * step], to);
        });
    }
    let row = n / reduced;
    let rows = (PART / row).max(16).min(reduced);
    let mut parts = vec![F::start(); reduced.div_ceil(rows) * kept];
    threads::run_rows(&mut parts, kept, true, |i, to| {
        let from = &from[i * rows * row..((i + 1) * rows * row).min(n)];
        let mut inside = inside.clone();
        inside[1] = from.len() / row;
        fold_groups::<T, F>(&inside, from, to);
    });
    for part in parts.chunks_exact(kept.max(1)) {
        to.iter_mut()
            .zip(part)
            .for_each(|(to, x)| *to = F::join(*to, *x));
    }
}

fn fold_all<T: Element, F: Fold<T>>(sizes: &[usize], from: &[T], to: &mut [T], count: usize) {
    let mut acc = vec![F::start(); to.len()];
    fold_parts::<T, F>(sizes, from, &mut acc);
    for (to, acc) in to.iter_mut().zip(acc) {
        *to = F::end(acc, count);
    }
}

/// The axes that input 1 says, as a mask; and the shape of the output.
fn reduced_axes(c: &KernelContext) -> Result<(Vec<bool>, Shape)> {
    let shape = c.input(0)?.shape();
    let axes = c.input(1)?;
    ensure!(
        axes.shape().rank() <= 1,
        invalid,
        "reduction indices must be a scalar or a vector, but have shape {}",
        axes.shape()
    );
    let mut reduced = vec![false; shape.rank()];
    for axis in axes.ints()? {
        let at = resolve_axis(axis, shape.rank()).map_err(|_| {
            crate::error::Error::invalid(format!(
                "Invalid reduction dimension ({axis} for input with {} dimension(s)",
                shape.rank()
            ))
        })?;
        reduced[at] = true;
    }
    let keep = c.attrs().bool("keep_dims")?;
    let mut dims = Vec::new();
    for (axis, is_reduced) in reduced.iter().enumerate() {
        match (is_reduced, keep) {
            (false, _) => dims.push(shape.dims()[axis]),
            (true, true) => dims.push(1),
            (true, false) => {}
        }
    }
    Ok((reduced, Shape::new(&dims)?))
}

pub(super) fn reduce(c: &mut KernelContext, kind: Kind) -> Result<()> {
    let (reduced, out_shape) = reduced_axes(c)?;
    let input = c.input(0)?;
    let sizes = groups(input.shape(), &reduced);
    if sizes.len() == 1 && input.num_elements() == out_shape.num_elements() {
        let same = input.with_shape(out_shape)?;
        c.set_output(0, same);
        return Ok(());
    }
    let mut out = c.allocate(0, out_shape)?;
    let count = input.num_elements() / out.num_elements().max(1);
    let input = c.input(0)?;
    if input.dtype().is_complex() {
        fold_complex(kind, &sizes, input, &mut out, count)?;
    } else {
        dispatch!(real, input.dtype(), T => {
            let (from, to) = (input.slice::<T>()?, out.slice_mut::<T>()?);
            match kind {
                Kind::Sum => fold_all::<T, Sum>(&sizes, from, to, count),
                Kind::Mean => fold_all::<T, Mean>(&sizes, from, to, count),
                Kind::Prod => fold_all::<T, Prod>(&sizes, from, to, count),
                Kind::Max => fold_all::<T, Max>(&sizes, from, to, count),
                Kind::Min => fold_all::<T, Min>(&sizes, from, to, count),
            }
        });
    }
    c.set_output(0, out);
    Ok(())
}

/// The square root of the sum of squares; complex numbers have real norms.
pub(super) fn euclidean_norm(c: &mut KernelContext) -> Result<()> {
    let (reduced, out_shape) = reduced_axes(c)?;
    let input = c.input(0)?;
    let sizes = groups(input.shape(), &reduced);
    let mut out = c.allocate(0, out_shape)?;
    let count = input.num_elements() / out.num_elements().max(1);
    macro_rules! fold {
        ($t:ty, $square:expr, $root:expr) => {{
            let (square, root): (fn(&$t) -> $t, fn(&mut $t)) = ($square, $root);
            let squares: Vec<$t> = input.slice::<$t>()?.iter().map(square).collect();
            let to = out.slice_mut::<$t>()?;
            fold_all::<$t, Sum>(&sizes, &squares, to, count);
            to.iter_mut().for_each(root);
        }};
    }
    match input.dtype() {
        DType::F32 => fold!(f32, |x| x * x, |x| *x = x.sqrt()),
        DType::F64 => fold!(f64, |x| x * x, |x| *x = x.sqrt()),
        DType::I32 => fold!(i32, |x| x.wrapping_mul(*x), |x| *x =
            f64::from(*x).sqrt() as i32),
        DType::I64 => fold!(i64, |x| x.wrapping_mul(*x), |x| *x =
            (*x as f64).sqrt() as i64),
        DType::F16 => fold!(
            half::f16,
            |x| half::f16::from_f32(x.to_f32() * x.to_f32()),
            |x| *x = half::f16::from_f32(x.to_f32().sqrt())
        ),
        DType::C64 => fold!(Complex<f32>, |x| Complex::new(x.norm_sqr(), 0.0), |x| *x =
            Complex::new(x.re.sqrt(), 0.0)),
        DType::C128 => fold!(Complex<f64>, |x| Complex::new(x.norm_sqr(), 0.0), |x| *x =
            Complex::new(x.re.sqrt(), 0.0)),
        other => bail!(unimplemented, "the norm of {}", other.short_name()),
    }
    c.set_output(0, out);
    Ok(())
}

fn fold_complex(
    kind: Kind,
    sizes: &[usize],
    input: &Value,
    out: &mut Value,
    count: usize,
) -> Result<()> {
    fn run<T: Number>(
        kind: Kind,
        sizes: &[usize],
        input: &Value,
        out: &mut Value,
        n: usize,
    ) -> Result<()> {
        let (from, to) = (input.slice::<T>()?, out.slice_mut::<T>()?);
        match kind {
            Kind::Sum => fold_all::<T, Sum>(sizes, from, to, n),
            Kind::Mean => fold_all::<T, Mean>(sizes, from, to, n),
            Kind::Prod => fold_all::<T, Prod>(sizes, from, to, n),
            Kind::Max | Kind::Min => bail!(unimplemented, "complex numbers have no order"),
        }
        Ok(())
    }
    match input.dtype() {
        DType::C64 => run::<Complex<f32>>(kind, sizes, input, out, count),
        _ => run::<Complex<f64>>(kind, sizes, input, out, count),
    }
}

struct Every;
struct Some_;

impl Fold<u8> for Every {
    type Acc = u8;
    fn start() -> u8 {
        1
    }
    fn step(acc: u8, x: u8) -> u8 {
        acc & x
    }
    fn join(a: u8, b: u8) -> u8 {
        a & b
    }
    fn end(acc: u8, _: usize) -> u8 {
        acc
    }
}

impl Fold<u8> for Some_ {
    type Acc = u8;
    fn start() -> u8 {
        0
    }
    fn step(acc: u8, x: u8) -> u8 {
        acc | x
    }
    fn join(a: u8, b: u8) -> u8 {
        a | b
    }
    fn end(acc: u8, _: usize) -> u8 {
        acc
    }
}

/// All (`true`) or Any (`false`).
pub(super) fn reduce_bools(c: &mut KernelContext, all: bool) -> Result<()> {
    let (reduced, out_shape) = reduced_axes(c)?;
    let mut out = c.allocate(0, out_shape)?;
    let input = c.input(0)?;
    let sizes = groups(input.shape(), &reduced);
    let (from, to) = (input.slice::<u8>()?, out.slice_mut::<u8>()?);
    match all {
        true => fold_all::<u8, Every>(&sizes, from, to, 0),
        false => fold_all::<u8, Some_>(&sizes, from, to, 0),
    }
    c.set_output(0, out);
    Ok(())
}

/// A tensor as [outer, axis, inner].
fn around(shape: &Shape, axis: usize) -> (usize, usize, usize) {
    let product = |dims: &[i64]| dims.iter().map(|d| *d as usize).product::<usize>();
    let dims = shape.dims();
    (
        product(&dims[..axis]),
        shape.dim(axis),
        product(&dims[axis + 1..]),
    )
}

/// ArgMax (`largest`) or ArgMin: the first position of the extreme. NaN is never taken; 0 stands when nothing is.
pub(super) fn arg_reduce(c: &mut KernelContext, largest: bool) -> Result<()> {
    let input = c.input(0)?;
    let axis = c.scalar_input(1, "dim")?.int()?;
    let rank = input.shape().rank();
    ensure!(
        rank > 0 && (-(rank as i64)..rank as i64).contains(&axis),
        invalid,
        "Expected dimension in the range [{}, {rank}), but got {axis}",
        -(rank as i64)
    );
    let given = axis;
    let axis = resolve_axis(axis, rank)?;
    let (outer, size, inner) = around(input.shape(), axis);
    ensure!(
        size > 0 || outer * inner == 0,
        invalid,
        "Reduction axis {given} is empty in shape {}",
        input.shape()
    );
    let dims: Vec<i64> = (0..rank)
        .filter(|i| *i != axis)
        .map(|i| input.shape().dims()[i])
        .collect();
    let mut positions = vec![0i64; outer * inner];
    dispatch!(real, input.dtype(), T => {
        let from = input.slice::<T>()?;
        for (o, to) in positions.chunks_exact_mut(inner.max(1)).enumerate() {
            for (i, to) in to.iter_mut().enumerate() {
                let at = |k: usize| from[(o * size + k) * inner + i];
                let (mut best, mut place) = match largest {
                    true => (T::lowest(), 0),
                    false => (T::highest(), 0),
                };
                for k in 0..size {
                    let next = at(k);
                    if (largest && next > best) || (!largest && next < best) {
                        (best, place) = (next, k as i64);
                    }
                }
                *to = place;
            }
        }
    });
    let shape = Shape::new(&dims)?;
    let out = match c.attrs().dtype("output_type")? {
        DType::I64 => Value::from_slice(shape, &positions)?,
        _ => {
            let narrow: Vec<i32> = positions.iter().map(|p| *p as i32).collect();
            Value::from_slice(shape, &narrow)?
        }
    };
    c.set_output(0, out);
    Ok(())
}

/// Running sums, or products, along an axis.
pub(super) fn scan(c: &mut KernelContext, is_product: bool) -> Result<()> {
    let input = c.input(0)?;
    let axis = c.scalar_input(1, "axis")?.int()?;
    let (exclusive, reverse) = (c.attrs().bool("exclusive")?, c.attrs().bool("reverse")?);
    let rank = input.shape().rank();
    let axis = resolve_axis(axis, rank).map_err(|_| {
        crate::error::Error::invalid(format!(
            "ScanOp: Expected scan axis in the range [{}, {rank}), but got {axis}",
            -(rank as i64)
        ))
    })?;
    let (outer, size, inner) = around(input.shape(), axis);
    let mut out = c.allocate(0, input.shape().clone())?;
    dispatch!(numbers, input.dtype(), T => {
        let (from, to) = (input.slice::<T>()?, out.slice_mut::<T>()?);
        for o in 0..outer {
            for i in 0..inner {
                let mut acc = if is_product { T::unit() } else { T::zero() };
                for k in 0..size {
                    let k = if reverse { size - 1 - k } else { k };
                    let at = (o * size + k) * inner + i;
                    let next = match is_product {
                        true => T::times(acc, from[at].up()),
                        false => T::plus(acc, from[at].up()),
                    };
                    to[at] = T::down(if exclusive { acc } else { next });
                    acc = next;
                }
            }
        }
    });
    c.set_output(0, out);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(shape: &[i64], reduced: &[bool], out: usize) -> Vec<f32> {
        let shape = Shape::new(shape).unwrap();
        let from: Vec<f32> = (0..shape.num_elements()).map(|x| x as f32).collect();
        let mut to = vec![0.0; out];
        fold_all::<f32, Sum>(&groups(&shape, reduced), &from, &mut to, 1);
        to
    }

    #[test]
    fn any_choice_of_axes_is_summed() {
        assert_eq!(sum(&[2, 3], &[false, true], 2), [3.0, 12.0]);
        assert_eq!(sum(&[2, 3], &[true, false], 3), [3.0, 5.0, 7.0]);
        assert_eq!(sum(&[2, 3], &[true, true], 1), [15.0]);
        assert_eq!(sum(&[2, 2, 2], &[true, false, true], 2), [10.0, 18.0]);
        assert_eq!(
            sum(&[2, 2, 2], &[false, true, false], 4),
            [2.0, 4.0, 10.0, 12.0]
        );
        assert_eq!(sum(&[0, 3], &[true, false], 3), [0.0; 3]);
        assert_eq!(sum(&[2, 0], &[false, true], 2), [0.0; 2]);
        assert_eq!(sum(&[5000], &[true], 1), [(0..5000).sum::<i32>() as f32]);
    }

    #[test]
    fn much_data_in_parts_gives_the_sums_of_plain_loops() {
        for (shape, reduced) in [
            (vec![700, 1001], vec![true, false]),
            (vec![700, 1001], vec![false, true]),
            (vec![700, 1001], vec![true, true]),
            (vec![50, 37, 400], vec![true, false, true]),
            (vec![50, 37, 400], vec![false, true, false]),
            (vec![200_000, 3], vec![true, false]),
            (vec![1, 600_001], vec![false, true]),
        ] {
            let sizes: Vec<usize> = shape.iter().map(|n| *n as usize).collect();
            let n: usize = sizes.iter().product();
            let from: Vec<f32> = (0..n).map(|i| (i % 7) as f32 - 2.0).collect();
            let kept: usize = sizes
                .iter()
                .zip(&reduced)
                .filter(|(_, r)| !**r)
                .map(|(n, _)| n)
                .product();
            let mut wanted = vec![0.0f64; kept];
            for (i, x) in from.iter().enumerate() {
                let (mut rest, mut at, mut stride) = (i, 0, 1);
                for (size, r) in sizes.iter().zip(&reduced).rev() {
                    if !r {
                        at += rest % size * stride;
                        stride *= size;
                    }
                    rest /= size;
                }
                wanted[at] += f64::from(*x);
            }
            let mut to = vec![0.0f32; kept];
            let grouped = groups(&Shape::new(&shape).unwrap(), &reduced);
            fold_all::<f32, Sum>(&grouped, &from, &mut to, 1);
            // Whole numbers below 2^24 are added without rounding.
            assert!(
                to.iter().zip(&wanted).all(|(x, y)| f64::from(*x) == *y),
                "{shape:?}"
            );
        }
    }

    #[test]
    fn extremes_pass_nan_over() {
        let mut to = [0.0f32];
        fold_all::<f32, Max>(&[1, 3], &[1.0, f32::NAN, 2.0], &mut to, 1);
        assert_eq!(to, [2.0]);
        fold_all::<f32, Min>(&[1, 2], &[f32::NAN; 2], &mut to, 1);
        assert_eq!(to, [f32::INFINITY]);
    }
}
