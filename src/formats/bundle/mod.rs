//! Checkpoints in the V2 format, "tensor bundles": an index (`PREFIX.index`, a table of where each tensor lies) and the
//! tensors' bytes (`PREFIX.data-00000-of-00001`, or several such).
//!
//! What a writer has reported as saved is on disk: both files are whole and durable before either takes its name.

#[cfg(test)]
mod faults;
mod merge;
mod reader;
mod recover;
mod slice;
#[cfg(test)]
mod tests;
mod writer;

use std::path::{Path, PathBuf};

pub use merge::merge;
pub use reader::Bundle;
pub use slice::{ShapeAndSlice, Slice, copy_overlap};
pub use writer::BundleWriter;

use super::io::with_suffix;

/// The version of the format that we write, and the highest that we read.
const VERSION: i32 = 1;

/// The key of the header; every tensor's name is greater.
const HEADER_KEY: &[u8] = b"";

pub fn index_path(prefix: &Path) -> PathBuf {
    with_suffix(prefix, ".index")
}

/// Whether there is a bundle with this prefix, or one whose save died just before its index had its name.
pub fn exists(prefix: &Path) -> bool {
    index_path(prefix).exists() || !recover::unfinished_indexes(prefix).is_empty()
}

pub fn data_path(prefix: &Path, shard: usize, shards: usize) -> PathBuf {
    with_suffix(prefix, &format!(".data-{shard:05}-of-{shards:05}"))
}
