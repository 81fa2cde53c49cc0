//! Rows put together by index on a GPU: segment sums and scattered updates. The indices are sorted where they lie, so each
//! row of the result takes its updates in the order in which they came, whatever the device. What is wrong with indices
//! on the host is left to the CPU's kernels, which say so.

use crate::backend::gpu::{Shader, groups_for};
use crate::error::Result;
use crate::ops::gpu::{GpuContext, copy};
use crate::ops::moves::product;
use crate::ops::state::Update;
use crate::value::{DType, Shape, Value};

use super::gather::{GatherPlan, nd_places, plan_gather};
use super::gpu::{filled, gather};
use super::order::{Meant, Vectors};

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
const ROOT: u32 = 8;

/// Most updates that one invocation takes: drivers in software end loops that go on for long.
const MOST: usize = 1 << 14;

/// Tables of the updates, `most` of each row at a time: the row of each segment, where each begins, and the order of the
/// updates (or what `picks` has in their place), then with `more` that order once more; and the number of segments.
fn tables_of(
    rows: &[i64],
    picks: Option<&[i64]>,
    more: bool,
    most: usize,
) -> Result<Vec<(Value, usize)>> {
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
        let order = now.concat();
        match picks {
            Some(picks) => table.extend(order.iter().map(|at| picks[*at as usize] as i32)),
            None => table.extend(&order),
        }
        if more {
            table.extend(&order);
        }
        tables.push((Value::vector(&table)?, now.len()));
        left.retain_mut(|of| {
            *of = &of[of.len().min(most)..];
            !of.is_empty()
        });
    }
    Ok(tables)
}

/// Whether the updates of each row are few enough for one invocation: only then are sums divided.
pub(in crate::ops) fn are_few(sorted: &[i64]) -> bool {
    !sorted.chunk_by(|a, b| a == b).any(|of| of.len() > MOST)
}

/// Which row of the result each update goes to.
enum Rows {
    /// Negative ones are left out; all others are there.
    Known(Vec<i64>),
    OnDevice(Vectors),
}

/// Whether input `i` would have to be read back.
fn is_out_of_sight(c: &GpuContext, i: usize) -> Result<bool> {
    let buffer = c.any_input(i)?.device_buffer();
    Ok(buffer.is_some_and(|buffer| buffer.host_if_known().is_none()))
}

/// Joins updates to rows of `made`.
fn join(
    c: &GpuContext,
    made: &Value,
    updates: &Value,
    rows: &Rows,
    by: (usize, u32),
) -> Result<()> {
    join_from(c, made, updates, rows, by, false)
}

/// Joins updates to rows of `made`; where it `is_fresh` what the rows held counts for nothing (known rows only).
fn join_from(
    c: &GpuContext,
    made: &Value,
    updates: &Value,
    rows: &Rows,
    (block, how): (usize, u32),
    is_fresh: bool,
) -> Result<()> {
    let whole = u32::from(made.dtype() != DType::F32);
    let shader = |sorted, fresh| {
        let constants = [
            ("HOW", how),
            ("WHOLE", whole),
            ("SORTED", sorted),
            ("FRESH", fresh),
        ];
        Shader::file("segments", &constants)
    };
    match rows {
        Rows::Known(rows) => {
            for (k, (table, segments)) in tables_of(rows, None, false, MOST)?.iter().enumerate() {
                let count = segments * block;
                let shader = shader(0, u32::from(is_fresh && k == 0));
                let params = [count, block, *segments, 0, 0].map(|n| n as u32);
                let bindings = [updates, &c.upload(table)?, made];
                c.launch(&shader, &bindings, &params, groups_for(count))?;
            }
        }
        Rows::OnDevice(vectors) => {
            let (pairs, all) = (vectors.sorted(c)?, vectors.count());
            for first in (0..all).step_by(MOST) {
                let end = all.min(first + MOST);
                let count = (end - first) * block;
                let params = [count, block, end, vectors.limit(), first].map(|n| n as u32);
                let bindings = [updates, &pairs, made];
                c.launch(&shader(1, 0), &bindings, &params, groups_for(count))?;
            }
        }
    }
    Ok(())
}

