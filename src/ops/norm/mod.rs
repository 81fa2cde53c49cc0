//! Biases and normalization.

pub mod batch;
pub mod bias;
pub mod response;
