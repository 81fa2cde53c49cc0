//! Blocks for CPU kernels.

pub mod channels;
pub mod conv;
pub mod gemm;
pub mod map;
pub mod philox;
pub mod pool;
pub mod scratch;
pub mod simd;
pub mod softmax;
pub mod threads;
pub mod window;
