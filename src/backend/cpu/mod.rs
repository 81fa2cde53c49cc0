//! Blocks for CPU kernels.

pub mod gemm;
pub mod map;
pub mod philox;
