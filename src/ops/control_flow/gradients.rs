//! Gradients of the nodes of conditionals and loops. A conditional's gradient is a conditional on the same predicate; a
//! loop's is a loop of its own, whose contexts and counters the walk has made before it gets here.

use crate::error::{Error, Result};
use crate::graph::{
    CondContext, ContextId, ContextKind, Endpoint, Graph, NodeId, NodeSpec, WhileContext,
};
use crate::ops::build::{In, int};
use crate::ops::densify;
use crate::ops::gradient::{Grad, GradientContext, Grads};
use crate::value::{DType, PartialShape};

use super::sums::Sum;

pub(super) fn kind_of(graph: &Graph, context: Option<ContextId>) -> Option<ContextKind> {
    context.map(|id| graph.context(id).kind.clone())
}

/// The loop around the gradient's nodes; `None` outside of loops.
fn loop_here(graph: &Graph) -> Option<WhileContext> {
    match kind_of(graph, graph.scopes.context) {
        Some(ContextKind::While(w)) => Some(w),
        _ => None,
    }
}

/// The tensors that a gradient consists of.
fn components(grad: Grad) -> Vec<Endpoint> {
    match grad {
        Grad::Dense(e) => vec![e],
        Grad::Slices {
            values,
            indices,
            dense_shape,
        } => [values, indices].into_iter().chain(dense_shape).collect(),
    }
}

/// A gradient as `like` of other tensors.
fn packed(like: Grad, parts: &[Endpoint]) -> Grad {
    match like {
        Grad::Dense(_) => Grad::Dense(parts[0]),
        Grad::Slices { .. } => Grad::Slices {
            values: parts[0],
            indices: parts[1],
            dense_shape: parts.get(2).copied(),
        },
    }
}

/// `merge`: slices part by part; a tensor among slices becomes slices.
fn merge(graph: &mut Graph, mut inputs: Vec<Grad>, name: &str) -> Result<Grad> {
    let is_dense = |g: &Grad| matches!(g, Grad::Dense(_));
    if inputs.iter().all(is_dense) {
        let parts: Vec<Endpoint> = inputs.iter().flat_map(|g| components(*g)).collect();
        return Ok(merge_tensors(graph, parts, name)?.into());
    }
    let name = if name.is_empty() { "Merge" } else { name };
    graph.in_scope(name, |graph| {
        for input in &mut inputs {
            *input = as_slices(graph, *input)?;
        }
        widen_indices(graph, &mut inputs)?;
        let rows: Vec<Vec<Endpoint>> = inputs.iter().map(|g| components(*g)).collect();
        let mut merged = Vec::new();
        for i in 0..rows[0].len() {
            let column = rows.iter().filter_map(|row| row.get(i).copied()).collect();
            merged.push(merge_tensors(graph, column, "")?);
        }
        Ok(packed(inputs[0], &merged))
    })
}

pub(super) fn merge_tensors(
    graph: &mut Graph,
    parts: Vec<Endpoint>,
    name: &str,
) -> Result<Endpoint> {
    graph.call("Merge", name, [In::List(parts)], &[])
}

fn as_slices(graph: &mut Graph, grad: Grad) -> Result<Grad> {
    let Grad::Dense(values) = grad else {
        return Ok(grad);
    };
    let shape = graph.shape_node(values, DType::I32, "Shape")?;
    let rows = graph.row(shape, 0)?;
    let indices = graph.range(int(0)?, rows)?;
    Ok(Grad::Slices {
        values,
        indices,
        dense_shape: Some(shape),
    })
}

fn widen_indices(graph: &mut Graph, all: &mut [Grad]) -> Result<()> {
    let is_narrow = |graph: &Graph, grad: &Grad| match grad {
        Grad::Slices { indices, .. } => graph.dtype(*indices) == DType::I32,
        Grad::Dense(_) => false,
    };
    let narrow = all.iter().filter(|g| is_narrow(graph, g)).count();
    if narrow == 0 || narrow == all.len() {
        return Ok(());
    }
    for grad in all {
        if let Grad::Slices { indices, .. } = grad {
            *indices = graph.cast_to(*indices, DType::I64)?;
        }
    }
    Ok(())
}

