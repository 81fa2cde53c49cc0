//! Gradients of sparse ops, node by node as `tensorflow/python/ops/sparse_grad.py` appends them.

use crate::bail;
use crate::error::Result;
use crate::graph::{Attr, Endpoint, NodeSpec};
use crate::ops::build::{In, int, ints};
use crate::ops::gradient::{GradientContext, Grads};
use crate::value::{DType, Value};

pub(super) fn none_yet(g: &mut GradientContext) -> Result<Grads> {
    let op = g.node().op().to_string();
    bail!(
        unimplemented,
        "Gradient for {op} is currently not implemented yet."
    )
}

fn gather(g: &mut GradientContext, params: Endpoint, indices: Endpoint) -> Result<Endpoint> {
    let axis = In::Plain("axis", int(0)?);
    g.graph
        .call("GatherV2", "", [params.into(), indices.into(), axis], &[])
}

/// The output `i` of the node of `e`.
fn sibling(e: Endpoint, i: usize) -> Endpoint {
    Endpoint::new(e.node, i)
}

pub(super) fn reorder(g: &mut GradientContext) -> Result<Grads> {
    let (places, dims, dy) = (g.input(0), g.input(2), g.dy(1)?);
    let shape = g.graph.shape_of(places)?;
    let count = g.graph.row(shape, 0)?;
    let numbers = g.graph.range(int(0)?, count)?;
    // The scopes of the two SparseTensors; the second one makes its shape anew where it is known.
    g.graph.in_scope("SparseTensor", |_| ());
    let ordered = g.op("SparseReorder", [places, numbers, dims])?;
    let known = g.graph.constant_as_shape(dims)?;
    g.graph
        .in_scope("SparseTensor", |graph| match known.to_shape() {
            Some(shape) => graph
                .constant_node("dense_shape", Value::vector(shape.dims())?)
                .map(|_| ()),
            None => Ok(()),
        })?;
    let inverse = g.op("InvertPermutation", [sibling(ordered, 1)])?;
    let made = gather(g, dy, inverse)?;
    Ok(vec![None, Some(made.into()), None])
}

pub(super) fn add(g: &mut GradientContext) -> Result<Grads> {
    let (a, b, sum, dy) = (g.input(0), g.input(3), g.output(0), g.dy(1)?);
    let made = g.op("SparseAddGrad", [dy, a, b, sum])?;
    let mut grads = vec![None; 7];
    grads[1] = Some(made.into());
    grads[4] = Some(sibling(made, 1).into());
    Ok(grads)
}

pub(super) fn slice(g: &mut GradientContext) -> Result<Grads> {
    let (places, start, out, dy) = (g.input(0), g.input(3), g.output(0), g.dy(1)?);
    let made = g.op("SparseSliceGrad", [dy, places, start, out])?;
    Ok(vec![None, Some(made.into()), None, None, None])
}

pub(super) fn dense_add(g: &mut GradientContext) -> Result<Grads> {
    let (places, dy) = (g.input(0), g.dy(0)?);
    let values = g.op("GatherNd", [dy, places])?;
    Ok(vec![None, Some(values.into()), None, Some(dy.into())])
}

pub(super) fn fill_empty_rows(g: &mut GradientContext) -> Result<Grads> {
    let (reverse, dy) = (g.output(3), g.dy(1)?);
    let made = g.op("SparseFillEmptyRowsGrad", [reverse, dy])?;
    Ok(vec![
        None,
        Some(made.into()),
        None,
        Some(sibling(made, 1).into()),
    ])
}

/// `places[:, i]`.
fn column(g: &mut GradientContext, places: Endpoint, i: i64) -> Result<Endpoint> {
    g.graph.in_scope("strided_slice", |graph| {
        let begin = graph.constant_node("stack", ints(&[0, i])?)?;
        let end = graph.constant_node("stack_1", ints(&[0, i + 1])?)?;
        let step = graph.constant_node("stack_2", ints(&[1, 1])?)?;
        let name = graph.scope_as_name();
        let attrs = [
            ("begin_mask", Attr::Int(1)),
            ("end_mask", Attr::Int(1)),
            ("shrink_axis_mask", Attr::Int(2)),
        ];
        graph.call("StridedSlice", &name, [places, begin, end, step], &attrs)
    })
}

fn transposed(g: &mut GradientContext, e: Endpoint) -> Result<Endpoint> {
    g.graph.in_scope("transpose", |graph| {
        let perm = graph.constant_node("perm", ints(&[1, 0])?)?;
        let name = graph.scope_as_name();
        graph.call("Transpose", &name, [e, perm], &[])
    })
}

