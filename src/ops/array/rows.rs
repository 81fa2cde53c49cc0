//! Rows put together by index on a GPU: segment sums and scattered updates. The indices are sorted on the host, so each
//! row of the result takes its updates in the order in which they came, whatever the device. What is wrong is left to
//! the CPU's kernels, which say so.

use crate::backend::gpu::{Shader, groups_for};
use crate::error::Result;
use crate::ops::gpu::{GpuContext, copy};
use crate::ops::moves::product;
use crate::ops::state::Update;
use crate::value::{DType, Shape, Value};

use super::gather::{GatherPlan, nd_places, plan_gather};
use super::gpu::{filled, gather};

/// How `shaders/segments.wgsl` joins a row and an update.
fn number_of(update: Update) -> u32 {
    match update {
        Update::Set => 0,
        Update::Add => ADD,
        Update::Sub => 2,
        Update::Mul => 3,
        Update::Div => 4,
        Update::Min => 5,
        Update::Max => 6,
    }
}

const ADD: u32 = 1;
const MEAN: u32 = 7;

/// Most updates that one invocation takes: drivers in software end loops that go on for long.
const MOST: usize = 1 << 14;

/// Tables of the updates, `most` of each row at a time: the row of each segment, where each begins, and the order of the
/// updates; and the number of segments.
fn tables_of(rows: &[i64], most: usize) -> Result<Vec<(Value, usize)>> {
    let mut order: Vec<i32> = (0..rows.len() as i32).collect();
    order.sort_by_key(|at| rows[*at as usize]);
    // An update without a row is one of no segment.
    let first = order.partition_point(|at| rows[*at as usize] < 0);
    let of_row = |a: &i32, b: &i32| rows[*a as usize] == rows[*b as usize];
    let mut left: Vec<&[i32]> = order[first..].chunk_by(of_row).collect();
    let mut tables = Vec::new();
    while !left.is_empty() {
        let now: Vec<&[i32]> = left.iter().map(|of| &of[..of.len().min(most)]).collect();
        let mut table: Vec<i32> = now.iter().map(|of| rows[of[0] as usize] as i32).collect();
        let mut begin = 0;
        table.push(begin);
        for of in &now {
            begin += of.len() as i32;
            table.push(begin);
        }
        table.extend(now.concat());
        tables.push((Value::vector(&table)?, now.len()));
        left.retain_mut(|of| {
            *of = &of[of.len().min(most)..];
            !of.is_empty()
        });
    }
    Ok(tables)
}

/// Joins updates to rows of `made`; negative rows are left out, and all others must be there.
fn join(
    c: &GpuContext,
    made: &Value,
    updates: &Value,
    rows: &[i64],
    (block, how): (usize, u32),
) -> Result<()> {
    let whole = u32::from(made.dtype() != DType::F32);
    let shader = Shader::file("segments", &[("HOW", how), ("WHOLE", whole)]);
    for (table, segments) in tables_of(rows, MOST)? {
        let count = segments * block;
        if count == 0 {
            break;
        }
        let table = c.upload(&table)?;
        let params = [count as u32, block as u32, segments as u32];
        let bindings = [updates, &table, made];
        c.launch(&shader, &bindings, &params, groups_for(count))?;
    }
    Ok(())
}

/// Whether the shader's words can count all that it touches.
fn is_countable(values: &[usize]) -> bool {
    values.iter().all(|n| *n < 1 << 30)
}

pub(super) fn unsorted_sum(c: &mut GpuContext) -> Result<()> {
    let (ids, rows) = (c.ints_input(1)?, c.host_input(2)?.int()?);
    let (d, i) = (c.shape(0)?.dims().to_vec(), c.shape(1)?.dims());
    let is_right = d.starts_with(i) && rows >= 0 && ids.iter().all(|id| *id < rows);
    if !is_right {
        return c.leave_to_host();
    }
    let mut dims = vec![rows];
    dims.extend_from_slice(&d[i.len()..]);
    let block = product(&d[i.len()..]);
    sums(c, &ids, Shape::new(&dims)?, (block, ADD))
}

