//! Moving elements on GPUs: views through steps, borders, picks and choices. What may go wrong is checked by the same
//! functions as on the CPU; what no shader does is left to the host.

use crate::backend::gpu::{Shader, groups_for, groups_of};
use crate::error::{Error, Result};
use crate::ops::gpu::GpuContext;
use crate::ops::moves::{product, strides};
use crate::value::{DType, Shape, Value, resolve_axis};

use super::gather::{GatherPlan, show_place};

/// Axes that the parameters of a shader have room for.
const MAX_AXES: usize = 9;

/// Elements of a tensor seen through steps: from `start` on, `counts` along each axis, `steps` apart.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::ops) struct View {
    pub start: i64,
    pub counts: Vec<i64>,
    pub steps: Vec<i64>,
}

impl View {
    /// All of a tensor in another order of its axes.
    pub fn permuted(dims: &[i64], axes: &[usize]) -> View {
        let own = strides(dims);
        View {
            start: 0,
            counts: axes.iter().map(|a| dims[*a]).collect(),
            steps: axes.iter().map(|a| own[*a] as i64).collect(),
        }
    }

    /// `size` places from `from` on along `axis`.
    pub fn cut(dims: &[i64], axis: usize, from: usize, size: usize) -> View {
        let own = strides(dims);
        let mut counts = dims.to_vec();
        counts[axis] = size as i64;
        View {
            start: (from * own[axis]) as i64,
            counts,
            steps: own.into_iter().map(|s| s as i64).collect(),
        }
    }

    /// The same elements in the same order with as few axes as they need.
    fn simplified(&self) -> View {
        let mut axes: Vec<(i64, i64)> = Vec::new();
        for (count, step) in self.counts.iter().zip(&self.steps) {
            match axes.last_mut() {
                _ if *count == 1 => {}
                Some((outer, outer_step)) if *outer_step == count * step => {
                    *outer *= count;
                    *outer_step = *step;
                }
                _ => axes.push((*count, *step)),
            }
        }
        if axes.is_empty() {
            axes.push((1, 1));
        }
        View {
            start: self.start,
            counts: axes.iter().map(|a| a.0).collect(),
            steps: axes.iter().map(|a| a.1).collect(),
        }
    }

    /// The view in fours of elements, when it falls into them.
    fn in_fours(&self) -> Option<View> {
        let (last, outer) = self.steps.split_last()?;
        let inner = *self.counts.last()?;
        let fits =
            *last == 1 && inner % 4 == 0 && self.start % 4 == 0 && outer.iter().all(|s| s % 4 == 0);
        fits.then(|| {
            let mut four = self.clone();
            four.start /= 4;
            *four.counts.last_mut().expect("it has an axis") /= 4;
            let rank = four.steps.len();
            four.steps[..rank - 1].iter_mut().for_each(|s| *s /= 4);
            four
        })
    }

    fn num_elements(&self) -> usize {
        product(&self.counts)
    }

    /// How many matrices of what size to swap the last two axes of, when that is what it does.
    fn as_swap(&self) -> Option<[usize; 3]> {
        let is_swap = |counts: &[i64], steps: &[i64]| steps[0] == 1 && steps[1] == counts[0];
        let (counts, steps) = (&self.counts, &self.steps);
        let found = match counts.len() {
            2 if is_swap(counts, steps) => [1, counts[1], counts[0]],
            3 if is_swap(&counts[1..], &steps[1..]) && steps[0] == counts[1] * counts[2] => {
                [counts[0], counts[2], counts[1]]
            }
            _ => return None,
        };
        let [matrices, rows, columns] = found.map(|n| n as usize);
        let most = 65_535;
        let pays = rows >= 8 && columns >= 8;
        let fits = matrices <= most && rows.div_ceil(32) <= most && columns.div_ceil(32) <= most;
        (self.start == 0 && pays && fits).then_some([matrices, rows, columns])
    }
}

