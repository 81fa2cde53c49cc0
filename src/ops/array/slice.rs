//! Cutting boxes out of tensors, and padding around them.

use crate::error::{Error, Result};
use crate::graph::{Attr, Attrs, ShapeContext};
use crate::ops::build::{In, int, ints};
use crate::ops::gpu::GpuContext;
use crate::ops::gradient::{GradientContext, Grads};
use crate::ops::kernel::KernelContext;
use crate::ops::moves::{Offsets, Run, assemble, splat, strides};
use crate::ops::{Op, shape};
use crate::value::{DType, PartialShape, Shape, Value};
use crate::{dispatch, ensure};

use super::gpu::{self, Border, View};
use super::strided::{Masks, Spec};

pub(in crate::ops) const OPS: &[Op] = &[
    Op::new("Slice", "input: T, begin: Index, size: Index -> output: T")
        .attr("T: type")
        .attr("Index: {int32, int64}")
        .shape(slice_shape)
        .grad(slice_grad)
        .kernel(slice)
        .gpu(slice_on_gpu)
        .on_host(&[1, 2]),
    Op::new(
        "StridedSlice",
        "input: T, begin: Index, end: Index, strides: Index -> output: T",
    )
    .attr("T: type")
    .attr("Index: {int32, int64}")
    .attr("begin_mask: int = 0")
    .attr("end_mask: int = 0")
    .attr("ellipsis_mask: int = 0")
    .attr("new_axis_mask: int = 0")
    .attr("shrink_axis_mask: int = 0")
    .shape(strided_shape)
    .grad(strided_grad)
    .kernel(strided_slice)
    .gpu(strided_on_gpu)
    .on_host(&[1, 2, 3]),
    Op::new(
        "StridedSliceGrad",
        "shape: Index, begin: Index, end: Index, strides: Index, dy: T -> output: T",
    )
    .attr("T: type")
    .attr("Index: {int32, int64}")
    .attr("begin_mask: int = 0")
    .attr("end_mask: int = 0")
    .attr("ellipsis_mask: int = 0")
    .attr("new_axis_mask: int = 0")
    .attr("shrink_axis_mask: int = 0")
    .shape(strided_grad_shape)
    .grad(strided_grad_grad)
    .kernel(strided_slice_grad)
    .gpu(strided_grad_on_gpu)
    .on_host(&[0, 1, 2, 3]),
    Op::new("Pad", "input: T, paddings: Tpaddings -> output: T")
        .attr("T: type")
        .attr("Tpaddings: {int32, int64} = DT_INT32")
        .shape(pad_shape)
        .grad(pad_grad)
        .kernel(pad)
        .gpu(pad_on_gpu)
        .on_host(&[1]),
    Op::new(
        "PadV2",
        "input: T, paddings: Tpaddings, constant_values: T -> output: T",
    )
    .attr("T: type")
    .attr("Tpaddings: {int32, int64} = DT_INT32")
    .shape(pad_shape)
    .grad(pad_grad)
    .kernel(pad)
    .gpu(pad_on_gpu)
    .on_host(&[1, 2]),
    Op::new("MirrorPad", "input: T, paddings: Tpaddings -> output: T")
        .attr("T: type")
        .attr("Tpaddings: {int32, int64} = DT_INT32")
        .attr("mode: {'REFLECT', 'SYMMETRIC'}")
        .shape(pad_shape)
        .grad(|g| mirror_grad(g, "MirrorPadGrad"))
        .kernel(mirror_pad)
        .gpu(mirror_pad_on_gpu)
        .on_host(&[1]),
    Op::new(
        "MirrorPadGrad",
        "input: T, paddings: Tpaddings -> output: T",
    )
    .attr("T: type")
    .attr("Tpaddings: {int32, int64} = DT_INT32")
    .attr("mode: {'REFLECT', 'SYMMETRIC'}")
    .shape(shape::unknown)
    .grad(|g| mirror_grad(g, "MirrorPad"))
    .kernel(mirror_pad_grad)
    .gpu(mirror_pad_grad_on_gpu)
    .on_host(&[1]),
];

