//! Arithmetic, elementwise.

pub(super) mod binary;
pub(super) mod broadcast;
pub(super) mod unary;
