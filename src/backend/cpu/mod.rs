//! Blocks for CPU kernels.

pub mod conv;
pub mod gemm;
pub mod map;
pub mod philox;
pub mod window;