fn slice_shape(c: &mut ShapeContext) -> Result<()> {
    let input = c.input(0);
    let (begin_shape, size_shape) = (c.input_of_rank(1, 1)?, c.input_of_rank(2, 1)?);
    let count = shape::merge_dim(begin_shape.dim(0), size_shape.dim(0))?;
    let sizes = c.constant_shape(2)?;
    let begin = c.constant_ints(1);
    let Some(sizes) = sizes.dims().map(<[i64]>::to_vec) else {
        let rank = input.rank().or(usize::try_from(count).ok());
        if let Some(rank) = rank {
            c.set(0, PartialShape::unknown_of_rank(rank));
        }
        return Ok(());
    };
    let has_whole_sizes = c.constant_ints(2);
    let input = crate::graph::with_rank(&input, sizes.len())?;
    let mut dims = Vec::with_capacity(sizes.len());
    for (i, size) in sizes.iter().enumerate() {
        let all = input.dim(i);
        let from = begin.as_ref().and_then(|b| b.get(i).copied());
        dims.push(match (size, from) {
            (-1, Some(from)) if has_whole_sizes.is_some() && all >= 0 => {
                ensure!(
                    from <= all,
                    invalid,
                    "Expected begin[{i}] in [0, {all}], but got {from}"
                );
                all - from
            }
            (-1, _) => -1,
            // As in TensorFlow, whether it fits is for the run to say.
            (size, _) => *size,
        });
    }
    c.set(0, PartialShape::from_dims(dims));
    Ok(())
}

fn slice_grad(g: &mut GradientContext) -> Result<Grads> {
    let (x, begin, y) = (g.input(0), g.input(1), g.output(0));
    let dy = g.dy(0)?;
    let rank = g.graph.rank_of(x)?;
    let size = g.graph.shape_of(y)?;
    let column = g.graph.stack(vec![rank.into(), In::Plain("", int(1)?)])?;
    let before = g.graph.reshape(begin, column)?;
    let whole = g.graph.shape_of(x)?;
    let rest = g.graph.sub(whole, size)?;
    let rest = g.graph.sub(rest, begin)?;
    let after = g.graph.reshape(rest, column)?;
    let paddings = g.graph.concat(vec![before.into(), after.into()], 1)?;
    let made = g.op("Pad", [dy, paddings])?;
    Ok(vec![Some(made.into()), None, None])
}

fn slice(c: &mut KernelContext) -> Result<()> {
    let input = c.input(0)?;
    let view = slice_of(input.shape().dims(), c.ints_input(1)?, c.ints_input(2)?)?;
    let shape = Shape::new(&view.counts)?;
    let made = boxed(input, view.start, &view.counts, &view.steps, shape)?;
    c.set_output(0, made);
    Ok(())
}

fn slice_on_gpu(c: &mut GpuContext) -> Result<()> {
    let view = slice_of(c.shape(0)?.dims(), c.ints_input(1)?, c.ints_input(2)?)?;
    let shape = Shape::new(&view.counts)?;
    gpu::set_view(c, 0, &view, shape)
}

fn slice_of(dims: &[i64], begin: Vec<i64>, mut size: Vec<i64>) -> Result<View> {
    ensure!(
        begin.len() == dims.len() && size.len() == dims.len(),
        invalid,
        "Expected begin and size arguments to be 1-D tensors of size {}, but got shapes [{}] and [{}] instead.",
        dims.len(),
        begin.len(),
        size.len()
    );
    for (i, all) in dims.iter().enumerate() {
        ensure!(
            (0..=*all).contains(&begin[i]),
            invalid,
            "Expected begin[{i}] in [0, {all}], but got {}",
            begin[i]
        );
        if size[i] == -1 {
            size[i] = all - begin[i];
        }
        ensure!(
            (0..=all - begin[i]).contains(&size[i]),
            invalid,
            "Expected size[{i}] in [0, {}], but got {}",
            all - begin[i],
            size[i]
        );
    }
    let steps: Vec<i64> = strides(dims).into_iter().map(|s| s as i64).collect();
    Ok(View {
        start: begin.iter().zip(&steps).map(|(b, s)| b * s).sum(),
        counts: size,
        steps,
    })
}