/// `_SwitchRefOrTensor`: both sides of a gradient, colocated with it.
fn switch_beside(graph: &mut Graph, grad: Grad, pred: Endpoint, name: &str) -> Result<[Grad; 2]> {
    let parts = components(grad);
    let sides = |nodes: Vec<NodeId>| {
        let side = |i| {
            let parts: Vec<Endpoint> = nodes.iter().map(|n| Endpoint::new(*n, i)).collect();
            packed(grad, &parts)
        };
        [side(0), side(1)]
    };
    if let [only] = parts[..] {
        return Ok(sides(vec![graph.switch(only, pred, name)?]));
    }
    graph.push_colocation(Some(parts[0].node), true);
    let made = graph.in_scope(name, |graph| {
        let mut nodes = Vec::new();
        for part in parts {
            nodes.push(switch(graph, part, pred)?);
        }
        Ok(nodes)
    });
    graph.pop_colocation();
    made.map(sides)
}

pub(super) fn switch(graph: &mut Graph, data: Endpoint, pred: Endpoint) -> Result<NodeId> {
    graph.create(NodeSpec::new("Switch").input(data).input(pred))
}

pub(super) fn next_iteration(graph: &mut Graph, value: Endpoint) -> Result<Endpoint> {
    graph.call("NextIteration", "", [value], &[])
}

pub fn no_gradient(g: &mut GradientContext) -> Result<Grads> {
    Ok(vec![None; g.num_inputs()])
}

/// The gradient of a conditional's entry is a Merge of what both sides say. That of a loop variable is a Merge of what
/// comes from the exit and, at the second visit, from the iteration after.
pub fn switch_grad(g: &mut GradientContext) -> Result<Grads> {
    match kind_of(g.graph, g.node().context) {
        Some(ContextKind::Cond(cond)) => cond_switch_grad(g, &cond),
        Some(ContextKind::While(_)) => loop_switch_grad(g),
        None => {
            let (pred, a, b) = (g.input(1), g.dy(0)?, g.dy(1)?);
            let no = g.op("Switch", [a, pred])?;
            let yes = g.op("Switch", [b, pred])?;
            let yes = Endpoint::new(yes.node, 1);
            let made = merge_tensors(g.graph, vec![no, yes], "")?;
            Ok(vec![Some(made.into()), None])
        }
    }
}

fn cond_switch_grad(g: &mut GradientContext, cond: &CondContext) -> Result<Grads> {
    let branch = usize::from(cond.branch);
    let (taken, other) = (g.out_grad(branch), g.out_grad(1 - branch));
    let (Some(no), Some(yes)) = (g.out_grad(0), g.out_grad(1)) else {
        // Nobody makes zeros of what is no number; a variable's handle has them on its own side alone.
        if let (Some(taken), None) = (taken, other)
            && g.dtype(g.input(0)) == DType::Resource
        {
            let made = merge(g.graph, vec![taken, taken], "cond_resource_grad")?;
            return Ok(vec![Some(made), None]);
        }
        return Ok(vec![None, None]);
    };
    let made = merge(g.graph, vec![no, yes], "cond_grad")?;
    Ok(vec![Some(made), None])
}

fn loop_switch_grad(g: &mut GradientContext) -> Result<Grads> {
    let id = g.id();
    let Some(gradient) = loop_here(g.graph).and_then(|w| w.gradient) else {
        return Ok(vec![None, None]);
    };
    let merges = &g.graph.loop_gradient(gradient).merges;
    let known = merges.iter().find(|(switch, _)| *switch == id);
    if let Some((_, merged)) = known.cloned() {
        if let Some(again) = g.out_grad(1) {
            add_back_edge(g.graph, &merged, again)?;
        }
        return Ok(vec![None, None]);
    }
    let Some(from_exit) = g.out_grad(0) else {
        return Ok(vec![None, None]);
    };
    // Its second input is a stand-in until the iteration after is known.
    let made = merge(g.graph, vec![from_exit, from_exit], "b_switch")?;
    let state = g.graph.loop_gradient_mut(gradient);
    state.merges.push((id, components(made)));
    Ok(vec![Some(made), None])
}

