//! While loops between ys and xs: each gets a loop that runs it backwards. Its counters come first, its variables as the
//! walk meets the forward loop's.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::ensure;
use crate::error::{Error, Result};
use crate::formats::graph_def::repeated;
use crate::graph::{
    ContextId, ContextKind, Endpoint, Graph, LoopGradient, LoopGradientId, NodeId, NodeSpec,
    WhileContext,
};
use crate::ops::build::{In, int};
use crate::ops::control_flow::gradients::{add_enter, add_exits, enter_variable};
use crate::value::{DType, Shape, Value};

use super::{is_trainable, zeros};

/// The loops that a walk runs backwards, by their forward contexts, in the order met.
#[derive(Default)]
pub(super) struct Loops {
    known: Vec<(ContextId, LoopGradientId)>,
}

fn is_exit(graph: &Graph, node: NodeId) -> bool {
    matches!(graph.node(node).op(), "Exit" | "RefExit")
}

impl Loops {
    /// Looks for loops among the nodes `between` ys and xs; all results of a loop come to lie there.
    pub fn find(
        graph: &mut Graph,
        between: &mut Vec<NodeId>,
        is_between: &mut FxHashSet<NodeId>,
        colocate: bool,
    ) -> Result<Loops> {
        let mut loops = Loops::default();
        let mut at = 0;
        while at < between.len() {
            let node = between[at];
            at += 1;
            if !is_exit(graph, node) {
                continue;
            }
            let added = if colocate {
                graph.colocated_with(node, |graph| loops.add(graph, node))
            } else {
                loops.add(graph, node)
            };
            let Some(gradient) = added? else { continue };
            for exit in &graph.loop_gradient(gradient).forward_exits {
                if is_between.insert(exit.node) {
                    between.push(exit.node);
                }
            }
        }
        Ok(loops)
    }

    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    fn get(&self, forward: Option<ContextId>) -> Option<LoopGradientId> {
        let forward = forward?;
        let found = self.known.iter().find(|(c, _)| *c == forward);
        found.map(|(_, gradient)| *gradient)
    }

    /// The backward loop that the gradient of `node` stands in. `is_outside`: that its own gradient is summed up in,
    /// which for the result of a loop is the one around.
    pub fn of_node(&self, graph: &Graph, node: NodeId, is_outside: bool) -> Option<LoopGradientId> {
        let context = match is_outside {
            true => graph.output_context(node),
            false => graph.node(node).context,
        };
        self.get(graph.while_context(context))
    }

    /// Begins the backward loop of the loop that `exit` leaves; `None` when that is done.
    fn add(&mut self, graph: &mut Graph, exit: NodeId) -> Result<Option<LoopGradientId>> {
        let forward = graph.while_context(graph.node(exit).context);
        let forward = forward.ok_or_else(|| {
            Error::value(
                "Failed to call gradients on a while loop without properly serializing graph via MetaGraphDef",
            )
        })?;
        if self.get(Some(forward)).is_some() {
            return Ok(None);
        }
        let outer = self.get(graph.while_context(graph.context(forward).outer));
        let gradient = begin(graph, forward, outer)?;
        self.known.push((forward, gradient));
        Ok(Some(gradient))
    }

    /// Results of loops that no y depends on: they take part with zeros as gradients. Returns those whose turn it is.
    pub fn unused_exits(
        &self,
        graph: &mut Graph,
        pending: &mut FxHashMap<NodeId, i64>,
        is_end: &FxHashSet<NodeId>,
    ) -> Vec<Endpoint> {
        let mut ready = Vec::new();
        let waits = |pending: &FxHashMap<NodeId, i64>, e: &Endpoint| {
            pending.get(&e.node).copied().unwrap_or(0) != 0
        };
        for (forward, gradient) in &self.known {
            let state = graph.loop_gradient_mut(*gradient);
            for exit in state.forward_exits.clone() {
                if waits(pending, &exit) {
                    continue;
                }
                state.pending_exits = state.pending_exits.saturating_sub(1);
                if !is_end.contains(&exit.node) {
                    state.unused_exits.push(exit);
                }
                if state.pending_exits == 0 {
                    ready.extend(state.unused_exits.iter().copied());
                }
            }
            for enter in &while_of(graph, *forward).loop_enters {
                if !waits(pending, enter) {
                    pending.insert(enter.node, 1);
                }
            }
        }
        ready
    }