pub(super) fn sorted_sum(c: &mut GpuContext, is_mean: bool) -> Result<()> {
    let ids = c.ints_input(1)?;
    let dims = c.shape(0)?.dims().to_vec();
    let is_right = dims.first() == Some(&(ids.len() as i64))
        && ids.is_sorted()
        && ids.first().is_some_and(|id| *id >= 0)
        // A mean is divided when all of its rows are there.
        && !(is_mean && ids.chunk_by(|a, b| a == b).any(|of| of.len() > MOST));
    if !is_right {
        return c.leave_to_host();
    }
    let mut out = dims.clone();
    out[0] = ids.last().map_or(0, |id| id + 1);
    let how = if is_mean { MEAN } else { ADD };
    sums(c, &ids, Shape::new(&out)?, (product(&dims[1..]), how))
}

fn sums(c: &mut GpuContext, ids: &[i64], shape: Shape, by: (usize, u32)) -> Result<()> {
    let data = c.input(0)?;
    let types = matches!(data.dtype(), DType::F32) || data.dtype() == DType::I32 && by.1 == ADD;
    if !types || !is_countable(&[data.num_elements(), shape.num_elements()]) {
        return c.leave_to_host();
    }
    let made = filled(c, data.dtype(), shape, [0; 2])?;
    if data.num_elements() > 0 {
        join(c, &made, &data, ids, by)?;
    }
    c.set_output(0, made);
    Ok(())
}

/// Rows `indices` of a variable, updated in the order of the updates.
pub(in crate::ops) fn scatter(c: &mut GpuContext, update: Update) -> Result<()> {
    let variable = c.variable(0)?;
    let rows = c.ints_input(1)?;
    let shape = match variable.value.read().as_ref() {
        Some(value) if matches!(value.dtype(), DType::F32 | DType::I32) => value.shape().clone(),
        _ => return c.leave_to_host(),
    };
    let mut wanted = c.shape(1)?.dims().to_vec();
    wanted.extend_from_slice(shape.dims().get(1..).unwrap_or_default());
    let is_right = shape.rank() >= 1
        && c.shape(2)?.dims() == wanted
        && is_countable(&[shape.num_elements(), product(&wanted)])
        && rows.iter().all(|row| (0..shape.dims()[0]).contains(row));
    // Division of integers may meet a zero: the host's kernel says so.
    if !is_right || c.dtype(2)? == DType::I32 && matches!(update, Update::Div) {
        return c.leave_to_host();
    }
    if product(&wanted) > 0 {
        let updates = c.input(2)?;
        let in_place = c.node.def.inputs[0].is_ref;
        let content = c.update(&variable, in_place)?;
        let by = (product(&shape.dims()[1..]), number_of(update));
        join(c, content.value(), &updates, &rows, by)?;
    }
    if c.num_outputs() > 0 {
        c.set_output_ref(0, variable);
    }
    Ok(())
}

/// Rows of a variable behind a handle.
pub(in crate::ops) fn gather_variable(c: &mut GpuContext) -> Result<()> {
    let variable = c.variable(0)?;
    let value = {
        let mut content = variable.value.write();
        let Some(value) = content.as_mut() else {
            return c.leave_to_host();
        };
        if !value.is_on_device() {
            *value = c.upload(value)?;
        }
        value.clone()
    };
    let plan = plan_gather(value.shape(), c.shape(1)?, 0, c.attrs())?;
    let indices = c.input(1)?;
    match gather(c, &value, &indices, &plan)? {
        Some(made) => c.set_output(0, made),
        None => c.leave_to_host()?,
    }
    Ok(())
}

/// Slices named by index vectors, as rows of a matrix whose rows are such slices.
struct Named {
    rows: Vec<i64>,
    block: usize,
    /// The shape of all slices together.
    shape: Shape,
}

/// `None` where an index vector names nothing that is there, or the slices are empty.
fn named(indices: &Value, dims: &[i64]) -> Result<Option<Named>> {
    let Ok((places, block)) = nd_places(indices, dims, "") else {
        return Ok(None);
    };
    if block == 0 || places.is_empty() || !is_countable(&[product(dims), places.len() * block]) {
        return Ok(None);
    }
    let i = indices.shape();
    let depth = i.dim(i.rank() - 1);
    let shape = [&i.dims()[..i.rank() - 1], &dims[depth..]].concat();
    Ok(Some(Named {
        rows: places.into_iter().map(|at| (at / block) as i64).collect(),
        block,
        shape: Shape::new(&shape)?,
    }))
}