/// Elements from `start` on, `counts` of them along each axis, `steps` apart.
fn boxed(input: &Value, start: i64, counts: &[i64], steps: &[i64], shape: Shape) -> Result<Value> {
    // Trailing axes that are neighbours in memory are copied at once.
    let mut block = 1;
    let mut outer = counts.len();
    while outer > 0 && steps[outer - 1] == block {
        outer -= 1;
        block *= counts[outer];
        if outer > 0 && steps[outer - 1] != block {
            break;
        }
    }
    let runs = Offsets::new(start, &counts[..outer], &steps[..outer]).map(|from| Run {
        source: 0,
        from: from as usize,
        len: block as usize,
    });
    let runs = runs.filter(|run| run.len > 0);
    assemble(input.dtype(), shape, &[input], runs)
}

fn masks(attrs: &Attrs) -> Result<Masks> {
    Ok(Masks {
        begin: attrs.int("begin_mask")?,
        end: attrs.int("end_mask")?,
        ellipsis: attrs.int("ellipsis_mask")?,
        new_axis: attrs.int("new_axis_mask")?,
        shrink: attrs.int("shrink_axis_mask")?,
    })
}

fn strided_shape(c: &mut ShapeContext) -> Result<()> {
    let input = c.input(0);
    let masks = masks(c.attrs())?;
    // Nothing is known without the strides: TensorFlow looks at them first, and its errors show it.
    let Some(strides) = c.constant_ints(3) else {
        return Ok(());
    };
    let bounds = [c.constant_ints(1), c.constant_ints(2), Some(strides)];
    let count = bounds.iter().flatten().map(Vec::len).next();
    let count = count.or_else(|| usize::try_from(c.input(1).dim(0)).ok());
    let (Some(dims), Some(count)) = (input.dims(), count) else {
        return Ok(());
    };
    let shape = super::strided::infer(dims, count, &bounds, &masks)?;
    if let Some(shape) = shape {
        c.set(0, shape);
    }
    Ok(())
}

const MASKS: [&str; 5] = [
    "begin_mask",
    "end_mask",
    "ellipsis_mask",
    "new_axis_mask",
    "shrink_axis_mask",
];

fn mask_attrs(g: &GradientContext) -> Result<Vec<(&'static str, Attr)>> {
    let one = |name: &'static str| Ok((name, Attr::Int(g.node().attrs.int(name)?)));
    MASKS.into_iter().map(one).collect()
}

fn strided_grad(g: &mut GradientContext) -> Result<Grads> {
    let (x, begin, end, stride) = (g.input(0), g.input(1), g.input(2), g.input(3));
    let dy = g.dy(0)?;
    let dtype = g.dtype(begin);
    let shape = g.graph.shape_as(x, dtype, "Shape")?;
    let attrs = mask_attrs(g)?;
    let inputs = [shape, begin, end, stride, dy];
    let made = g.graph.call("StridedSliceGrad", "", inputs, &attrs)?;
    Ok(vec![Some(made.into()), None, None, None])
}

fn strided_grad_grad(g: &mut GradientContext) -> Result<Grads> {
    let inputs = [g.dy(0)?, g.input(1), g.input(2), g.input(3)];
    let attrs = mask_attrs(g)?;
    let made = g
        .graph
        .call("StridedSlice", "strided_slice", inputs, &attrs)?;
    Ok(vec![None, None, None, None, Some(made.into())])
}

fn strided_grad_shape(c: &mut ShapeContext) -> Result<()> {
    let shape = c.constant_shape(0)?;
    c.set(0, shape);
    Ok(())
}

pub(super) fn spec_of(c: &KernelContext, dims: &[i64], first: usize) -> Result<Spec> {
    let part = |i| c.ints_input(first + i);
    spec_by([part(0)?, part(1)?, part(2)?], dims, c.attrs())
}

fn spec_on_gpu(c: &GpuContext, dims: &[i64]) -> Result<Spec> {
    let part = |i| c.ints_input(i);
    spec_by([part(1)?, part(2)?, part(3)?], dims, c.attrs())
}

fn spec_by([begin, end, step]: [Vec<i64>; 3], dims: &[i64], attrs: &Attrs) -> Result<Spec> {
    ensure!(
        begin.len() == end.len() && end.len() == step.len(),
        invalid,
        "Expected begin, end, and strides to be 1D equal size tensors, but got shapes [{}], [{}], and [{}] instead.",
        begin.len(),
        end.len(),
        step.len()
    );
    Spec::new(dims, &begin, &end, &step, &masks(attrs)?)
}

