//! `tf.gradients`: walks the graph backwards and appends the nodes that TensorFlow 1.15's `gradients_util` appends, in
//! its order and under its names. What the gradient of an op is stands with the op; here is only the walk.

mod aggregate;
mod loops;
mod reach;
mod zeros;

use std::collections::VecDeque;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::error::{Error, Result};
use crate::graph::{Attr, ContextId, ContextKind, Endpoint, Graph, NodeId, NodeSpec};
use crate::ops::gradient::{Grad, GradientContext, GradientFn, Grads};
use crate::ops::{self, Gradient};
use crate::value::{DType, Value};
use crate::{bail, ensure};

pub use aggregate::Aggregation;
use loops::Loops;

/// What is asked of the walk.
#[derive(Clone, Debug, Default)]
pub struct Request {
    pub ys: Vec<Endpoint>,
    pub xs: Vec<Endpoint>,
    /// One entry a y; `None`: ones.
    pub grad_ys: Vec<Option<Endpoint>>,
    /// Their nodes are not differentiated.
    pub stop_gradients: Vec<Endpoint>,
    /// Puts gradient nodes where their forward nodes are.
    pub colocate: bool,
    /// Waits for all gradients of a node before any of them is used.
    pub gate: bool,
    pub aggregation: Aggregation,
    /// Zeros instead of none for an x that no y depends on.
    pub unconnected_zero: bool,
    /// Names under which Python has registered gradient functions.
    pub python_gradients: FxHashSet<String>,
}

/// Gradients that came for an output: a list until they are summed up.
enum Gathered {
    Several(Vec<Grad>),
    One(Option<Grad>),
}

impl Gathered {
    fn has_gradient(&self) -> bool {
        match self {
            Gathered::Several(list) => !list.is_empty(),
            Gathered::One(grad) => grad.is_some(),
        }
    }
}

/// Who computes the gradient of a node.
enum Function {
    Core(GradientFn),
    Python(String),
    Nobody,
}

/// A Python gradient function that the caller must call before the walk goes on.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    pub node: NodeId,
    pub gradient: String,
    pub out_grads: Vec<Option<Grad>>,
}

/// The scopes that are open while Python computes the gradient of `node`.
struct Paused {
    node: NodeId,
    outer_scope: String,
    /// The backward loop that the gradient stands in.
    inside: Option<ContextId>,
}

/// The walk. `step` goes on until it is done or a Python gradient function is needed.
pub struct Walk {
    request: Request,
    gathered: FxHashMap<NodeId, Vec<Gathered>>,
    pending: FxHashMap<NodeId, i64>,
    stops: FxHashSet<NodeId>,
    queue: VecDeque<NodeId>,
    loops: Loops,
    paused: Option<Paused>,
}

impl Walk {
    /// Looks at the graph between ys and xs, and adds the nodes that give each y its first gradient. The caller has
    /// opened the scope `gradients`.
    pub fn new(graph: &mut Graph, request: Request) -> Result<Walk> {
        let all = request.ys.iter().chain(&request.xs);
        for e in all
            .chain(&request.stop_gradients)
            .chain(request.grad_ys.iter().flatten())
        {
            graph.try_output(*e)?;
        }
        ensure!(
            request.grad_ys.len() == request.ys.len(),
            value,
            "Passed {} grad_ys for {} ys",
            request.grad_ys.len(),
            request.ys.len()
        );
        let first = first_gradients(graph, &request)?;
        let nodes = |all: &[Endpoint]| -> Vec<NodeId> { all.iter().map(|e| e.node).collect() };
        let (from, to) = (nodes(&request.xs), nodes(&request.ys));
        let mut reach = reach::reach(graph, &from, &to, request.colocate)?;
        let asked = nodes(&request.stop_gradients);
        let mut walk = Walk {
            gathered: FxHashMap::default(),
            pending: std::mem::take(&mut reach.pending),
            stops: FxHashSet::default(),
            queue: VecDeque::new(),
            loops: std::mem::take(&mut reach.loops),
            paused: None,
            request,
        };
        for (i, grad) in first.into_iter().enumerate() {
            walk.gather(graph, walk.request.ys[i], grad);
        }
        let mut queued = FxHashSet::default();
        for node in to {
            let is_ready = walk.pending.get(&node).is_none_or(|n| *n == 0);
            if is_ready && reach.reachable_ends.contains(&node) && queued.insert(node) {
                walk.queue.push_back(node);
            }
        }
        walk.queue_unused_exits(graph, &queued)?;
        walk.stops = reach::stops(graph, &from, &asked, &walk.pending);
        Ok(walk)
    }