/// Bytes of an element, where a shader can move it.
pub(super) fn width_of(dtype: DType) -> Option<u32> {
    match dtype.size() {
        Some(size @ (1 | 4 | 8)) => Some(size as u32),
        _ => None,
    }
}

/// Whether places in the tensor fit the words that shaders count in.
fn is_countable(elements: usize) -> bool {
    elements < 1 << 31
}

/// Workgroups for `count` elements, of which an invocation writes one, or four bytes.
pub(super) fn groups(count: usize, width: u32) -> [u32; 3] {
    groups_for(if width == 1 { count.div_ceil(4) } else { count })
}

/// The view of `input` in memory of its own, or `None` when no shader can make it.
pub(in crate::ops) fn copy_view(
    c: &GpuContext,
    input: &Value,
    view: &View,
    shape: Shape,
) -> Result<Option<Value>> {
    let Some(width) = width_of(input.dtype()) else {
        return Ok(None);
    };
    let view = view.simplified();
    let count = view.num_elements();
    let is_same = view.counts.len() == 1 && view.steps[0] == 1 && count == input.num_elements();
    if is_same && view.start == 0 {
        return Ok(Some(input.with_shape(shape)?));
    }
    if view.counts.len() > MAX_AXES || !is_countable(count.max(input.num_elements())) {
        return Ok(None);
    }
    let made = c.allocate_as(input.dtype(), shape)?;
    if let (Some([matrices, rows, columns]), 4 | 8) = (view.as_swap(), width) {
        let shader = Shader::file("transpose", &[("WIDTH", width)]);
        let tiles = [columns.div_ceil(32), rows.div_ceil(32), matrices].map(|n| n as u32);
        let params = [rows as u32, columns as u32];
        c.launch(&shader, &[input, &made], &params, tiles)?;
        return Ok(Some(made));
    }
    let (view, width) = match view.in_fours() {
        Some(four) if width == 4 => (four, 16),
        _ => (view, width),
    };
    let count = view.num_elements();
    let mut params = vec![count as u32, view.start as u32];
    for (size, step) in view.counts.iter().zip(&view.steps).rev() {
        params.extend([*size as u32, *step as u32]);
    }
    let shader = Shader::file(
        "strided",
        &[("WIDTH", width), ("RANK", view.counts.len() as u32)],
    );
    c.launch(&shader, &[input, &made], &params, groups(count, width))?;
    Ok(Some(made))
}

/// Writes `input` into the part of `made` that the view says. Not for bytes, whose words are shared with neighbours.
pub(super) fn spread(c: &GpuContext, input: &Value, made: &Value, view: &View) -> Result<()> {
    let width = width_of(input.dtype()).unwrap_or(4);
    let view = view.simplified();
    let (view, width) = match view.in_fours() {
        Some(four) if width == 4 => (four, 16),
        _ => (view, width),
    };
    let count = view.num_elements();
    let mut params = vec![count as u32, 0];
    let mut step = 1;
    for size in view.counts.iter().rev() {
        params.extend([*size as u32, step]);
        step *= *size as u32;
    }
    params.push(view.start as u32);
    params.extend(view.steps.iter().rev().map(|s| *s as u32));
    let constants = [
        ("WIDTH", width),
        ("RANK", view.counts.len() as u32),
        ("SPREAD", 1),
    ];
    let shader = Shader::file("strided", &constants);
    c.launch(&shader, &[input, made], &params, groups_for(count))
}

/// Whether `spread` can write elements of the type along this many axes.
fn can_spread(dtype: DType, axes: usize, elements: usize) -> bool {
    matches!(width_of(dtype), Some(4 | 8)) && axes <= MAX_AXES && is_countable(elements)
}