fn strided_on_gpu(c: &mut GpuContext) -> Result<()> {
    let dims = c.shape(0)?.dims().to_vec();
    let spec = spec_on_gpu(c, &dims)?;
    let shape = Shape::new(&spec.shape)?;
    gpu::set_view(c, 0, &view_of(spec, &dims), shape)
}

fn view_of(spec: Spec, dims: &[i64]) -> View {
    let (start, steps) = spec.walk(dims);
    View {
        start,
        counts: spec.counts,
        steps,
    }
}

fn strided_grad_on_gpu(c: &mut GpuContext) -> Result<()> {
    let dims = c.ints_input(0)?;
    let spec = spec_on_gpu(c, &dims)?;
    check_dy(c.shape(4)?, &spec)?;
    let shape = Shape::new(&dims)?;
    gpu::spread_into_zeros(c, 4, &view_of(spec, &dims), shape)
}

fn check_dy(dy: &Shape, spec: &Spec) -> Result<()> {
    ensure!(
        dy.dims() == spec.shape,
        invalid,
        "shape of dy was {dy} instead of {:?}",
        spec.shape
    );
    Ok(())
}

fn strided_slice(c: &mut KernelContext) -> Result<()> {
    let input = c.input(0)?;
    let spec = spec_of(c, input.shape().dims(), 1)?;
    let (start, steps) = spec.walk(input.shape().dims());
    let made = boxed(input, start, &spec.counts, &steps, Shape::new(&spec.shape)?)?;
    c.set_output(0, made);
    Ok(())
}

fn strided_slice_grad(c: &mut KernelContext) -> Result<()> {
    let dims = c.ints_input(0)?;
    let shape = Shape::new(&dims)?;
    let spec = spec_of(c, &dims, 1)?;
    let dy = c.input(4)?;
    check_dy(dy.shape(), &spec)?;
    let (start, steps) = spec.walk(&dims);
    let mut out = Value::zeros(dy.dtype(), shape)?;
    dispatch!(plain, dy.dtype(), T => {
        let (from, to) = (dy.slice::<T>()?, out.slice_mut::<T>()?);
        for (x, at) in from.iter().zip(Offsets::new(start, &spec.counts, &steps)) {
            to[at as usize] = *x;
        }
    });
    c.set_output(0, out);
    Ok(())
}

fn pad_shape(c: &mut ShapeContext) -> Result<()> {
    let paddings_shape = c.input_of_rank(1, 2)?;
    shape::dim_is(paddings_shape.dim(1), 2)?;
    let input = c.input(0);
    let rank = paddings_shape.dim(0);
    if let Some(r) = input.rank() {
        shape::dim_is(rank, r as i64)
            .map_err(|_| Error::invalid(format!("Shape must be rank {rank} but is rank {r}")))?;
    }
    let Some(paddings) = c.constant_ints(1) else {
        if let Ok(rank) = usize::try_from(rank) {
            c.set(0, PartialShape::unknown_of_rank(rank));
        }
        return Ok(());
    };
    let pairs = paddings.chunks_exact(2);
    let mut dims = Vec::with_capacity(pairs.len());
    for (i, pair) in pairs.enumerate() {
        ensure!(
            pair[0] >= 0 && pair[1] >= 0,
            invalid,
            "Paddings must be non-negative, but got {pair:?}"
        );
        dims.push(shape::add_dim(input.dim(i), pair[0] + pair[1])?);
    }
    c.set(0, PartialShape::from_dims(dims));
    Ok(())
}

fn pad_grad(g: &mut GradientContext) -> Result<Grads> {
    let (x, paddings, dy) = (g.input(0), g.input(1), g.dy(0)?);
    let rank = g.graph.rank_of(x)?;
    let size = g.graph.stack(vec![rank.into(), In::Plain("", int(1)?)])?;
    let first = In::Plain("begin", ints(&[0, 0])?);
    let before = g
        .graph
        .call("Slice", "", [paddings.into(), first, size.into()], &[])?;
    let begin = g.graph.reshape_to(before, &[-1])?;
    let sizes = g.graph.shape_of(x)?;
    let made = g.op("Slice", [dy, begin, sizes])?;
    let mut grads = vec![None; g.num_inputs()];
    grads[0] = Some(made.into());
    Ok(grads)
}