    /// Zeros as the gradient of a loop's result, in the context that the loop's results lie in.
    pub fn zeros_for_exit(&self, graph: &mut Graph, exit: Endpoint) -> Result<Endpoint> {
        let dtype = graph.dtype(exit);
        let known = graph.shape(exit).to_shape();
        let around = graph.output_context(exit.node);
        let Some(outer) = self.get(graph.while_context(around)) else {
            return match known {
                Some(shape) => graph.zeros_shaped(&shape, dtype),
                None => graph.call("ZerosLike", "zeros_like", [exit], &[]),
            };
        };
        let backward = Some(graph.loop_gradient(outer).backward);
        if let Some(shape) = known {
            return graph.in_context(backward, |graph| graph.zeros_shaped(&shape, dtype));
        }
        let shape =
            graph.in_context(around, |graph| graph.shape_node(exit, DType::I32, "Shape"))?;
        let history = graph.push_history(outer, shape, false)?;
        graph.in_context(backward, |graph| {
            let real = graph.pop_history(outer, history, shape, false)?;
            graph.zeros(real, dtype)
        })
    }

    /// Zeros where no gradient came for output `e`, in the backward loop where there is one.
    pub fn zeros_like(&self, graph: &mut Graph, e: Endpoint) -> Result<Option<Endpoint>> {
        if graph.is_loop_switch(e.node) {
            return Ok(None);
        }
        let Some(gradient) = self.of_node(graph, e.node, false) else {
            return zeros::outside_loops(graph, e);
        };
        let node = graph.node(e.node).clone();
        let is_dead_branch = matches!(node.op(), "Switch" | "RefSwitch");
        let cond = match node.context.map(|c| &graph.context(c).kind) {
            Some(ContextKind::Cond(cond)) if is_dead_branch => Some(cond.clone()),
            _ => None,
        };
        let dtype = graph.dtype(e);
        if let Some(shape) = graph.shape(e).to_shape() {
            ensure!(
                dtype != DType::Resource,
                type_error,
                "Incompatible types: <dtype: 'resource'> vs. int64. Value is 0"
            );
            let zero = zeros_constant(graph, dtype, &shape)?;
            let Some(cond) = cond else {
                return Ok(Some(zero));
            };
            let pred = graph.loop_gradient(gradient).history.get(&cond.pred);
            let pred = *pred.ok_or_else(|| Error::internal("a predicate without history"))?;
            let switch = graph.switch(zero, pred, "Switch")?;
            return Ok(Some(Endpoint::new(switch, 1 - usize::from(cond.branch))));
        }
        let shape = match &cond {
            Some(cond) => {
                let outer = node.context.and_then(|c| graph.context(c).outer);
                let made = graph.in_context(outer, |graph| {
                    let switch = graph.switch(node.inputs[0], cond.pred, "Switch")?;
                    let taken = Endpoint::new(switch, 1 - usize::from(cond.branch));
                    graph.shape_node(taken, DType::I32, "Shape")
                })?;
                let switch = graph.node(made.node).inputs[0].node;
                graph.set_context(switch, node.context);
                graph.set_context(made.node, node.context);
                made
            }
            None => graph.in_context(node.context, |graph| {
                graph.shape_node(e, DType::I32, "Shape")
            })?,
        };
        let backward = graph.loop_gradient(gradient).backward;
        graph.exit_context(backward);
        let history = graph.push_history(gradient, shape, cond.is_some());
        graph.enter_context(backward);
        let real = graph.pop_history(gradient, history?, shape, cond.is_some())?;
        graph.zeros(real, dtype).map(Some)
    }

    /// A loop variable whose next value does not depend on it: zeros are its gradient but in the last iteration.
    pub fn close_open_merges(&self, graph: &mut Graph) -> Result<()> {
        for (_, gradient) in &self.known {
            for (_, merged) in graph.loop_gradient(*gradient).merges.clone() {
                let merge = merged[0];
                let inputs = graph.node(merge.node).inputs.clone();
                if inputs[0] == inputs[1] {
                    let backward = graph.loop_gradient(*gradient).backward;
                    let next = zeros_for_next(graph, backward, inputs[0])?;
                    graph.update_input(merge.node, 1, next)?;
                }
            }
        }
        Ok(())
    }