    fn queue_unused_exits(&mut self, graph: &mut Graph, queued: &FxHashSet<NodeId>) -> Result<()> {
        let unused = self.loops.unused_exits(graph, &mut self.pending, queued);
        for exit in unused {
            if is_trainable(graph.dtype(exit)) {
                let zeros = self.loops.zeros_for_exit(graph, exit)?;
                self.gather(graph, exit, zeros.into());
                self.queue.push_back(exit.node);
            }
        }
        Ok(())
    }

    /// Walks on. `answer` holds the gradients that the last call asked for. `None`: the walk is done.
    pub fn step(&mut self, graph: &mut Graph, answer: Option<Grads>) -> Result<Option<Call>> {
        match (self.paused.take(), answer) {
            (Some(paused), Some(in_grads)) => {
                let done = self.take_in(graph, paused.node, in_grads);
                self.leave(graph, paused).and(done)?;
            }
            (None, None) => {}
            (paused, _) => {
                self.paused = paused;
                bail!(internal, "an answer and a question must take turns");
            }
        }
        while let Some(node) = self.queue.pop_front() {
            if self.request.colocate {
                graph.push_colocation(Some(node), false);
            }
            let visited = self.visit(graph, node);
            match visited {
                Ok(Some(call)) => return Ok(Some(call)),
                visited => {
                    if self.request.colocate {
                        graph.pop_colocation();
                    }
                    visited?;
                }
            }
            self.release_inputs(graph, node)?;
        }
        Ok(None)
    }

    /// Closes the scopes of an unanswered call: the Python function has failed.
    pub fn abandon(&mut self, graph: &mut Graph) {
        if let Some(paused) = self.paused.take() {
            self.close(graph, paused);
        }
        self.queue.clear();
    }

    /// The gradient for each x, once the walk is done.
    pub fn results(&mut self, graph: &mut Graph) -> Result<Grads> {
        self.loops.close_open_merges(graph)?;
        let xs = self.request.xs.clone();
        xs.into_iter().map(|x| self.result(graph, x)).collect()
    }

    fn result(&mut self, graph: &mut Graph, x: Endpoint) -> Result<Option<Grad>> {
        if !self.gathered.contains_key(&x.node) {
            return match self.request.unconnected_zero {
                true => zeros::unconnected(graph, x).map(|e| Some(Grad::Dense(e))),
                false => Ok(None),
            };
        }
        let mut summed = self.aggregated(graph, x.node)?;
        Ok(summed.swap_remove(x.index as usize))
    }

    /// One node: its gradients summed up, then those of its inputs. Stops where Python must compute them.
    fn visit(&mut self, graph: &mut Graph, node: NodeId) -> Result<Option<Call>> {
        let out_grads = self.summed_in_context(graph, node)?;
        let has_gradient = out_grads.iter().any(Option::is_some);
        let function = match has_gradient && !self.stops.contains(&node) {
            true => self.function_of(graph, node)?,
            false => Function::Nobody,
        };
        let inside = self.backward_context(graph, node, false);
        if let Some(inside) = inside {
            graph.enter_context(inside);
        }
        let visited = self.visit_in_context(graph, node, function, out_grads);
        match (&visited, &mut self.paused) {
            (Ok(Some(_)), Some(paused)) => paused.inside = inside,
            _ => {
                if let Some(inside) = inside {
                    graph.exit_context(inside);
                }
            }
        }
        visited
    }

    fn backward_context(&self, graph: &Graph, node: NodeId, is_outside: bool) -> Option<ContextId> {
        let gradient = self.loops.of_node(graph, node, is_outside)?;
        Some(graph.loop_gradient(gradient).backward)
    }