fn add_back_edge(graph: &mut Graph, merged: &[Endpoint], again: Grad) -> Result<()> {
    let parts = match merged.len() {
        1 => vec![densify::to_tensor(graph, again, "")?],
        _ => components(as_slices(graph, again)?),
    };
    for (merge, part) in merged.iter().zip(parts) {
        let next = next_iteration(graph, part)?;
        graph.update_input(merge.node, 1, next)?;
    }
    Ok(())
}

/// The gradient of a conditional's end flows to the side that was taken; that of a loop variable's Merge flows on while
/// the backward loop runs.
pub fn merge_grad(g: &mut GradientContext) -> Result<Grads> {
    let dy = g.out_grad(0);
    let dy = dy.ok_or_else(|| Error::internal("a Merge without a gradient"))?;
    let first = g.input(0).node;
    let pred = match kind_of(g.graph, g.graph.output_context(first)) {
        Some(ContextKind::While(_)) => {
            let pivot = loop_here(g.graph).and_then(|w| w.pivot);
            let pivot = pivot.ok_or_else(|| Error::internal("a backward loop without a test"))?;
            let sides = switch_beside(g.graph, dy, pivot, "Switch")?;
            return Ok(sides.map(Some).to_vec());
        }
        Some(ContextKind::Cond(cond)) => pred_here(g.graph, cond.pred)?,
        None => return merge_grad_without_context(g, dy),
    };
    let sides = switch_beside(g.graph, dy, pred, "cond_grad")?;
    Ok(sides.map(Some).to_vec())
}

/// The predicate of a conditional; in a backward loop what it was in that iteration.
fn pred_here(graph: &mut Graph, pred: Endpoint) -> Result<Endpoint> {
    let Some(gradient) = graph.gradient_of(graph.scopes.context) else {
        return Ok(pred);
    };
    if let Some(known) = graph.loop_gradient(gradient).history.get(&pred) {
        return Ok(*known);
    }
    let backward = graph.loop_gradient(gradient).backward;
    graph.exit_context(backward);
    let history = graph.push_history(gradient, pred, false);
    graph.enter_context(backward);
    let real = graph.pop_history(gradient, history?, pred, false)?;
    let state = graph.loop_gradient_mut(gradient);
    state.history.insert(pred, real);
    Ok(real)
}

fn merge_grad_without_context(g: &mut GradientContext, dy: Grad) -> Result<Grads> {
    let index = g.output(1);
    let mut taken = Vec::new();
    for i in 0..g.num_inputs() {
        let i = In::Plain("y", int(i as i64)?);
        taken.push(g.graph.call("Equal", "", [index.into(), i], &[])?);
    }
    let mut grads = Vec::new();
    for pred in taken {
        grads.push(Some(switch_beside(g.graph, dy, pred, "Switch")?[1]));
    }
    Ok(grads)
}

