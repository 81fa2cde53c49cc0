//! Gradients of resizing.

use crate::error::Result;
use crate::graph::Attr;
use crate::ops::build::{In, ints};
use crate::ops::gradient::{GradientContext, Grads};
use crate::value::DType;

fn centers(g: &GradientContext) -> Vec<(&'static str, Attr)> {
    let names = ["align_corners", "half_pixel_centers"].into_iter();
    names
        .filter_map(|name| Some((name, g.attr(name)?.clone())))
        .collect()
}

pub(super) fn nearest(g: &mut GradientContext) -> Result<Grads> {
    let (x, dy, attrs) = (g.input(0), g.dy(0)?, centers(g));
    let (height, width) = (g.shape(x).dim(1), g.shape(x).dim(2));
    let size = match height >= 0 && width >= 0 {
        true => In::Plain("size", ints(&[height, width])?),
        false => {
            let shape = g.graph.shape_of(x)?;
            g.graph.slice_rows(shape, Some(1), Some(3))?.into()
        }
    };
    let op = "ResizeNearestNeighborGrad";
    let made = g.graph.call(op, "", [dy.into(), size], &attrs)?;
    Ok(vec![Some(made.into()), None])
}

pub(super) fn bilinear(g: &mut GradientContext) -> Result<Grads> {
    let (x, dy, attrs) = (g.input(0), g.dy(0)?, centers(g));
    let made = g.graph.call("ResizeBilinearGrad", "", [dy, x], &attrs)?;
    Ok(vec![Some(made.into()), None])
}

pub(super) fn bicubic(g: &mut GradientContext) -> Result<Grads> {
    let (x, dy, attrs) = (g.input(0), g.dy(0)?, centers(g));
    if !matches!(g.dtype(x), DType::F32 | DType::F64) {
        return Ok(vec![None, None]);
    }
    let made = g.graph.call("ResizeBicubicGrad", "", [dy, x], &attrs)?;
    Ok(vec![Some(made.into()), None])
}
