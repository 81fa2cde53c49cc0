//! Sums of a loop invariant's gradients over the iterations of the backward loop.

use crate::error::Result;
use crate::formats::graph_def::repeated;
use crate::graph::{ContextId, ContextKind, Endpoint, Graph, LoopGradientId, NodeSpec};
use crate::ops::build::{In, ints};
use crate::ops::gradient::Grad;
use crate::value::{DType, PartialShape, Shape, Value};

use super::gradients::{
    add_enter, add_exits, enter_variable, kind_of, merge_tensors, next_iteration, switch,
};

/// Sums the gradients of a loop invariant in a variable of the backward loop.
pub(super) struct Sum {
    pub gradient: LoopGradientId,
    pub backward: ContextId,
    pub parallel_iterations: i64,
    pub pivot: Endpoint,
}

impl Sum {
    pub fn of_tensor(
        &self,
        graph: &mut Graph,
        invariant: Endpoint,
        grad: Endpoint,
    ) -> Result<Endpoint> {
        graph.exit_context(self.backward);
        let zeros = self.zeros(graph, invariant, grad);
        graph.enter_context(self.backward);
        let zeros = zeros?;
        graph.context_mut(self.backward).values.insert(zeros);
        let shape = Some(graph.shape(zeros).clone());
        let frame = (self.backward, self.parallel_iterations);
        let enter = enter_variable(graph, frame, zeros, shape, "b_acc")?;
        add_enter(graph, self.backward, enter);
        let merge = merge_tensors(graph, vec![enter, enter], "b_acc")?;
        let switch = switch(graph, merge, self.pivot)?;
        let so_far = Endpoint::new(switch, 1);
        let sum = graph.call("Add", "", [so_far, grad], &[])?;
        let next = next_iteration(graph, sum)?;
        graph.update_input(merge.node, 1, next)?;
        let exit = graph.call("Exit", "b_acc", [Endpoint::new(switch, 0)], &[])?;
        add_exits(graph, self.backward, &[exit]);
        Ok(exit)
    }

    /// What the sum begins with, made outside of the loop.
    fn zeros(&self, graph: &mut Graph, invariant: Endpoint, grad: Endpoint) -> Result<Endpoint> {
        let dtype = graph.dtype(grad);
        let outer = graph.context(self.backward).outer;
        if let Some(shape) = graph.shape(grad).to_shape() {
            return graph.in_context(outer, |g| zeros_constant(g, dtype, &shape, "b_acc"));
        }
        let is_in_loop = match kind_of(graph, outer) {
            Some(ContextKind::While(w)) => w.gradient.is_some(),
            _ => false,
        };
        let outer_gradient = graph.loop_gradient(self.gradient).outer;
        if let (true, Some(around)) = (is_in_loop, outer_gradient) {
            let forward = graph.loop_gradient(self.gradient).forward;
            let forward_outer = graph.context(forward).outer;
            let shape = graph.in_context(forward_outer, |g| {
                g.shape_node(invariant, DType::I32, "Shape")
            })?;
            let history = graph.push_history(around, shape, false)?;
            return graph.in_context(outer, |g| {
                let real = g.pop_history(around, history, shape, false)?;
                g.zeros(real, dtype)
            });
        }
        graph.in_context(outer, |g| {
            let shape = g.shape_node(invariant, DType::I32, "Shape")?;
            g.zeros(shape, dtype)
        })
    }

