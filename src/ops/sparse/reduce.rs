//! Sparse tensors summed up along axes, and their softmax.

use std::collections::BTreeMap;

use crate::backend::cpu::gemm::Number;
use crate::error::Result;
use crate::ops::kernel::KernelContext;
use crate::ops::moves::strides;
use crate::ops::shape::axis_of;
use crate::value::{DType, Shape, Value};
use crate::{bail, dispatch};

use super::{Sparse, places_value};

/// How values at one place of the result become one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    Sum,
    Max,
}

pub(super) fn reduce(c: &mut KernelContext, kind: Kind, is_sparse: bool) -> Result<()> {
    let keep = c.attrs().bool("keep_dims")?;
    let sparse = Sparse::at(c, 0)?;
    let axes = c.ints_input(3)?;
    let mut is_reduced = vec![axes.is_empty(); sparse.rank];
    for axis in axes {
        is_reduced[axis_of(axis, sparse.rank)?] = true;
    }
    let kept: Vec<usize> = (0..sparse.rank)
        .filter(|d| keep || !is_reduced[*d])
        .collect();
    let size = |d: &usize| if is_reduced[*d] { 1 } else { sparse.dims[*d] };
    let dims: Vec<i64> = kept.iter().map(size).collect();
    let mut groups: BTreeMap<Vec<i64>, Vec<usize>> = BTreeMap::new();
    for i in sparse.order() {
        let row = sparse.row(i);
        let place = kept
            .iter()
            .map(|d| if is_reduced[*d] { 0 } else { row[*d] });
        groups.entry(place.collect()).or_default().push(i);
    }
    let mut values = Value::zeros(sparse.values.dtype(), Shape::vector(groups.len()))?;
    dispatch!(numbers, sparse.values.dtype(), T => {
        let from = sparse.values.slice::<T>()?;
        for (to, group) in values.slice_mut::<T>()?.iter_mut().zip(groups.values()) {
            if kind == Kind::Sum {
                *to = group.iter().fold(<T as Number>::zero(), |sum, i| T::plus(sum, from[*i]));
            }
        }
    });
    if kind == Kind::Max {
        dispatch!(real, sparse.values.dtype(), T => {
            let from = sparse.values.slice::<T>()?;
            for (to, group) in values.slice_mut::<T>()?.iter_mut().zip(groups.values()) {
                *to = group[1..].iter().fold(from[group[0]], |m, i| if from[*i] > m { from[*i] } else { m });
            }
        });
    }
    if is_sparse {
        let places: Vec<i64> = groups.keys().flatten().copied().collect();
        let places = if dims.is_empty() {
            Value::from_slice::<i64>(Shape::new(&[groups.len() as i64, 0])?, &[])?
        } else {
            places_value(&places, dims.len())?
        };
        c.set_output(0, places);
        c.set_output(1, values);
        c.set_output(2, Value::vector(&dims)?);
        return Ok(());
    }
    let steps = strides(&dims);
    let mut out = Value::zeros(sparse.values.dtype(), Shape::new(&dims)?)?;
    dispatch!(numbers, sparse.values.dtype(), T => {
        let to = out.slice_mut::<T>()?;
        for (x, place) in values.slice::<T>()?.iter().zip(groups.keys()) {
            let at: usize = place.iter().zip(&steps).map(|(x, s)| *x as usize * s).sum();
            to[at] = *x;
        }
    });
    c.set_output(0, out);
    Ok(())
}

pub(super) fn softmax(c: &mut KernelContext) -> Result<()> {
    let sparse = Sparse::at(c, 0)?;
    let mut groups: BTreeMap<&[i64], Vec<usize>> = BTreeMap::new();
    for (i, place) in sparse.rows().enumerate() {
        groups
            .entry(&place[..place.len().saturating_sub(1)])
            .or_default()
            .push(i);
    }
    let mut out = Value::zeros(sparse.values.dtype(), sparse.values.shape().clone())?;
    macro_rules! fill {
        ($t:ty) => {{
            let (from, to) = (sparse.values.slice::<$t>()?, out.slice_mut::<$t>()?);
            for group in groups.values() {
                let top = group
                    .iter()
                    .fold(<$t>::NEG_INFINITY, |m, i| m.max(from[*i]));
                let sum: $t = group.iter().map(|i| (from[*i] - top).exp()).sum();
                group
                    .iter()
                    .for_each(|i| to[*i] = (from[*i] - top).exp() / sum);
            }
        }};
    }
    match sparse.values.dtype() {
        DType::F32 => fill!(f32),
        DType::F64 => fill!(f64),
        other => bail!(unimplemented, "softmax of sparse {}", other.short_name()),
    }
    c.set_output(0, out);
    Ok(())
}
