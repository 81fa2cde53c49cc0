//! The driver behind [`Gpu`](super::Gpu): wgpu, on Vulkan, Metal and DirectX 12.
//!
//! One stream per device takes the work of all threads in order. A block of memory that is dropped while work on it is
//! still to be done may be used again at once: whatever uses it next comes later in the stream.

mod adapters;
mod cache;
mod checks;
mod company;
mod compile;
mod device;
mod feeds;
mod memory;
mod pipelines;
mod staging;
mod stream;
#[cfg(test)]
mod tests;

#[cfg(test)]
pub use adapters::for_tests;
#[cfg(feature = "noop")]
pub use adapters::noop;
pub use adapters::{found, gpus};
