//! Shape inference: what an op's shape function sees and says.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::value::{DType, PartialShape, Value};
use crate::{bail, ensure};

use super::attr::Attrs;
use super::{Endpoint, Graph, Node};

/// Infers the outputs' shapes: `c.input(0)`, `c.attrs()`, `c.constant(1)` tell what is known; `c.set(0, shape)` answers.
/// Outputs that are not set stay unknown. Errors are `InvalidArgument` without the node; the caller adds it.
pub type ShapeFn = fn(&mut ShapeContext) -> Result<()>;

/// Types and shapes of what a handle refers to.
pub type Handle = Option<Arc<Vec<(DType, PartialShape)>>>;
pub(super) type Inferred = (PartialShape, Handle);

pub struct ShapeContext<'a> {
    graph: &'a mut Graph,
    node: &'a Node,
    outputs: Vec<Inferred>,
    /// Only when an error is being described: which inputs' values it may see, and which it asked for.
    asked: Option<Asked>,
}

/// What a shape function asked of its inputs beside their shapes: values, and values read as shapes.
#[derive(Default)]
struct Asked {
    known_values: BTreeSet<usize>,
    known_shapes: BTreeSet<usize>,
    values: BTreeSet<usize>,
    shapes: BTreeSet<usize>,
}

impl<'a> ShapeContext<'a> {
    pub(super) fn new(graph: &'a mut Graph, node: &'a Node) -> Self {
        let outputs = vec![(PartialShape::unknown(), None); node.outputs.len()];
        ShapeContext {
            graph,
            node,
            outputs,
            asked: None,
        }
    }

    pub(super) fn into_outputs(self) -> Vec<Inferred> {
        self.outputs
    }

    pub fn graph(&self) -> &Graph {
        self.graph
    }

    /// The node, complete but for its name, shapes and scopes.
    pub fn node(&self) -> &'a Node {
        self.node
    }

    pub fn attrs(&self) -> &'a Attrs {
        &self.node.attrs
    }

    pub fn num_inputs(&self) -> usize {
        self.node.inputs.len()
    }

    pub fn num_outputs(&self) -> usize {
        self.outputs.len()
    }

    pub fn endpoint(&self, i: usize) -> Endpoint {
        self.node.inputs[i]
    }

    pub fn input(&self, i: usize) -> PartialShape {
        self.graph.shape(self.node.inputs[i]).clone()
    }

    pub fn input_dtype(&self, i: usize) -> DType {
        self.graph.dtype(self.node.inputs[i])
    }

    /// What the handle at input `i` refers to.
    pub fn input_handle(&self, i: usize) -> Handle {
        self.graph.output(self.node.inputs[i]).handle.clone()
    }

    /// Input `i`'s shape, which must have `rank` dimensions.
    pub fn input_of_rank(&self, i: usize, rank: usize) -> Result<PartialShape> {
        with_rank(&self.input(i), rank)
    }

    /// The value of input `i` where constants alone decide it.
    pub fn constant(&mut self, i: usize) -> Option<Value> {
        if let Some(asked) = &mut self.asked {
            asked.values.insert(i);
            if !asked.known_values.contains(&i) {
                return None;
            }
        }
        self.graph.constant(self.node.inputs[i])
    }

    /// The elements of input `i`, an integer tensor, where constants alone decide them.
    pub fn constant_ints(&mut self, i: usize) -> Option<Vec<i64>> {
        self.constant(i)?.ints().ok()
    }

    /// The shape that the integer vector at input `i` says, as far as the graph knows it.
    pub fn constant_shape(&mut self, i: usize) -> Result<PartialShape> {
        let e = self.node.inputs[i];
        if let Some(asked) = &mut self.asked {
            asked.shapes.insert(i);
            if !asked.known_shapes.contains(&i) {
                return Ok(match self.graph.shape(e).dims() {
                    Some([n]) if *n >= 0 => PartialShape::unknown_of_rank(*n.min(&254) as usize),
                    _ => PartialShape::unknown(),
                });
            }
        }
        self.graph.constant_as_shape(e)
    }

    pub fn set(&mut self, i: usize, shape: PartialShape) {
        self.outputs[i].0 = shape;
    }

    /// What was set for output `i`.
    pub fn output(&self, i: usize) -> PartialShape {
        self.outputs[i].0.clone()
    }

    pub fn set_handle(&mut self, i: usize, handle: Handle) {
        self.outputs[i].1 = handle;
    }
}

