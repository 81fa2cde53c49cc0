//! Control-flow contexts: the branches of conditionals and the loops that nodes stand in.
//!
//! A node made inside a branch reads outer values through a Switch on the branch's predicate, one made inside a loop
//! reads them through an Enter; both are added when a value is first needed, as TensorFlow's `control_flow_ops` does.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::error::Result;

use super::create::NodeSpec;
use super::loop_gradient::LoopGradientId;
use super::{Attr, Endpoint, Graph, NodeId};

/// A context's place in its graph.
pub type ContextId = u32;

#[derive(Clone, Debug)]
pub struct Context {
    pub name: String,
    pub outer: Option<ContextId>,
    pub kind: ContextKind,
    /// Values known inside.
    pub values: FxHashSet<Endpoint>,
    /// What outer values are called inside.
    pub external_values: FxHashMap<Endpoint, Endpoint>,
    /// The contexts in force before each `enter_context` that is still open.
    pub(super) entered: Vec<Option<ContextId>>,
}

#[derive(Clone, Debug)]
pub enum ContextKind {
    Cond(CondContext),
    While(WhileContext),
}

#[derive(Clone, Debug)]
pub struct CondContext {
    pub pred: Endpoint,
    pub pivot: Endpoint,
    /// 1: runs when the predicate is true; 0: when it is false.
    pub branch: u16,
}

#[derive(Clone, Debug, Default)]
pub struct WhileContext {
    pub maximum_iterations: Option<Endpoint>,
    pub parallel_iterations: i64,
    pub back_prop: bool,
    pub swap_memory: bool,
    /// The output of LoopCond.
    pub pivot: Option<Endpoint>,
    pub pivot_for_pred: Option<Endpoint>,
    pub pivot_for_body: Option<Endpoint>,
    pub loop_enters: Vec<Endpoint>,
    pub loop_exits: Vec<Endpoint>,
    /// What it is the gradient of, when it is one.
    pub gradient: Option<LoopGradientId>,
}

impl Graph {
    /// Opens no context, only makes it: the current one is its outer one.
    pub fn new_context(&mut self, name: String, kind: ContextKind) -> ContextId {
        let mut values = FxHashSet::default();
        let mut external_values = FxHashMap::default();
        if let ContextKind::Cond(cond) = &kind {
            values.insert(cond.pred);
            values.insert(cond.pivot);
            external_values.insert(cond.pred, cond.pred);
        }
        self.contexts.push(Context {
            name,
            outer: self.scopes.context,
            kind,
            values,
            external_values,
            entered: Vec::new(),
        });
        (self.contexts.len() - 1) as ContextId
    }

    pub fn context(&self, id: ContextId) -> &Context {
        &self.contexts[id as usize]
    }

    pub fn context_mut(&mut self, id: ContextId) -> &mut Context {
        &mut self.contexts[id as usize]
    }

    /// The innermost loop around (or at) `id`.
    pub fn while_context(&self, id: Option<ContextId>) -> Option<ContextId> {
        let mut at = id;
        while let Some(context) = at {
            if matches!(self.context(context).kind, ContextKind::While(_)) {
                return Some(context);
            }
            at = self.context(context).outer;
        }
        None
    }

    /// The context of a node's outputs: an Exit's lies outside its loop.
    pub fn output_context(&self, node: NodeId) -> Option<ContextId> {
        let n = self.node(node);
        match n.context {
            Some(context) if matches!(n.op(), "Exit" | "RefExit") => self.context(context).outer,
            context => context,
        }
    }

    fn is_in_context(&self, node: NodeId, context: ContextId) -> bool {
        let mut at = self.node(node).context;
        while let Some(c) = at {
            if c == context {
                return true;
            }
            at = self.context(c).outer;
        }
        false
    }

    /// Where nodes without inputs inside the context hang on: the pivot of the branch, or of the loop's body or test.
    pub fn control_pivot(&self, id: ContextId) -> Option<Endpoint> {
        match &self.context(id).kind {
            ContextKind::Cond(cond) => Some(cond.pivot),
            ContextKind::While(w) => w.pivot_for_body.or(w.pivot_for_pred),
        }
    }

    /// What `value` is inside the context.
    pub fn add_value(&mut self, id: ContextId, value: Endpoint) -> Result<Endpoint> {
        match self.context(id).kind.clone() {
            ContextKind::Cond(cond) => self.add_value_to_cond(id, &cond, value),
            ContextKind::While(w) => self.add_value_to_while(id, &w, value),
        }
    }

