//! Sums, products and extremes of sparse tensors with sparse and dense ones.

use std::cmp::Ordering;

use crate::backend::cpu::gemm::Number;
use crate::error::Result;
use crate::ops::kernel::KernelContext;
use crate::ops::moves::strides;
use crate::value::{DType, Shape, Value};
use crate::{bail, dispatch, ensure};

use super::{Sparse, places_value};

/// Walks two ordered sparse tensors: each place with the entries of both that lie there.
fn both<'a>(a: &'a Sparse, b: &'a Sparse) -> Vec<(&'a [i64], Option<usize>, Option<usize>)> {
    let (mut i, mut j, mut all) = (0, 0, Vec::new());
    while i < a.len() || j < b.len() {
        let order = match (i < a.len(), j < b.len()) {
            (true, true) => a.row(i).cmp(b.row(j)),
            (true, false) => Ordering::Less,
            _ => Ordering::Greater,
        };
        match order {
            Ordering::Less => all.push((a.row(i), Some(i), None)),
            Ordering::Greater => all.push((b.row(j), None, Some(j))),
            Ordering::Equal => all.push((a.row(i), Some(i), Some(j))),
        }
        i += usize::from(order != Ordering::Greater);
        j += usize::from(order != Ordering::Less);
    }
    all
}

fn check_same_dims(a: &Sparse, b: &Sparse) -> Result<()> {
    ensure!(
        a.rank == b.rank,
        invalid,
        "Ranks of input tensors must match, but saw ranks: {} and {}",
        a.rank,
        b.rank
    );
    for d in 0..a.rank {
        ensure!(
            a.dims[d] == b.dims[d],
            invalid,
            "Input shapes must match: got {} and {} for dimension {d}",
            a.dims[d],
            b.dims[d]
        );
    }
    Ok(())
}

/// How large a number is, to compare it with a threshold.
trait Magnitude {
    fn magnitude(self) -> f64;
}

macro_rules! magnitudes {
    ($($t:ty: $f:expr;)*) => {$(
        impl Magnitude for $t {
            fn magnitude(self) -> f64 {
                let f: fn($t) -> f64 = $f;
                f(self)
            }
        }
    )*};
}

magnitudes! {
    f32: |x| f64::from(x.abs()); f64: |x| x.abs();
    half::f16: |x| f64::from(x.to_f32().abs()); half::bf16: |x| f64::from(x.to_f32().abs());
    i8: |x| f64::from(x).abs(); i16: |x| f64::from(x).abs(); i32: |x| f64::from(x).abs(); i64: |x| (x as f64).abs();
    u8: |x| f64::from(x); u16: |x| f64::from(x); u32: |x| f64::from(x); u64: |x| x as f64;
    num_complex::Complex<f32>: |x| f64::from(x.norm()); num_complex::Complex<f64>: |x| x.norm();
}

pub(super) fn add(c: &mut KernelContext) -> Result<()> {
    let (a, b) = (Sparse::at(c, 0)?, Sparse::at(c, 3)?);
    check_same_dims(&a, &b)?;
    let threshold = c.scalar_input(6, "thresh")?;
    let limit = dispatch!(real, threshold.dtype(), T => threshold.item::<T>()?.magnitude());
    let all = both(&a, &b);
    let mut places = Vec::new();
    let values;
    dispatch!(numbers, a.values.dtype(), T => {
        let (x, y) = (a.values.slice::<T>()?, b.values.slice::<T>()?);
        let mut sums: Vec<T> = Vec::new();
        for (place, i, j) in all {
            let sum = match (i, j) {
                (Some(i), Some(j)) => T::plus(x[i], y[j]),
                (Some(i), None) => x[i],
                (None, Some(j)) => y[j],
                (None, None) => continue,
            };
            if sum.magnitude() >= limit {
                places.extend_from_slice(place);
                sums.push(sum);
            }
        }
        values = Value::vector(&sums)?;
    });
    let (places, dims) = (places_value(&places, a.rank)?, Value::vector(&a.dims)?);
    c.set_output(0, places);
    c.set_output(1, values);
    c.set_output(2, dims);
    Ok(())
}

