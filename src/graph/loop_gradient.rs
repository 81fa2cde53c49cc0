//! The loop that runs a while loop backwards, while it is being built. What the backward loop needs of the forward one
//! is pushed on a stack in each iteration and popped in reverse, as TensorFlow's `control_flow_state` does.

use rustc_hash::FxHashMap;

use crate::error::{Error, Result};
use crate::value::{DType, Value};

use super::context::{ContextId, ContextKind};
use super::create::NodeSpec;
use super::{Endpoint, Graph, NodeId};

/// A loop gradient's place in its graph.
pub type LoopGradientId = u32;

/// A forward loop and the loop of its gradient, for one call of `tf.gradients`.
#[derive(Clone, Debug)]
pub struct LoopGradient {
    /// That of the loop around.
    pub outer: Option<LoopGradientId>,
    pub forward: ContextId,
    pub backward: ContextId,
    /// The forward counter's NextIteration: what belongs to an iteration runs before it.
    pub forward_index: Endpoint,
    pub backward_index: Endpoint,
    forward_sync: Option<NodeId>,
    backward_sync: Option<NodeId>,
    /// What values of the forward loop are called in the backward one.
    pub history: FxHashMap<Endpoint, Endpoint>,
    /// For each Switch of a loop variable the Merge of its gradient, in order of creation: one a component.
    pub merges: Vec<(NodeId, Vec<Endpoint>)>,
    pub forward_exits: Vec<Endpoint>,
    /// Exits whose gradients have not come.
    pub pending_exits: usize,
    pub unused_exits: Vec<Endpoint>,
    pub deferred_exits: Vec<Endpoint>,
}

impl LoopGradient {
    /// The state before anything is known but the loops; the counters are filled in when they are made.
    pub fn new(
        outer: Option<LoopGradientId>,
        (forward, backward): (ContextId, ContextId),
        forward_index: Endpoint,
        forward_exits: Vec<Endpoint>,
    ) -> LoopGradient {
        LoopGradient {
            outer,
            forward,
            backward,
            forward_index,
            backward_index: forward_index,
            forward_sync: None,
            backward_sync: None,
            history: FxHashMap::default(),
            merges: Vec::new(),
            pending_exits: forward_exits.len(),
            forward_exits,
            unused_exits: Vec::new(),
            deferred_exits: Vec::new(),
        }
    }
}

impl Graph {
    pub fn loop_gradient(&self, id: LoopGradientId) -> &LoopGradient {
        &self.loop_gradients[id as usize]
    }

    pub fn loop_gradient_mut(&mut self, id: LoopGradientId) -> &mut LoopGradient {
        &mut self.loop_gradients[id as usize]
    }

    /// The gradient that the loop at or around `context` is built for; `None` for loops of the program itself.
    pub fn gradient_of(&self, context: Option<ContextId>) -> Option<LoopGradientId> {
        let around = self.while_context(context)?;
        match &self.context(around).kind {
            ContextKind::While(w) => w.gradient,
            ContextKind::Cond(_) => None,
        }
    }

    /// Makes `context` that of new nodes until `exit_context`.
    pub fn enter_context(&mut self, context: ContextId) {
        let before = self.scopes.context.replace(context);
        self.context_mut(context).entered.push(before);
    }

    /// Goes back to the context before `enter_context`.
    pub fn exit_context(&mut self, context: ContextId) {
        self.scopes.context = self.context_mut(context).entered.pop().flatten();
    }

    /// Runs `body` with its nodes in `context`; where there is none, in the one in force.
    pub fn in_context<T>(
        &mut self,
        context: Option<ContextId>,
        body: impl FnOnce(&mut Graph) -> Result<T>,
    ) -> Result<T> {
        let Some(context) = context else {
            return body(self);
        };
        self.enter_context(context);
        let made = body(self);
        self.exit_context(context);
        made
    }

    /// Runs `body` outside all control dependencies and contexts.
    fn free<T>(&mut self, body: impl FnOnce(&mut Graph) -> Result<T>) -> Result<T> {
        self.push_controls(Vec::new(), true);
        let made = body(self);
        self.pop_controls();
        made
    }

    /// Waits for all pushes of an iteration, those on branches not taken included.
    fn forward_sync(&mut self, id: LoopGradientId) -> Result<NodeId> {
        let state = self.loop_gradient(id);
        if let Some(sync) = state.forward_sync {
            return Ok(sync);
        }
        let (forward, index) = (state.forward, state.forward_index);
        let sync = self.free(|g| g.create(NodeSpec::new("ControlTrigger").name("f_sync")))?;
        self.set_context(sync, Some(forward));
        self.add_control_input(index.node, sync);
        self.loop_gradient_mut(id).forward_sync = Some(sync);
        Ok(sync)
    }

