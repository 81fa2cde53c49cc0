//! Gradients of pools.

use crate::error::Result;
use crate::graph::{Attr, Endpoint};
use crate::ops::gradient::{GradientContext, Grads};

/// The attributes that say where the windows lie.
fn windows(g: &GradientContext) -> Vec<(&'static str, Attr)> {
    let names = ["ksize", "strides", "padding", "data_format"];
    let all = names.into_iter();
    all.filter_map(|name| Some((name, g.attr(name)?.clone())))
        .collect()
}

pub(super) fn of_max(g: &mut GradientContext, op: &'static str) -> Result<Grads> {
    let (x, y, dy, attrs) = (g.input(0), g.output(0), g.dy(0)?, windows(g));
    let made = g.graph.call(op, "", [x, y, dy], &attrs)?;
    Ok(vec![Some(made.into())])
}

pub(super) fn of_max_v2(g: &mut GradientContext) -> Result<Grads> {
    let (x, y, dy, attrs) = (g.input(0), g.output(0), g.dy(0)?, windows(g));
    let inputs = [x, y, dy, g.input(1), g.input(2)];
    let made = g.graph.call("MaxPoolGradV2", "", inputs, &attrs)?;
    Ok(vec![Some(made.into()), None, None])
}

/// `tf.zeros(tf.shape(x), x.dtype)`.
fn zeros_shaped_as(g: &mut GradientContext, x: Endpoint) -> Result<Endpoint> {
    let shape = g.graph.shape_of(x)?;
    let dtype = g.dtype(x);
    g.graph.zeros(shape, dtype)
}

/// Which element is the largest does not change with small steps: only the gradient itself has a gradient.
pub(super) fn of_max_grad(g: &mut GradientContext, op: &'static str) -> Result<Grads> {
    let (x, y, dy, attrs) = (g.input(0), g.input(1), g.dy(0)?, windows(g));
    let first = zeros_shaped_as(g, x)?;
    let second = zeros_shaped_as(g, y)?;
    let third = g.graph.call(op, "", [x, y, dy], &attrs)?;
    Ok(vec![
        Some(first.into()),
        Some(second.into()),
        Some(third.into()),
    ])
}

pub(super) fn of_max_grad_v2(g: &mut GradientContext) -> Result<Grads> {
    let (x, y, dy, attrs) = (g.input(0), g.input(1), g.dy(0)?, windows(g));
    let first = zeros_shaped_as(g, x)?;
    let second = zeros_shaped_as(g, y)?;
    let inputs = [x, y, dy, g.input(3), g.input(4)];
    let third = g.graph.call("MaxPoolGradGradV2", "", inputs, &attrs)?;
    Ok(vec![
        Some(first.into()),
        Some(second.into()),
        Some(third.into()),
        None,
        None,
    ])
}

pub(super) fn of_argmax(g: &mut GradientContext) -> Result<Grads> {
    let (x, places, dy, mut attrs) = (g.input(0), g.output(1), g.dy(0)?, windows(g));
    let with_batch = g.node().attrs.bool("include_batch_in_index")?;
    attrs.push(("include_batch_in_index", Attr::Bool(with_batch)));
    let made = g
        .graph
        .call("MaxPoolGradWithArgmax", "", [x, dy, places], &attrs)?;
    Ok(vec![Some(made.into())])
}

pub(super) fn of_mean(g: &mut GradientContext, op: &'static str) -> Result<Grads> {
    let (x, dy, attrs) = (g.input(0), g.dy(0)?, windows(g));
    let shape = g.graph.shape_of(x)?;
    let made = g.graph.call(op, "", [shape, dy], &attrs)?;
    Ok(vec![Some(made.into())])
}

pub(super) fn of_mean_grad(g: &mut GradientContext, op: &'static str) -> Result<Grads> {
    let (sizes, dy, attrs) = (g.input(0), g.dy(0)?, windows(g));
    let first = g.op("StopGradient", [sizes])?;
    let second = g.graph.call(op, "", [dy], &attrs)?;
    Ok(vec![Some(first.into()), Some(second.into())])
}