pub(super) fn add_grad(c: &mut KernelContext) -> Result<()> {
    let dy = c.input(0)?;
    let rank = c
        .input(1)?
        .shape()
        .dims()
        .get(1)
        .copied()
        .unwrap_or(0)
        .max(1) as usize;
    let sums = c.ints_input(3)?;
    let mut found = rustc_hash::FxHashMap::default();
    for (k, place) in sums.chunks_exact(rank).enumerate() {
        found.insert(place, k);
    }
    ensure!(
        found.len() <= dy.num_elements(),
        invalid,
        "the gradient of a sum has fewer values than the sum"
    );
    let mut made = Vec::new();
    for i in 1..3 {
        let places = c.ints_input(i)?;
        let mut out = Value::zeros(dy.dtype(), Shape::vector(places.len() / rank))?;
        dispatch!(numbers, dy.dtype(), T => {
            let (from, to) = (dy.slice::<T>()?, out.slice_mut::<T>()?);
            for (to, place) in to.iter_mut().zip(places.chunks_exact(rank)) {
                if let Some(k) = found.get(place) {
                    *to = from[*k];
                }
            }
        });
        made.push(out);
    }
    for (i, out) in made.into_iter().enumerate() {
        c.set_output(i, out);
    }
    Ok(())
}

pub(super) fn extreme(c: &mut KernelContext, is_max: bool) -> Result<()> {
    let (a, b) = (Sparse::at(c, 0)?, Sparse::at(c, 3)?);
    check_same_dims(&a, &b)?;
    let all = both(&a, &b);
    let places: Vec<i64> = all.iter().flat_map(|(place, ..)| *place).copied().collect();
    let values;
    dispatch!(real, a.values.dtype(), T => {
        let (x, y) = (a.values.slice::<T>()?, b.values.slice::<T>()?);
        let zero = <T as Number>::zero();
        let chosen: Vec<T> = all
            .iter()
            .map(|(_, i, j)| {
                let (x, y) = (i.map_or(zero, |i| x[i]), j.map_or(zero, |j| y[j]));
                if (x < y) == is_max { y } else { x }
            })
            .collect();
        values = Value::vector(&chosen)?;
    });
    let places = places_value(&places, a.rank)?;
    c.set_output(0, places);
    c.set_output(1, values);
    Ok(())
}

pub(super) fn dense_add(c: &mut KernelContext) -> Result<()> {
    let a = Sparse::at(c, 0)?;
    let b = c.input(3)?;
    ensure!(
        a.dims == b.shape().dims(),
        invalid,
        "Dimensions of the sparse tensor {:?} and the dense one {} do not match",
        a.dims,
        b.shape()
    );
    let steps = strides(&a.dims);
    let mut out = b.deep_copy()?;
    dispatch!(numbers, b.dtype(), T => {
        let (x, to) = (a.values.slice::<T>()?, out.slice_mut::<T>()?);
        for (x, place) in x.iter().zip(a.rows()) {
            let at: usize = place.iter().zip(&steps).map(|(x, s)| *x as usize * s).sum();
            to[at] = T::plus(to[at], *x);
        }
    });
    c.set_output(0, out);
    Ok(())
}

