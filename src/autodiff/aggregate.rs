//! Sums of gradients that meet at one output, and the gate of `gate_gradients`.

use std::collections::BTreeMap;

use crate::error::Result;
use crate::graph::{DeviceScope, Endpoint, Graph, NodeId, NodeSpec};
use crate::ops::densify;
use crate::ops::gradient::{Grad, Grads};
use crate::value::{DType, PartialShape, Value};

/// `tf.AggregationMethod`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Aggregation {
    #[default]
    AddN,
    Tree,
    AccumulateN,
}

/// The sum of `grads` for an output of `node`; `None` when there are none.
pub(super) fn aggregate(
    graph: &mut Graph,
    node: NodeId,
    grads: Vec<Grad>,
    method: Aggregation,
) -> Result<Option<Grad>> {
    if grads.len() < 2 {
        return Ok(grads.first().copied());
    }
    let dense: Vec<Endpoint> = grads
        .iter()
        .filter_map(|grad| match grad {
            Grad::Dense(e) => Some(*e),
            Grad::Slices { .. } => None,
        })
        .collect();
    if dense.len() < grads.len() {
        return match dense.is_empty() {
            true => concatenate(graph, &grads).map(Some),
            false => add_mixed(graph, &grads).map(|e| Some(Grad::Dense(e))),
        };
    }
    let sum = match method {
        Aggregation::AccumulateN if dense.len() > 2 && known_shape(graph, &dense)?.is_some() => {
            let shape = known_shape(graph, &dense)?.unwrap_or_default();
            let spec = NodeSpec::new("AccumulateNV2").input(dense);
            graph.create_tensor(spec.attr("shape", shape))
        }
        Aggregation::AddN => add_by_device(graph, &dense),
        Aggregation::Tree | Aggregation::AccumulateN => {
            let scope = format!("{}_gradient_sum", graph.node(node).name);
            graph.in_scope(&scope, |graph| {
                let mut sum = dense[0];
                for next in &dense[1..] {
                    sum = add_n(graph, &[sum, *next])?;
                }
                Ok(sum)
            })
        }
    };
    Ok(Some(Grad::Dense(sum?)))
}

/// The common shape, when it is known in full.
fn known_shape(graph: &Graph, all: &[Endpoint]) -> Result<Option<PartialShape>> {
    let mut shape = PartialShape::unknown();
    for e in all {
        shape = shape.merge(graph.shape(*e))?;
    }
    Ok(Some(shape).filter(PartialShape::is_fully_defined))
}

fn add_n(graph: &mut Graph, all: &[Endpoint]) -> Result<Endpoint> {
    match all {
        [one] => Ok(*one),
        _ => graph.create_tensor(NodeSpec::new("AddN").input(all)),
    }
}

/// Adds what lies on one device there, then the sums.
fn add_by_device(graph: &mut Graph, all: &[Endpoint]) -> Result<Endpoint> {
    let mut by_device: BTreeMap<String, Vec<Endpoint>> = BTreeMap::new();
    for e in all {
        let device = graph.node(e.node).device.to_string();
        by_device.entry(device).or_default().push(*e);
    }
    let mut sums = Vec::new();
    for group in by_device.into_values() {
        graph.push_colocation(Some(group[0].node), true);
        let sum = add_n(graph, &group);
        graph.pop_colocation();
        sums.push(sum?);
    }
    add_n(graph, &sums)
}

/// Slices and tensors: one AddN of tensors, the slices made dense within its scope.
fn add_mixed(graph: &mut Graph, grads: &[Grad]) -> Result<Endpoint> {
    graph.in_scope("AddN", |graph| {
        let mut dense = Vec::with_capacity(grads.len());
        for (i, grad) in grads.iter().enumerate() {
            let name = format!("inputs_{i}");
            dense.push(densify::to_tensor(graph, *grad, &name)?);
        }
        let name = format!("{}/", graph.scopes.name);
        graph.create_tensor(NodeSpec::new("AddN").name(name).input(dense))
    })
}