/// The element of one, two (bytes are repeated) words, low one first.
pub(in crate::ops) fn words_of(element: &Value) -> Result<[u32; 2]> {
    let bytes = element.bytes()?;
    let word = |at: usize| {
        let part = bytes.get(at..at + 4).and_then(|b| b.try_into().ok());
        part.map(u32::from_le_bytes)
    };
    let too_wide = || Error::internal("an element that is no word");
    Ok(match bytes.len() {
        1 => [u32::from(bytes[0]) * 0x0101_0101; 2],
        4 => [word(0).ok_or_else(too_wide)?; 2],
        8 => [word(0).ok_or_else(too_wide)?, word(4).ok_or_else(too_wide)?],
        _ => return Err(too_wide()),
    })
}

/// A tensor of one element, given in words as `words_of` has them.
pub(in crate::ops) fn filled(
    c: &GpuContext,
    dtype: DType,
    shape: Shape,
    [even, odd]: [u32; 2],
) -> Result<Value> {
    let made = c.allocate_as(dtype, shape)?;
    let bytes = made.num_elements() * dtype.size().unwrap_or(4);
    let count = bytes.div_ceil(4);
    let shader = Shader::file("fill", &[]);
    c.launch(
        &shader,
        &[&made],
        &[count as u32, even, odd],
        groups_for(count),
    )?;
    Ok(made)
}

/// The output is the view of input `from`.
pub(super) fn set_view(c: &mut GpuContext, from: usize, view: &View, shape: Shape) -> Result<()> {
    let input = c.input(from)?;
    match copy_view(c, &input, view, shape)? {
        Some(made) => c.set_output(0, made),
        None => c.leave_to_host()?,
    }
    Ok(())
}

/// Inputs side by side along an axis, as the output; see `join`.
pub(super) fn set_joined(
    c: &mut GpuContext,
    inputs: &[Value],
    outer: usize,
    shape: Shape,
) -> Result<()> {
    match join(c, inputs, outer, shape)? {
        Some(made) => c.set_output(0, made),
        None => c.leave_to_host()?,
    }
    Ok(())
}

/// Inputs side by side along an axis: each is `[outer, its own length]` in rows of the result.
pub(in crate::ops) fn join(
    c: &GpuContext,
    inputs: &[Value],
    outer: usize,
    shape: Shape,
) -> Result<Option<Value>> {
    let dtype = c.node.outputs[0].dtype;
    if let [only] = inputs {
        return Ok(Some(only.with_shape(shape)?));
    }
    if dtype.size() == Some(1) && is_countable(shape.num_elements()) {
        return join_bytes(c, inputs, outer, shape).map(Some);
    }
    if !can_spread(dtype, 2, shape.num_elements()) {
        return Ok(None);
    }
    let made = c.allocate_as(dtype, shape)?;
    let row = made.num_elements() / outer.max(1);
    let mut start = 0;
    for input in inputs {
        let len = input.num_elements() / outer.max(1);
        if len == 0 {
            continue;
        }
        let view = View {
            start: start as i64,
            counts: vec![outer as i64, len as i64],
            steps: vec![row as i64, 1],
        };
        if input.num_elements() > 0 {
            spread(c, input, &made, &view)?;
        }
        start += len;
    }
    Ok(Some(made))
}

/// Bytes side by side: a word of the result may hold bytes of several inputs, so neighbours are joined two by two.
fn join_bytes(c: &GpuContext, inputs: &[Value], outer: usize, shape: Shape) -> Result<Value> {
    let mut parts: Vec<Value> = inputs.to_vec();
    parts.retain(|part| part.num_elements() > 0);
    let Some(first) = parts.first() else {
        return c.allocate_as(inputs[0].dtype(), shape);
    };
    let dtype = first.dtype();
    while parts.len() > 1 {
        let mut joined = Vec::with_capacity(parts.len().div_ceil(2));
        for pair in parts.chunks(2) {
            let [a, b] = pair else {
                joined.push(pair[0].clone());
                continue;
            };
            let count = a.num_elements() + b.num_elements();
            let made = c.allocate_as(dtype, Shape::vector(count))?;
            let lengths = [a.num_elements() / outer, b.num_elements() / outer];
            let params = [count, lengths[0], lengths[1]].map(|n| n as u32);
            let shader = Shader::file("join_bytes", &[]);
            c.launch(&shader, &[a, b, &made], &params, groups(count, 1))?;
            joined.push(made);
        }
        parts = joined;
    }
    parts[0].with_shape(shape)
}

