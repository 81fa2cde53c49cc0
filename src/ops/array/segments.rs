//! Sums of rows that have one number.

use crate::error::Result;
use crate::graph::{Endpoint, ShapeContext};
use crate::ops::build::{In, int, number};
use crate::ops::gradient::{GradientContext, Grads};
use crate::ops::kernel::KernelContext;
use crate::ops::moves::product;
use crate::ops::{Op, shape};
use crate::value::{PartialShape, Shape, Value};
use crate::{bail, dispatch, ensure};

use super::rows::{self, Join};

pub(in crate::ops) const OPS: &[Op] = &[
    Op::new(
        "UnsortedSegmentSum",
        "data: T, segment_ids: Tindices, num_segments: Tnumsegments -> output: T",
    )
    .attr("T: numbertype")
    .attr("Tindices: {int32, int64}")
    .attr("Tnumsegments: {int32, int64} = DT_INT32")
    .shape(unsorted_shape)
    .grad(unsorted_sum_grad)
    .kernel(unsorted_segment_sum)
    .gpu(|c| rows::unsorted(c, Join::Sum))
    .on_host(&[1, 2]),
    Op::new("SegmentSum", "data: T, segment_ids: Tindices -> output: T")
        .attr("T: numbertype")
        .attr("Tindices: {int32, int64}")
        .shape(segment_shape)
        .grad(segment_sum_grad)
        .kernel(|c| segment_sum(c, false))
        .gpu(|c| rows::sorted(c, Join::Sum))
        .on_host(&[1]),
    Op::new("SegmentMean", "data: T, segment_ids: Tindices -> output: T")
        .attr("T: numbertype")
        .attr("Tindices: {int32, int64}")
        .shape(segment_shape)
        .grad(segment_mean_grad)
        .kernel(|c| segment_sum(c, true))
        .gpu(|c| rows::sorted(c, Join::Mean))
        .on_host(&[1]),
];

fn unsorted_shape(c: &mut ShapeContext) -> Result<()> {
    let (data, ids) = (c.input(0), c.input(1));
    crate::graph::with_rank(&c.input(2), 0)?;
    let rows = c.constant(2).and_then(|v| v.int().ok()).unwrap_or(-1);
    let (Some(d), Some(i)) = (data.dims(), ids.dims()) else {
        return Ok(());
    };
    ensure!(
        i.len() <= d.len(),
        invalid,
        "Shape must be at least rank {} but is rank {}",
        i.len(),
        d.len()
    );
    for (a, b) in d.iter().zip(i) {
        shape::merge_dim(*a, *b)?;
    }
    let mut dims = vec![rows];
    dims.extend_from_slice(&d[i.len()..]);
    c.set(0, PartialShape::from_dims(dims));
    Ok(())
}

fn unsorted_sum_grad(g: &mut GradientContext) -> Result<Grads> {
    let (ids, dy) = (g.input(1), g.dy(0)?);
    let zeros = g.graph.zeros_like(ids)?;
    let clipped = g.op("Maximum", [ids, zeros])?;
    let axis = In::Plain("axis", int(0)?);
    let rows = g
        .graph
        .call("GatherV2", "", [dy.into(), clipped.into(), axis], &[])?;
    let zero = g.graph.plain("y", ids, 0.0)?;
    let mut is_kept = g.graph.call("GreaterEqual", "", [ids.into(), zero], &[])?;
    let missing = match (g.shape(rows).rank(), g.shape(is_kept).rank()) {
        (Some(a), Some(b)) => a.saturating_sub(b),
        _ => bail!(
            value,
            "the gradient of UnsortedSegmentSum needs known ranks"
        ),
    };
    for _ in 0..missing {
        is_kept = g.graph.expand_dims(is_kept, -1)?;
    }
    let ones = ones_of_bool(g, rows)?;
    let mask = g.graph.call("LogicalAnd", "and", [is_kept, ones], &[])?;
    let zeros = g.graph.zeros_like(rows)?;
    let made = g.graph.where_(mask, rows, zeros)?;
    Ok(vec![Some(made.into()), None, None])
}

/// `tf.ones_like(e, dtype=tf.bool)`.
fn ones_of_bool(g: &mut GradientContext, e: Endpoint) -> Result<Endpoint> {
    let known = g.shape(e).clone();
    g.graph.in_scope("ones_like", |graph| {
        let shape = graph.shape_of(e)?;
        let value = graph.constant_node("Const", Value::scalar_bool(true)?)?;
        let name = graph.scope_as_name();
        let made = graph.call("Fill", &name, [shape, value], &[])?;
        graph.set_shape(made, &known)?;
        Ok(made)
    })
}