    fn summed_in_context(&mut self, graph: &mut Graph, node: NodeId) -> Result<Vec<Option<Grad>>> {
        let outside = self.backward_context(graph, node, true);
        graph.in_context(outside, |graph| self.aggregated(graph, node))
    }

    fn visit_in_context(
        &mut self,
        graph: &mut Graph,
        node: NodeId,
        function: Function,
        mut out_grads: Vec<Option<Grad>>,
    ) -> Result<Option<Call>> {
        self.check_loop_variable(graph, node)?;
        if matches!(function, Function::Nobody) {
            return Ok(None);
        }
        for (i, grad) in out_grads.iter_mut().enumerate() {
            let output = Endpoint::new(node, i);
            if grad.is_none() && is_trainable(graph.dtype(output)) {
                *grad = self.loops.zeros_like(graph, output)?.map(Grad::Dense);
            }
        }
        let outer_scope = graph.enter_scope(&format!("{}_grad", graph.node(node).name));
        match function {
            Function::Core(function) => {
                let made = function(&mut GradientContext::new(graph, node, &out_grads));
                let done = made.and_then(|in_grads| self.take_in(graph, node, in_grads));
                graph.scopes.name = outer_scope;
                done.map(|()| None)
            }
            Function::Python(gradient) => {
                self.paused = Some(Paused {
                    node,
                    outer_scope,
                    inside: None,
                });
                Ok(Some(Call {
                    node,
                    gradient,
                    out_grads,
                }))
            }
            Function::Nobody => Ok(None),
        }
    }

    /// Within a loop there are gradients of one iteration alone, not through the values it began with.
    fn check_loop_variable(&self, graph: &Graph, id: NodeId) -> Result<()> {
        let node = graph.node(id);
        let is_switch = matches!(node.op(), "Switch" | "RefSwitch");
        let Some(context) = node.context.filter(|_| is_switch) else {
            return Ok(());
        };
        if graph.scopes.context != Some(context)
            || !matches!(graph.context(context).kind, ContextKind::While(_))
        {
            return Ok(());
        }
        let from: FxHashSet<NodeId> = self.request.xs.iter().map(|x| x.node).collect();
        let mut queue = VecDeque::from([id]);
        let mut seen = FxHashSet::default();
        while let Some(at) = queue.pop_front() {
            if !seen.insert(at) {
                continue;
            }
            if from.contains(&at) {
                bail!(
                    value,
                    "Cannot compute gradient inside while loop with respect to op '{}'. We do not support taking the \
                     gradient wrt or through the initial value of a loop variable. Gradients can be computed through \
                     loop invariants or wrt the input parameters to the loop body.",
                    graph.node(at).name
                );
            }
            queue.extend(graph.node(at).inputs.iter().map(|e| e.node));
        }
        Ok(())
    }

    fn function_of(&self, graph: &Graph, id: NodeId) -> Result<Function> {
        let node = graph.node(id);
        if node.inputs.is_empty() {
            return Ok(Function::Nobody);
        }
        let name = match node.attrs.get("_gradient_op_type") {
            Some(Attr::Bytes(name)) => String::from_utf8_lossy(name).into_owned(),
            _ => node.op().to_string(),
        };
        if self.request.python_gradients.contains(&name) {
            return Ok(Function::Python(name));
        }
        match ops::find(&name).map(|entry| entry.gradient) {
            Some(Gradient::Function(function)) => Ok(Function::Core(function)),
            Some(Gradient::Stop) => Ok(Function::Nobody),
            Some(Gradient::Missing) | None => bail!(
                lookup,
                "No gradient defined for operation '{}' (op type: {})",
                node.name,
                node.op()
            ),
        }
    }

    /// Checks, gates and files the gradients of the node's inputs; the scope of its gradient is open.
    fn take_in(&mut self, graph: &mut Graph, id: NodeId, mut in_grads: Grads) -> Result<()> {
        let inputs = graph.node(id).inputs.clone();
        ensure!(
            in_grads.len() == inputs.len(),
            value,
            "Num gradients {} generated for op {} do not match num inputs {}",
            in_grads.len(),
            graph.node(id).name,
            inputs.len()
        );
        if self.request.gate && in_grads.iter().flatten().count() > 1 {
            aggregate::gate(graph, &mut in_grads)?;
        }
        for (i, (input, grad)) in inputs.iter().zip(in_grads).enumerate() {
            let Some(grad) = grad else { continue };
            check_exists(graph, grad)?;
            if let Grad::Dense(e) = grad
                && graph.dtype(*input) != DType::Resource
            {
                let shape = graph.shape(*input).clone();
                graph
                    .set_shape(e, &shape)
                    .map_err(|_| incompatible(graph, id, i, *input, e))?;
            }
            self.gather(graph, *input, grad);
        }
        Ok(())
    }

