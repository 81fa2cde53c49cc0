//! ferroflow's core: TensorFlow 1 graphs, planned and run.
//!
//! Data flows one way. Python builds a [`graph`] through [`ops`] (what each op is: signature, shapes, gradient,
//! kernels); [`autodiff`] appends gradient nodes as TensorFlow does; `plan` turns (graph, fetches, feeds) into
//! ordered steps; `session` runs them on a `backend`. `formats` stands beside: bytes in, bytes out.

pub mod autodiff;
pub mod backend;
pub mod error;
pub mod expr;
pub mod formats;
pub mod graph;
pub mod ops;
pub mod plan;
#[cfg(feature = "python")]
pub mod python;
pub mod session;
pub mod value;
