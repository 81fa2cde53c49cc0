//! What a plan is made of: steps with operands in numbered slots. Derived from a draft, read by the executor.

use std::sync::Arc;

use smallvec::SmallVec;

use crate::backend::cpu::map::Compiled;
use crate::expr::Program;
use crate::graph::{Endpoint, Node, NodeId};
use crate::ops::gpu::GpuKernel;
use crate::ops::kernel::Kernel;
use crate::ops::map::Map;
use crate::value::{DType, Value};

/// A slot that nothing reads.
pub const NO_SLOT: u32 = u32::MAX;

/// Where an operand lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Slot(u32),
    /// A value of the plan's own.
    Constant(u32),
}

/// Where a step runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Site {
    /// On the host; what lies on a device is read back.
    Host,
    /// Wherever its first input lies: no data moves.
    Anywhere,
    /// On the GPU of this number; what lies on the host is sent there.
    Gpu(u8),
}

/// A kernel on a GPU.
#[derive(Clone, Copy)]
pub struct Launch {
    pub kernel: GpuKernel,
    /// Inputs that it reads on the host, one bit each.
    pub host_inputs: u32,
    /// Whether a formula may follow its output 0.
    pub ends: bool,
}

/// An input of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operand {
    pub place: Place,
    /// Nobody reads the slot afterwards: its value is moved out, and its memory may hold the result.
    pub is_last: bool,
    /// The step takes a reference; elsewhere a reference is read when the step runs.
    pub wants_ref: bool,
}

/// How a step runs.
pub enum Action {
    /// Calls the op's kernel.
    Kernel(Kernel),
    /// Computes each element by a formula.
    Map(Map),
    /// Hands its input on; a reference becomes what it refers to.
    Forward,
    /// A placeholder that was not fed: an error.
    Unfed,
    /// Nothing: a NoOp.
    Nothing,
    /// A known value, which is there only when the step is alive.
    Constant(u32),
    /// Input 0 goes to the output that the predicate, input 1, says.
    Switch,
    /// The first input that is alive, and its place.
    Merge,
    /// The values that enter a loop are its first `entering` inputs; the others come from the iteration before.
    LoopMerge { entering: usize },
    /// Gives a value for the next iteration.
    NextIteration,
    /// Hands a value out of the loop. Dead in every iteration but the last.
    Exit,
    /// Runs a loop.
    Loop(Box<Loop>),
    /// Computes several elementwise steps in one pass.
    Group(Box<Group>),
    /// Runs a kernel on a GPU that ends in a formula.
    Ended(Box<Ended>),
}

/// Elementwise steps as one program. Its inputs are the step's operands.
pub struct Group {
    /// The steps as they were: how shapes are compared, and what runs where they do not go together.
    pub members: Vec<Member>,
    pub program: Compiled,
    /// What becomes of each output of the program.
    pub ends: Vec<End>,
    /// For each operand the last member that reads it.
    pub last_reads: SmallVec<[u16; 6]>,
}

/// A kernel and the formula that follows its output. Its inputs are those of the kernel, then those of `then` but for
/// the kernel's output.
pub struct Ended {
    pub kernel: Step,
    /// A formula or a group, which reads the kernel's output at operand `place` alone.
    pub then: Step,
    pub place: usize,
    /// What `then` computes; where others read the kernel's output too, that is the last of its outputs. The kernel's
    /// other outputs stand behind those of the program.
    pub program: Program,
    pub keeps_output: bool,
}

/// What becomes of a result of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Value {
        slot: u32,
    },
    /// It is what the variable at operand `input` holds from now on, as `member` says.
    Update {
        slot: u32,
        input: usize,
        member: u16,
    },
    /// Only the sum of the elements is kept, or their mean.
    Sum {
        slot: u32,
        is_mean: bool,
    },
}

/// A step of a group.
pub struct Member {
    pub step: Step,
    /// What each operand's shape must be; empty where operands broadcast.
    pub needs: SmallVec<[Need; 3]>,
    pub sources: SmallVec<[Source; 3]>,
}

/// The shape that an operand must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// That of the group.
    Full,
    Scalar,
    /// A vector as long as the group's last axis.
    Channels,
}

/// Where a member's operand comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// An operand of the group.
    Input(u16),
    /// The result of a member before.
    Member(u16),
    /// A constant without axes.
    Scalar,
}

/// One entry of a plan.
pub struct Step {
    pub id: NodeId,
    pub node: Arc<Node>,
    pub action: Action,
    pub site: Site,
    /// So many first inputs may lie anywhere: nothing but their shapes is read, or they are handed on.
    pub kept: usize,
    /// What launches it, for kernels on a GPU.
    pub launch: Option<Launch>,
    pub inputs: SmallVec<[Operand; 4]>,
    /// A slot for each output, `NO_SLOT` where nobody reads it.
    pub outputs: SmallVec<[u32; 2]>,
    /// Whether the step has to look for dead inputs.
    pub can_die: bool,
    /// Steps of one life run or rest together; 0 is always alive.
    pub life: u32,
    /// Dead when one of these is.
    pub needs_alive: SmallVec<[u32; 1]>,
    /// Where it says whether it was alive, when others must know.
    pub says_alive: Option<u32>,
    /// It writes to variables by reference, or keeps its inputs: it must not hold locks of variables meanwhile.
    pub keeps_inputs: bool,
    /// The outputs stay the same for as long as the session's resources do.
    pub is_lasting: Option<u32>,
}

impl Step {
    /// The steps of one node each that it does together; itself, where it does no more.
    pub fn parts(&self) -> Vec<&Step> {
        match &self.action {
            Action::Group(group) => group.members.iter().map(|m| &m.step).collect(),
            Action::Ended(ended) => {
                let mut parts = vec![&ended.kernel];
                parts.extend(ended.then.parts());
                parts
            }
            _ => vec![self],
        }
    }
}

/// The body of a while loop, run until no value goes on to a next iteration.
pub struct Loop {
    pub name: String,
    pub enters: Vec<Enter>,
    pub steps: Vec<Step>,
    /// Slots with values for the next iteration.
    pub next: Vec<u32>,
    pub exits: Vec<u32>,
}

/// A value that comes into a loop.
pub struct Enter {
    pub id: NodeId,
    pub node: Arc<Node>,
    pub input: Operand,
    pub slot: u32,
    pub needs_alive: SmallVec<[u32; 1]>,
    pub says_alive: Option<u32>,
}

/// A tensor fed to a run; it lies in the slot of its number.
pub struct Feed {
    pub endpoint: Endpoint,
    pub name: String,
    pub dtype: DType,
    /// Its shape is known to have no axes.
    pub is_scalar: bool,
}

/// A tensor that a run gives back.
pub struct Fetch {
    pub place: Place,
    /// The node, for messages.
    pub name: String,
}

/// A set of feeds, one bit for each.
pub type FeedSet = SmallVec<[u64; 1]>;

/// The steps of one (graph, feeds, fetches, targets), in order.
pub struct Plan {
    pub steps: Vec<Step>,
    pub feeds: Vec<Feed>,
    pub fetches: Vec<Fetch>,
    pub constants: Vec<Value>,
    pub slots: usize,
    pub alive_bits: usize,
    /// The GPUs that steps run on.
    pub gpus: SmallVec<[u8; 1]>,
    /// Steps with lasting outputs.
    pub lasting: usize,
    /// For a run in parts: which feeds each step needs, one bit a feed. Else empty.
    pub needs: Vec<FeedSet>,
    /// The nodes as they were, to see whether the graph still says the same.
    pub nodes: Vec<(NodeId, Arc<Node>)>,
}
