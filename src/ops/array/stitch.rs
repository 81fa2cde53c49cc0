//! Putting rows together by index, and taking them apart.

use crate::error::{Error, Result};
use crate::graph::{Attr, Endpoint, ShapeContext};
use crate::ops::build::{In, int, ints};
use crate::ops::gradient::{GradientContext, Grads};
use crate::ops::kernel::KernelContext;
use crate::ops::moves::{Run, assemble, product};
use crate::ops::{Op, shape};
use crate::value::{PartialShape, Shape, Value};
use crate::{bail, ensure};

pub(in crate::ops) const OPS: &[Op] = &[
    Op::new(
        "DynamicStitch",
        "indices: N * int32, data: N * T -> merged: T",
    )
    .attr("N: int >= 1")
    .attr("T: type")
    .shape(stitch_shape)
    .grad(stitch_grad)
    .kernel(dynamic_stitch),
    Op::new(
        "ParallelDynamicStitch",
        "indices: N * int32, data: N * T -> merged: T",
    )
    .attr("N: int >= 1")
    .attr("T: type")
    .shape(stitch_shape)
    .grad(stitch_grad)
    .kernel(dynamic_stitch),
    Op::new(
        "DynamicPartition",
        "data: T, partitions: int32 -> outputs: num_partitions * T",
    )
    .attr("num_partitions: int >= 1")
    .attr("T: type")
    .shape(partition_shape)
    .grad(partition_grad)
    .kernel(dynamic_partition),
];

fn stitch_shape(c: &mut ShapeContext) -> Result<()> {
    let count = c.num_inputs() / 2;
    let mut rows = Some(0i64);
    let mut rest = PartialShape::unknown();
    for i in 0..count {
        match c.constant_ints(i) {
            Some(all) => rows = rows.map(|r| all.iter().fold(r, |r, x| r.max(x + 1))),
            None => rows = None,
        }
        let (indices, data) = (c.input(i), c.input(count + i));
        let (Some(i), Some(d)) = (indices.dims(), data.dims()) else {
            continue;
        };
        ensure!(
            i.len() <= d.len(),
            invalid,
            "Shape must be at least rank {} but is rank {}",
            i.len(),
            d.len()
        );
        for (a, b) in i.iter().zip(d) {
            shape::merge_dim(*a, *b)?;
        }
        rest = shape::merge(&rest, &PartialShape::from_dims(d[i.len()..].to_vec()))?;
    }
    if let Some(dims) = rest.dims() {
        let mut all = vec![rows.unwrap_or(-1)];
        all.extend_from_slice(dims);
        c.set(0, PartialShape::from_dims(all));
    }
    Ok(())
}

fn stitch_grad(g: &mut GradientContext) -> Result<Grads> {
    let count = g.num_inputs() / 2;
    let dy = g.dy(0)?;
    let mut grads = vec![None; count];
    for i in 0..count {
        let indices = g.input(i);
        let axis = In::Plain("axis", int(0)?);
        let made = g
            .graph
            .call("GatherV2", "", [dy.into(), indices.into(), axis], &[])?;
        grads.push(Some(made.into()));
    }
    Ok(grads)
}

fn dynamic_stitch(c: &mut KernelContext) -> Result<()> {
    let count = c.num_inputs() / 2;
    let mut sources = Vec::with_capacity(count);
    let mut rest: Option<Vec<i64>> = None;
    let mut from: Vec<Option<(usize, usize)>> = Vec::new();
    for k in 0..count {
        let (indices, data) = (c.input(k)?, c.input(count + k)?);
        let (i, d) = (indices.shape().dims(), data.shape().dims());
        ensure!(
            d.starts_with(i),
            invalid,
            "data[{k}].shape = {} does not start with indices[{k}].shape = {}",
            data.shape(),
            indices.shape()
        );
        let own = d[i.len()..].to_vec();
        let rest = rest.get_or_insert_with(|| own.clone());
        ensure!(
            *rest == own,
            invalid,
            "Need data[0].shape[1:] = data[{k}].shape[1:], got {rest:?} and {own:?}"
        );
        for (row, place) in indices.ints()?.into_iter().enumerate() {
            let place = usize::try_from(place)
                .map_err(|_| Error::invalid(format!("indices[{k}] is out of range")))?;
            ensure!(
                place <= MAX_STITCHED,
                invalid,
                "indices[{k}] is out of range: {place}"
            );
            if from.len() <= place {
                from.resize(place + 1, None);
            }
            from[place] = Some((k, row));
        }
        sources.push(data);
    }
    let rest = rest.unwrap_or_default();
    let block = product(&rest);
    let mut dims = vec![from.len() as i64];
    dims.extend_from_slice(&rest);
    // Places that no index names are zeros: they come from one more source.
    let mut zero_dims = vec![1];
    zero_dims.extend_from_slice(&rest);
    let zeros = Value::zeros(sources[0].dtype(), Shape::new(&zero_dims)?)?;
    let dtype = sources[0].dtype();
    sources.push(&zeros);
    let runs = from.iter().map(|place| match place {
        Some((source, row)) => Run {
            source: *source,
            from: row * block,
            len: block,
        },
        None => Run {
            source: count,
            from: 0,
            len: block,
        },
    });
    let made = assemble(dtype, Shape::new(&dims)?, &sources, runs)?;
    c.set_output(0, made);
    Ok(())
}

