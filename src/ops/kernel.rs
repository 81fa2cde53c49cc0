//! What kernels see: inputs with checks, attributes, the session's resources; and what they answer.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use smallvec::SmallVec;

use crate::error::{Code, Error, Result};
use crate::graph::{Attrs, Node, NodeId};
use crate::value::{DType, Shape, Value};
use crate::{bail, ensure};

use super::resource::{Resources, Variable};

/// Computes a node's outputs. It must set each of them, and check shapes and indices before it reads.
pub type Kernel = fn(&mut KernelContext) -> Result<()>;

/// What stands at an input or output in a run.
#[derive(Clone, Debug, Default)]
pub enum Slot {
    /// Nothing: not computed, taken, or dead.
    #[default]
    Empty,
    Value(Value),
    /// What was read from a reference variable: the value still lies in the variable's own memory, so whoever reads it
    /// holds the variable's lock. The executor does that; kernels see a value.
    Read(Value, Arc<Variable>),
    /// A reference to a variable, as VariableV2, Assign and their like give.
    Ref(Arc<Variable>),
}

impl Slot {
    pub fn is_empty(&self) -> bool {
        matches!(self, Slot::Empty)
    }
}

/// Calls back into the program that built the graph: `py_func`, progress, interrupts.
pub trait Host: Send + Sync {
    /// Runs the function registered as `token`.
    fn call(&self, token: &[u8], inputs: &[Value]) -> Result<Vec<Value>>;
}

/// Asks the program whether the run should end (Ctrl-C); the error says why.
pub type Poll = Box<dyn Fn() -> Result<()> + Send + Sync>;

/// Raised to end a run early: by Ctrl-C, a time limit or a closed session. Kernels that wait call `check` at least ten
/// times a second.
#[derive(Default)]
pub struct Cancellation {
    cancelled: AtomicBool,
    session_closed: Arc<AtomicBool>,
    deadline: Option<Instant>,
    poll: Option<Poll>,
    next_poll: Mutex<Option<Instant>>,
    /// Calls of `check_often`; a count that threads spoil for each other does no harm.
    looks: AtomicU32,
}

/// How often `poll` is asked.
const POLL_EVERY: Duration = Duration::from_millis(50);

impl Cancellation {
    /// For one run: it ends when `session_closed` is set, at the `deadline`, or when `poll` says so.
    pub fn new(
        session_closed: Arc<AtomicBool>,
        deadline: Option<Instant>,
        poll: Option<Poll>,
    ) -> Self {
        Cancellation {
            session_closed,
            deadline,
            poll,
            ..Default::default()
        }
    }

    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Release);
    }

    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire) || self.session_closed.load(Ordering::Acquire)
    }

    /// The error of a run that has to end.
    pub fn check(&self) -> Result<()> {
        if self.is_cancelled() {
            return Err(Error::new(
                Code::Cancelled,
                "Step was cancelled by an explicit call to `Session::Close()`.",
            ));
        }
        if self.deadline.is_some() || self.poll.is_some() {
            self.check_clock(Instant::now())?;
        }
        Ok(())
    }

    /// As `check`, for callers that come again within microseconds: the clock is read every eighth time.
    pub fn check_often(&self) -> Result<()> {
        let looks = self.looks.load(Ordering::Relaxed);
        self.looks.store(looks.wrapping_add(1), Ordering::Relaxed);
        if looks.is_multiple_of(8) || self.is_cancelled() {
            return self.check();
        }
        Ok(())
    }

    fn check_clock(&self, now: Instant) -> Result<()> {
        if self.deadline.is_some_and(|deadline| now >= deadline) {
            return Err(Error::new(
                Code::DeadlineExceeded,
                "Timed out waiting for notification",
            ));
        }
        let Some(poll) = &self.poll else {
            return Ok(());
        };
        let mut next = self.next_poll.lock();
        match *next {
            Some(at) if now < at => Ok(()),
            Some(_) => {
                *next = Some(now + POLL_EVERY);
                drop(next);
                poll()
            }
            // The first look is free: most runs end before they would ask.
            None => {
                *next = Some(now + POLL_EVERY);
                Ok(())
            }
        }
    }
}

/// What a session gives its kernels.
pub trait SessionState: Send + Sync {
    fn resources(&self) -> &Resources;

    /// The state of `node` in this session, made by `init` when first asked for: generators, counters, tables.
    fn node_state(
        &self,
        node: NodeId,
        init: &mut dyn FnMut() -> Result<Arc<dyn Any + Send + Sync>>,
    ) -> Result<Arc<dyn Any + Send + Sync>>;

    fn host(&self) -> Option<&dyn Host>;
}

/// Input `i` of `node`; an error when it is missing or a bare reference.
pub fn value_at<'s>(inputs: &'s [Slot], i: usize, node: &Node) -> Result<&'s Value> {
    match inputs.get(i) {
        Some(Slot::Value(v) | Slot::Read(v, _)) => Ok(v),
        _ => bail!(internal, "input {i} of node '{}' has no value", node.name),
    }
}

