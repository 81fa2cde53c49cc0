//! Biases and normalization.

pub mod batch;
pub mod bias;
mod gpu;
pub mod response;