fn mirror_grad(g: &mut GradientContext, op: &'static str) -> Result<Grads> {
    let mode = [("mode", Attr::Bytes(g.node().attrs.bytes("mode")?.to_vec()))];
    let inputs = [g.dy(0)?, g.input(1)];
    let made = g.graph.call(op, "", inputs, &mode)?;
    Ok(vec![Some(made.into()), None])
}

/// Pairs of paddings of input 1, checked against the rank of input 0.
fn paddings(c: &KernelContext) -> Result<Vec<(i64, i64)>> {
    paddings_of(c.input(0)?.shape(), c.input(1)?)
}

fn paddings_of(shape: &Shape, given: &Value) -> Result<Vec<(i64, i64)>> {
    let rank = shape.rank() as i64;
    ensure!(
        given.shape().dims() == [rank, 2],
        invalid,
        "The first dimension of paddings must be the rank of inputs{} {shape}",
        given.shape()
    );
    let all = given.ints()?;
    let pairs: Vec<(i64, i64)> = all.chunks_exact(2).map(|p| (p[0], p[1])).collect();
    for (before, after) in &pairs {
        ensure!(
            *before >= 0 && *after >= 0,
            invalid,
            "Paddings must be non-negative: {before} {after}"
        );
    }
    Ok(pairs)
}

fn padded_shape(dims: &[i64], pairs: &[(i64, i64)]) -> Result<Shape> {
    let sizes = dims.iter().zip(pairs).map(|(d, (a, b))| {
        d.checked_add(*a)
            .and_then(|n| n.checked_add(*b))
            .ok_or_else(|| Error::invalid("padded sizes overflow"))
    });
    Shape::new(&sizes.collect::<Result<Vec<_>>>()?)
}

fn pad(c: &mut KernelContext) -> Result<()> {
    let pairs = paddings(c)?;
    let input = c.input(0)?;
    let dims = input.shape().dims().to_vec();
    let shape = padded_shape(&dims, &pairs)?;
    let steps: Vec<i64> = strides(shape.dims())
        .into_iter()
        .map(|s| s as i64)
        .collect();
    let start = pairs
        .iter()
        .zip(&steps)
        .map(|((before, _), s)| before * s)
        .sum();
    let filler = match c.num_inputs() {
        3 => c.scalar_input(2, "constant_values")?.clone(),
        _ => Value::zeros(input.dtype(), Shape::scalar())?,
    };
    let mut out = splat(&filler, shape)?;
    if input.dtype() == DType::String {
        let mut strings = out.string_slice()?.to_vec();
        for (s, at) in input
            .string_slice()?
            .iter()
            .zip(Offsets::new(start, &dims, &steps))
        {
            strings[at as usize].clone_from(s);
        }
        out = Value::strings(out.shape().clone(), strings)?;
    } else {
        dispatch!(plain, input.dtype(), T => {
            let (from, to) = (input.slice::<T>()?, out.slice_mut::<T>()?);
            let width = dims.last().map_or(1, |d| *d as usize);
            let outer = dims.len().saturating_sub(1);
            let rows = Offsets::new(start, &dims[..outer], &steps[..outer]);
            for (row, at) in from.chunks_exact(width.max(1)).zip(rows) {
                to[at as usize..at as usize + width].copy_from_slice(row);
            }
        });
    }
    c.set_output(0, out);
    Ok(())
}

fn pad_on_gpu(c: &mut GpuContext) -> Result<()> {
    let pairs = paddings_of(c.shape(0)?, &c.host_input(1)?)?;
    let shape = padded_shape(c.shape(0)?.dims(), &pairs)?;
    let words = match c.num_inputs() {
        3 => gpu::words_of(&c.host_input(2)?)?,
        _ => [0; 2],
    };
    gpu::set_padded(c, &pairs, Border::Filled(words), shape)
}

fn mirror_pad_on_gpu(c: &mut GpuContext) -> Result<()> {
    let pairs = paddings_of(c.shape(0)?, &c.host_input(1)?)?;
    let shape = padded_shape(c.shape(0)?.dims(), &pairs)?;
    let is_symmetric = c.attrs().bytes("mode")? == b"SYMMETRIC";
    for (size, pair) in c.shape(0)?.dims().iter().zip(&pairs) {
        mirrored(*size, *pair, is_symmetric)?;
    }
    let border = match is_symmetric {
        true => Border::Symmetric,
        false => Border::Reflected,
    };
    gpu::set_padded(c, &pairs, border, shape)
}