/// Rows of `table` that go to rows of zeros: `(row, row of the table)` for each, all of them there. Each is multiplied by a
/// number, or their sum divided as `scale` says.
pub(in crate::ops) fn sums_of_rows(
    c: &GpuContext,
    table: &Value,
    (rows, picks): (&[i64], &[i64]),
    (shape, block): (Shape, usize),
    scale: Scale,
) -> Result<Value> {
    let made = filled(c, DType::F32, shape, [0; 2])?;
    let weights = match scale {
        Scale::Weighted(weights) => Some(weights),
        _ => None,
    };
    let how = match scale {
        Scale::Sum | Scale::Weighted(_) => ADD,
        Scale::Mean => MEAN,
        Scale::RootOfCount => ROOT,
    };
    let constants = [("HOW", how), ("WEIGHTED", u32::from(weights.is_some()))];
    let shader = Shader::file("segments", &constants);
    for (order, segments) in tables_of(rows, Some(picks), weights.is_some(), MOST)? {
        let count = segments * block;
        let params = [count, block, segments, 0, 0].map(|n| n as u32);
        let order = c.upload(&order)?;
        let mut bindings = vec![table, &order, &made];
        bindings.extend(weights);
        c.launch(&shader, &bindings, &params, groups_for(count))?;
    }
    Ok(made)
}

/// What sums of rows are made with.
#[derive(Clone, Copy)]
pub(in crate::ops) enum Scale<'a> {
    Sum,
    Mean,
    /// Divided by the root of how many they are.
    RootOfCount,
    /// Each row times a number.
    Weighted(&'a Value),
}

/// Whether the shader's words can count all that it touches.
pub(in crate::ops) fn is_countable(values: &[usize]) -> bool {
    values.iter().all(|n| *n < 1 << 30)
}

/// How rows of a segment become one.
#[derive(Clone, Copy, Debug)]
pub(in crate::ops) enum Join {
    Sum,
    Mean,
    Prod,
    Min,
    Max,
}

impl Join {
    /// As in `shaders/segments.wgsl`.
    fn number(self) -> u32 {
        match self {
            Join::Sum => ADD,
            Join::Mean => MEAN,
            Join::Prod => number_of(Update::Mul),
            Join::Min => number_of(Update::Min),
            Join::Max => number_of(Update::Max),
        }
    }

    /// The bits of an unsorted segment without rows.
    fn empty(self, dtype: DType) -> u32 {
        match (self, dtype == DType::F32) {
            (Join::Sum | Join::Mean, _) => 0,
            (Join::Prod, true) => 1f32.to_bits(),
            (Join::Prod, false) => 1,
            (Join::Min, true) => f32::MAX.to_bits(),
            (Join::Min, false) => i32::MAX as u32,
            (Join::Max, true) => f32::MIN.to_bits(),
            (Join::Max, false) => i32::MIN as u32,
        }
    }
}

pub(in crate::ops) fn unsorted(c: &mut GpuContext, how: Join) -> Result<()> {
    let limit = c.host_input(2)?.int()?;
    let (d, i) = (c.shape(0)?.dims().to_vec(), c.shape(1)?.dims().to_vec());
    if !d.starts_with(&i) || limit < 0 {
        return c.leave_to_host();
    }
    let rows = match is_out_of_sight(c, 1)? {
        true => Vectors::new(c.any_input(1)?, &[limit], 1, Meant::Segment).map(Rows::OnDevice),
        false => {
            let ids = c.ints_input(1)?;
            let is_right = ids.iter().all(|id| *id < limit);
            is_right.then_some(Rows::Known(ids))
        }
    };
    let Some(rows) = rows else {
        return c.leave_to_host();
    };
    let mut dims = vec![limit];
    dims.extend_from_slice(&d[i.len()..]);
    let block = product(&d[i.len()..]);
    segments(c, &rows, Shape::new(&dims)?, (block, how), true)
}

pub(in crate::ops) fn sorted(c: &mut GpuContext, how: Join) -> Result<()> {
    let ids = c.ints_input(1)?;
    let dims = c.shape(0)?.dims().to_vec();
    let is_right = dims.first() == Some(&(ids.len() as i64))
        && ids.is_sorted()
        && ids.first().is_some_and(|id| *id >= 0)
        // A mean is divided when all of its rows are there.
        && (!matches!(how, Join::Mean) || are_few(&ids));
    if !is_right {
        return c.leave_to_host();
    }
    let mut out = dims.clone();
    out[0] = ids.last().map_or(0, |id| id + 1);
    let by = (product(&dims[1..]), how);
    segments(c, &Rows::Known(ids), Shape::new(&out)?, by, false)
}