    fn leave(&mut self, graph: &mut Graph, paused: Paused) -> Result<()> {
        let node = paused.node;
        self.close(graph, paused);
        self.release_inputs(graph, node)
    }

    /// Closes the scopes of a paused node.
    fn close(&mut self, graph: &mut Graph, paused: Paused) {
        graph.scopes.name = paused.outer_scope;
        if let Some(inside) = paused.inside {
            graph.exit_context(inside);
        }
        if self.request.colocate {
            graph.pop_colocation();
        }
    }

    /// Counts the node off its inputs' waiting lists; those that wait for nobody else come next. The Switch of a loop
    /// variable comes twice: the backward loop begins with it and ends in it.
    fn release_inputs(&mut self, graph: &mut Graph, node: NodeId) -> Result<()> {
        for input in graph.node(node).inputs.clone() {
            let count = self.pending.entry(input.node).or_insert(0);
            *count -= 1;
            let count = *count;
            let is_again = !self.loops.is_empty() && count > 0 && graph.is_loop_switch(input.node);
            if count != 0 && !is_again {
                continue;
            }
            if matches!(graph.node(input.node).op(), "Exit" | "RefExit") {
                self.release_exit(graph, input)?;
            } else {
                self.queue.push_back(input.node);
            }
        }
        Ok(())
    }

    fn release_exit(&mut self, graph: &mut Graph, exit: Endpoint) -> Result<()> {
        let gathered = &self.gathered;
        let visit = self.loops.exits_to_visit(graph, exit, |e| {
            let outputs = gathered.get(&e.node);
            outputs.is_some_and(|outputs| outputs.iter().any(Gathered::has_gradient))
        });
        for exit in visit.want_zeros {
            let zeros = self.loops.zeros_for_exit(graph, exit)?;
            self.gather(graph, exit, zeros.into());
        }
        self.queue.extend(visit.nodes);
        Ok(())
    }

    fn gather(&mut self, graph: &Graph, e: Endpoint, grad: Grad) {
        let outputs = self.gathered.entry(e.node).or_insert_with(|| {
            let count = graph.node(e.node).outputs.len();
            (0..count).map(|_| Gathered::Several(Vec::new())).collect()
        });
        match &mut outputs[e.index as usize] {
            Gathered::Several(list) => list.push(grad),
            // The Switch of a loop variable, visited once already.
            summed => *summed = Gathered::One(Some(grad)),
        }
    }

    /// The summed gradient of each output of the node.
    fn aggregated(&mut self, graph: &mut Graph, node: NodeId) -> Result<Vec<Option<Grad>>> {
        let Some(mut outputs) = self.gathered.remove(&node) else {
            return Ok(vec![None; graph.node(node).outputs.len()]);
        };
        let mut summed = Vec::with_capacity(outputs.len());
        for gathered in &mut outputs {
            if let Gathered::Several(list) = gathered {
                let list = std::mem::take(list);
                let sum = aggregate::aggregate(graph, node, list, self.request.aggregation)?;
                *gathered = Gathered::One(sum);
            }
            if let Gathered::One(grad) = gathered {
                summed.push(*grad);
            }
        }
        self.gathered.insert(node, outputs);
        Ok(summed)
    }
}

/// What Python answers may be any number.
fn check_exists(graph: &Graph, grad: Grad) -> Result<()> {
    match grad {
        Grad::Dense(e) => graph.try_output(e).map(|_| ()),
        Grad::Slices {
            values,
            indices,
            dense_shape,
        } => {
            graph.try_output(values)?;
            graph.try_output(indices)?;
            dense_shape.map_or(Ok(()), |e| graph.try_output(e).map(|_| ()))
        }
    }
}

