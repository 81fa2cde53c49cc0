//! Gradients of convolutions: each of the three parts is the gradient of the others.

use crate::error::Result;
use crate::graph::{Attr, Endpoint};
use crate::ops::build::In;
use crate::ops::gradient::{GradientContext, Grads};
use crate::value::DType;

/// The three ops of a kind of convolution, and the attributes that they share.
#[derive(Clone, Copy)]
pub(super) struct Family {
    forward: &'static str,
    of_input: &'static str,
    of_filter: &'static str,
    attrs: &'static [&'static str],
}

pub(super) const CONV_2D: Family = Family {
    forward: "Conv2D",
    of_input: "Conv2DBackpropInput",
    of_filter: "Conv2DBackpropFilter",
    attrs: &[
        "dilations",
        "strides",
        "padding",
        "explicit_paddings",
        "use_cudnn_on_gpu",
        "data_format",
    ],
};

pub(super) const DEPTHWISE: Family = Family {
    forward: "DepthwiseConv2dNative",
    of_input: "DepthwiseConv2dNativeBackpropInput",
    of_filter: "DepthwiseConv2dNativeBackpropFilter",
    attrs: &["dilations", "strides", "padding", "data_format"],
};

pub(super) const CONV_3D: Family = Family {
    forward: "Conv3D",
    of_input: "Conv3DBackpropInputV2",
    of_filter: "Conv3DBackpropFilterV2",
    attrs: &["dilations", "strides", "padding", "data_format"],
};

/// `op` on these inputs with the attributes of the forward node.
fn call(
    g: &mut GradientContext,
    family: Family,
    op: &'static str,
    inputs: [Endpoint; 3],
    count: usize,
) -> Result<Endpoint> {
    let attrs: Vec<(&'static str, Attr)> = family
        .attrs
        .iter()
        .filter_map(|name| Some((*name, g.attr(name)?.clone())))
        .collect();
    g.graph
        .call(op, "", inputs[..count].iter().copied(), &attrs)
}

/// Conv2D asks for both shapes at once.
pub(super) fn conv2d(g: &mut GradientContext) -> Result<Grads> {
    let (x, w, dy) = (g.input(0), g.input(1), g.dy(0)?);
    let both = In::List(vec![x, w]);
    let out_type = [("out_type", DType::I32.into())];
    let shapes = g.graph.call("ShapeN", "", [both], &out_type)?;
    let of_filter = Endpoint::new(shapes.node, 1);
    let dx = call(g, CONV_2D, CONV_2D.of_input, [shapes, w, dy], 3)?;
    let dw = call(g, CONV_2D, CONV_2D.of_filter, [x, of_filter, dy], 3)?;
    Ok(vec![Some(dx.into()), Some(dw.into())])
}

pub(super) fn of_forward(g: &mut GradientContext, family: Family) -> Result<Grads> {
    let (x, w, dy) = (g.input(0), g.input(1), g.dy(0)?);
    let shape = g.graph.shape_of(x)?;
    let dx = call(g, family, family.of_input, [shape, w, dy], 3)?;
    let shape = g.graph.shape_of(w)?;
    let dw = call(g, family, family.of_filter, [x, shape, dy], 3)?;
    Ok(vec![Some(dx.into()), Some(dw.into())])
}

pub(super) fn of_backprop_input(g: &mut GradientContext, family: Family) -> Result<Grads> {
    let (w, before, dy) = (g.input(1), g.input(2), g.dy(0)?);
    let shape = g.graph.shape_of(w)?;
    let dw = call(g, family, family.of_filter, [dy, shape, before], 3)?;
    let out = call(g, family, family.forward, [dy, w, w], 2)?;
    Ok(vec![None, Some(dw.into()), Some(out.into())])
}

pub(super) fn of_backprop_filter(g: &mut GradientContext, family: Family) -> Result<Grads> {
    let (x, before, dy) = (g.input(0), g.input(2), g.dy(0)?);
    let shape = g.graph.shape_of(x)?;
    let dx = call(g, family, family.of_input, [shape, dy, before], 3)?;
    let out = call(g, family, family.forward, [x, dy, dy], 2)?;
    Ok(vec![Some(dx.into()), None, Some(out.into())])
}
