//! Gradients of reads and writes: they write to and read from an array of gradients, one for each call of
//! `tf.gradients`, which the name of the incoming gradient tells.

use crate::bail;
use crate::error::Result;
use crate::graph::{Attr, Endpoint};
use crate::ops::build::Given;
use crate::ops::gradient::{Grad, GradientContext, Grads};

/// The call of `tf.gradients` in which a tensor was made: the part of its name up to the last `gradients…`.
fn source_of(g: &GradientContext, e: Endpoint) -> Result<String> {
    let name = &g.graph.node(e.node).name;
    let tokens: Vec<&str> = name.split('/').collect();
    match tokens.iter().rposition(|t| t.starts_with("gradients")) {
        Some(last) => Ok(tokens[..=last].join("/")),
        None => bail!(
            value,
            "Expected op/tensor name to start with gradients (excluding scope), got: {name}:{}. This means that a \
             tf.gradients op with this op in its dependency path has a custom name that does not start with 'gradients'. \
             Please make sure all calls to tf.gradients that have non-empty 'name' arguments use names that start with \
             'gradients'.",
            e.index
        ),
    }
}

/// An array of gradients: its handle, and the flow from which its steps go on.
#[derive(Clone, Copy)]
struct GradientArray {
    handle: Endpoint,
    flow: Endpoint,
}

/// The tensor whose name tells the call: dense, or the values of slices.
fn named(grad: Option<Grad>, output: Endpoint) -> Endpoint {
    match grad {
        Some(Grad::Dense(e)) => e,
        Some(Grad::Slices { values, .. }) => values,
        None => output,
    }
}

fn gradient_array(
    g: &mut GradientContext,
    handle: Endpoint,
    flow: Endpoint,
    source: String,
) -> Result<GradientArray> {
    // Python wraps the handle in an object, which takes a name for itself.
    g.graph.in_scope("TensorArray", |_| ());
    g.graph.in_scope("TensorArrayGrad", |graph| {
        let made = graph.colocated_with(handle.node, |graph| -> Result<GradientArray> {
            let attrs = [("source", Attr::Bytes(source.into_bytes().into()))];
            let made = graph.call("TensorArrayGradV3", "", [handle, flow], &attrs)?;
            let flow = graph.after(vec![made.node], |graph| {
                graph.call("Identity", "gradient_flow", [flow], &[])
            })?;
            graph.in_scope("TensorArray", |_| ());
            Ok(GradientArray { handle: made, flow })
        })?;
        Ok(made)
    })
}

/// A step that writes, in the scope of Python's method, whose name is the op's without its version.
fn write_to(
    g: &mut GradientContext,
    scope: &str,
    op: &'static str,
    array: GradientArray,
    inputs: &[Endpoint],
    value: Option<Grad>,
    at: usize,
) -> Result<Endpoint> {
    g.graph.in_scope(scope, |graph| {
        let value = match value {
            Some(grad) => crate::ops::densify::to_tensor(graph, grad, "value")?,
            None => bail!(internal, "a gradient that is none cannot be written"),
        };
        let mut all = vec![array.handle];
        all.extend_from_slice(inputs);
        all.insert(at, value);
        all.push(array.flow);
        graph.call(op, "", all, &[])
    })
}

/// The gradient of output 0: zeros where none came.
fn incoming(g: &mut GradientContext) -> Result<(Grad, String)> {
    let grad = match g.out_grad(0) {
        Some(grad) => grad,
        None => Grad::Dense(g.dy(0)?),
    };
    let source = source_of(g, named(Some(grad), g.output(0)))?;
    Ok((grad, source))
}

pub(super) fn of_read(g: &mut GradientContext) -> Result<Grads> {
    let (handle, index, flow) = (g.input(0), g.input(1), g.input(2));
    let (grad, source) = incoming(g)?;
    let array = gradient_array(g, handle, flow, source)?;
    let (scope, op) = ("TensorArrayWrite", "TensorArrayWriteV3");
    let made = write_to(g, scope, op, array, &[index], Some(grad), 2)?;
    Ok(vec![None, None, Some(made.into())])
}

pub(super) fn of_gather(g: &mut GradientContext) -> Result<Grads> {
    let (handle, indices, flow) = (g.input(0), g.input(1), g.input(2));
    let (grad, source) = incoming(g)?;
    let array = gradient_array(g, handle, flow, source)?;
    let (scope, op) = ("TensorArrayScatter", "TensorArrayScatterV3");
    let made = write_to(g, scope, op, array, &[indices], Some(grad), 2)?;
    Ok(vec![None, None, Some(made.into())])
}

pub(super) fn of_concat(g: &mut GradientContext) -> Result<Grads> {
    let (handle, flow, lengths) = (g.input(0), g.input(1), g.output(1));
    let (grad, source) = incoming(g)?;
    let array = gradient_array(g, handle, flow, source)?;
    let (scope, op) = ("TensorArraySplit", "TensorArraySplitV3");
    let made = write_to(g, scope, op, array, &[lengths], Some(grad), 1)?;
    Ok(vec![None, Some(made.into())])
}

/// The array that holds the gradients of what was written; its flow begins at the incoming gradient.
fn array_of_writes(g: &mut GradientContext) -> Result<(GradientArray, Endpoint)> {
    let (handle, flow) = (g.input(0), g.dy(0)?);
    let source = source_of(g, flow)?;
    Ok((gradient_array(g, handle, flow, source)?, flow))
}

fn read_from(
    g: &mut GradientContext,
    op: &'static str,
    array: GradientArray,
    index: Option<Endpoint>,
    attrs: Given,
) -> Result<Endpoint> {
    let all = [Some(array.handle), index, Some(array.flow)];
    g.graph.call(op, "", all.into_iter().flatten(), attrs)
}

pub(super) fn of_write(g: &mut GradientContext) -> Result<Grads> {
    let (array, flow) = array_of_writes(g)?;
    let (index, dtype) = (g.input(1), g.dtype(g.input(2)));
    let attrs = [("dtype", dtype.into())];
    let grad = read_from(g, "TensorArrayReadV3", array, Some(index), &attrs)?;
    Ok(vec![None, None, Some(grad.into()), Some(flow.into())])
}

pub(super) fn of_scatter(g: &mut GradientContext) -> Result<Grads> {
    let (array, flow) = array_of_writes(g)?;
    let (indices, dtype) = (g.input(1), g.dtype(g.input(2)));
    let attrs = [("dtype", dtype.into())];
    let grad = read_from(g, "TensorArrayGatherV3", array, Some(indices), &attrs)?;
    Ok(vec![None, None, Some(grad.into()), Some(flow.into())])
}

pub(super) fn of_split(g: &mut GradientContext) -> Result<Grads> {
    let (array, flow) = array_of_writes(g)?;
    let dtype = g.dtype(g.input(1));
    let attrs = [("dtype", dtype.into())];
    let grad = read_from(g, "TensorArrayConcatV3", array, None, &attrs)?;
    Ok(vec![None, Some(grad.into()), None, Some(flow.into())])
}
