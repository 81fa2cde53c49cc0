//! A session: finds or makes the plan of a run and hands it to the executor.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Mutex, RwLock};
use rustc_hash::FxHashMap;

use crate::ensure;
use crate::error::{Error, Result};
use crate::graph::{Graph, Node, NodeId};
use crate::ops::kernel::{Cancellation, Host, Poll};
use crate::plan::{Homes, Plan, RunSpec, plan};
use crate::value::Value;

use super::executor::{self, Run};
use super::partial::PartialRun;
use super::placement::Placer;
use super::plans::Prepared;
use super::state::State;
use super::trace::Trace;

/// Makes a plan; tests bring their own ops.
pub type Planner = fn(&Graph, &RunSpec, Homes) -> Result<Plan>;

/// How one run is to go.
#[derive(Default)]
pub struct RunOptions {
    /// Ends the run with DeadlineExceeded.
    pub timeout: Option<Duration>,
    /// Asked now and then whether the program wants the run to end.
    pub poll: Option<Poll>,
    /// Notes how long each step took.
    pub trace: Option<Arc<Trace>>,
}

/// A signature that is run again and again, with its plan.
struct Callable {
    spec: RunSpec,
    plan: Mutex<Option<Arc<Prepared>>>,
}

/// The plans of at most this many signatures are kept.
const KEEP_PLANS: usize = 512;

pub struct Session {
    graph: Arc<Mutex<Graph>>,
    state: State,
    plans: Mutex<FxHashMap<RunSpec, Arc<Prepared>>>,
    callables: RwLock<Vec<Option<Arc<Callable>>>>,
    partial: Mutex<FxHashMap<u64, Arc<PartialRun>>>,
    next_partial: AtomicU64,
    is_closed: Arc<AtomicBool>,
    planner: Planner,
    /// None: nodes go where they like, as in tests.
    placer: Option<Placer>,
}

impl Session {
    pub fn new(graph: Arc<Mutex<Graph>>, host: Option<Box<dyn Host>>) -> Session {
        Session::with_planner(graph, host, plan)
    }

    pub fn with_planner(
        graph: Arc<Mutex<Graph>>,
        host: Option<Box<dyn Host>>,
        planner: Planner,
    ) -> Session {
        Session {
            graph,
            state: State::new(host),
            plans: Mutex::default(),
            callables: RwLock::default(),
            partial: Mutex::default(),
            next_partial: AtomicU64::new(0),
            is_closed: Arc::default(),
            planner,
            placer: None,
        }
    }

    /// The same session with devices to place nodes on.
    pub fn with_placer(self, placer: Placer) -> Session {
        Session {
            placer: Some(placer),
            ..self
        }
    }

    /// Places what is new in the graph, as the next run would.
    pub fn place(&self) -> Result<()> {
        match &self.placer {
            Some(placer) => placer.place(&self.graph.lock()),
            None => Ok(()),
        }
    }

    /// The GPU that a node goes to.
    pub fn gpu_of(&self, node: &Node) -> Option<u8> {
        self.placer.as_ref()?.gpu_of(&self.graph.lock(), node)
    }

    /// The names of the devices that nodes go to.
    pub fn devices_of(&self, nodes: &[NodeId]) -> Vec<String> {
        let (graph, placer) = (self.graph.lock(), self.placer.as_ref());
        let device = |id: &NodeId| {
            let node = graph.nodes().get(*id as usize)?;
            Some(placer?.device_name_of(&graph, node).to_string())
        };
        nodes
            .iter()
            .map(|id| device(id).unwrap_or_default())
            .collect()
    }

    pub fn placer(&self) -> Option<&Placer> {
        self.placer.as_ref()
    }

    pub fn state(&self) -> &State {
        &self.state
    }