/// The gradient of a loop's result enters the backward loop.
pub fn exit_grad(g: &mut GradientContext) -> Result<Grads> {
    let Some(around) = loop_here(g.graph).filter(|w| w.back_prop) else {
        return Ok(vec![None]);
    };
    let forward = g.node().context;
    if let Some(ContextKind::While(w)) = kind_of(g.graph, forward)
        && w.gradient.is_some()
    {
        let message = "Second-order gradient for while loops not supported.";
        return Err(Error::type_error(message));
    }
    let (Some(dy), Some(backward)) = (g.out_grad(0), g.graph.scopes.context) else {
        return Ok(vec![None]);
    };
    let parts = components(dy);
    g.graph.context_mut(backward).values.extend(&parts);
    let mut entered = Vec::new();
    let is_slices = parts.len() > 1;
    for part in parts {
        let name = if is_slices { "" } else { "b_exit" };
        let shape = Some(g.graph.shape(part).clone());
        let enter = g.graph.in_context(Some(backward), |graph| {
            enter_variable(
                graph,
                (backward, around.parallel_iterations),
                part,
                shape,
                name,
            )
        })?;
        add_enter(g.graph, backward, enter);
        entered.push(enter);
    }
    Ok(vec![Some(packed(dy, &entered))])
}

/// An Enter of a loop variable, in the loop's context.
pub fn enter_variable(
    graph: &mut Graph,
    (frame, parallel_iterations): (ContextId, i64),
    value: Endpoint,
    shape: Option<PartialShape>,
    name: &str,
) -> Result<Endpoint> {
    let frame = graph.context(frame).name.clone();
    let spec = NodeSpec::new("Enter").name(name).input(value);
    let enter = graph.create_tensor(
        spec.attr("frame_name", frame.as_str())
            .attr("is_constant", false)
            .attr("parallel_iterations", parallel_iterations),
    )?;
    if let Some(shape) = shape {
        graph.set_shape(enter, &shape)?;
    }
    Ok(enter)
}

fn while_mut(graph: &mut Graph, context: ContextId) -> Option<&mut WhileContext> {
    match &mut graph.context_mut(context).kind {
        ContextKind::While(w) => Some(w),
        ContextKind::Cond(_) => None,
    }
}

/// Notes a new loop variable's Enter in its loop.
pub fn add_enter(graph: &mut Graph, context: ContextId, enter: Endpoint) {
    if let Some(w) = while_mut(graph, context) {
        w.loop_enters.push(enter);
    }
}

/// Notes new results of a loop in it; the context around knows them.
pub fn add_exits(graph: &mut Graph, context: ContextId, exits: &[Endpoint]) {
    if let Some(w) = while_mut(graph, context) {
        w.loop_exits.extend(exits);
    }
    if let Some(outer) = graph.context(context).outer {
        graph.context_mut(outer).values.extend(exits);
    }
}

/// The walk's order alone makes the back edge; see `switch_grad`.
pub fn next_iteration_grad(g: &mut GradientContext) -> Result<Grads> {
    Ok(vec![g.out_grad(0)])
}

/// The gradient of a loop variable's first value leaves the backward loop; that of an invariant is summed up over all
/// iterations. Gradients that are asked for within a loop pass through.
pub fn enter_grad(g: &mut GradientContext) -> Result<Grads> {
    let dy = g.out_grad(0);
    let (Some(grad), Some(w), Some(backward)) = (dy, loop_here(g.graph), g.graph.scopes.context)
    else {
        return Ok(vec![dy]);
    };
    let Some(gradient) = w.gradient.filter(|_| w.back_prop) else {
        return Ok(vec![dy]);
    };
    if g.graph.is_loop_constant(g.id()) {
        let invariant = g.input(0);
        let sum = Sum {
            gradient,
            backward,
            parallel_iterations: w.parallel_iterations,
            pivot: w
                .pivot
                .ok_or_else(|| Error::internal("a backward loop without a test"))?,
        };
        let made = match grad {
            Grad::Dense(e) => sum.of_tensor(g.graph, invariant, e)?.into(),
            Grad::Slices {
                values,
                indices,
                dense_shape,
            } => sum.of_slices(g.graph, invariant, (values, indices, dense_shape))?,
        };
        return Ok(vec![Some(made)]);
    }
    let mut exits = Vec::new();
    for part in components(grad) {
        exits.push(g.graph.call("Exit", "", [part], &[])?);
    }
    add_exits(g.graph, backward, &exits);
    Ok(vec![Some(packed(grad, &exits))])
}
