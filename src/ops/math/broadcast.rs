//! What the gradients of broadcasting ops need: the axes along which each operand was repeated.

use crate::error::Result;
use crate::graph::{Endpoint, ShapeContext};
use crate::value::PartialShape;

use super::super::build::{In, integers, ints};
use super::super::gradient::GradientContext;
use super::super::kernel::KernelContext;
use super::super::{Op, shape};

pub(in crate::ops) const OPS: &[Op] = &[
    Op::new("BroadcastGradientArgs", "s0: T, s1: T -> r0: T, r1: T")
        .attr("T: {int32, int64} = DT_INT32")
        .shape(shape::vector)
        .no_grad()
        .host(broadcast_gradient_args),
    Op::new("BroadcastArgs", "s0: T, s1: T -> r0: T")
        .attr("T: {int32, int64} = DT_INT32")
        .shape(broadcast_args_shape)
        .host(broadcast_args),
];

fn broadcast_args_shape(c: &mut ShapeContext) -> Result<()> {
    let (a, b) = (c.input_of_rank(0, 1)?, c.input_of_rank(1, 1)?);
    let longest = if a.dim(0) < 0 || b.dim(0) < 0 {
        -1
    } else {
        a.dim(0).max(b.dim(0))
    };
    c.set(0, PartialShape::vector(longest));
    Ok(())
}

fn broadcast_gradient_args(c: &mut KernelContext) -> Result<()> {
    let (a, b) = (c.ints_input(0)?, c.ints_input(1)?);
    let (rx, ry) = repeated_axes(&a, &b)?;
    let dtype = c.input(0)?.dtype();
    let (rx, ry) = (integers(dtype, &rx)?, integers(dtype, &ry)?);
    c.set_output(0, rx);
    c.set_output(1, ry);
    Ok(())
}

fn broadcast_args(c: &mut KernelContext) -> Result<()> {
    let (a, b) = (c.ints_input(0)?, c.ints_input(1)?);
    let both = |dims: &[i64]| PartialShape::new(dims);
    let shape =
        shape::broadcast_shapes(&both(&a)?, &both(&b)?).map_err(|_| incompatible(&a, &b))?;
    let made = integers(c.input(0)?.dtype(), shape.dims().unwrap_or_default())?;
    c.set_output(0, made);
    Ok(())
}

fn incompatible(a: &[i64], b: &[i64]) -> crate::error::Error {
    let listed = |dims: &[i64]| {
        let dims: Vec<String> = dims.iter().map(i64::to_string).collect();
        dims.join(",")
    };
    let (a, b) = (listed(a), listed(b));
    crate::error::Error::invalid(format!("Incompatible shapes: [{a}] vs. [{b}]"))
}

/// The axes of the result along which each of two shapes is repeated; axes where both are 1 count for both.
pub fn repeated_axes(a: &[i64], b: &[i64]) -> Result<(Vec<i64>, Vec<i64>)> {
    let rank = a.len().max(b.len());
    let (mut of_a, mut of_b) = (Vec::new(), Vec::new());
    for axis in 0..rank {
        let size = |dims: &[i64]| {
            let missing = rank - dims.len();
            if axis < missing {
                None
            } else {
                Some(dims[axis - missing])
            }
        };
        let (x, y) = (size(a), size(b));
        let (p, q) = (x.unwrap_or(1), y.unwrap_or(1));
        if p != q && p != 1 && q != 1 {
            return Err(incompatible(a, b));
        }
        if p == 1 {
            of_a.push(axis as i64);
        }
        if q == 1 {
            of_b.push(axis as i64);
        }
    }
    if a == b {
        return Ok((Vec::new(), Vec::new()));
    }
    Ok((of_a, of_b))
}

/// A shape or axes: a tensor of the graph, or known while it is built.
enum Known {
    Tensor(Endpoint),
    Plain(Vec<i64>),
}

/// One operand: its shape, and the axes along which it was repeated.
pub(in crate::ops) struct Side {
    shape: Known,
    axes: Known,
    is_repeated: bool,
}

/// Sums a gradient to the shape of an operand.
pub(in crate::ops) trait Reduction {
    /// A Sum over the repeated axes and a Reshape.
    fn reduce(&self, g: &mut GradientContext, e: Endpoint) -> Result<Endpoint>;
    /// The same, or nothing where the shapes are known to be equal.
    fn reduce_if_needed(&self, g: &mut GradientContext, e: Endpoint) -> Result<Endpoint>;
}