/// Cuts input `from` along `axis` into pieces of these sizes, of the shapes given, one an output.
pub(super) fn cut(
    c: &mut GpuContext,
    from: usize,
    axis: usize,
    sizes: &[usize],
    shapes: Vec<Shape>,
) -> Result<()> {
    let input = c.input(from)?;
    let dims = input.shape().dims().to_vec();
    let mut start = 0;
    let mut pieces = Vec::with_capacity(sizes.len());
    for (size, shape) in sizes.iter().zip(shapes) {
        let view = View::cut(&dims, axis, start, *size);
        match copy_view(c, &input, &view, shape)? {
            Some(piece) => pieces.push(piece),
            None => return c.leave_to_host(),
        }
        start += size;
    }
    for (i, piece) in pieces.into_iter().enumerate() {
        c.set_output(i, piece);
    }
    Ok(())
}

/// Zeros of `shape` with input `from` written into the part that the view says.
pub(super) fn spread_into_zeros(
    c: &mut GpuContext,
    from: usize,
    view: &View,
    shape: Shape,
) -> Result<()> {
    let input = c.input(from)?;
    let axes = view.counts.len();
    if !can_spread(input.dtype(), axes, shape.num_elements()) {
        return c.leave_to_host();
    }
    let made = filled(c, input.dtype(), shape, [0; 2])?;
    if input.num_elements() > 0 {
        spread(c, &input, &made, view)?;
    }
    c.set_output(0, made);
    Ok(())
}

/// What lies in a border.
pub(in crate::ops) enum Border {
    Filled([u32; 2]),
    Reflected,
    Symmetric,
    /// None: each axis is turned by what would lie before it.
    Turned,
}

/// Input 0 with a border around it, as the output.
pub(super) fn set_padded(
    c: &mut GpuContext,
    pairs: &[(i64, i64)],
    border: Border,
    shape: Shape,
) -> Result<()> {
    let input = c.input(0)?;
    match pad(c, &input, pairs, border, shape)? {
        Some(made) => c.set_output(0, made),
        None => c.leave_to_host()?,
    }
    Ok(())
}

/// A tensor with a border around it; `None` when no shader can make it.
pub(in crate::ops) fn pad(
    c: &GpuContext,
    input: &Value,
    pairs: &[(i64, i64)],
    border: Border,
    shape: Shape,
) -> Result<Option<Value>> {
    let rank = pairs.len();
    let (Some(width), true) = (width_of(input.dtype()), rank <= MAX_AXES) else {
        return Ok(None);
    };
    if !is_countable(shape.num_elements()) {
        return Ok(None);
    }
    let is_turned = matches!(border, Border::Turned);
    if rank == 0 || input.num_elements() == shape.num_elements() && !is_turned {
        return Ok(Some(input.with_shape(shape)?));
    }
    let (mode, words) = match border {
        Border::Filled(words) => (0, words),
        Border::Reflected => (1, [0; 2]),
        Border::Symmetric => (2, [0; 2]),
        Border::Turned => (3, [0; 2]),
    };
    if input.num_elements() == 0 {
        return filled(c, input.dtype(), shape, words).map(Some);
    }
    // A byte's word holds it four times; the shader wants it once.
    let low = if width == 1 {
        words[0] & 0xff
    } else {
        words[0]
    };
    let made = c.allocate_as(input.dtype(), shape)?;
    let count = made.num_elements();
    let mut params = vec![count as u32, low, words[1]];
    for (i, (before, _)) in pairs.iter().enumerate().rev() {
        let sizes = [made.shape().dim(i), *before as usize, input.shape().dim(i)];
        params.extend(sizes.map(|n| n as u32));
    }
    let constants = [("WIDTH", width), ("RANK", rank as u32), ("MODE", mode)];
    let shader = Shader::file("pad", &constants);
    c.launch(&shader, &[input, &made], &params, groups(count, width))?;
    Ok(Some(made))
}