/// Runs a shape function that failed once more, as TensorFlow runs it: at first without any values, then again with
/// those it asked for. Returns the error that comes first, and what had been looked up by then: None where already a
/// value that was to be read as a shape is none.
pub(super) fn explain(
    graph: &mut Graph,
    node: &Node,
    infer: ShapeFn,
) -> Option<(Error, Option<String>)> {
    let mut context = ShapeContext::new(graph, node);
    context.asked = Some(Asked::default());
    for _ in 0..=2 * node.inputs.len() {
        let failed = infer(&mut context).err();
        let mut asked = context.asked.take()?;
        if let Some(error) = failed {
            return Some((error, Some(looked_up(context.graph, node, &asked))));
        }
        let graph = &mut *context.graph;
        for i in &asked.shapes {
            if let Err(error) = graph.constant_as_shape(node.inputs[*i]) {
                return Some((error, None));
            }
        }
        let new_values = asked
            .values
            .iter()
            .filter(|i| graph.constant(node.inputs[**i]).is_some());
        let known = (new_values.copied().collect(), asked.shapes.clone());
        if known == (asked.known_values, asked.known_shapes) {
            return None;
        }
        (asked.known_values, asked.known_shapes) = known;
        context.asked = Some(asked);
    }
    None
}

/// ` and with computed input tensors: input[1] = <5>`, as far as something was looked up.
fn looked_up(graph: &mut Graph, node: &Node, asked: &Asked) -> String {
    let (mut values, mut shapes) = (Vec::new(), Vec::new());
    for (i, e) in node.inputs.iter().enumerate() {
        if asked.known_shapes.contains(&i) {
            match graph.constant_as_shape(*e) {
                Ok(shape) if shape.rank().is_some() => {
                    shapes.push(format!("input[{i}] = {shape}"));
                    continue;
                }
                _ => {}
            }
        }
        if asked.known_values.contains(&i)
            && let Some(ints) = graph.constant(*e).and_then(|v| v.ints().ok())
        {
            let texts: Vec<String> = ints.iter().map(i64::to_string).collect();
            values.push(format!("input[{i}] = <{}>", texts.join(" ")));
        }
    }
    let mut text = String::new();
    for (what, found) in [
        ("computed input tensors", values),
        ("input tensors computed as partial shapes", shapes),
    ] {
        if !found.is_empty() {
            text += &format!(" and with {what}: {}", found.join(", "));
        }
    }
    text
}

/// `shape`, which must have `rank` dimensions (an unknown shape becomes that many unknown dimensions).
pub fn with_rank(shape: &PartialShape, rank: usize) -> Result<PartialShape> {
    match shape.rank() {
        None => Ok(PartialShape::unknown_of_rank(rank)),
        Some(r) => {
            ensure!(
                r == rank,
                invalid,
                "Shape must be rank {rank} but is rank {r}"
            );
            Ok(shape.clone())
        }
    }
}

impl Graph {
    /// The shape that an integer vector says, following `Shape`, `Pack`, `ConcatV2`, `StridedSlice` and `Cast` where no
    /// constant is known. An entry of -1 is an unknown dimension.
    pub fn constant_as_shape(&mut self, e: Endpoint) -> Result<PartialShape> {
        partial_shape(self, e, MAX_SHAPE_DEPTH)
    }
}

