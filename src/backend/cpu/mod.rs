//! Blocks for CPU kernels.

pub mod gemm;