    pub fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Acquire)
    }

    /// Ends the runs that are under way and drops all state. Closing twice is harmless.
    pub fn close(&self) {
        self.is_closed.store(true, Ordering::Release);
        self.plans.lock().clear();
        self.callables.write().clear();
        self.partial.lock().clear();
        self.state.clear();
        if self.placer.as_ref().is_some_and(Placer::has_gpus) {
            crate::backend::gpu::gpus()
                .iter()
                .for_each(|gpu| gpu.settle());
        }
    }

    /// The plan of a signature: found, or made.
    pub fn prepare(&self, spec: &RunSpec) -> Result<Arc<Prepared>> {
        self.check_open()?;
        let graph = self.graph.lock();
        if let Some(placer) = &self.placer {
            placer.place(&graph)?;
        }
        let found = self.plans.lock().get(spec).cloned();
        if let Some(found) = found
            && found.agrees_with(&graph)
        {
            return Ok(found);
        }
        let made = Prepared::new(self.make_plan(&graph, spec)?, graph.version());
        if is_explaining() {
            eprintln!("plan of a run:\n{}", made.plan);
        }
        let mut plans = self.plans.lock();
        if plans.len() >= KEEP_PLANS {
            plans.clear();
        }
        plans.insert(spec.clone(), made.clone());
        Ok(made)
    }

    /// A plan; a panic in a pass is an error.
    fn make_plan(&self, graph: &Graph, spec: &RunSpec) -> Result<Plan> {
        let homes = |node: &Node| self.placer.as_ref()?.gpu_of(graph, node);
        let made = catch_unwind(AssertUnwindSafe(|| (self.planner)(graph, spec, &homes)));
        made.unwrap_or_else(|panic| Err(executor::describe_panic(&*panic, None)))
    }

    /// Runs a signature once.
    pub fn run(
        &self,
        spec: &RunSpec,
        feeds: Vec<Value>,
        options: RunOptions,
    ) -> Result<Vec<Value>> {
        let prepared = self.prepare(spec)?;
        self.run_plan(&prepared, feeds, options)
    }

    pub fn run_plan(
        &self,
        prepared: &Prepared,
        feeds: Vec<Value>,
        options: RunOptions,
    ) -> Result<Vec<Value>> {
        self.check_open()?;
        let trace = options.trace.clone();
        let cancellation = self.cancellation(options);
        let mut slots = prepared.take_slots();
        let run = Run {
            trace: trace.as_deref(),
            ..self.executor_run(prepared, &cancellation)
        };
        let results = executor::run(&run, &mut slots, feeds);
        prepared.give_back(slots);
        results
    }

    pub(super) fn cancellation(&self, options: RunOptions) -> Cancellation {
        let deadline = options.timeout.map(|t| Instant::now() + t);
        Cancellation::new(self.is_closed.clone(), deadline, options.poll)
    }

    pub(super) fn executor_run<'a>(
        &'a self,
        prepared: &'a Prepared,
        cancellation: &'a Cancellation,
    ) -> Run<'a> {
        Run {
            plan: &prepared.plan,
            session: &self.state,
            cancellation,
            lasting: &prepared.lasting,
            constants: &prepared.constants,
            formulas: &prepared.formulas,
            trace: None,
        }
    }

    /// Sets up a run in parts and returns the number to go on with.
    pub fn set_up_partial(&self, spec: RunSpec) -> Result<u64> {
        let spec = RunSpec {
            is_partial: true,
            ..spec
        };
        let run = PartialRun::new(self.prepare(&spec)?, spec);
        let number = self.next_partial.fetch_add(1, Ordering::Relaxed);
        self.partial.lock().insert(number, Arc::new(run));
        Ok(number)
    }

    pub fn partial(&self, number: u64) -> Result<Arc<PartialRun>> {
        self.check_open()?;
        let found = self.partial.lock().get(&number).cloned();
        found.ok_or_else(|| Error::invalid("Must run 'setup' before performing partial runs!"))
    }

    pub fn end_partial(&self, number: u64) {
        self.partial.lock().remove(&number);
    }

    fn check_open(&self) -> Result<()> {
        ensure!(
            !self.is_closed(),
            runtime,
            "Attempted to use a closed Session."
        );
        Ok(())
    }

    // ---- callables: signatures with a number, whose look-up hashes nothing ----

    /// A number for the signature; its plan is made now and again only when the graph changes under it.
    pub fn make_callable(&self, spec: RunSpec) -> Result<usize> {
        let prepared = self.prepare(&spec)?;
        let callable = Arc::new(Callable {
            spec,
            plan: Mutex::new(Some(prepared)),
        });
        let mut callables = self.callables.write();
        let free = callables.iter().position(Option::is_none);
        let number = free.unwrap_or(callables.len());
        if number == callables.len() {
            callables.push(None);
        }
        callables[number] = Some(callable);
        Ok(number)
    }

    pub fn release_callable(&self, number: usize) {
        if let Some(callable) = self.callables.write().get_mut(number) {
            *callable = None;
        }
    }

    /// The plan of a callable, which is made again when the graph changed.
    pub fn callable(&self, number: usize) -> Result<Arc<Prepared>> {
        self.check_open()?;
        let callable = self.callables.read().get(number).cloned().flatten();
        let callable = callable
            .ok_or_else(|| Error::invalid(format!("There is no callable of number {number}")))?;
        let kept = callable.plan.lock().clone();
        if let Some(plan) = kept
            && plan.agrees_with(&self.graph.lock())
        {
            return Ok(plan);
        }
        let plan = self.prepare(&callable.spec)?;
        *callable.plan.lock() = Some(plan.clone());
        Ok(plan)
    }

    /// The plan of a signature as text.
    pub fn explain(&self, spec: &RunSpec) -> Result<String> {
        Ok(self.prepare(spec)?.plan.to_string())
    }
}

/// At most so many threads compute at once. As in TensorFlow the first session of a process decides: the threads are
/// everybody's, and they are started once.
pub fn limit_threads(threads: usize) {
    static LIMIT: std::sync::Once = std::sync::Once::new();
    LIMIT.call_once(|| crate::backend::cpu::threads::limit(threads));
}

/// Whether `FERROFLOW_EXPLAIN` asks for each plan when it is made.
fn is_explaining() -> bool {
    std::env::var_os("FERROFLOW_EXPLAIN").is_some_and(|value| value != "0" && !value.is_empty())
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