pub(super) fn dense_mat_mul(g: &mut GradientContext) -> Result<Grads> {
    let (places, values, dims, b) = (g.input(0), g.input(1), g.input(2), g.input(3));
    let dy = g.dy(0)?;
    let adjoint_a = g.node().attrs.bool("adjoint_a")?;
    let adjoint_b = g.node().attrs.bool("adjoint_b")?;
    if g.dtype(values).is_complex() {
        bail!(
            unimplemented,
            "SparseTensorDenseMatMul op does not support complex gradients."
        );
    }
    let mut spec = NodeSpec::new("SparseTensorDenseMatMul");
    for input in [places, values, dims, dy] {
        spec = spec.input(input);
    }
    let mut b_grad = g.make(spec.attr("adjoint_a", !adjoint_a))?;
    if adjoint_b {
        b_grad = transposed(g, b_grad)?;
    }
    let rows = column(g, places, 0)?;
    let columns = column(g, places, 1)?;
    let (of_a, of_b) = if adjoint_a {
        (columns, rows)
    } else {
        (rows, columns)
    };
    let parts_a = gather(g, dy, of_a)?;
    let b = if adjoint_b { transposed(g, b)? } else { b };
    let parts_b = gather(g, b, of_b)?;
    let products = g.graph.mul(parts_a, parts_b)?;
    let axis = In::Plain("reduction_indices", int(1)?);
    let made = g.graph.call("Sum", "", [products.into(), axis], &[])?;
    Ok(vec![None, Some(made.into()), None, Some(b_grad.into())])
}

pub(super) fn reduce_sum(g: &mut GradientContext) -> Result<Grads> {
    let (places, dims, axes, dy) = (g.input(0), g.input(2), g.input(3), g.dy(0)?);
    let kept = crate::ops::reduce::reduced_shape(g, dims, axes)?;
    let dy = g.graph.reshape(dy, kept)?;
    let kept = g.graph.cast_to(kept, DType::I64)?;
    let scale = g.graph.call("FloorDiv", "floordiv", [dims, kept], &[])?;
    let at = g.graph.call("FloorDiv", "floordiv", [places, scale], &[])?;
    let made = g.op("GatherNd", [dy, at])?;
    Ok(vec![None, Some(made.into()), None, None])
}

pub(super) fn cwise(g: &mut GradientContext, is_product: bool) -> Result<Grads> {
    let (places, values, dims, y) = (g.input(0), g.input(1), g.input(2), g.input(3));
    let dy = g.dy(0)?;
    let y_shape = g.graph.shape_of(y)?;
    let y_shape = g.graph.cast_to(y_shape, DType::I64)?;
    let rank = g.graph.size_of(dims)?;
    let y_rank = g.graph.size_of(y_shape)?;
    let added = g.graph.sub(rank, y_rank)?;
    let added = g.graph.expand_dims(added, 0)?;
    let ones = g.graph.in_scope("ones", |graph| {
        let one = graph.constant_node("Const", Value::scalar(1i64)?)?;
        let name = graph.scope_as_name();
        graph.call("Fill", &name, [added, one], &[])
    })?;
    let whole = g.graph.concat(vec![ones.into(), y_shape.into()], 0)?;
    let scaling = g.graph.call("FloorDiv", "floordiv", [dims, whole], &[])?;
    let at = g
        .graph
        .call("FloorDiv", "floordiv", [places, scaling], &[])?;
    let begin = g
        .graph
        .concat(vec![In::Plain("values_0", ints(&[0])?), added.into()], 0)?;
    let size = In::Plain("size", ints(&[-1, -1])?);
    let at = g
        .graph
        .call("Slice", "", [at.into(), begin.into(), size], &[])?;
    let dense = g.op("GatherNd", [y, at])?;
    let (dx, dy_values) = if is_product {
        (g.graph.mul(dy, dense)?, g.graph.mul(dy, values)?)
    } else {
        let dx = g.graph.truediv(dy, dense)?;
        let negative = g.graph.neg(values)?;
        let square = g.op("Square", [dense])?;
        let ratio = g.graph.truediv(negative, square)?;
        (dx, g.graph.mul(dy, ratio)?)
    };
    let zeros = g.graph.zeros_like(y)?;
    let made = g.op("SparseTensorDenseAdd", [at, dy_values, y_shape, zeros])?;
    Ok(vec![None, Some(dx.into()), None, Some(made.into())])
}

pub(super) fn softmax(g: &mut GradientContext) -> Result<Grads> {
    let (places, dims, y, dy) = (g.input(0), g.input(2), g.output(0), g.dy(0)?);
    let products = g.graph.mul(y, dy)?;
    let axes = In::Plain("reduction_axes", ints(&[-1])?);
    let keep = [("keep_dims", Attr::Bool(true))];
    let inputs = [places.into(), products.into(), dims.into(), axes];
    let sum = g.graph.call("SparseReduceSum", "", inputs, &keep)?;
    let negative = g.graph.neg(sum)?;
    let shifted = g.op("SparseDenseCwiseAdd", [places, dy, dims, negative])?;
    let made = g.graph.mul(shifted, y)?;
    Ok(vec![None, Some(made.into()), None])
}