    /// Slices are gathered one after the other; of the dense shape the largest stays.
    pub fn of_slices(
        &self,
        graph: &mut Graph,
        invariant: Endpoint,
        (values, indices, dense_shape): (Endpoint, Endpoint, Option<Endpoint>),
    ) -> Result<Grad> {
        graph.exit_context(self.backward);
        let outer = graph.context(self.backward).outer;
        let first = graph.in_context(outer, |graph| {
            let first_values = first_values(graph, invariant, values)?;
            let first_index = Value::zeros(graph.dtype(indices), Shape::new(&[1])?)?;
            let first_index = graph.constant_node("Const", first_index)?;
            let shape = dense_shape.map(|shape| first_shape(graph, invariant, shape));
            Ok((first_index, first_values, shape.transpose()?))
        });
        graph.enter_context(self.backward);
        let (first_index, first_values, first_shape) = first?;
        let first: Vec<Endpoint> = [first_index, first_values]
            .into_iter()
            .chain(first_shape)
            .collect();
        graph.context_mut(self.backward).values.extend(&first);
        let frame = (self.backward, self.parallel_iterations);
        let mut enters = Vec::new();
        for e in &first {
            enters.push(enter_variable(graph, frame, *e, None, "b_acc")?);
        }
        graph.set_shape(enters[0], &PartialShape::from_dims([-1]))?;
        if let Some(dims) = graph.shape(first_values).dims() {
            let rows = [-1].into_iter().chain(dims.iter().skip(1).copied());
            let rows = PartialShape::from_dims(rows.collect::<Vec<_>>());
            graph.set_shape(enters[1], &rows)?;
        }
        for enter in &enters {
            add_enter(graph, self.backward, *enter);
        }
        let mut merges = Vec::new();
        for enter in &enters {
            merges.push(merge_tensors(graph, vec![*enter, *enter], "b_acc")?);
        }
        let mut switches = Vec::new();
        for merge in &merges {
            switches.push(switch(graph, *merge, self.pivot)?);
        }
        let so_far = |i: usize| Endpoint::new(switches[i], 1);
        let mut sums = Vec::new();
        for (i, part) in [indices, values].into_iter().enumerate() {
            sums.push(graph.concat(vec![so_far(i).into(), part.into()], 0)?);
        }
        if let Some(shape) = dense_shape {
            sums.push(graph.call("Maximum", "", [shape, so_far(2)], &[])?);
        }
        let mut following = Vec::new();
        for sum in sums {
            following.push(next_iteration(graph, sum)?);
        }
        for (merge, next) in merges.iter().zip(following) {
            graph.update_input(merge.node, 1, next)?;
        }
        let mut exits = Vec::new();
        for switch in &switches {
            exits.push(graph.call("Exit", "b_acc", [Endpoint::new(*switch, 0)], &[])?);
        }
        add_exits(graph, self.backward, &exits);
        Ok(Grad::Slices {
            indices: exits[0],
            values: exits[1],
            dense_shape: exits.get(2).copied(),
        })
    }
}

fn zeros_constant(graph: &mut Graph, dtype: DType, shape: &Shape, name: &str) -> Result<Endpoint> {
    let value = repeated(&Value::zeros(dtype, Shape::scalar())?, shape)?;
    let spec = NodeSpec::new("Const").name(name);
    graph.create_tensor(spec.attr("value", value).attr("dtype", dtype))
}

/// One row of zeros.
fn first_values(graph: &mut Graph, invariant: Endpoint, values: Endpoint) -> Result<Endpoint> {
    let dtype = graph.dtype(values);
    if let Some(shape) = graph.shape(values).to_shape() {
        let row: Vec<i64> = [1]
            .into_iter()
            .chain(shape.dims().iter().skip(1).copied())
            .collect();
        return zeros_constant(graph, dtype, &Shape::new(&row)?, "b_acc");
    }
    let one = In::Plain("values_0", ints(&[1])?);
    let row = match variable_shape(graph, invariant) {
        Some(shape) => In::Plain("values_1", ints(shape.dims().get(1..).unwrap_or_default())?),
        None => {
            let shape = graph.shape_node(invariant, DType::I32, "Shape")?;
            graph.slice_rows(shape, Some(1), None)?.into()
        }
    };
    let shape = graph.concat(vec![one, row], 0)?;
    graph.zeros(shape, dtype)
}

/// The shape of the variable that a handle refers to.
fn variable_shape(graph: &Graph, handle: Endpoint) -> Option<Shape> {
    if graph.dtype(handle) != DType::Resource {
        return None;
    }
    let mut at = handle.node;
    while let Some(input) = graph.node(at).inputs.first() {
        at = input.node;
    }
    graph.node(at).attrs.shape("shape").ok()?.to_shape()
}

fn first_shape(graph: &mut Graph, invariant: Endpoint, shape: Endpoint) -> Result<Endpoint> {
    let dtype = graph.dtype(shape);
    match graph.shape(shape).to_shape() {
        Some(known) => zeros_constant(graph, dtype, &known, "Const"),
        None => {
            let shape = graph.shape_node(invariant, dtype, "Shape")?;
            graph.call("ZerosLike", "zeros_like", [shape], &[])
        }
    }
}