fn incompatible(graph: &Graph, id: NodeId, i: usize, input: Endpoint, grad: Endpoint) -> Error {
    Error::value(format!(
        "Incompatible shapes between op input and calculated input gradient. Forward operation: {}. Input index: {i}. \
         Original input shape: {}. Calculated input gradient shape: {}",
        graph.node(id).name,
        graph.shape(input),
        graph.shape(grad)
    ))
}

/// Types through which gradients flow.
pub(crate) fn is_trainable(dtype: DType) -> bool {
    use DType::*;
    matches!(dtype, F16 | F32 | F64 | C64 | C128 | Resource | Variant)
}

/// The gradient of each y with respect to itself: ones, or an Identity of what was given.
fn first_gradients(graph: &mut Graph, request: &Request) -> Result<Vec<Grad>> {
    let mut grads = Vec::with_capacity(request.ys.len());
    for (i, (y, given)) in request.ys.iter().zip(&request.grad_ys).enumerate() {
        if request.colocate {
            graph.push_colocation(Some(y.node), false);
        }
        let made = first_gradient(graph, i, *y, *given);
        if request.colocate {
            graph.pop_colocation();
        }
        grads.push(Grad::Dense(made?));
    }
    Ok(grads)
}

fn first_gradient(
    graph: &mut Graph,
    i: usize,
    y: Endpoint,
    given: Option<Endpoint>,
) -> Result<Endpoint> {
    let dtype = graph.dtype(y);
    let name = format!("grad_ys_{i}");
    if let Some(given) = given {
        check_given(graph, y, given)?;
        return graph.create_tensor(NodeSpec::new("Identity").name(name).input(given));
    }
    ensure!(
        !dtype.is_complex(),
        type_error,
        "Gradients of complex tensors must set grad_ys (y.dtype = tf.{})",
        dtype.name()
    );
    let shape = zeros::shape_of(graph, y, "Shape")?;
    let one = one(dtype).ok_or_else(|| {
        Error::type_error(format!(
            "Tensor {} with type {} must be numeric to obtain a default gradient",
            graph.tensor_name(y),
            dtype.name()
        ))
    })??;
    let one = graph.create_tensor(
        NodeSpec::new("Const")
            .name(name)
            .attr("value", one)
            .attr("dtype", dtype),
    )?;
    graph.create_tensor(NodeSpec::new("Fill").input(shape).input(one))
}

fn one(dtype: DType) -> Option<Result<Value>> {
    Some(match dtype {
        DType::F32 => Value::scalar(1f32),
        DType::F64 => Value::scalar(1f64),
        DType::F16 => Value::scalar(half::f16::ONE),
        DType::BF16 => Value::scalar(half::bf16::ONE),
        DType::I8 => Value::scalar(1i8),
        DType::I16 => Value::scalar(1i16),
        DType::I32 => Value::scalar(1i32),
        DType::I64 => Value::scalar(1i64),
        DType::U8 => Value::scalar(1u8),
        DType::U16 => Value::scalar(1u16),
        DType::U32 => Value::scalar(1u32),
        DType::U64 => Value::scalar(1u64),
        _ => return None,
    })
}

fn check_given(graph: &Graph, y: Endpoint, given: Endpoint) -> Result<()> {
    let (wanted, got) = (graph.dtype(y), graph.dtype(given));
    let is_real = |d: DType| d.is_floating() || d.is_integer();
    let fits = match wanted {
        d if is_real(d) => is_real(got),
        d if d.is_complex() => got.is_complex(),
        DType::Variant => got == DType::Variant,
        DType::Resource => got != DType::Resource,
        _ => bail!(
            type_error,
            "Tensor {} with type {} must be numeric to obtain a default gradient",
            graph.tensor_name(y),
            wanted.name()
        ),
    };
    ensure!(
        fits,
        type_error,
        "Gradient type {} generated for {}-valued tensor {} with type {} must be {}",
        got.name(),
        if wanted.is_complex() {
            "complex"
        } else {
            "real or integer"
        },
        graph.tensor_name(y),
        wanted.name(),
        if wanted.is_complex() {
            "complex"
        } else {
            "real or integer"
        }
    );
    Ok(())
}
