//! Adding a bias to each channel.

use crate::backend::cpu::channels;
use crate::backend::cpu::gemm::Number;
use crate::error::Result;
use crate::graph::{Attr, ShapeContext, with_rank};
use crate::ops::build::{In, int, ints};
use crate::ops::gradient::{GradientContext, Grads};
use crate::ops::kernel::KernelContext;
use crate::ops::layout::Layout;
use crate::ops::{Op, shape};
use crate::value::{DType, PartialShape, Shape};
use crate::{dispatch, ensure};

use super::gpu;

pub(in crate::ops) const OPS: &[Op] = &[
    Op::new("BiasAdd", "value: T, bias: T -> output: T")
        .attr("T: numbertype")
        .attr("data_format: {'NHWC', 'NCHW'} = 'NHWC'")
        .shape(bias_add_shape)
        .grad(bias_add_grad)
        .kernel(bias_add)
        .gpu(gpu::bias_add),
    Op::new("BiasAddV1", "value: T, bias: T -> output: T")
        .attr("T: numbertype")
        .shape(bias_add_shape)
        .grad(bias_add_v1_grad)
        .kernel(bias_add)
        .gpu(gpu::bias_add),
    Op::new("BiasAddGrad", "out_backprop: T -> output: T")
        .attr("T: numbertype")
        .attr("data_format: {'NHWC', 'NCHW'} = 'NHWC'")
        .shape(bias_add_grad_shape)
        .grad(bias_add_grad_grad)
        .kernel(sum_to_channels)
        .gpu(gpu::bias_add_gradient)
        .ends(),
];

/// The shape of a value whose last axis (or second, with channels first) is as long as the bias.
fn bias_add_shape(c: &mut ShapeContext) -> Result<()> {
    let layout = Layout::of(c.attrs())?;
    let value = c.input(0);
    shape::at_least(&value, least_rank(layout))?;
    let bias = with_rank(&c.input(1), 1)?;
    let Some(rank) = value.rank() else {
        return Ok(());
    };
    let axis = layout.channel_axis(rank);
    let channels = shape::merge_dim(value.dim(axis), bias.dim(0))?;
    let mut made = value;
    made.set_dim(axis, channels);
    c.set(0, made);
    Ok(())
}

fn least_rank(layout: Layout) -> usize {
    2 + usize::from(layout.is_channels_first())
}

fn bias_add_grad_shape(c: &mut ShapeContext) -> Result<()> {
    let layout = Layout::of(c.attrs())?;
    let value = c.input(0);
    shape::at_least(&value, least_rank(layout))?;
    let channels = value
        .rank()
        .map_or(-1, |rank| value.dim(layout.channel_axis(rank)));
    c.set(0, PartialShape::vector(channels));
    Ok(())
}