pub(super) fn gather_nd(c: &mut GpuContext) -> Result<()> {
    let dims = c.shape(0)?.dims().to_vec();
    let Some(named) = named(&c.host_input(1)?, &dims)? else {
        return c.leave_to_host();
    };
    let rows: Vec<i32> = named.rows.iter().map(|row| *row as i32).collect();
    let (params, rows) = (c.input(0)?, c.upload(&Value::vector(&rows)?)?);
    let plan = GatherPlan {
        batches: 1,
        outer: 1,
        rows: params.num_elements() / named.block,
        inner: named.block,
        picks: named.rows.len(),
        shape: named.shape,
    };
    match gather(c, &params, &rows, &plan)? {
        Some(made) => c.set_output(0, made),
        None => c.leave_to_host()?,
    }
    Ok(())
}

/// Types that `join` knows; integers only where nothing can go wrong.
fn is_joined(dtype: DType, update: Update) -> bool {
    dtype == DType::F32 || dtype == DType::I32 && !matches!(update, Update::Div)
}

/// Updates added into zeros, or joined to a copy of input 0.
pub(super) fn scatter_nd(c: &mut GpuContext, update: Update, from: NdFrom) -> Result<()> {
    let (at, dims) = match from {
        NdFrom::Zeros => (0, c.ints_input(2)?),
        NdFrom::Input => (1, c.shape(0)?.dims().to_vec()),
    };
    let Some(named) = named(&c.host_input(at)?, &dims)? else {
        return c.leave_to_host();
    };
    let updates_at = at + 1;
    let dtype = c.dtype(updates_at)?;
    if *c.shape(updates_at)? != named.shape || !is_joined(dtype, update) {
        return c.leave_to_host();
    }
    let updates = c.input(updates_at)?;
    let made = match from {
        NdFrom::Zeros => filled(c, dtype, Shape::new(&dims)?, [0; 2])?,
        NdFrom::Input => {
            let tensor = c.input(0)?;
            copy(c.gpu, &tensor)?
        }
    };
    join(
        c,
        &made,
        &updates,
        &named.rows,
        (named.block, number_of(update)),
    )?;
    c.set_output(0, made);
    Ok(())
}

/// What scattered slices are joined to.
#[derive(Clone, Copy)]
pub(super) enum NdFrom {
    Zeros,
    Input,
}

/// Slices of a variable, updated in the order of the updates.
pub(in crate::ops) fn scatter_nd_variable(c: &mut GpuContext, update: Update) -> Result<()> {
    let variable = c.variable(0)?;
    let dims = match variable.value.read().as_ref() {
        Some(value) if is_joined(value.dtype(), update) => value.shape().dims().to_vec(),
        _ => return c.leave_to_host(),
    };
    let Some(named) = named(&c.host_input(1)?, &dims)? else {
        return c.leave_to_host();
    };
    if *c.shape(2)? != named.shape {
        return c.leave_to_host();
    }
    let updates = c.input(2)?;
    let content = c.update(&variable, c.node.def.inputs[0].is_ref)?;
    let by = (named.block, number_of(update));
    join(c, content.value(), &updates, &named.rows, by)?;
    drop(content);
    if c.num_outputs() > 0 {
        c.set_output_ref(0, variable);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn updates_keep_their_order_within_a_row_and_negative_rows_go() {
        let tables = tables_of(&[3, -1, 0, 3], 9).unwrap();
        let [(table, segments)] = &tables[..] else {
            panic!("{tables:?}");
        };
        assert_eq!(*segments, 2);
        assert_eq!(table.ints().unwrap(), [0, 3, 0, 1, 3, 2, 0, 3]);
    }

    #[test]
    fn many_updates_of_a_row_are_taken_some_at_a_time() {
        let tables = tables_of(&[5, 1, 5, 5], 2).unwrap();
        let all: Vec<_> = tables
            .iter()
            .map(|(t, n)| (t.ints().unwrap(), *n))
            .collect();
        assert_eq!(
            all,
            [(vec![1, 5, 0, 1, 3, 1, 0, 2], 2), (vec![5, 0, 1, 3], 1)]
        );
        assert!(tables_of(&[-1], 2).unwrap().is_empty());
    }
}
