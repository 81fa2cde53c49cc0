//! Which values a new node may take: not those of a loop that it stands outside of.

use crate::bail;
use crate::error::Result;

use super::context::{ContextId, ContextKind};
use super::{Graph, NodeId};

impl Graph {
    /// Fails when an input of the new node, made in `context`, belongs to a loop that the node is not part of.
    pub(super) fn check_contexts_of_inputs(
        &self,
        context: Option<ContextId>,
        node: NodeId,
    ) -> Result<()> {
        for input in &self.node(node).inputs {
            let of_input = self.output_context(input.node);
            if of_input.is_some()
                && of_input != context
                && !self.is_reachable(context, of_input, node)
            {
                return self.refuse_input(context, node, input.node);
            }
        }
        Ok(())
    }

    fn is_reachable(
        &self,
        context: Option<ContextId>,
        of_input: Option<ContextId>,
        node: NodeId,
    ) -> bool {
        let around_input = self.while_context(of_input);
        let Some(around) = self.while_context(context) else {
            // An Enter and a Switch are made outside and moved inside.
            let op = self.node(node).op();
            return around_input.is_none()
                || matches!(op, "Enter" | "RefEnter" | "Switch" | "RefSwitch");
        };
        let Some(of_input) = around_input else {
            return true;
        };
        if self.is_around(around_input, around) {
            return true;
        }
        // A backward loop takes values of its forward loop and of what stands around or directly in that.
        if let Some(gradient) = self.gradient_of(Some(around)) {
            let forward = self.loop_gradient(gradient).forward;
            if self.is_around(around_input, forward)
                || self.context(of_input).outer == Some(forward)
            {
                return true;
            }
        }
        // Gradients of gradients: they fail later, unless something stops them.
        let forward_of = |loop_: ContextId| {
            let gradient = self.gradient_of(Some(loop_))?;
            Some(self.loop_gradient(gradient).forward)
        };
        let first = forward_of(of_input);
        first == Some(around) || first.and_then(forward_of) == Some(around)
    }

    /// Whether `outer` is `inner` or a context around it.
    fn is_around(&self, outer: Option<ContextId>, inner: ContextId) -> bool {
        let mut at = Some(inner);
        while at != outer {
            match at {
                Some(context) => at = self.context(context).outer,
                None => return false,
            }
        }
        true
    }

    fn refuse_input(&self, context: Option<ContextId>, node: NodeId, input: NodeId) -> Result<()> {
        let (name, input) = (&self.node(node).name, &self.node(input).name);
        let is_while = |c: &ContextId| matches!(self.context(*c).kind, ContextKind::While(_));
        if self.while_context(context).filter(is_while).is_some() {
            bail!(
                value,
                "Cannot use '{input}' as input to '{name}' because they are in different while loops. See info log for more details."
            );
        }
        bail!(
            value,
            "Cannot use '{input}' as input to '{name}' because '{input}' is in a while loop. See info log for more details."
        );
    }
}
