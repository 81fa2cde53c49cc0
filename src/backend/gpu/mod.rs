//! Blocks for GPU kernels: what a device does for them, and the shaders that they launch.
//!
//! Kernels see a [`Gpu`] and know nothing of the driver behind it, which is there when the crate is built with the
//! feature `gpu`.

mod devices;
#[cfg(feature = "gpu")]
mod driver;
mod files;
pub mod gemm;
mod launch;
pub mod map;
pub mod source;

use crate::error::Result;
use crate::value::{Buffer, DType, DeviceBuffer, Shape, Value, bytes_for};

pub use devices::{Found, Wish, found, gpus, is_built_in, wish};
#[cfg(all(test, feature = "gpu"))]
pub use driver::for_tests;
#[cfg(feature = "noop")]
pub use driver::noop;
pub use files::FILES;
pub use launch::{Check, Launch, Member, Shader, Text, groups_for, groups_of};

/// What a GPU allows.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Storage buffers of one shader.
    pub bindings: usize,
    /// Bytes of one buffer.
    pub buffer_bytes: usize,
    pub workgroup_bytes: usize,
    /// Invocations of one workgroup.
    pub invocations: u32,
}

/// What a GPU has done since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub dispatches: u64,
    pub submissions: u64,
    /// How often the host waited for the GPU.
    pub waits: u64,
    pub bytes_up: u64,
    pub bytes_down: u64,
    /// Bytes of its memory that are held now, waiting blocks included.
    pub bytes_held: u64,
}

/// A GPU. Work is done in the order in which it is given, by whichever thread.
pub trait Gpu: Send + Sync {
    /// Its number: `/device:GPU:1` has 1.
    fn index(&self) -> usize;

    /// What a user knows it by: name, kind, driver.
    fn description(&self) -> String;

    /// Bytes that TensorFlow programs are told it has.
    fn memory_bytes(&self) -> i64;

    fn limits(&self) -> &Limits;

    fn counts(&self) -> Counts;

    /// Memory for a result; the contents are whatever was there.
    fn allocate(&self, len: usize) -> Result<DeviceBuffer>;

    /// A copy of bytes of the host.
    fn upload(&self, bytes: &[u8]) -> Result<DeviceBuffer>;

    /// A copy in fresh memory.
    fn copy(&self, from: &DeviceBuffer) -> Result<DeviceBuffer>;

    /// Puts one dispatch behind all before.
    fn launch(&self, launch: Launch) -> Result<()>;

    /// Puts a step behind all before that touches its buffers; it may wait for others of its kind, so that all are one
    /// dispatch. What comes after it finds it done.
    fn launch_with_others(&self, member: Member) -> Result<()>;

    /// Reads buffers back in one go. What a check found is the error.
    fn download(&self, all: &[&DeviceBuffer]) -> Result<Vec<Buffer>>;

    /// Keeps for later processes what was compiled in this one.
    fn settle(&self);

    /// Hands over what was launched. Waits only where a check has to be looked at.
    fn finish(&self) -> Result<()>;
}

/// Memory for a value on the device; the contents are whatever was there.
pub fn allocate(gpu: &dyn Gpu, dtype: DType, shape: Shape) -> Result<Value> {
    let buffer = gpu.allocate(bytes_for(dtype, &shape)?)?;
    Value::on_device(dtype, shape, buffer)
}
