//! Where numbers are computed. Kernels here know typed, shaped memory; neither graphs nor ops.

pub mod cpu;
pub mod gpu;