fn data_format(g: &GradientContext) -> Result<[(&'static str, Attr); 1]> {
    let format = g.node().attrs.str("data_format")?;
    Ok([("data_format", Attr::from(format))])
}

fn bias_add_grad(g: &mut GradientContext) -> Result<Grads> {
    let (dy, attrs) = (g.dy(0)?, data_format(g)?);
    let bias = g.graph.call("BiasAddGrad", "", [dy], &attrs)?;
    Ok(vec![Some(dy.into()), Some(bias.into())])
}

fn bias_add_v1_grad(g: &mut GradientContext) -> Result<Grads> {
    let dy = g.dy(0)?;
    let rank = g.graph.rank_of(dy)?;
    let before_last = g.graph.sub(rank, In::Plain("y", int(1)?))?;
    let axes = g.graph.range(int(0)?, before_last)?;
    let bias = g.op("Sum", [dy, axes])?;
    Ok(vec![Some(dy.into()), Some(bias.into())])
}

/// Repeats the gradient along all axes but that of the channels.
fn bias_add_grad_grad(g: &mut GradientContext) -> Result<Grads> {
    let layout = Layout::of(&g.node().attrs)?;
    let (x, dy) = (g.input(0), g.dy(0)?);
    let shape = g.graph.shape_of(x)?;
    let bias = g.graph.shape_of(dy)?;
    let one = In::Plain("values_1", ints(&[1])?);
    let stretches: &[(Option<i64>, Option<i64>)] = match layout.is_channels_first() {
        true => &[(None, Some(1)), (Some(2), None)],
        false => &[(None, Some(-1))],
    };
    let mut expanded: Vec<In> = Vec::new();
    for (from, to) in stretches {
        let part = g.graph.slice_rows(shape, *from, *to)?;
        expanded.push(g.graph.ones_like(part)?.into());
    }
    expanded.insert(1, bias.into());
    let expanded = g.graph.concat(expanded, 0)?;
    let mut times: Vec<In> = Vec::new();
    for (from, to) in stretches {
        times.push(g.graph.slice_rows(shape, *from, *to)?.into());
    }
    times.insert(1, one);
    let times = g.graph.concat(times, 0)?;
    let column = g.graph.reshape(dy, expanded)?;
    let made = g.op("Tile", [column, times])?;
    Ok(vec![Some(made.into())])
}

/// Sizes before, of and after the channels.
fn around_channels(shape: &Shape, layout: Layout) -> Result<[usize; 3]> {
    let least = least_rank(layout);
    ensure!(
        shape.rank() >= least,
        invalid,
        "Input tensor must be at least {least}D: {shape}"
    );
    let axis = layout.channel_axis(shape.rank());
    let product = |dims: &[i64]| dims.iter().map(|d| *d as usize).product();
    let dims = shape.dims();
    Ok([
        product(&dims[..axis]),
        dims[axis] as usize,
        product(&dims[axis + 1..]),
    ])
}

fn bias_add(c: &mut KernelContext) -> Result<()> {
    let layout = Layout::of(c.attrs())?;
    let (value, bias) = (c.input(0)?, c.input(1)?);
    let (shape, bias_shape) = (value.shape().clone(), bias.shape());
    let [_, depth, inner] = around_channels(&shape, layout)?;
    ensure!(
        bias_shape.rank() == 1,
        invalid,
        "Biases must be 1D: {bias_shape}"
    );
    ensure!(
        bias_shape.dim(0) == depth,
        invalid,
        "Must provide as many biases as the last dimension of the input tensor: {bias_shape} vs. {shape}"
    );
    let bias = bias.clone();
    let mut out = c.take_input(0)?;
    if !out.is_unique() {
        out = out.deep_copy()?;
    }
    if inner == 1 && out.dtype() == DType::F32 {
        channels::add(out.slice_mut::<f32>()?, bias.slice::<f32>()?);
    } else if out.num_elements() > 0 {
        dispatch!(numbers, out.dtype(), T => {
            let bias = bias.slice::<T>()?;
            add_to_channels(out.slice_mut::<T>()?, bias, inner, T::plus);
        });
    }
    c.set_output(0, out);
    Ok(())
}

fn add_to_channels<T: Copy>(out: &mut [T], bias: &[T], inner: usize, plus: impl Fn(T, T) -> T) {
    if inner == 1 {
        for row in out.chunks_exact_mut(bias.len()) {
            for (to, b) in row.iter_mut().zip(bias) {
                *to = plus(*to, *b);
            }
        }
        return;
    }
    for plane in out.chunks_exact_mut(inner * bias.len()) {
        for (row, b) in plane.chunks_exact_mut(inner).zip(bias) {
            row.iter_mut().for_each(|to| *to = plus(*to, *b));
        }
    }
}

/// A sum of rows, in blocks so that small terms are not lost against a large sum.
const BLOCK_ROWS: usize = 64;

fn sum_to_channels(c: &mut KernelContext) -> Result<()> {
    let layout = Layout::of(c.attrs())?;
    let value = c.input(0)?;
    let [outer, depth, inner] = around_channels(value.shape(), layout)?;
    let mut out = c.allocate(0, Shape::vector(depth))?;
    if inner == 1 && value.dtype() == DType::F32 {
        let sums = channels::sums(value.slice::<f32>()?, depth);
        let to = out.slice_mut::<f32>()?.iter_mut();
        to.zip(sums).for_each(|(to, sum)| *to = sum as f32);
        c.set_output(0, out);
        return Ok(());
    }
    dispatch!(numbers, value.dtype(), T => {
        let (from, to) = (value.slice::<T>()?, out.slice_mut::<T>()?);
        to.fill(T::zero());
        if inner == 1 && depth > 0 {
            let mut sums = vec![T::zero(); depth];
            for block in from.chunks(BLOCK_ROWS * depth) {
                sums.fill(T::zero());
                for row in block.chunks_exact(depth) {
                    sums.iter_mut().zip(row).for_each(|(s, x)| *s = T::plus(*s, *x));
                }
                to.iter_mut().zip(&sums).for_each(|(t, s)| *t = T::plus(*t, *s));
            }
        } else {
            for (i, row) in from.chunks_exact(inner.max(1)).take(outer * depth).enumerate() {
                let sum = row.chunks(BLOCK_ROWS).fold(T::zero(), |total, block| {
                    T::plus(total, block.iter().fold(T::zero(), |s, x| T::plus(s, *x)))
                });
                to[i % depth] = T::plus(to[i % depth], sum);
            }
        }
    });
    c.set_output(0, out);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{attrs, run};
    use crate::value::Value;

    #[test]
    fn a_bias_is_added_to_each_channel_of_either_layout() {
        let x = Value::from_slice(Shape::new(&[1, 2, 3]).unwrap(), &[1.0f32; 6]).unwrap();
        let last = Value::vector(&[1.0f32, 2.0, 3.0]).unwrap();
        let y = run("BiasAdd", &[x.clone(), last], &[]).unwrap();
        assert_eq!(y[0].slice::<f32>().unwrap(), [2.0, 3.0, 4.0, 2.0, 3.0, 4.0]);
        let second = Value::vector(&[1.0f32, 2.0]).unwrap();
        let first = attrs(&[("data_format", "NCHW".into())]);
        let y = run("BiasAdd", &[x.clone(), second], &first).unwrap();
        assert_eq!(y[0].slice::<f32>().unwrap(), [2.0, 2.0, 2.0, 3.0, 3.0, 3.0]);
        let y = run("BiasAddGrad", &[x], &first).unwrap();
        assert_eq!(y[0].slice::<f32>().unwrap(), [3.0, 3.0]);
    }

    #[test]
    fn a_bias_of_another_length_is_an_error() {
        let x = Value::from_slice(Shape::new(&[2, 3]).unwrap(), &[1.0f32; 6]).unwrap();
        let bias = Value::vector(&[1.0f32; 4]).unwrap();
        let error = run("BiasAdd", &[x, bias], &[]).unwrap_err();
        assert_eq!(
            error.message,
            "Must provide as many biases as the last dimension of the input tensor: [4] vs. [2,3]"
        );
    }
}
