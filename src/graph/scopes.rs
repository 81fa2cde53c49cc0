//! The scopes in force while nodes are made: names, control inputs, devices, colocation, gradient names.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;

use crate::bail;
use crate::error::Result;

use super::attr::{Attr, List};
use super::context::ContextId;
use super::{Endpoint, Graph, NodeId, merge_device};

/// One `tf.device` block.
#[derive(Clone, Debug, PartialEq)]
pub enum DeviceScope {
    /// Covers the outer ones part by part.
    Spec(String),
    /// `tf.device(None)`: the outer ones do not count.
    Clear,
    /// A Python function; Python applies it after the node is made.
    Function(usize),
}

/// One `tf.control_dependencies` block.
struct Controls {
    nodes: Vec<NodeId>,
    /// Nodes made inside: their successors inside wait through them.
    seen: FxHashSet<NodeId>,
    /// `control_dependencies(None)`: blocks further out do not count.
    is_new_stack: bool,
    outer_context: Option<ContextId>,
}

#[derive(Default)]
pub struct Scopes {
    /// The name scope: `a/b`, without a slash at the end.
    pub name: String,
    controls: Vec<Controls>,
    devices: Vec<DeviceScope>,
    colocations: Vec<NodeId>,
    /// What each `colocate_with` block hides: devices and the colocations before it.
    colocation_frames: Vec<(Vec<DeviceScope>, Vec<NodeId>)>,
    gradient_overrides: Vec<FxHashMap<String, String>>,
    attr_scopes: Vec<Vec<(String, Option<Attr>)>>,
    pub context: Option<ContextId>,
    /// Nodes made under a device function, for Python to place.
    pub undeviced: Vec<NodeId>,
    /// `Graph.container`: given to stateful nodes.
    pub container: String,
}

impl Graph {
    /// A name that no node and no scope has, below the current scope. Names differ in more than case.
    pub fn unique_name(&mut self, name: &str, mark_as_used: bool) -> String {
        let full = if self.scopes.name.is_empty() {
            name.to_string()
        } else {
            format!("{}/{name}", self.scopes.name)
        };
        let key = full.to_lowercase();
        let Some(&taken) = self.names_in_use.get(&key) else {
            if mark_as_used {
                self.names_in_use.insert(key, 1);
            }
            return full;
        };
        let mut i = taken;
        let mut candidate = format!("{key}_{i}");
        while self.names_in_use.contains_key(&candidate) {
            i += 1;
            candidate = format!("{key}_{i}");
        }
        if mark_as_used {
            self.names_in_use.insert(key, i + 1);
            self.names_in_use.insert(candidate, 1);
        }
        format!("{full}_{i}")
    }

    /// Says that `name` is taken, as it stands (imported nodes).
    pub fn mark_name(&mut self, name: &str) {
        self.names_in_use.entry(name.to_lowercase()).or_insert(1);
    }

    pub fn is_name_in_use(&self, name: &str) -> bool {
        self.names_in_use.contains_key(&name.to_lowercase())
    }

    /// Enters the scope `name` (made unique; a trailing slash means exactly that scope) and returns the outer one.
    pub fn enter_scope(&mut self, name: &str) -> String {
        let scope = match name.strip_suffix('/') {
            Some(exact) => exact.to_string(),
            None if name.is_empty() => String::new(),
            None => self.unique_name(name, true),
        };
        std::mem::replace(&mut self.scopes.name, scope)
    }

    /// Runs `body` inside the scope `name`.
    pub fn in_scope<T>(&mut self, name: &str, body: impl FnOnce(&mut Graph) -> T) -> T {
        let outer = self.enter_scope(name);
        let result = body(self);
        self.scopes.name = outer;
        result
    }

    // ---- control inputs ----

    /// Opens a `control_dependencies` block. A new stack (for `None`) hides the outer blocks and leaves the context.
    pub fn push_controls(&mut self, nodes: Vec<NodeId>, is_new_stack: bool) {
        let outer_context = self.scopes.context;
        if is_new_stack {
            self.scopes.context = None;
        }
        self.scopes.controls.push(Controls {
            nodes,
            seen: FxHashSet::default(),
            is_new_stack,
            outer_context,
        });
    }

