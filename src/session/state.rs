//! What a session keeps between runs, as kernels see it.

use std::any::Any;
use std::sync::Arc;

use parking_lot::Mutex;
use rustc_hash::FxHashMap;

use crate::error::Result;
use crate::graph::NodeId;
use crate::ops::kernel::{Host, SessionState};
use crate::ops::resource::Resources;

/// Resources by name and the states of nodes: generators, counters, tables.
#[derive(Default)]
pub struct State {
    resources: Arc<Resources>,
    nodes: Mutex<FxHashMap<NodeId, Arc<dyn Any + Send + Sync>>>,
    host: Option<Box<dyn Host>>,
}

impl State {
    pub fn new(host: Option<Box<dyn Host>>) -> State {
        State {
            host,
            ..Default::default()
        }
    }

    /// Drops all that the session holds.
    pub fn clear(&self) {
        self.resources.clear();
        self.nodes.lock().clear();
    }
}

impl SessionState for State {
    fn resources(&self) -> &Resources {
        &self.resources
    }

    fn node_state(
        &self,
        node: NodeId,
        init: &mut dyn FnMut() -> Result<Arc<dyn Any + Send + Sync>>,
    ) -> Result<Arc<dyn Any + Send + Sync>> {
        let mut nodes = self.nodes.lock();
        if let Some(found) = nodes.get(&node) {
            return Ok(found.clone());
        }
        let made = init()?;
        nodes.insert(node, made.clone());
        Ok(made)
    }

    fn host(&self) -> Option<&dyn Host> {
        self.host.as_deref()
    }
}