    fn add_value_to_cond(
        &mut self,
        id: ContextId,
        cond: &CondContext,
        value: Endpoint,
    ) -> Result<Endpoint> {
        if self.context(id).values.contains(&value) {
            return Ok(self
                .context(id)
                .external_values
                .get(&value)
                .copied()
                .unwrap_or(value));
        }
        self.context_mut(id).values.insert(value);
        let mut outer_value = value;
        let outer = self.context(id).outer;
        if let Some(outer) = outer {
            outer_value = self.add_value(outer, value)?;
            let context = self.context_mut(id);
            context.values.insert(outer_value);
            context.external_values.insert(outer_value, outer_value);
        }
        self.push_controls(Vec::new(), true);
        let made = self.switch(outer_value, cond.pred, "Switch");
        self.pop_controls();
        let made = made?;
        self.unfetchable.insert(made);
        self.set_context(made, Some(id));
        let inside = Endpoint::new(made, usize::from(cond.branch));
        let mut at = Some(id);
        while let Some(context) = at {
            self.context_mut(context).values.insert(inside);
            at = self.context(context).outer;
        }
        self.context_mut(id).external_values.insert(value, inside);
        Ok(inside)
    }

    /// A Switch (or RefSwitch) of `data`, colocated with it alone.
    pub fn switch(&mut self, data: Endpoint, pred: Endpoint, name: &str) -> Result<NodeId> {
        let op = if self.output(data).is_ref {
            "RefSwitch"
        } else {
            "Switch"
        };
        self.push_colocation(Some(data.node), true);
        let made = self.create(NodeSpec::new(op).name(name).input(data).input(pred));
        self.pop_colocation();
        made
    }

    fn add_value_to_while(
        &mut self,
        id: ContextId,
        w: &WhileContext,
        value: Endpoint,
    ) -> Result<Endpoint> {
        let is_new =
            !self.context(id).values.contains(&value) && self.node(value.node).context != Some(id);
        if !is_new {
            return Ok(self
                .context(id)
                .external_values
                .get(&value)
                .copied()
                .unwrap_or(value));
        }
        self.context_mut(id).values.insert(value);
        if let Some(gradient) = self.gradient_that_needs(value) {
            let real = self.real_value(gradient, value)?;
            self.context_mut(id).external_values.insert(value, real);
            return Ok(real);
        }
        let outer = self.context(id).outer;
        let outer_value = match outer {
            Some(outer) => self.add_value(outer, value)?,
            None => value,
        };
        self.push_controls(Vec::new(), true);
        let frame = self.context(id).name.clone();
        let made = self.enter(outer_value, &frame, true, w.parallel_iterations, "");
        self.pop_controls();
        let enter = made?;
        self.fix_enter(id, enter);
        let context = self.context_mut(id);
        context.values.insert(enter);
        context.external_values.insert(value, enter);
        Ok(enter)
    }

    /// The backward loop around new nodes, when `value` belongs to the loop that it runs backwards.
    fn gradient_that_needs(&self, value: Endpoint) -> Option<LoopGradientId> {
        let gradient = self.gradient_of(self.scopes.context)?;
        let of_value = self.while_context(self.output_context(value.node));
        (of_value == Some(self.loop_gradient(gradient).forward)).then_some(gradient)
    }

    /// An Enter (or RefEnter) into the frame `frame`; it may not be fed.
    pub fn enter(
        &mut self,
        data: Endpoint,
        frame: &str,
        is_constant: bool,
        parallel_iterations: i64,
        name: &str,
    ) -> Result<Endpoint> {
        let op = if self.output(data).is_ref {
            "RefEnter"
        } else {
            "Enter"
        };
        let spec = NodeSpec::new(op)
            .name(name)
            .input(data)
            .attr("frame_name", frame)
            .attr("is_constant", is_constant)
            .attr("parallel_iterations", parallel_iterations);
        let made = self.create_tensor(spec)?;
        self.unfeedable.insert(made);
        Ok(made)
    }

    /// Puts an Enter into its loop and gives it the control inputs that hold outside the loop.
    pub fn fix_enter(&mut self, id: ContextId, enter: Endpoint) {
        let source = self.node(enter.node).inputs[0];
        let outer = self.context(id).outer;
        let outer_while = self.while_context(outer);
        for control in self.controls_for(&[source]) {
            let wanted = self.output_context(control);
            let mut at = outer;
            let keep = loop {
                if at == wanted {
                    break true;
                }
                if at.is_none() || at == outer_while {
                    break false;
                }
                at = at.and_then(|c| self.context(c).outer);
            };
            if keep {
                self.add_control_input(enter.node, control);
            }
        }
        self.set_context(enter.node, Some(id));
        self.record_seen(enter.node);
    }

    /// Brings a new node into the context: its outer inputs go through Switches or Enters, its control inputs stay inside.
    pub(super) fn add_to_context(&mut self, id: ContextId, node: NodeId) -> Result<()> {
        let id = self.context_to_stand_in(id, node);
        // Nodes that this adds lie in the scope that the new node's name opens.
        let name = self.node(node).name.to_string();
        let outer_scope = std::mem::replace(&mut self.scopes.name, name);
        let is_while = matches!(self.context(id).kind, ContextKind::While(_));
        let done = match is_while {
            false => self.add_to_cond(id, node),
            true => self.add_to_while(id, node),
        };
        self.scopes.name = outer_scope;
        done?;
        if self.context(id).outer.is_some() || !matches!(self.node(node).op(), "Exit" | "RefExit") {
            self.prevent_access(node, is_while);
        }
        Ok(())
    }