impl Reduction for Side {
    fn reduce(&self, g: &mut GradientContext, e: Endpoint) -> Result<Endpoint> {
        let summed = match &self.axes {
            Known::Tensor(axes) => g.op("Sum", [e, *axes])?,
            Known::Plain(axes) => g.graph.sum_over(e, axes)?,
        };
        match &self.shape {
            Known::Tensor(shape) => g.graph.reshape(summed, *shape),
            Known::Plain(dims) => g.graph.reshape_to(summed, dims),
        }
    }

    fn reduce_if_needed(&self, g: &mut GradientContext, e: Endpoint) -> Result<Endpoint> {
        match self.is_repeated {
            true => self.reduce(g, e),
            false => Ok(e),
        }
    }
}

pub(in crate::ops) struct Broadcast {
    pub x: Side,
    pub y: Side,
}

impl Broadcast {
    /// Shapes and axes as tensors of the graph.
    pub fn plain(g: &mut GradientContext, x: Endpoint, y: Endpoint) -> Result<Broadcast> {
        let sx = g.graph.shape_of(x)?;
        let sy = g.graph.shape_of(y)?;
        Broadcast::of_shapes(g, sx, sy)
    }

    pub fn of_shapes(g: &mut GradientContext, sx: Endpoint, sy: Endpoint) -> Result<Broadcast> {
        Broadcast::of_shapes_to(g, [sx, sy], [sx, sy])
    }

    /// The axes along which two shapes are repeated, for operands of other shapes.
    pub fn of_shapes_to(
        g: &mut GradientContext,
        repeated: [Endpoint; 2],
        [sx, sy]: [Endpoint; 2],
    ) -> Result<Broadcast> {
        let args = g.op("BroadcastGradientArgs", repeated)?;
        let side = |shape, index| Side {
            shape: Known::Tensor(shape),
            axes: Known::Tensor(Endpoint::new(args.node, index)),
            is_repeated: true,
        };
        Ok(Broadcast {
            x: side(sx, 0),
            y: side(sy, 1),
        })
    }

    /// Known while the graph is built where both shapes are (`SmartBroadcastGradientArgs`): then TensorFlow makes the
    /// BroadcastGradientArgs once for each pair of shapes in a graph, to evaluate it at once.
    pub fn smart(g: &mut GradientContext, dy: Endpoint) -> Result<Broadcast> {
        let (x, y) = (g.input(0), g.input(1));
        let known = |g: &GradientContext, e| g.shape(e).to_shape();
        let (Some(a), Some(b)) = (known(g, x), known(g, y)) else {
            let sx = g.graph.shape_node(x, crate::value::DType::I32, "")?;
            let sy = g.graph.shape_node(y, crate::value::DType::I32, "")?;
            return Broadcast::of_shapes(g, sx, sy);
        };
        let (a, b) = (a.dims().to_vec(), b.dims().to_vec());
        if g.graph.is_first_time("BroadcastGradientArgs", &[&a, &b]) {
            let (s0, s1) = (In::Plain("s0", ints(&a)?), In::Plain("s1", ints(&b)?));
            g.graph.call("BroadcastGradientArgs", "", [s0, s1], &[])?;
        }
        let (rx, ry) = repeated_axes(&a, &b)?;
        let grad = g.shape(dy).clone();
        let side = |dims: Vec<i64>, axes| Side {
            is_repeated: grad.dims() != Some(dims.as_slice()),
            shape: Known::Plain(dims),
            axes: Known::Plain(axes),
        };
        Ok(Broadcast {
            x: side(a, rx),
            y: side(b, ry),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_of_size_one_count_for_both_operands_unless_the_shapes_are_equal() {
        assert_eq!(repeated_axes(&[2, 3], &[3]).unwrap(), (vec![], vec![0]));
        assert_eq!(repeated_axes(&[2, 1], &[1]).unwrap(), (vec![1], vec![0, 1]));
        assert_eq!(repeated_axes(&[1, 2], &[1, 2]).unwrap(), (vec![], vec![]));
        let error = repeated_axes(&[2, 4], &[3, 4]).unwrap_err();
        assert_eq!(error.message, "Incompatible shapes: [2,4] vs. [3,4]");
    }
}