/// How deep `constant_as_shape` looks through packs, slices and concatenations.
const MAX_SHAPE_DEPTH: usize = 32;

fn partial_shape(graph: &mut Graph, e: Endpoint, depth: usize) -> Result<PartialShape> {
    if let Some(value) = graph.constant(e) {
        if value.shape().is_scalar() {
            ensure!(
                value.int()? == -1,
                invalid,
                "Input tensor must be rank 1, or if its rank 0 it must have value -1"
            );
            return Ok(PartialShape::unknown());
        }
        ensure!(
            value.shape().rank() == 1,
            invalid,
            "Shape must be rank 1 but is rank {}",
            value.shape().rank()
        );
        let dims = value.ints()?;
        if let Some(bad) = dims.iter().find(|d| **d < -1) {
            bail!(invalid, "Invalid value in tensor used for shape: {bad}");
        }
        return PartialShape::new(&dims);
    }
    let known = graph.shape(e).clone();
    let unknown = || match known.rank() {
        Some(1) if known.dim(0) >= 0 => {
            PartialShape::unknown_of_rank(known.dim(0).min(254) as usize)
        }
        _ => PartialShape::unknown(),
    };
    if depth == 0 {
        return Ok(unknown());
    }
    let node = graph.node(e.node).clone();
    Ok(match node.op() {
        "Shape" => graph.shape(node.inputs[0]).clone(),
        "ShapeN" => graph.shape(node.inputs[e.index as usize]).clone(),
        "Cast" | "Identity" => partial_shape(graph, node.inputs[0], depth - 1)?,
        "Pack" => {
            let scalar = |graph: &mut Graph, e: Endpoint| {
                graph.constant(e).and_then(|v| v.int().ok()).unwrap_or(-1)
            };
            PartialShape::from_dims(
                node.inputs
                    .iter()
                    .map(|e| scalar(graph, *e))
                    .collect::<Vec<_>>(),
            )
        }
        "ConcatV2" => {
            let mut dims = Vec::new();
            for part in &node.inputs[..node.inputs.len() - 1] {
                match partial_shape(graph, *part, depth - 1)?.dims() {
                    Some(d) => dims.extend_from_slice(d),
                    None => return Ok(unknown()),
                }
            }
            PartialShape::from_dims(dims)
        }
        "StridedSlice" => match sliced(graph, &node, depth)? {
            Some(shape) => shape,
            None => unknown(),
        },
        _ => unknown(),
    })
}

/// A stretch `[begin:end:stride]` of a shape, when that is all the slice takes.
fn sliced(graph: &mut Graph, node: &Node, depth: usize) -> Result<Option<PartialShape>> {
    let mask = |name: &str| node.attrs.int(name).unwrap_or(0);
    if mask("ellipsis_mask") != 0 || mask("new_axis_mask") != 0 || mask("shrink_axis_mask") != 0 {
        return Ok(None);
    }
    let mut bound = |i: usize| graph.constant(node.inputs[i]).and_then(|v| v.int().ok());
    let (Some(begin), Some(end), Some(stride)) = (bound(1), bound(2), bound(3)) else {
        return Ok(None);
    };
    let shape = partial_shape(graph, node.inputs[0], depth - 1)?;
    let Some(dims) = shape.dims() else {
        return Ok(None);
    };
    let n = dims.len() as i64;
    let clamp = |x: i64| if x < 0 { (x + n).max(0) } else { x.min(n) };
    let from = if mask("begin_mask") & 1 != 0 {
        0
    } else {
        clamp(begin)
    };
    let to = if mask("end_mask") & 1 != 0 {
        n
    } else {
        clamp(end)
    };
    if stride < 1 {
        return Ok(None);
    }
    let picked = (from..to)
        .step_by(stride as usize)
        .map(|i| dims[i as usize]);
    Ok(Some(PartialShape::from_dims(picked.collect::<Vec<_>>())))
}