/// The largest index of a stitch: one wrong index must not ask for all memory.
const MAX_STITCHED: usize = 1 << 31;

fn partition_shape(c: &mut ShapeContext) -> Result<()> {
    let (data, partitions) = (c.input(0), c.input(1));
    let (Some(d), Some(p)) = (data.dims(), partitions.dims()) else {
        return Ok(());
    };
    ensure!(
        p.len() <= d.len(),
        invalid,
        "Shape must be at least rank {} but is rank {}",
        p.len(),
        d.len()
    );
    for (a, b) in p.iter().zip(d) {
        shape::merge_dim(*a, *b)?;
    }
    let mut dims = vec![-1];
    dims.extend_from_slice(&d[p.len()..]);
    for i in 0..c.num_outputs() {
        c.set(i, PartialShape::from_dims(dims.clone()));
    }
    Ok(())
}

fn partition_grad(g: &mut GradientContext) -> Result<Grads> {
    let (data, partitions) = (g.input(0), g.input(1));
    let count = g.node().attrs.int("num_partitions")? as usize;
    let prefix = g.graph.shape_of(partitions)?;
    let zero = g.constant("Const", ints(&[0])?)?;
    let size = g.op("Prod", [prefix, zero])?;
    let all = g.graph.range(int(0)?, size)?;
    let places = g.graph.reshape(all, prefix)?;
    let attrs = [("num_partitions", Attr::Int(count as i64))];
    let parts = g
        .graph
        .call("DynamicPartition", "", [places, partitions], &attrs)?;
    let indices: Vec<Endpoint> = (0..count).map(|i| Endpoint::new(parts.node, i)).collect();
    let mut grads = Vec::with_capacity(count);
    for i in 0..count {
        grads.push(g.dy(i)?);
    }
    let inputs = [In::List(indices), In::List(grads)];
    let stitched = g
        .graph
        .call("ParallelDynamicStitch", "DynamicStitch", inputs, &[])?;
    let shape = g.graph.shape_of(data)?;
    let made = g.graph.reshape(stitched, shape)?;
    Ok(vec![Some(made.into()), None])
}

fn dynamic_partition(c: &mut KernelContext) -> Result<()> {
    let (data, partitions) = (c.input(0)?.clone(), c.input(1)?.clone());
    let (d, p) = (data.shape().dims(), partitions.shape().dims());
    ensure!(
        d.starts_with(p),
        invalid,
        "data.shape must start with partitions.shape, got data.shape = {}, partitions.shape = {}",
        data.shape(),
        partitions.shape()
    );
    let count = c.num_outputs();
    let block = product(&d[p.len()..]);
    let mut rows: Vec<Vec<usize>> = vec![Vec::new(); count];
    for (row, part) in partitions.ints()?.into_iter().enumerate() {
        let found = usize::try_from(part).ok().filter(|x| *x < count);
        let Some(part) = found else {
            bail!(invalid, "partitions[{row}] = {part} is not in [0, {count})");
        };
        rows[part].push(row);
    }
    for (i, rows) in rows.into_iter().enumerate() {
        let mut dims = vec![rows.len() as i64];
        dims.extend_from_slice(&d[p.len()..]);
        let runs = rows.iter().map(|row| Run {
            source: 0,
            from: row * block,
            len: block,
        });
        let piece = assemble(data.dtype(), Shape::new(&dims)?, &[&data], runs)?;
        c.set_output(i, piece);
    }
    Ok(())
}