pub(super) fn dense_mat_mul(c: &mut KernelContext) -> Result<()> {
    let (adjoint_a, adjoint_b) = (c.attrs().bool("adjoint_a")?, c.attrs().bool("adjoint_b")?);
    let (places, values, dims) = (c.input(0)?, c.input(1)?, c.ints_input(2)?);
    let b = c.input(3)?;
    ensure!(
        dims.len() == 2,
        invalid,
        "Tensor 'a_shape' must have 2 elements"
    );
    ensure!(b.shape().rank() == 2, invalid, "Tensor 'b' is not a matrix");
    let a = Sparse::unchecked(places, values, dims)?;
    let (rows, inner) = if adjoint_a {
        (a.dims[1], a.dims[0])
    } else {
        (a.dims[0], a.dims[1])
    };
    let (b_rows, b_columns) = (b.shape().dim(0), b.shape().dim(1));
    let (b_inner, columns) = if adjoint_b {
        (b_columns, b_rows)
    } else {
        (b_rows, b_columns)
    };
    ensure!(
        inner == b_inner as i64,
        invalid,
        "Cannot multiply A and B because inner dimension does not match: {inner} vs. {b_inner}.  Did you forget a transpose?  Dimensions of A: [{}, {}).  Dimensions of B: {}",
        a.dims[0],
        a.dims[1],
        b.shape()
    );
    let mut out = Value::zeros(values.dtype(), Shape::new(&[rows, columns as i64])?)?;
    if matches!(values.dtype(), DType::C64 | DType::C128) && (adjoint_a || adjoint_b) {
        bail!(unimplemented, "adjoints of complex sparse matrices");
    }
    let (step_k, step_n) = if adjoint_b {
        (1, b_columns)
    } else {
        (b_columns, 1)
    };
    dispatch!(numbers, values.dtype(), T => {
        let (x, y, to) = (values.slice::<T>()?, b.slice::<T>()?, out.slice_mut::<T>()?);
        for (i, (x, place)) in x.iter().zip(a.rows()).enumerate() {
            let (m, k) = if adjoint_a { (place[1], place[0]) } else { (place[0], place[1]) };
            ensure!(
                (0..inner).contains(&k),
                invalid,
                "k ({k}) from index[{i},{}] out of bounds (>={inner})",
                usize::from(!adjoint_a)
            );
            ensure!(
                (0..rows).contains(&m),
                invalid,
                "m ({m}) from index[{i},{}] out of bounds (>={rows})",
                usize::from(adjoint_a)
            );
            let to = &mut to[m as usize * columns..(m as usize + 1) * columns];
            for (n, to) in to.iter_mut().enumerate() {
                *to = <T as Number>::mul_add(*to, *x, y[k as usize * step_k + n * step_n]);
            }
        }
    });
    c.set_output(0, out);
    Ok(())
}

/// What a sparse and a dense value become.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Cwise {
    Add,
    Mul,
    Div,
}

pub(super) fn cwise(c: &mut KernelContext, kind: Cwise) -> Result<()> {
    let a = Sparse::at(c, 0)?;
    let dense = c.input(3)?;
    let dims = dense.shape().dims();
    let offset = a.rank.checked_sub(dims.len());
    let fits = |offset: usize| {
        dims.iter()
            .zip(&a.dims[offset..])
            .all(|(d, s)| *d == 1 || d == s)
    };
    let Some(offset) = offset.filter(|offset| fits(*offset)) else {
        bail!(
            invalid,
            "SparseDenseBinaryOpShared broadcasts dense to sparse only; got incompatible shapes: [{:?}] vs. {}",
            a.dims,
            dense.shape()
        );
    };
    let mut steps = strides(dims);
    for (step, d) in steps.iter_mut().zip(dims) {
        if *d == 1 {
            *step = 0;
        }
    }
    let mut out = Value::zeros(a.values.dtype(), a.values.shape().clone())?;
    macro_rules! combine {
        ($t:ty, $f:expr) => {{
            let f: fn($t, $t) -> $t = $f;
            let (x, y) = (a.values.slice::<$t>()?, dense.slice::<$t>()?);
            for ((to, x), place) in out.slice_mut::<$t>()?.iter_mut().zip(x).zip(a.rows()) {
                let at: usize = place[offset..]
                    .iter()
                    .zip(&steps)
                    .map(|(x, s)| *x as usize * s)
                    .sum();
                *to = f(*x, y[at]);
            }
        }};
    }
    match (kind, a.values.dtype()) {
        (Cwise::Div, DType::F32) => combine!(f32, |x, y| x / y),
        (Cwise::Div, DType::F64) => combine!(f64, |x, y| x / y),
        (Cwise::Div, DType::I32) => combine!(i32, |x, y| x.checked_div(y).unwrap_or(0)),
        (Cwise::Div, DType::I64) => combine!(i64, |x, y| x.checked_div(y).unwrap_or(0)),
        (Cwise::Div, other) => bail!(unimplemented, "sparse division of {}", other.short_name()),
        (Cwise::Add, dtype) => dispatch!(numbers, dtype, T => combine!(T, |x, y| T::plus(x, y))),
        (Cwise::Mul, dtype) => {
            dispatch!(numbers, dtype, T => combine!(T, |x, y| <T as Number>::mul_add(<T as Number>::zero(), x, y)))
        }
    }
    c.set_output(0, out);
    Ok(())
}