/// Slices of `params` at `indices`. An index out of range becomes the run's error.
pub(in crate::ops) fn gather(
    c: &GpuContext,
    params: &Value,
    indices: &Value,
    plan: &GatherPlan,
) -> Result<Option<Value>> {
    let index_width = match indices.dtype() {
        DType::I32 => 4,
        DType::I64 => 8,
        _ => return Ok(None),
    };
    let count = plan.shape.num_elements();
    let (Some(width), true) = (
        width_of(params.dtype()),
        is_countable(count.max(params.num_elements())),
    ) else {
        return Ok(None);
    };
    if count == 0 || params.num_elements() == 0 {
        // No element is moved, but the indices may still be wrong: the host looks.
        return Ok(None);
    }
    let made = c.allocate_as(params.dtype(), plan.shape.clone())?;
    let (width, inner) = match width {
        4 if plan.inner.is_multiple_of(4) => (16, plan.inner / 4),
        width => (width, plan.inner),
    };
    let count = count * inner / plan.inner;
    let sizes = [count, plan.outer, plan.picks, plan.rows, inner];
    let shader = Shader::file("gather", &[("WIDTH", width), ("INDEX_WIDTH", index_width)]);
    let shape = indices.shape().clone();
    let limit = plan.rows;
    c.launch_checked(
        &shader,
        &[params, indices, &made],
        &sizes.map(|n| n as u32),
        groups(count, width),
        move |found| out_of_range(&shape, found, limit),
    )?;
    Ok(Some(made))
}

/// What is wrong with the index that a shader noted: its place and its two words.
pub(in crate::ops) fn out_of_range(indices: &Shape, found: [u32; 3], limit: usize) -> Error {
    let [place, low, high] = found;
    let index = (u64::from(high) << 32 | u64::from(low)) as i64;
    let place = show_place(indices, place as usize);
    Error::invalid(format!("indices{place} = {index} is not in [0, {limit})"))
}

/// `[before, depth, after]` of two values.
pub(super) fn one_hot(
    c: &mut GpuContext,
    [depth, after]: [usize; 2],
    on: &Value,
    off: &Value,
    shape: Shape,
) -> Result<()> {
    let indices = c.input(0)?;
    let index_width = match indices.dtype() {
        DType::U8 => 1,
        DType::I32 => 4,
        DType::I64 => 8,
        _ => return c.leave_to_host(),
    };
    let (Some(width), true) = (width_of(on.dtype()), is_countable(shape.num_elements())) else {
        return c.leave_to_host();
    };
    let made = c.allocate(0, shape)?;
    let count = made.num_elements();
    let (on, off) = (words_of(on)?, words_of(off)?);
    let low = |words: [u32; 2]| {
        if width == 1 {
            words[0] & 0xff
        } else {
            words[0]
        }
    };
    let params = [
        count as u32,
        depth as u32,
        after as u32,
        low(on),
        on[1],
        low(off),
        off[1],
    ];
    let shader = Shader::file("one_hot", &[("WIDTH", width), ("INDEX_WIDTH", index_width)]);
    c.launch(&shader, &[&indices, &made], &params, groups(count, width))?;
    c.set_output(0, made);
    Ok(())
}

/// `condition[i / block] ? yes[i] : no[i]`; the condition has an element for each block.
pub(super) fn select(
    c: &mut GpuContext,
    [condition, yes, no]: [&Value; 3],
    block: usize,
) -> Result<()> {
    let count = yes.num_elements();
    let (Some(width), true) = (width_of(yes.dtype()), is_countable(count)) else {
        return c.leave_to_host();
    };
    let made = c.allocate(0, yes.shape().clone())?;
    let shader = Shader::file("select", &[("WIDTH", width)]);
    let params = [count as u32, block.max(1) as u32];
    c.launch(
        &shader,
        &[condition, yes, no, &made],
        &params,
        groups(count, width),
    )?;
    c.set_output(0, made);
    Ok(())
}