    /// Waits for all pops of an iteration.
    pub fn backward_sync(&mut self, id: LoopGradientId) -> Result<NodeId> {
        let state = self.loop_gradient(id);
        if let Some(sync) = state.backward_sync {
            return Ok(sync);
        }
        let (backward, index) = (state.backward, state.backward_index);
        let sync = self.free(|g| g.create(NodeSpec::new("ControlTrigger").name("b_sync")))?;
        self.set_context(sync, Some(backward));
        self.add_control_input(index.node, sync);
        self.loop_gradient_mut(id).backward_sync = Some(sync);
        Ok(sync)
    }

    /// Pushes `value` on a stack in each forward iteration; returns the stack. Called in the context that
    /// `tf.gradients` was called in. `is_dead_branch`: `value` lives when its conditional's branch is not taken.
    pub fn push_history(
        &mut self,
        id: LoopGradientId,
        value: Endpoint,
        is_dead_branch: bool,
    ) -> Result<Endpoint> {
        let call_context = self.scopes.context;
        self.free(|graph| {
            let stack = graph.in_context(call_context, |graph| {
                graph.colocated_with(value.node, |graph| graph.history_stack(value))
            })?;
            let forward = graph.loop_gradient(id).forward;
            let inside = graph.add_value(forward, stack)?;
            let push = graph.push_in_iteration(id, inside, value, is_dead_branch)?;
            let count = graph
                .node(graph.loop_gradient(id).forward_index.node)
                .inputs[0];
            graph.add_control_input(push, count.node);
            Ok(stack)
        })
    }

    fn history_stack(&mut self, value: Endpoint) -> Result<Endpoint> {
        let unlimited = NodeSpec::new("Const")
            .attr("value", Value::scalar(-1i32)?)
            .attr("dtype", DType::I32);
        let unlimited = self.create_tensor(unlimited)?;
        let dtype = self.dtype(value);
        let stack = NodeSpec::new("StackV2").name("f_acc").input(unlimited);
        self.create_tensor(stack.attr("elem_type", dtype))
    }

    fn push_in_iteration(
        &mut self,
        id: LoopGradientId,
        stack: Endpoint,
        value: Endpoint,
        is_dead_branch: bool,
    ) -> Result<NodeId> {
        let (forward, index) = {
            let state = self.loop_gradient(id);
            (state.forward, state.forward_index)
        };
        let swaps = match &self.context(forward).kind {
            ContextKind::While(w) => w.swap_memory,
            ContextKind::Cond(_) => false,
        };
        let push = NodeSpec::new("StackPushV2")
            .input(stack)
            .input(value)
            .attr("swap_memory", swaps);
        let of_value = self.output_context(value.node);
        if of_value == Some(forward) {
            let push = self.in_context(of_value, |graph| graph.create(push))?;
            self.add_control_input(index.node, push);
            return Ok(push);
        }
        let branch = of_value.filter(|c| matches!(self.context(*c).kind, ContextKind::Cond(_)));
        let Some(branch) = branch else {
            let name = of_value.map_or("None", |c| &self.context(c).name);
            let message = format!("value_ctxt is not a CondContext: {name}");
            return Err(Error::type_error(message));
        };
        let push = if is_dead_branch {
            let outer = self.context(branch).outer;
            let push = self.in_context(outer, |graph| graph.create(push))?;
            self.set_context(push, Some(branch));
            push
        } else {
            self.in_context(Some(branch), |graph| graph.create(push))?
        };
        let sync = self.forward_sync(id)?;
        self.add_control_input(sync, push);
        Ok(push)
    }