    /// After the gradients of a node are filed: whether its input's node, a result of a loop, is to be visited. The
    /// results of one loop are visited together.
    pub fn exits_to_visit(
        &self,
        graph: &mut Graph,
        exit: Endpoint,
        has_gradient: impl Fn(&Endpoint) -> bool,
    ) -> Visit {
        let mut visit = Visit::default();
        let Some(gradient) = self.of_node(graph, exit.node, false) else {
            return visit;
        };
        let state = graph.loop_gradient_mut(gradient);
        state.deferred_exits.push(exit);
        state.pending_exits = state.pending_exits.saturating_sub(1);
        if state.pending_exits > 0 {
            return visit;
        }
        for exit in state.deferred_exits.clone() {
            if has_gradient(&exit) {
                visit.nodes.push(exit.node);
            } else {
                state.unused_exits.push(exit);
            }
        }
        let unused = state.unused_exits.clone();
        let some_gradient = !visit.nodes.is_empty();
        visit.nodes.extend(unused.iter().map(|e| e.node));
        if some_gradient {
            let trainable = unused.into_iter().filter(|e| is_trainable(graph.dtype(*e)));
            visit.want_zeros = trainable.collect();
        }
        visit
    }
}

/// Results of a loop whose turn it is.
#[derive(Default)]
pub(super) struct Visit {
    pub nodes: Vec<NodeId>,
    /// Those without a gradient, in a loop where others have one.
    pub want_zeros: Vec<Endpoint>,
}

fn while_of(graph: &Graph, context: ContextId) -> WhileContext {
    match &graph.context(context).kind {
        ContextKind::While(w) => w.clone(),
        ContextKind::Cond(_) => WhileContext::default(),
    }
}

fn zeros_constant(graph: &mut Graph, dtype: DType, shape: &Shape) -> Result<Endpoint> {
    let value = repeated(&Value::zeros(dtype, Shape::scalar())?, shape)?;
    let spec = NodeSpec::new("Const").attr("value", value);
    graph.create_tensor(spec.attr("dtype", dtype))
}

fn zeros_for_next(graph: &mut Graph, backward: ContextId, first: Endpoint) -> Result<Endpoint> {
    if let Some(shape) = graph.shape(first).to_shape() {
        let dtype = graph.dtype(first);
        return graph.in_context(Some(backward), |graph| {
            let zero = zeros_constant(graph, dtype, &shape)?;
            graph.call("NextIteration", "", [zero], &[])
        });
    }
    let entering = graph.node(first.node).inputs[0];
    let outer = graph.context(backward).outer;
    let zero = graph.in_context(outer, |graph| {
        let shape = graph.shape_node(entering, DType::I32, "Shape")?;
        graph.zeros(shape, DType::F32)
    })?;
    graph.in_context(Some(backward), |graph| {
        graph.call("NextIteration", "", [zero], &[])
    })
}

/// Counts the iterations of `forward` and makes the loop that goes as often.
fn begin(
    graph: &mut Graph,
    forward: ContextId,
    outer: Option<LoopGradientId>,
) -> Result<LoopGradientId> {
    let exits = while_of(graph, forward).loop_exits;
    let around = match outer {
        Some(outer) => Some(graph.loop_gradient(outer).forward),
        None => graph.context(forward).outer,
    };
    let (total, index) = graph.in_context(around, |graph| count_forward(graph, forward, outer))?;
    let Some(outer) = outer else {
        return graph.in_context(around, |graph| {
            let gradient = new_backward(graph, forward, None, index, exits);
            count_backward(graph, gradient, total, None)?;
            Ok(gradient)
        });
    };
    if let Some(around) = around {
        graph.context_mut(around).values.insert(total);
    }
    let history = graph.push_history(outer, total, false)?;
    let backward = graph.loop_gradient(outer).backward;
    graph.in_context(Some(backward), |graph| {
        let gradient = new_backward(graph, forward, Some(outer), index, exits);
        let total = graph.pop_history(outer, history, total, false)?;
        count_backward(graph, gradient, total, Some(outer))?;
        Ok(gradient)
    })
}

