//! Plans by signature, with what a session keeps for each: slots to use again and outputs that last.

use std::sync::Arc;

use parking_lot::{Mutex, RwLock};

use crate::backend::gpu::map::Formulas;
use crate::graph::Graph;
use crate::ops::kernel::Slot;
use crate::plan::Plan;

use super::executor::Slots;
use super::on_gpu::Constants;

/// Outputs that stay the same from run to run: variables and handles.
#[derive(Default)]
pub struct Lasting(RwLock<Vec<(u64, Slot)>>);

impl Lasting {
    pub fn for_plan(plan: &Plan) -> Lasting {
        Lasting(RwLock::new(vec![(0, Slot::Empty); plan.lasting]))
    }

    /// The output kept at `place`, when no resource was removed since.
    pub fn get(&self, place: u32, removals: u64) -> Option<Slot> {
        let kept = self.0.read();
        match kept.get(place as usize) {
            Some((then, slot)) if *then == removals && !slot.is_empty() => Some(slot.clone()),
            _ => None,
        }
    }

    pub fn put(&self, place: u32, removals: u64, slot: Slot) {
        if let Some(kept) = self.0.write().get_mut(place as usize) {
            *kept = (removals, slot);
        }
    }
}

/// At most this many sets of slots wait for the next run of a plan: one a thread that runs it.
const KEEP_SLOTS: usize = 8;

/// A plan, ready to run any number of times, by any number of threads.
pub struct Prepared {
    pub plan: Plan,
    pub lasting: Lasting,
    pub constants: Constants,
    pub formulas: Formulas,
    /// The graph's version when the plan was last known to agree with it.
    checked: Mutex<u64>,
    free: Mutex<Vec<Slots>>,
}

impl Prepared {
    pub fn new(plan: Plan, version: u64) -> Arc<Prepared> {
        Arc::new(Prepared {
            lasting: Lasting::for_plan(&plan),
            constants: Constants::default(),
            formulas: Formulas::default(),
            plan,
            checked: Mutex::new(version),
            free: Mutex::new(Vec::new()),
        })
    }

    /// Whether the graph still says what the plan was made from: it may have grown meanwhile.
    pub fn agrees_with(&self, graph: &Graph) -> bool {
        let mut checked = self.checked.lock();
        if *checked == graph.version() {
            return true;
        }
        let is_same = |(id, node): &(u32, Arc<crate::graph::Node>)| {
            graph
                .nodes()
                .get(*id as usize)
                .is_some_and(|now| Arc::ptr_eq(now, node))
        };
        let agrees = self.plan.nodes.iter().all(is_same);
        if agrees {
            *checked = graph.version();
        }
        agrees
    }

    pub fn take_slots(&self) -> Slots {
        self.free
            .lock()
            .pop()
            .unwrap_or_else(|| Slots::for_plan(&self.plan))
    }

    pub fn give_back(&self, mut slots: Slots) {
        slots.clear();
        let mut free = self.free.lock();
        if free.len() < KEEP_SLOTS {
            free.push(slots);
        }
    }
}