    /// Sizes of forward values are taken in the forward loop: their history is smaller than the values'.
    fn context_to_stand_in(&mut self, id: ContextId, node: NodeId) -> ContextId {
        let is_size = matches!(self.node(node).op(), "Shape" | "Size" | "Rank");
        if !is_size || !matches!(self.context(id).kind, ContextKind::While(_)) {
            return id;
        }
        let Some(gradient) = self.gradient_of(self.scopes.context) else {
            return id;
        };
        let of_input = self.node(self.node(node).inputs[0].node).context;
        match of_input {
            Some(context)
                if self.while_context(of_input) == Some(self.loop_gradient(gradient).forward) =>
            {
                self.set_context(node, of_input);
                context
            }
            _ => id,
        }
    }

    fn add_inputs(&mut self, id: ContextId, node: NodeId, keep_next_iteration: bool) -> Result<()> {
        for index in 0..self.node(node).inputs.len() {
            let input = self.node(node).inputs[index];
            let is_back_edge = keep_next_iteration
                && self.node(node).op() == "Merge"
                && self.node(input.node).op() == "NextIteration";
            let inside = if is_back_edge {
                input
            } else {
                self.add_value(id, input)?
            };
            if inside != input {
                self.update_input(node, index, inside)?;
            }
        }
        Ok(())
    }

    fn add_to_cond(&mut self, id: ContextId, node: NodeId) -> Result<()> {
        if self.node(node).inputs.is_empty() {
            self.remove_external_controls(id, node);
            let is_inside = self
                .node(node)
                .control_inputs
                .iter()
                .any(|c| self.is_in_context(*c, id));
            if !is_inside && let Some(pivot) = self.control_pivot(id) {
                self.add_control_input(node, pivot.node);
            }
        } else {
            self.add_inputs(id, node, true)?;
            self.remove_external_controls(id, node);
        }
        let outputs: Vec<Endpoint> = (0..self.node(node).outputs.len())
            .map(|i| Endpoint::new(node, i))
            .collect();
        let mut at = Some(id);
        while let Some(context) = at {
            self.context_mut(context)
                .values
                .extend(outputs.iter().copied());
            at = self.context(context).outer;
        }
        Ok(())
    }

    fn add_to_while(&mut self, id: ContextId, node: NodeId) -> Result<()> {
        let external;
        if self.node(node).inputs.is_empty() {
            external = self.remove_external_controls(id, node);
            if self.node(node).control_inputs.is_empty()
                && let Some(pivot) = self.control_pivot(id)
            {
                self.add_control_input(node, pivot.node);
            }
        } else {
            self.add_inputs(id, node, false)?;
            external = self.remove_external_controls(id, node);
            let is_free = self.node(node).control_inputs.is_empty()
                && self
                    .node(node)
                    .inputs
                    .iter()
                    .all(|e| self.is_loop_constant(e.node));
            if is_free && let Some(pivot) = self.control_pivot(id) {
                // Loop invariants alone must not start it in an iteration that does not take place.
                self.add_control_input(node, pivot.node);
            }
        }
        for i in 0..self.node(node).outputs.len() {
            self.context_mut(id).values.insert(Endpoint::new(node, i));
        }
        for control in external {
            if self.node(control).outputs.is_empty() {
                continue;
            }
            // A control input from outside comes in as data.
            self.push_controls(Vec::new(), true);
            let before = self.scopes.context.replace(id);
            let made = self.create(NodeSpec::new("Identity").input(Endpoint::new(control, 0)));
            self.scopes.context = before;
            self.pop_controls();
            self.add_control_input(node, made?);
        }
        Ok(())
    }

    pub fn is_loop_constant(&self, node: NodeId) -> bool {
        let n = self.node(node);
        matches!(n.op(), "Enter" | "RefEnter")
            && n.attrs.get("is_constant") == Some(&Attr::Bool(true))
    }

    /// Drops the control inputs that come from outside the loop around `id` and returns them.
    fn remove_external_controls(&mut self, id: ContextId, node: NodeId) -> Vec<NodeId> {
        let Some(around) = self.while_context(Some(id)) else {
            return Vec::new();
        };
        let controls = self.node(node).control_inputs.clone();
        let is_external = |c: &NodeId| self.while_context(self.output_context(*c)) != Some(around);
        let external: Vec<NodeId> = controls.iter().copied().filter(is_external).collect();
        self.retain_control_inputs(node, |c| !external.contains(&c));
        external
    }

    /// The node may not be fetched, since it may be dead. In a loop there are many values of it: none may be fed.
    fn prevent_access(&mut self, node: NodeId, is_in_loop: bool) {
        self.unfetchable.insert(node);
        if is_in_loop {
            for i in 0..self.node(node).outputs.len() {
                self.unfeedable.insert(Endpoint::new(node, i));
            }
        }
    }
}
