//! Conversions between element types.

use crate::error::Result;
use crate::ops::gradient::{GradientContext, Grads};
use crate::ops::{Op, shape};
use crate::value::DType;

pub(in crate::ops) const OPS: &[Op] = &[Op::new("Cast", "x: SrcT -> y: DstT")
    .attr("SrcT: type")
    .attr("DstT: type")
    .attr("Truncate: bool = false")
    .shape(shape::unchanged)
    .grad(cast_grad)
    .map_with(|x, attrs| Ok(x[0].cast(attrs.dtype("DstT")?)))];

fn cast_grad(g: &mut GradientContext) -> Result<Grads> {
    let flows = |d: DType| d.is_floating() || d.is_complex();
    let from = g.dtype(g.input(0));
    let dy = g.dy(0)?;
    if !flows(from) || !flows(g.dtype(dy)) {
        return Ok(vec![None]);
    }
    Ok(vec![Some(g.graph.cast_to(dy, from)?.into())])
}
