//! One `tf.Session`: variables and other state that outlive a run, plans by signature, and the executor of a run.

mod ended;
mod executor;
mod gpu_groups;
mod groups;
mod on_gpu;
mod partial;
mod placement;
mod plans;
#[allow(clippy::module_inception)]
mod session;
mod state;
mod trace;

pub use partial::PartialRun;
pub use placement::{Device, Placer, local_devices};
pub use plans::Prepared;
pub use session::{RunOptions, Session, limit_threads};
pub use state::State;
pub use trace::Trace;