    /// What was pushed of `value` on the stack `history`, in the backward iteration.
    pub fn pop_history(
        &mut self,
        id: LoopGradientId,
        history: Endpoint,
        value: Endpoint,
        is_dead_branch: bool,
    ) -> Result<Endpoint> {
        let backward = self.loop_gradient(id).backward;
        let guard = self.branch_around(value, self.node(history.node).context);
        let pop = self.free(|graph| {
            graph.in_context(Some(backward), |graph| {
                let mut history = history;
                if let Some((pred, branch)) = guard {
                    let pred = graph.known_history(id, pred).unwrap_or(pred);
                    let side = if is_dead_branch { 1 - branch } else { branch };
                    let switch = graph.switch(history, pred, "Switch")?;
                    history = Endpoint::new(switch, usize::from(side));
                }
                let dtype = graph.dtype(value);
                let pop = NodeSpec::new("StackPopV2").input(history);
                let pop = graph.create_tensor(pop.attr("elem_type", dtype))?;
                let shape = graph.shape(value).clone();
                graph.set_shape(pop, &shape)?;
                Ok(pop)
            })
        })?;
        if let ContextKind::While(w) = &self.context(backward).kind
            && w.parallel_iterations > 1
        {
            let sync = self.backward_sync(id)?;
            self.add_control_input(sync, pop.node);
        }
        Ok(pop)
    }

    /// The predicate and branch of the innermost conditional around `value`, below the context `outside`.
    fn branch_around(
        &self,
        value: Endpoint,
        outside: Option<ContextId>,
    ) -> Option<(Endpoint, u16)> {
        let mut at = self.node(value.node).context;
        while let Some(context) = at.filter(|_| at != outside) {
            if let ContextKind::Cond(cond) = &self.context(context).kind {
                return Some((cond.pred, cond.branch));
            }
            at = self.context(context).outer;
        }
        None
    }

    /// What `value` is called in this backward loop or one around it.
    fn known_history(&self, id: LoopGradientId, value: Endpoint) -> Option<Endpoint> {
        let mut at = Some(id);
        while let Some(id) = at {
            let state = self.loop_gradient(id);
            if let Some(known) = state.history.get(&value) {
                return Some(*known);
            }
            at = state.outer;
        }
        None
    }

    /// What `value`, of the forward loop, is in the backward one: an invariant of the loop, a copy of a constant, or
    /// what was pushed on a stack. Called in the context of the backward loop.
    pub fn real_value(&mut self, id: LoopGradientId, value: Endpoint) -> Result<Endpoint> {
        if let Some(known) = self.loop_gradient(id).history.get(&value) {
            return Ok(*known);
        }
        let backward = self.loop_gradient(id).backward;
        let (mut source, mut owner) = (value, id);
        let real = loop {
            if let Some(enter) = self.constant_enter(source) {
                source = self.node(enter).inputs[0];
                match self.loop_gradient(owner).outer {
                    Some(outer) => owner = outer,
                    None => break self.add_value(backward, source)?,
                }
            } else if self.node(source.node).op() == "Const" {
                break self.copy_of_constant(source)?;
            } else {
                self.exit_context(backward);
                let history = self.push_history(owner, source, false);
                self.enter_context(backward);
                let popped = self.pop_history(owner, history?, source, false)?;
                break match owner == id {
                    true => popped,
                    false => self.add_value(backward, popped)?,
                };
            }
        };
        self.loop_gradient_mut(id).history.insert(value, real);
        Ok(real)
    }

    fn copy_of_constant(&mut self, constant: Endpoint) -> Result<Endpoint> {
        let value = self.node(constant.node).attrs.tensor("value")?.clone();
        let dtype = value.dtype();
        let spec = NodeSpec::new("Const").attr("value", value);
        self.create_tensor(spec.attr("dtype", dtype))
    }

    /// The Enter of a loop invariant that `value` is, behind Switches and Identities.
    fn constant_enter(&self, value: Endpoint) -> Option<NodeId> {
        let mut at = value.node;
        while matches!(
            self.node(at).op(),
            "Switch" | "RefSwitch" | "Identity" | "RefIdentity"
        ) {
            at = self.node(at).inputs[0].node;
        }
        self.is_loop_constant(at).then_some(at)
    }

    /// Whether the node is the Switch of a loop variable, not one that leads into a conditional.
    pub fn is_loop_switch(&self, id: NodeId) -> bool {
        let node = self.node(id);
        if !matches!(node.op(), "Switch" | "RefSwitch") || !self.is_while(node.context) {
            return false;
        }
        // A conditional's Switch stands outside it: its consumers tell.
        !self.data_consumers(id).iter().all(|consumer| {
            let consumer = self.node(*consumer);
            let mut context = consumer.context;
            if matches!(consumer.op(), "Enter" | "RefEnter") {
                context = context.and_then(|c| self.context(c).outer);
            }
            context.is_some() && !self.is_while(context)
        })
    }

    fn is_while(&self, context: Option<ContextId>) -> bool {
        context.is_some_and(|c| matches!(self.context(c).kind, ContextKind::While(_)))
    }
}