/// The longest line that a running sum goes along on a GPU.
const LONGEST_LINE: usize = 1 << 20;

/// Running sums or products of input 0 along the axis that input 1 says.
pub(in crate::ops) fn scan(c: &mut GpuContext, is_product: bool) -> Result<()> {
    let axis = c.host_input(1)?.int()?;
    let shape = c.shape(0)?.clone();
    let (Ok(axis), true) = (
        resolve_axis(axis, shape.rank()),
        is_countable(shape.num_elements()),
    ) else {
        return c.leave_to_host();
    };
    let whole = match c.dtype(0)? {
        DType::F32 => 0,
        DType::I32 => 1,
        _ => return c.leave_to_host(),
    };
    let (length, inner) = (shape.dim(axis), product(&shape.dims()[axis + 1..]));
    // One workgroup has a line: a very long one is as well done by the CPU, and drivers in software end its loops.
    if length > LONGEST_LINE {
        return c.leave_to_host();
    }
    let input = c.input(0)?;
    let lines = shape.num_elements() / length.max(1);
    let made = c.allocate(0, shape)?;
    let attrs = c.attrs();
    let flags = [attrs.bool("reverse")?, attrs.bool("exclusive")?].map(u32::from);
    let mut params = [lines, length, inner].map(|n| n as u32).to_vec();
    params.extend(flags);
    let shader = Shader::file("scan", &[("PRODUCT", is_product.into()), ("WHOLE", whole)]);
    c.launch(&shader, &[&input, &made], &params, groups_of(lines))?;
    c.set_output(0, made);
    Ok(())
}

/// One of two values in each place, where all three broadcast to `shape`.
pub(super) fn select_broadcast(c: &mut GpuContext, shape: Shape) -> Result<()> {
    let mut all = Vec::with_capacity(3);
    for i in 0..3 {
        let value = c.input(i)?;
        let rank = shape.rank();
        let missing = rank - value.shape().rank();
        let mut steps = vec![0; rank];
        for (k, step) in strides(value.shape().dims()).into_iter().enumerate() {
            if value.shape().dim(k) != 1 {
                steps[missing + k] = step as i64;
            }
        }
        let view = View {
            start: 0,
            counts: shape.dims().to_vec(),
            steps,
        };
        match copy_view(c, &value, &view, shape.clone())? {
            Some(full) => all.push(full),
            None => return c.leave_to_host(),
        }
    }
    select(c, [&all[0], &all[1], &all[2]], 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_lose_axes_that_they_do_not_need() {
        let view = View::permuted(&[2, 1, 3, 4], &[0, 2, 1, 3]).simplified();
        assert_eq!((view.counts, view.steps), (vec![24], vec![1]));
        let view = View::cut(&[2, 6, 4], 1, 2, 3);
        assert_eq!(view.start, 8);
        let view = view.simplified();
        assert_eq!(
            (&view.counts[..], &view.steps[..]),
            (&[2, 12][..], &[24, 1][..])
        );
        let four = view.in_fours().unwrap();
        assert_eq!(
            (four.start, &four.counts[..], &four.steps[..]),
            (2, &[2, 3][..], &[6, 1][..])
        );
    }

    #[test]
    fn a_swap_of_the_last_axes_is_seen() {
        let view = View::permuted(&[3, 9, 8], &[0, 2, 1]).simplified();
        assert_eq!(view.as_swap(), Some([3, 9, 8]));
        let view = View::permuted(&[16, 5, 32], &[2, 0, 1]).simplified();
        assert_eq!(view.as_swap(), Some([1, 80, 32]));
        let view = View::permuted(&[3, 9, 8], &[2, 1, 0]).simplified();
        assert_eq!(view.as_swap(), None);
    }
}
