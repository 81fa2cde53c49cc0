//! Checkpoints in the V1 format, "tensor slices": one table (or one for each shard) whose first entry, under the empty
//! key, lists the tensors and their parts, and whose other entries hold the elements as messages.

mod reader;
#[cfg(test)]
mod tests;
mod writer;

pub use reader::SliceFiles;
pub use writer::SliceWriter;

/// The key of the list of tensors; the keys of parts are longer.
const META_KEY: &[u8] = b"";

/// The version of the format that we write, and the highest that we read.
const VERSION: i32 = 1;
