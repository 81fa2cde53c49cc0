//! Bytes in, bytes out: TensorFlow's files and messages.
//!
//! Every reader here takes bytes that anyone may have written: sizes are checked against what is there before memory
//! is asked for, and what does not add up is an error of TensorFlow's class, never a panic. Nothing here knows graphs
//! as the planner sees them, or sessions.

pub mod bitmap;
pub mod bundle;
pub mod checkpoint;
pub mod crc32c;
pub mod event;
pub mod gif;
pub mod glob;
pub mod graph_def;
pub mod histogram;
pub mod image_summary;
pub mod io;
pub mod jpeg;
pub mod png;
pub mod proto;
pub mod record;
pub mod slices;
pub mod table;
pub mod tensor_proto;
#[cfg(test)]
pub mod testing;
pub mod wav;