/// The variable that input `i` of `node` refers to: by reference, or by a resource handle.
pub fn variable_at(inputs: &[Slot], i: usize, node: &Node) -> Result<Arc<Variable>> {
    match inputs.get(i) {
        Some(Slot::Ref(v)) => Ok(v.clone()),
        Some(Slot::Value(v)) if v.dtype() == DType::Resource => {
            v.resource()?.clone().downcast::<Variable>().map_err(|_| {
                Error::invalid(format!(
                    "input {i} of node '{}' is a handle of something else than a variable",
                    node.name
                ))
            })
        }
        _ => bail!(internal, "input {i} of node '{}' is no variable", node.name),
    }
}

/// One node, about to run.
pub struct KernelContext<'a> {
    pub id: NodeId,
    pub node: &'a Node,
    pub session: &'a dyn SessionState,
    pub cancellation: &'a Cancellation,
    inputs: &'a mut [Slot],
    outputs: SmallVec<[Slot; 2]>,
}

impl<'a> KernelContext<'a> {
    /// `inputs` holds one slot for each data input; reference inputs of ops that want values are values already.
    pub fn new(
        id: NodeId,
        node: &'a Node,
        inputs: &'a mut [Slot],
        session: &'a dyn SessionState,
        cancellation: &'a Cancellation,
    ) -> Self {
        let outputs = (0..node.outputs.len()).map(|_| Slot::Empty).collect();
        KernelContext {
            id,
            node,
            session,
            cancellation,
            inputs,
            outputs,
        }
    }

    pub fn into_outputs(self) -> SmallVec<[Slot; 2]> {
        self.outputs
    }

    pub fn attrs(&self) -> &'a Attrs {
        &self.node.attrs
    }

    pub fn num_inputs(&self) -> usize {
        self.inputs.len()
    }

    pub fn num_outputs(&self) -> usize {
        self.outputs.len()
    }

    /// Input `i`; an error when it is missing or a bare reference.
    pub fn input(&self, i: usize) -> Result<&Value> {
        value_at(self.inputs, i, self.node)
    }

    /// Input `i`, given up by the context: when nobody else holds it, its memory may be used for the result.
    pub fn take_input(&mut self, i: usize) -> Result<Value> {
        match self.inputs.get_mut(i).map(std::mem::take) {
            Some(Slot::Value(v) | Slot::Read(v, _)) => Ok(v),
            _ => bail!(
                internal,
                "input {i} of node '{}' has no value",
                self.node.name
            ),
        }
    }

    /// Input `i`, which must be a scalar: `what` names it in the message.
    pub fn scalar_input(&self, i: usize, what: &str) -> Result<&Value> {
        let v = self.input(i)?;
        ensure!(
            v.shape().is_scalar(),
            invalid,
            "{what} must be a scalar, but got shape {}",
            v.shape()
        );
        Ok(v)
    }

    /// The elements of integer vector (or scalar) input `i`, widened.
    pub fn ints_input(&self, i: usize) -> Result<Vec<i64>> {
        self.input(i)?.ints()
    }

    /// The variable that input `i` refers to, which has a value: an error in TensorFlow's words otherwise.
    pub fn initialized_variable(&self, i: usize) -> Result<Arc<Variable>> {
        let variable = self.variable(i)?;
        let is_handle = matches!(self.inputs.get(i), Some(Slot::Value(_)));
        if is_handle && !variable.is_initialized() {
            let op = self.node.op();
            ensure!(
                !op.starts_with("ResourceApply") && !op.starts_with("ResourceSparseApply"),
                internal,
                "Invalid variable reference."
            );
            bail!(
                not_found,
                "Resource localhost/{}/N10tensorflow3VarE does not exist.",
                variable.name
            );
        }
        Ok(variable)
    }

    /// The variable that input `i` refers to: by reference, or by a resource handle.
    pub fn variable(&self, i: usize) -> Result<Arc<Variable>> {
        variable_at(self.inputs, i, self.node)
    }

    /// What the handle at input `i` refers to, which must be a `T`: `what` names it in the message.
    pub fn resource_input<T: Any + Send + Sync>(&self, i: usize, what: &str) -> Result<Arc<T>> {
        let found = self.input(i)?.resource()?.clone().downcast::<T>();
        found.map_err(|_| {
            Error::invalid(format!(
                "input {i} of node '{}' is a handle of something else than a {what}",
                self.node.name
            ))
        })
    }

    pub fn set_output(&mut self, i: usize, value: Value) {
        self.outputs[i] = Slot::Value(value);
    }

    /// Output `i` is a reference to `variable`.
    pub fn set_output_ref(&mut self, i: usize, variable: Arc<Variable>) {
        self.outputs[i] = Slot::Ref(variable);
    }

    /// A new value for output `i`, to be filled and then set.
    pub fn allocate(&self, i: usize, shape: Shape) -> Result<Value> {
        let dtype = self.node.outputs[i].dtype;
        if dtype.is_plain() {
            Value::uninit(dtype, shape)
        } else {
            Value::zeros(dtype, shape)
        }
    }

    /// This node's state in the session.
    pub fn state<T: Any + Send + Sync>(&self, init: impl FnOnce() -> Result<T>) -> Result<Arc<T>> {
        let mut init = Some(init);
        let mut make = || -> Result<Arc<dyn Any + Send + Sync>> {
            let init = init.take().expect("state is made once");
            Ok(Arc::new(init()?))
        };
        let state = self.session.node_state(self.id, &mut make)?;
        state.downcast::<T>().map_err(|_| {
            Error::internal(format!(
                "state of node '{}' has another type",
                self.node.name
            ))
        })
    }
}