fn unsorted_segment_sum(c: &mut KernelContext) -> Result<()> {
    let (data, ids) = (c.input(0)?, c.input(1)?);
    let rows = c.scalar_input(2, "num_segments")?.int()?;
    let (d, i) = (data.shape().dims(), ids.shape().dims());
    ensure!(
        d.starts_with(i),
        invalid,
        "data.shape = {} does not start with segment_ids.shape = {}",
        data.shape(),
        ids.shape()
    );
    ensure!(
        rows >= 0,
        invalid,
        "Input num_segments == {rows} must not be negative."
    );
    let mut dims = vec![rows];
    dims.extend_from_slice(&d[i.len()..]);
    let mut out = Value::zeros(data.dtype(), Shape::new(&dims)?)?;
    let block = product(&d[i.len()..]);
    let ids_shape = ids.shape();
    let ids = ids.ints()?;
    if let Some(at) = ids.iter().position(|x| *x >= rows) {
        bail!(
            invalid,
            "segment_ids{} = {} is out of range [0, {rows})",
            super::gather::show_place(ids_shape, at),
            ids[at]
        );
    }
    dispatch!(numbers, data.dtype(), T => {
        use crate::backend::cpu::gemm::Number;
        let (from, to) = (data.slice::<T>()?, out.slice_mut::<T>()?);
        for (row, id) in from.chunks_exact(block.max(1)).zip(&ids) {
            let Ok(id) = usize::try_from(*id) else { continue };
            for (to, x) in to[id * block..(id + 1) * block].iter_mut().zip(row) {
                *to = T::plus(*to, *x);
            }
        }
    });
    c.set_output(0, out);
    Ok(())
}

fn segment_shape(c: &mut ShapeContext) -> Result<()> {
    let data = c.input(0);
    c.input_of_rank(1, 1)?;
    if let Some(dims) = data.dims() {
        ensure!(
            !dims.is_empty(),
            invalid,
            "Shape must be at least rank 1 but is rank 0"
        );
        let mut dims = dims.to_vec();
        dims[0] = -1;
        c.set(0, PartialShape::from_dims(dims));
    }
    Ok(())
}

fn segment_sum_grad(g: &mut GradientContext) -> Result<Grads> {
    let (ids, dy) = (g.input(1), g.dy(0)?);
    let axis = In::Plain("axis", int(0)?);
    let made = g
        .graph
        .call("GatherV2", "", [dy.into(), ids.into(), axis], &[])?;
    Ok(vec![Some(made.into()), None])
}

fn segment_mean_grad(g: &mut GradientContext) -> Result<Grads> {
    let (x, ids, dy) = (g.input(0), g.input(1), g.dy(0)?);
    let rank = g.graph.rank_of(x)?;
    let ids_shape = g.graph.shape_of(ids)?;
    let rest = g.graph.sub(rank, In::Plain("y", int(1)?))?;
    let rest = g.graph.expand_dims(rest, 0)?;
    let one = In::Plain("value", int(1)?);
    let ones = g.graph.call("Fill", "", [rest.into(), one], &[])?;
    let shape = g.graph.concat(vec![ids_shape.into(), ones.into()], 0)?;
    let dtype = g.dtype(dy);
    let one = g.graph.constant_node("Const", number(dtype, 1.0)?)?;
    let ones = g.graph.call("Fill", "", [shape, one], &[])?;
    let counts = g.op("SegmentSum", [ones, ids])?;
    let parts = g.graph.truediv(dy, counts)?;
    let axis = In::Plain("axis", int(0)?);
    let made = g
        .graph
        .call("GatherV2", "", [parts.into(), ids.into(), axis], &[])?;
    Ok(vec![Some(made.into()), None])
}

fn segment_sum(c: &mut KernelContext, is_mean: bool) -> Result<()> {
    let (data, ids) = (c.input(0)?, c.ints_input(1)?);
    let dims = data.shape().dims();
    ensure!(
        dims.first() == Some(&(ids.len() as i64)),
        invalid,
        "segment_ids should be the same size as dimension 0 of input."
    );
    ensure!(
        ids.is_sorted() && ids.first().is_none_or(|x| *x >= 0),
        invalid,
        "segment ids are not increasing"
    );
    let mut out_dims = dims.to_vec();
    out_dims[0] = ids.last().map_or(0, |x| x + 1);
    let mut out = Value::zeros(data.dtype(), Shape::new(&out_dims)?)?;
    let block = product(&dims[1..]);
    let mut counts = vec![0usize; out_dims[0] as usize];
    ids.iter().for_each(|id| counts[*id as usize] += 1);
    dispatch!(numbers, data.dtype(), T => {
        use crate::backend::cpu::gemm::Number;
        let (from, to) = (data.slice::<T>()?, out.slice_mut::<T>()?);
        for (row, id) in from.chunks_exact(block.max(1)).zip(&ids) {
            let id = *id as usize;
            for (to, x) in to[id * block..(id + 1) * block].iter_mut().zip(row) {
                *to = T::plus(*to, *x);
            }
        }
        if is_mean {
            for (row, n) in to.chunks_exact_mut(block.max(1)).zip(&counts) {
                row.iter_mut().for_each(|x| *x = T::divided(*x, (*n).max(1)));
            }
        }
    });
    c.set_output(0, out);
    Ok(())
}