    pub fn pop_controls(&mut self) {
        if let Some(block) = self.scopes.controls.pop()
            && block.is_new_stack
        {
            self.scopes.context = block.outer_context;
        }
    }

    /// Runs `body` inside `control_dependencies(nodes)`.
    pub fn after<T>(&mut self, nodes: Vec<NodeId>, body: impl FnOnce(&mut Graph) -> T) -> T {
        self.push_controls(nodes, false);
        let result = body(self);
        self.pop_controls();
        result
    }

    fn controls_in_force(&self) -> usize {
        self.scopes
            .controls
            .iter()
            .rposition(|c| c.is_new_stack)
            .unwrap_or(0)
    }

    /// Control inputs that the blocks in force give to a node with these inputs, outermost first: a block adds
    /// nothing when an input was made inside it, since then the wait is implied.
    pub(super) fn controls_for(&self, inputs: &[Endpoint]) -> SmallVec<[NodeId; 2]> {
        let mut found: SmallVec<[NodeId; 2]> = SmallVec::new();
        for block in &self.scopes.controls[self.controls_in_force()..] {
            if inputs.iter().any(|e| block.seen.contains(&e.node)) {
                continue;
            }
            for node in &block.nodes {
                if !found.contains(node) && !inputs.iter().any(|e| e.node == *node) {
                    found.push(*node);
                }
            }
        }
        found
    }

    pub(super) fn record_seen(&mut self, node: NodeId) {
        let from = self.controls_in_force();
        for block in &mut self.scopes.controls[from..] {
            block.seen.insert(node);
        }
    }

    // ---- devices and colocation ----

    pub fn push_device(&mut self, device: DeviceScope) {
        self.scopes.devices.push(device);
    }

    pub fn pop_device(&mut self) {
        self.scopes.devices.pop();
    }

    pub fn device_stack(&self) -> &[DeviceScope] {
        &self.scopes.devices
    }

    /// Opens a `colocate_with` block. It hides the devices outside, since being colocated is the stronger wish;
    /// with `ignore_existing` it hides the outer colocations too.
    pub fn push_colocation(&mut self, node: Option<NodeId>, ignore_existing: bool) {
        let devices = std::mem::take(&mut self.scopes.devices);
        let outer = self.scopes.colocations.clone();
        if ignore_existing {
            self.scopes.colocations.clear();
        }
        self.scopes.colocations.extend(node);
        self.scopes.colocation_frames.push((devices, outer));
    }

    pub fn pop_colocation(&mut self) {
        if let Some((devices, outer)) = self.scopes.colocation_frames.pop() {
            self.scopes.devices = devices;
            self.scopes.colocations = outer;
        }
    }

    /// Runs `body` with its nodes colocated with `node`.
    pub fn colocated_with<T>(&mut self, node: NodeId, body: impl FnOnce(&mut Graph) -> T) -> T {
        self.push_colocation(Some(node), false);
        let result = body(self);
        self.pop_colocation();
        result
    }

    /// Places a new node: devices inside out, then what it is colocated with.
    pub(super) fn apply_placement(&mut self, id: NodeId) -> Result<()> {
        let mut device = self.node(id).device.to_string();
        let mut needs_python = false;
        for scope in self.scopes.devices.iter().rev() {
            match scope {
                DeviceScope::Clear => break,
                DeviceScope::Spec(spec) => device = merge_device(spec, &device)?,
                DeviceScope::Function(_) => {
                    needs_python = true;
                    break;
                }
            }
        }
        if needs_python {
            self.scopes.undeviced.push(id);
        }
        let stack: Vec<NodeId> = self.scopes.colocations.iter().rev().copied().collect();
        if !stack.is_empty() {
            let mut groups: Vec<Vec<u8>> = Vec::new();
            for other in stack {
                groups.extend(self.colocation_groups(other));
                let theirs = &self.node(other).device;
                if !theirs.is_empty() {
                    device = theirs.to_string();
                }
            }
            groups.sort();
            groups.dedup();
            self.set_attr(id, "_class", Attr::List(List::Bytes(groups)));
        }
        if device != *self.node(id).device {
            self.set_device(id, &device)?;
        }
        Ok(())
    }

