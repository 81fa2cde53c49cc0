//! Which GPUs there are, as users ask for them.

use std::sync::Arc;

use super::Gpu;

/// What `FERROFLOW_GPU` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Real GPUs, if there are any.
    Real,
    /// An adapter that computes on the CPU: for tests.
    Software,
    Off,
}

/// Reads `FERROFLOW_GPU`: `off`, `software`, or unset.
pub fn wish() -> Wish {
    match std::env::var("FERROFLOW_GPU").as_deref() {
        Ok("off" | "0" | "none") => Wish::Off,
        Ok("software") => Wish::Software,
        _ => Wish::Real,
    }
}

/// An adapter of this machine.
#[derive(Clone, Debug)]
pub struct Found {
    pub name: String,
    /// `discrete`, `integrated`, `virtual`, `software` or `other`.
    pub kind: &'static str,
    /// `vulkan`, `metal` or `dx12`.
    pub interface: String,
    pub driver: String,
    /// Most bytes of one buffer.
    pub buffer_bytes: u64,
    pub workgroup_bytes: u64,
    pub bindings: usize,
    /// `/device:GPU:<number>`, when it is used.
    pub number: Option<usize>,
    /// Why it is not used.
    pub why_not: Option<String>,
}

/// The GPUs of this process, opened when first asked for; none where the crate was built without them.
#[cfg(feature = "gpu")]
pub fn gpus() -> &'static [Arc<dyn Gpu>] {
    super::driver::gpus()
}

#[cfg(not(feature = "gpu"))]
pub fn gpus() -> &'static [Arc<dyn Gpu>] {
    &[]
}

/// Every adapter, with the reason where it is not used.
#[cfg(feature = "gpu")]
pub fn found() -> &'static [Found] {
    super::driver::found()
}

#[cfg(not(feature = "gpu"))]
pub fn found() -> &'static [Found] {
    &[]
}

/// Whether this build can use GPUs at all.
pub const fn is_built_in() -> bool {
    cfg!(feature = "gpu")
}