/// Slices alone: their rows one after the other.
fn concatenate(graph: &mut Graph, grads: &[Grad]) -> Result<Grad> {
    let (mut values, mut indices, mut shape) = (Vec::new(), Vec::new(), None);
    for (i, grad) in grads.iter().enumerate() {
        if let Grad::Slices {
            values: v,
            indices: n,
            dense_shape,
        } = grad
        {
            values.push(*v);
            indices.push(*n);
            if i == 0 {
                shape = *dense_shape;
            }
        }
    }
    let is_narrow = |graph: &Graph, e: &Endpoint| graph.dtype(*e) == DType::I32;
    let narrow = indices.iter().filter(|e| is_narrow(graph, e)).count();
    if narrow > 0 && narrow < indices.len() {
        for e in &mut indices {
            if graph.dtype(*e) == DType::I32 {
                let cast = NodeSpec::new("Cast").input(*e).attr("DstT", DType::I64);
                *e = graph.create_tensor(cast)?;
            }
        }
    }
    Ok(Grad::Slices {
        values: concat_rows(graph, values)?,
        indices: concat_rows(graph, indices)?,
        dense_shape: shape,
    })
}

fn concat_rows(graph: &mut Graph, parts: Vec<Endpoint>) -> Result<Endpoint> {
    graph.in_scope("concat", |graph| {
        let axis = graph.create_tensor(
            NodeSpec::new("Const")
                .name("axis")
                .attr("value", Value::scalar(0i32)?)
                .attr("dtype", DType::I32),
        )?;
        let name = format!("{}/", graph.scopes.name);
        graph.create_tensor(
            NodeSpec::new("ConcatV2")
                .name(name)
                .input(parts)
                .input(axis),
        )
    })
}

/// `tf.tuple`: Identities that wait for all of the gradients.
pub(super) fn gate(graph: &mut Graph, grads: &mut Grads) -> Result<()> {
    graph.push_device(DeviceScope::Clear);
    graph.push_colocation(None, true);
    let done = graph.in_scope("tuple", |graph| gate_in_scope(graph, grads));
    graph.pop_colocation();
    graph.pop_device();
    done
}

fn gate_in_scope(graph: &mut Graph, grads: &mut Grads) -> Result<()> {
    let main = |grad: &Grad| match grad {
        Grad::Dense(e) => *e,
        Grad::Slices { values, .. } => *values,
    };
    let mut waits: Vec<NodeId> = grads.iter().flatten().map(|g| main(g).node).collect();
    waits.sort_unstable();
    waits.dedup();
    let gate = group(graph, &waits)?;
    for grad in grads.iter_mut().flatten() {
        let e = main(grad);
        let gated = graph.colocated_with(e.node, |graph| {
            let spec = NodeSpec::new("Identity")
                .name("control_dependency")
                .input(e);
            graph.after(vec![gate], |graph| graph.create_tensor(spec))
        })?;
        match grad {
            Grad::Dense(e) => *e = gated,
            Grad::Slices { values, .. } => *values = gated,
        }
    }
    Ok(())
}

/// `tf.group`: a NoOp that waits for the nodes, device by device when there are several.
fn group(graph: &mut Graph, nodes: &[NodeId]) -> Result<NodeId> {
    let mut by_device: BTreeMap<String, Vec<NodeId>> = BTreeMap::new();
    for node in nodes {
        let device = graph.node(*node).device.to_string();
        by_device.entry(device).or_default().push(*node);
    }
    let no_op = |graph: &mut Graph, device: Option<&str>, waits: Vec<NodeId>, name: &str| {
        graph.after(waits, |graph| {
            if let Some(device) = device {
                graph.push_device(DeviceScope::Spec(device.to_string()));
            }
            let made = graph.create(NodeSpec::new("NoOp").name(name));
            if device.is_some() {
                graph.pop_device();
            }
            made
        })
    };
    if by_device.len() == 1 {
        let (device, waits) = by_device.pop_first().expect("there is one device");
        return no_op(graph, Some(&device), waits, "group_deps");
    }
    graph.in_scope("group_deps", |graph| {
        let mut all = Vec::new();
        for (device, waits) in by_device {
            all.push(no_op(graph, Some(&device), waits, "NoOp")?);
        }
        let name = format!("{}/", graph.scopes.name);
        no_op(graph, None, all, &name)
    })
}
