//! Putting rows together by index, and taking them apart.

use crate::error::{Error, Result};
use crate::graph::{Attr, Endpoint, ShapeContext};
use crate::ops::build::{In, int, ints};
use crate::ops::gpu::{GpuContext, is_known_to_shaders};
use crate::ops::gradient::{GradientContext, Grads};
use crate::ops::kernel::KernelContext;
use crate::ops::moves::{Run, assemble, product};
use crate::ops::{Op, shape};
use crate::value::{PartialShape, Shape, Value};
use crate::{bail, ensure};

use super::gather::GatherPlan;
use super::gpu::{gather, join};

pub(in crate::ops) const OPS: &[Op] = &[
    Op::new(
        "DynamicStitch",
        "indices: N * int32, data: N * T -> merged: T",
    )
    .attr("N: int >= 1")
    .attr("T: type")
    .shape(stitch_shape)
    .grad(stitch_grad)
    .kernel(dynamic_stitch)
    .gpu(stitch_on_gpu),
    Op::new(
        "ParallelDynamicStitch",
        "indices: N * int32, data: N * T -> merged: T",
    )
    .attr("N: int >= 1")
    .attr("T: type")
    .shape(stitch_shape)
    .grad(stitch_grad)
    .kernel(dynamic_stitch)
    .gpu(stitch_on_gpu),
    Op::new(
        "DynamicPartition",
        "data: T, partitions: int32 -> outputs: num_partitions * T",
    )
    .attr("num_partitions: int >= 1")
    .attr("T: type")
    .shape(partition_shape)
    .grad(partition_grad)
    .kernel(dynamic_partition)
    .gpu(partition_on_gpu)
    .on_host(&[1]),
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

/// For each row of a stitch where it comes from, (source, row): the last that names it. And the sizes of a row.
fn places_of(indices: &[Value], data: &[Shape]) -> Result<(Vec<Option<(usize, usize)>>, Vec<i64>)> {
    let mut from: Vec<Option<(usize, usize)>> = Vec::new();
    let mut rest: Option<Vec<i64>> = None;
    for (k, (indices, data)) in indices.iter().zip(data).enumerate() {
        let (i, d) = (indices.shape().dims(), data.dims());
        ensure!(
            d.starts_with(i),
            invalid,
            "data[{k}].shape = {data} does not start with indices[{k}].shape = {}",
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
    }
    Ok((from, rest.unwrap_or_default()))
}

fn dynamic_stitch(c: &mut KernelContext) -> Result<()> {
    let count = c.num_inputs() / 2;
    let (mut indices, mut shapes) = (Vec::with_capacity(count), Vec::with_capacity(count));
    let mut sources = Vec::with_capacity(count + 1);
    for k in 0..count {
        indices.push(c.input(k)?.clone());
        let data = c.input(count + k)?;
        shapes.push(data.shape().clone());
        sources.push(data);
    }
    let (from, rest) = places_of(&indices, &shapes)?;
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

/// All rows one after the other, then picked in the order of the result.
fn stitch_on_gpu(c: &mut GpuContext) -> Result<()> {
    let count = c.num_inputs() / 2;
    let mut indices = Vec::with_capacity(count);
    let mut shapes = Vec::with_capacity(count);
    for k in 0..count {
        indices.push(c.host_input(k)?);
        shapes.push(c.shape(count + k)?.clone());
    }
    let (from, rest) = places_of(&indices, &shapes)?;
    let block = product(&rest);
    let mut begins = Vec::with_capacity(count);
    let mut total = 0;
    for indices in &indices {
        begins.push(total as i32);
        total += indices.num_elements();
    }
    let rows = from
        .iter()
        .flatten()
        .map(|(k, row)| begins[*k] + *row as i32);
    let rows: Vec<i32> = rows.collect();
    // Rows that no index names are zeros, which the host adds.
    if rows.len() < from.len() || rows.is_empty() || block == 0 || total * block >= 1 << 30 {
        return c.leave_to_host();
    }
    let mut sources = Vec::with_capacity(count);
    for k in 0..count {
        sources.push(c.input(count + k)?);
    }
    let Some(all) = join(c, &sources, 1, Shape::vector(total * block))? else {
        return c.leave_to_host();
    };
    let made = picked(c, &all, &rows, &rest)?;
    match made {
        Some(made) => c.set_output(0, made),
        None => c.leave_to_host()?,
    }
    Ok(())
}

/// These rows of a matrix whose rows have the sizes `rest`.
fn picked(c: &GpuContext, from: &Value, rows: &[i32], rest: &[i64]) -> Result<Option<Value>> {
    let shape = Shape::new(&[&[rows.len() as i64], rest].concat())?;
    if shape.num_elements() == 0 {
        return c.allocate_as(from.dtype(), shape).map(Some);
    }
    let block = product(rest);
    let plan = GatherPlan {
        batches: 1,
        outer: 1,
        rows: from.num_elements() / block,
        inner: block,
        picks: rows.len(),
        shape,
    };
    let rows = c.upload(&Value::vector(rows)?)?;
    gather(c, from, &rows, &plan)
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

/// The rows of each part, and the sizes of a row.
fn parts_of(data: &Shape, partitions: &Value, count: usize) -> Result<(Vec<Vec<i32>>, Vec<i64>)> {
    let (d, p) = (data.dims(), partitions.shape().dims());
    ensure!(
        d.starts_with(p),
        invalid,
        "data.shape must start with partitions.shape, got data.shape = {data}, partitions.shape = {}",
        partitions.shape()
    );
    let mut rows: Vec<Vec<i32>> = vec![Vec::new(); count];
    for (row, part) in partitions.ints()?.into_iter().enumerate() {
        let found = usize::try_from(part).ok().filter(|x| *x < count);
        let Some(part) = found else {
            bail!(invalid, "partitions[{row}] = {part} is not in [0, {count})");
        };
        rows[part].push(row as i32);
    }
    Ok((rows, d[p.len()..].to_vec()))
}

fn partition_on_gpu(c: &mut GpuContext) -> Result<()> {
    let (partitions, shape) = (c.host_input(1)?, c.shape(0)?.clone());
    let (parts, rest) = parts_of(&shape, &partitions, c.num_outputs())?;
    if !is_known_to_shaders(c.dtype(0)?) || shape.num_elements() >= 1 << 30 {
        return c.leave_to_host();
    }
    let data = c.input(0)?;
    let mut made = Vec::with_capacity(parts.len());
    for rows in &parts {
        match picked(c, &data, rows, &rest)? {
            Some(part) => made.push(part),
            None => return c.leave_to_host(),
        }
    }
    for (i, part) in made.into_iter().enumerate() {
        c.set_output(i, part);
    }
    Ok(())
}

fn dynamic_partition(c: &mut KernelContext) -> Result<()> {
    let (data, partitions) = (c.input(0)?.clone(), c.input(1)?.clone());
    let (rows, rest) = parts_of(data.shape(), &partitions, c.num_outputs())?;
    let block = product(&rest);
    for (i, rows) in rows.into_iter().enumerate() {
        let mut dims = vec![rows.len() as i64];
        dims.extend_from_slice(&rest);
        let runs = rows.iter().map(|row| Run {
            source: 0,
            from: *row as usize * block,
            len: block,
        });
        let piece = assemble(data.dtype(), Shape::new(&dims)?, &[&data], runs)?;
        c.set_output(i, piece);
    }
    Ok(())
}