/// Rows of input 0 as segments of the result. What has no rows is 0, or what changes no further row.
fn segments(
    c: &mut GpuContext,
    rows: &Rows,
    shape: Shape,
    (block, how): (usize, Join),
    is_unsorted: bool,
) -> Result<()> {
    let data = c.input(0)?;
    let dtype = data.dtype();
    let types = match how {
        Join::Mean => dtype == DType::F32,
        _ => matches!(dtype, DType::F32 | DType::I32),
    };
    if !types || !is_countable(&[data.num_elements(), shape.num_elements()]) {
        return c.leave_to_host();
    }
    let empty = match how {
        // An extreme is one of its rows: no sorted segment is made of what stood there.
        Join::Min | Join::Max if !is_unsorted => 0,
        _ => how.empty(dtype),
    };
    let made = filled(c, dtype, shape, [empty; 2])?;
    if data.num_elements() > 0 {
        let is_fresh = !is_unsorted && matches!(how, Join::Min | Join::Max);
        join_from(c, &made, &data, rows, (block, how.number()), is_fresh)?;
    }
    c.set_output(0, made);
    Ok(())
}

/// Rows `indices` of a variable, updated in the order of the updates.
pub(in crate::ops) fn scatter(c: &mut GpuContext, update: Update) -> Result<()> {
    let variable = c.variable(0)?;
    let shape = match variable.value.read().as_ref() {
        Some(value) if is_joined(value.dtype(), update) => value.shape().clone(),
        _ => return c.leave_to_host(),
    };
    let mut wanted = c.shape(1)?.dims().to_vec();
    wanted.extend_from_slice(shape.dims().get(1..).unwrap_or_default());
    let is_right = shape.rank() >= 1
        && c.shape(2)?.dims() == wanted
        && is_countable(&[shape.num_elements(), product(&wanted)]);
    if !is_right {
        return c.leave_to_host();
    }
    let rows = match is_out_of_sight(c, 1)? {
        true => Vectors::new(c.any_input(1)?, shape.dims(), 1, Meant::Row).map(Rows::OnDevice),
        false => {
            let rows = c.ints_input(1)?;
            let is_there = |row: &i64| (0..shape.dims()[0]).contains(row);
            rows.iter().all(is_there).then_some(Rows::Known(rows))
        }
    };
    let Some(rows) = rows else {
        return c.leave_to_host();
    };
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

/// What the variable behind the handle holds, on the device; `None` before it has a value.
fn variable_here(c: &GpuContext) -> Result<Option<Value>> {
    let variable = c.variable(0)?;
    let mut content = variable.value.write();
    let Some(value) = content.as_mut() else {
        return Ok(None);
    };
    if !value.is_on_device() {
        *value = c.upload(value)?;
    }
    Ok(Some(value.clone()))
}

/// Rows of a variable behind a handle.
pub(in crate::ops) fn gather_variable(c: &mut GpuContext) -> Result<()> {
    let Some(value) = variable_here(c)? else {
        return c.leave_to_host();
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
    rows: Rows,
    count: usize,
    block: usize,
    /// The shape of all slices together.
    shape: Shape,
}

/// What input `at` names. `None` where an index vector names nothing that is there, or the slices are empty.
fn named(c: &GpuContext, at: usize, dims: &[i64], what: &'static str) -> Result<Option<Named>> {
    let indices = c.any_input(at)?;
    let Some((depth, outer)) = indices.shape().dims().split_last() else {
        return Ok(None);
    };
    let (depth, count) = (*depth as usize, product(outer));
    let Some(slice) = dims.get(depth..) else {
        return Ok(None);
    };
    let block = product(slice);
    if block == 0 || count == 0 || !is_countable(&[product(dims), count * block]) {
        return Ok(None);
    }
    let shape = Shape::new(&[outer, slice].concat())?;
    let rows = if is_out_of_sight(c, at)? {
        Vectors::new(indices, dims, depth, Meant::Slice(what)).map(Rows::OnDevice)
    } else {
        let places = nd_places(&c.host_input(at)?, dims, "").ok();
        places.map(|(places, _)| {
            let rows = places.into_iter().map(|at| (at / block) as i64);
            Rows::Known(rows.collect())
        })
    };
    Ok(rows.map(|rows| Named {
        rows,
        count,
        block,
        shape,
    }))
}

/// Slices of `params` that input 1 names.
fn gather_named(c: &mut GpuContext, params: &Value, what: &'static str) -> Result<()> {
    let Some(named) = named(c, 1, params.shape().dims(), what)? else {
        return c.leave_to_host();
    };
    let rows = match &named.rows {
        Rows::OnDevice(vectors) => vectors.rows(c)?,
        Rows::Known(rows) => {
            let rows: Vec<i32> = rows.iter().map(|row| *row as i32).collect();
            c.upload(&Value::vector(&rows)?)?
        }
    };
    let plan = GatherPlan {
        batches: 1,
        outer: 1,
        rows: params.num_elements() / named.block,
        inner: named.block,
        picks: named.count,
        shape: named.shape,
    };
    match gather(c, params, &rows, &plan)? {
        Some(made) => c.set_output(0, made),
        None => c.leave_to_host()?,
    }
    Ok(())
}

pub(super) fn gather_nd(c: &mut GpuContext) -> Result<()> {
    let params = c.input(0)?;
    gather_named(c, &params, "param ")
}

/// Slices of a variable behind a handle.
pub(in crate::ops) fn gather_nd_variable(c: &mut GpuContext) -> Result<()> {
    match variable_here(c)? {
        Some(params) => gather_named(c, &params, "param "),
        None => c.leave_to_host(),
    }
}

/// Types that `join` knows; integers only where nothing can go wrong: division may meet a zero, and the host's kernel says
/// so.
fn is_joined(dtype: DType, update: Update) -> bool {
    dtype == DType::F32 || dtype == DType::I32 && !matches!(update, Update::Div)
}

/// Updates added into zeros, or joined to a copy of input 0.
pub(super) fn scatter_nd(c: &mut GpuContext, update: Update, from: NdFrom) -> Result<()> {
    let (at, dims) = match from {
        NdFrom::Zeros => (0, c.ints_input(2)?),
        NdFrom::Input => (1, c.shape(0)?.dims().to_vec()),
    };
    let Some(named) = named(c, at, &dims, "")? else {
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

/// Input 1 added into zeros of this shape at the places that input 2 names, each within its own of so many images.
pub(in crate::ops) fn add_at_places(c: &mut GpuContext, images: usize, shape: Shape) -> Result<()> {
    let count = c.shape(1)?.num_elements();
    if images == 0 || count == 0 || !is_countable(&[count, shape.num_elements()]) {
        return c.leave_to_host();
    }
    let (each, ahead) = (count / images, shape.num_elements() / images);
    let places = c.input(2)?;
    let Some(places) = Vectors::new(&places, &[ahead as i64], 1, Meant::Maximum) else {
        return c.leave_to_host();
    };
    let rows = Rows::OnDevice(places.of_images(each, ahead));
    let updates = c.input(1)?;
    let made = filled(c, DType::F32, shape, [0; 2])?;
    join(c, &made, &updates, &rows, (1, ADD))?;
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
    let Some(named) = named(c, 1, &dims, "")? else {
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
        let tables = tables_of(&[3, -1, 0, 3], None, false, 9).unwrap();
        let [(table, segments)] = &tables[..] else {
            panic!("{tables:?}");
        };
        assert_eq!(*segments, 2);
        assert_eq!(table.ints().unwrap(), [0, 3, 0, 1, 3, 2, 0, 3]);
        let tables = tables_of(&[3, 0, 3], Some(&[7, 8, 9]), true, 9).unwrap();
        assert_eq!(
            tables[0].0.ints().unwrap(),
            [0, 3, 0, 1, 3, 8, 7, 9, 1, 0, 2]
        );
    }

    #[test]
    fn many_updates_of_a_row_are_taken_some_at_a_time() {
        let tables = tables_of(&[5, 1, 5, 5], None, false, 2).unwrap();
        let all: Vec<_> = tables
            .iter()
            .map(|(t, n)| (t.ints().unwrap(), *n))
            .collect();
        assert_eq!(
            all,
            [(vec![1, 5, 0, 1, 3, 1, 0, 2], 2), (vec![5, 0, 1, 3], 1)]
        );
        assert!(tables_of(&[-1], None, false, 2).unwrap().is_empty());
    }
}