fn new_backward(
    graph: &mut Graph,
    forward: ContextId,
    outer: Option<LoopGradientId>,
    index: Endpoint,
    exits: Vec<Endpoint>,
) -> LoopGradientId {
    let id = graph.loop_gradients.len() as LoopGradientId;
    let of_forward = while_of(graph, forward);
    let kind = ContextKind::While(WhileContext {
        maximum_iterations: of_forward.maximum_iterations,
        parallel_iterations: of_forward.parallel_iterations,
        back_prop: of_forward.back_prop,
        swap_memory: of_forward.swap_memory,
        gradient: Some(id),
        ..WhileContext::default()
    });
    let name = graph.context(forward).name.clone();
    let name = graph.unique_name(&name, true);
    let backward = graph.new_context(name, kind);
    let state = LoopGradient::new(outer, (forward, backward), index, exits);
    graph.loop_gradients.push(state);
    id
}

/// `n = 0; while (…) { n += 1 }` in the forward loop: the total, and the count for the next iteration.
fn count_forward(
    graph: &mut Graph,
    forward: ContextId,
    outer: Option<LoopGradientId>,
) -> Result<(Endpoint, Endpoint)> {
    let zero = graph.constant_node("f_count", int(0)?)?;
    if let Some(outer) = outer {
        // All pushes of one run of the inner loop come before those of the next.
        let index = graph.loop_gradient(outer).forward_index;
        let count = graph.node(index.node).inputs[0];
        graph.add_control_input(zero.node, count.node);
    }
    let w = while_of(graph, forward);
    let pivot = w.pivot.ok_or_else(no_test)?;
    graph.in_context(Some(forward), |graph| {
        let merge = enter_counter(graph, (forward, w.parallel_iterations), zero, "f_count")?;
        let switch = graph.create(NodeSpec::new("Switch").input(merge).input(pivot))?;
        let one = In::Plain("y", int(1)?);
        let count = graph.call("Add", "", [Endpoint::new(switch, 1).into(), one], &[])?;
        let next = graph.call("NextIteration", "", [count], &[])?;
        graph.update_input(merge.node, 1, next)?;
        let total = graph.call("Exit", "f_count", [Endpoint::new(switch, 0)], &[])?;
        add_exits(graph, forward, &[total]);
        Ok((total, next))
    })
}

fn no_test() -> Error {
    Error::internal("a loop without a test")
}

fn enter_counter(
    graph: &mut Graph,
    (context, parallel_iterations): (ContextId, i64),
    first: Endpoint,
    name: &str,
) -> Result<Endpoint> {
    graph.context_mut(context).values.insert(first);
    let shape = Some(graph.shape(first).clone());
    let enter = enter_variable(graph, (context, parallel_iterations), first, shape, name)?;
    add_enter(graph, context, enter);
    graph.call("Merge", "", [In::List(vec![enter, enter])], &[])
}

/// `n = total; while (n >= 1) { n -= 1 }`, the backward loop itself.
fn count_backward(
    graph: &mut Graph,
    id: LoopGradientId,
    total: Endpoint,
    outer: Option<LoopGradientId>,
) -> Result<()> {
    let one = graph.constant_node("b_count", int(1)?)?;
    let backward = graph.loop_gradient(id).backward;
    let w = while_of(graph, backward);
    let next = graph.in_context(Some(backward), |graph| {
        let merge = enter_counter(graph, (backward, w.parallel_iterations), total, "b_count")?;
        set(graph, backward, |w| w.pivot_for_pred = Some(merge));
        let test = graph.call("GreaterEqual", "", [merge, one], &[])?;
        let pivot = graph.call("LoopCond", "b_count", [test], &[])?;
        set(graph, backward, |w| w.pivot = Some(pivot));
        let switch = graph.create(NodeSpec::new("Switch").input(merge).input(pivot))?;
        let index = graph.call("Sub", "", [Endpoint::new(switch, 1), one], &[])?;
        set(graph, backward, |w| w.pivot_for_body = Some(index));
        let next = graph.call("NextIteration", "", [index], &[])?;
        graph.update_input(merge.node, 1, next)?;
        let last = graph.call("Exit", "b_count", [Endpoint::new(switch, 0)], &[])?;
        add_exits(graph, backward, &[last]);
        if let Some(outer) = outer {
            // All pops of one run of the inner loop come before those of the next.
            let sync = graph.backward_sync(outer)?;
            graph.add_control_input(sync, last.node);
        }
        Ok(next)
    })?;
    graph.loop_gradient_mut(id).backward_index = next;
    Ok(())
}

fn set(graph: &mut Graph, context: ContextId, change: impl FnOnce(&mut WhileContext)) {
    if let ContextKind::While(w) = &mut graph.context_mut(context).kind {
        change(w);
    }
}