    /// Places an imported node that is not colocated: its own device below the devices in force.
    pub fn place_imported(&mut self, id: NodeId) -> Result<()> {
        let colocations = std::mem::take(&mut self.scopes.colocations);
        let placed = self.apply_placement(id);
        self.scopes.colocations = colocations;
        placed
    }

    /// The `loc:@…` entries of a node: its own name when it has no `_class`.
    pub fn colocation_groups(&self, id: NodeId) -> Vec<Vec<u8>> {
        let node = self.node(id);
        let own = || vec![[b"loc:@", node.name.as_bytes()].concat()];
        match node.attrs.get("_class") {
            Some(Attr::List(List::Bytes(all))) => {
                let groups: Vec<Vec<u8>> = all
                    .iter()
                    .filter(|c| c.starts_with(b"loc:@"))
                    .cloned()
                    .collect();
                if groups.is_empty() { own() } else { groups }
            }
            _ => own(),
        }
    }

    // ---- attributes by scope ----

    pub fn push_gradient_override(&mut self, map: FxHashMap<String, String>) {
        self.scopes.gradient_overrides.push(map);
    }

    pub fn pop_gradient_override(&mut self) {
        self.scopes.gradient_overrides.pop();
    }

    pub fn push_attr_scope(&mut self, attrs: Vec<(String, Option<Attr>)>) {
        self.scopes.attr_scopes.push(attrs);
    }

    pub fn pop_attr_scope(&mut self) {
        self.scopes.attr_scopes.pop();
    }

    pub(super) fn apply_attr_scopes(&mut self, id: NodeId) {
        let mut set: Vec<(String, Attr)> = Vec::new();
        for (name, value) in self.scopes.attr_scopes.iter().rev().flatten() {
            if self.node(id).attrs.get(name).is_none()
                && !set.iter().any(|(n, _)| n == name)
                && let Some(value) = value
            {
                set.push((name.clone(), value.clone()));
            }
        }
        let op = self.node(id).op();
        if let Some(gradient) = self
            .scopes
            .gradient_overrides
            .iter()
            .rev()
            .find_map(|m| m.get(op))
        {
            set.push((
                "_gradient_op_type".into(),
                Attr::Bytes(gradient.clone().into_bytes()),
            ));
        }
        for (name, value) in set {
            self.set_attr(id, &name, value);
        }
    }

    /// Checks a name that is given exactly: letters, digits, `.`, `_`, `-`, `/`, `>` and `\`.
    pub fn check_name(&self, name: &str) -> Result<()> {
        let first_ok = |c: char| c.is_ascii_alphanumeric() || c == '.';
        let rest_ok = |c: char| c.is_ascii_alphanumeric() || "_.\\-/>".contains(c);
        let mut chars = name.chars();
        let ok = chars
            .next()
            .is_some_and(|c| first_ok(c) || (!self.scopes.name.is_empty() && rest_ok(c)));
        if !ok || !chars.all(rest_ok) {
            bail!(value, "'{name}' is not a valid node name");
        }
        Ok(())
    }

    pub(crate) fn empty_device(&mut self) -> Arc<str> {
        self.intern_device("")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph() -> Graph {
        Graph::new(|_| None, |_, _| None)
    }

    #[test]
    fn names_are_made_unique_as_tensorflow_does() {
        let mut g = graph();
        let names: Vec<String> = ["a", "a", "A", "a_1", "a"]
            .iter()
            .map(|n| g.unique_name(n, true))
            .collect();
        assert_eq!(names, ["a", "a_1", "A_2", "a_1_1", "a_3"]);
    }

    #[test]
    fn a_scope_opened_twice_gets_a_number_and_a_slash_reopens_it() {
        let mut g = graph();
        let inner = g.in_scope("x", |g| g.unique_name("c", true));
        let again = g.in_scope("x", |g| g.unique_name("c", true));
        let same = g.in_scope("x/", |g| g.unique_name("c", true));
        assert_eq!([inner, again, same], ["x/c", "x_1/c", "x/c_1"]);
    }
}
