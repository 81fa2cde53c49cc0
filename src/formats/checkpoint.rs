//! A checkpoint of either format: whoever reads need not know which.

use std::path::Path;

use crate::error::Result;
use crate::value::{DType, PartialShape, Shape, Value};

use super::bundle::{self, Bundle, Slice};
use super::slices::SliceFiles;

/// A checkpoint, open for reading by any number of threads.
pub enum Checkpoint {
    /// `PREFIX.index` and its data files.
    Bundle(Bundle),
    /// Files of tensor slices, found by a pattern.
    Slices(SliceFiles),
}

impl Checkpoint {
    /// Opens the bundle with this prefix, or else the V1 files that match it as a pattern.
    pub fn open(prefix: &Path) -> Result<Checkpoint> {
        if bundle::exists(prefix) {
            return Bundle::open(prefix).map(Checkpoint::Bundle);
        }
        SliceFiles::open(prefix).map(Checkpoint::Slices)
    }

    /// Names, types and shapes of the tensors, in order of name.
    pub fn tensors(&self) -> Result<Vec<(Vec<u8>, DType, PartialShape)>> {
        match self {
            Checkpoint::Bundle(bundle) => bundle.tensors(),
            Checkpoint::Slices(files) => Ok(files.tensors()),
        }
    }

    pub fn has(&self, name: &[u8]) -> bool {
        match self {
            Checkpoint::Bundle(bundle) => bundle.has(name),
            Checkpoint::Slices(files) => files.has(name),
        }
    }

    /// Type and shape of a tensor; NotFound in TensorFlow's words.
    pub fn describe(&self, name: &[u8]) -> Result<(DType, Shape)> {
        match self {
            Checkpoint::Bundle(bundle) => bundle.describe(name),
            Checkpoint::Slices(files) => files.describe(name),
        }
    }

    /// A whole tensor.
    pub fn read(&self, name: &[u8]) -> Result<Value> {
        match self {
            Checkpoint::Bundle(bundle) => bundle.read(name),
            Checkpoint::Slices(files) => files.read(name),
        }
    }

    /// A part of a tensor.
    pub fn read_slice(&self, name: &[u8], slice: &Slice) -> Result<Value> {
        match self {
            Checkpoint::Bundle(bundle) => bundle.read_slice(name, slice),
            Checkpoint::Slices(files) => files.read_slice(name, slice),
        }
    }
}