/// For each place of a mirrored axis: the place that it repeats.
fn mirrored(size: i64, (before, after): (i64, i64), is_symmetric: bool) -> Result<Vec<i64>> {
    let most = if is_symmetric { size } else { size - 1 };
    ensure!(
        before <= most && after <= most,
        invalid,
        "paddings must be {} the dimension size: {before}, {after} {} {size}",
        if is_symmetric {
            "no greater than"
        } else {
            "less than"
        },
        if is_symmetric {
            "greater than"
        } else {
            "not less than"
        }
    );
    let skip = i64::from(!is_symmetric);
    let front = (0..before).rev().map(|i| i + skip);
    let back = (0..after).map(|i| size - 1 - skip - i);
    Ok(front.chain(0..size).chain(back).collect())
}

fn mirror_maps(c: &KernelContext, dims: &[i64], pairs: &[(i64, i64)]) -> Result<Vec<Vec<i64>>> {
    let is_symmetric = c.attrs().str("mode")? == "SYMMETRIC";
    let maps = dims
        .iter()
        .zip(pairs)
        .map(|(d, p)| mirrored(*d, *p, is_symmetric));
    maps.collect()
}

/// Calls `visit` with (place in the padded tensor, place in the inner one), in order.
fn each_mirrored(maps: &[Vec<i64>], inner: &[usize], mut visit: impl FnMut(usize, usize)) {
    let counts: Vec<i64> = maps.iter().map(|m| m.len() as i64).collect();
    let total: usize = counts.iter().map(|n| *n as usize).product();
    let mut index = vec![0usize; maps.len()];
    for place in 0..total {
        let from = (0..maps.len())
            .map(|k| maps[k][index[k]] as usize * inner[k])
            .sum();
        visit(place, from);
        for k in (0..maps.len()).rev() {
            index[k] += 1;
            if index[k] < maps[k].len() {
                break;
            }
            index[k] = 0;
        }
    }
}

fn mirror_pad(c: &mut KernelContext) -> Result<()> {
    let pairs = paddings(c)?;
    let input = c.input(0)?;
    let dims = input.shape().dims();
    let maps = mirror_maps(c, dims, &pairs)?;
    let inner = strides(dims);
    let mut out = Value::uninit(input.dtype(), padded_shape(dims, &pairs)?)?;
    dispatch!(plain, input.dtype(), T => {
        let (from, to) = (input.slice::<T>()?, out.slice_mut::<T>()?);
        each_mirrored(&maps, &inner, |place, at| to[place] = from[at]);
    });
    c.set_output(0, out);
    Ok(())
}

fn mirror_pad_grad_on_gpu(c: &mut GpuContext) -> Result<()> {
    let pairs = paddings_of(c.shape(0)?, &c.host_input(1)?)?;
    let sizes = c.shape(0)?.dims().iter().zip(&pairs);
    let dims: Vec<i64> = sizes.map(|(d, (a, b))| d - a - b).collect();
    let is_symmetric = c.attrs().bytes("mode")? == b"SYMMETRIC";
    for (size, pair) in dims.iter().zip(&pairs) {
        mirrored(*size, *pair, is_symmetric)?;
    }
    super::turned::fold_mirrored(c, &pairs, &Shape::new(&dims)?, is_symmetric)
}

fn mirror_pad_grad(c: &mut KernelContext) -> Result<()> {
    let pairs = paddings(c)?;
    let input = c.input(0)?;
    let sizes = input
        .shape()
        .dims()
        .iter()
        .zip(&pairs)
        .map(|(d, (a, b))| d - a - b);
    let dims: Vec<i64> = sizes.collect();
    let maps = mirror_maps(c, &dims, &pairs)?;
    let inner = strides(&dims);
    let mut out = Value::zeros(input.dtype(), Shape::new(&dims)?)?;
    dispatch!(floats, input.dtype(), T => {
        let (from, to) = (input.slice::<T>()?, out.slice_mut::<T>()?);
        each_mirrored(&maps, &inner, |place, at| to[at] += from[place]);
    });
    c.set_output(0, out);
    Ok(())
}
