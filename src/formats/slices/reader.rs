//! Reads V1 checkpoints: one file, or all files that a pattern like `NAME-?????-of-00002` finds.

use std::collections::BTreeMap;
use std::path::Path;

use crate::ensure;
use crate::error::{Code, Error, Result};
use crate::formats::bundle::{Slice, copy_overlap};
use crate::formats::glob::matching_files;
use crate::formats::io::Source;
use crate::formats::proto::{Message, SavedSliceMeta, SavedTensorSlices};
use crate::formats::table::Table;
use crate::formats::tensor_proto::{decode_shape, decode_values};
use crate::value::{DType, PartialShape, Shape, Value};

use super::{META_KEY, VERSION};

/// A checkpoint, open for reading by any number of threads.
pub struct SliceFiles {
    pattern: String,
    files: Vec<Table<Source>>,
    tensors: BTreeMap<Vec<u8>, Saved>,
}

/// A tensor and where its parts are: the slice and the number of the file.
struct Saved {
    dtype: DType,
    shape: Shape,
    parts: Vec<(Slice, usize)>,
}

impl SliceFiles {
    /// Opens all files that match `pattern`; NotFound in TensorFlow's words when there is none.
    pub fn open(pattern: &Path) -> Result<SliceFiles> {
        // A file that is there by this very name is meant, whatever its name matches as a pattern.
        let paths = match pattern.is_file() {
            true => vec![pattern.to_owned()],
            false => matching_files(pattern)?,
        };
        ensure!(
            !paths.is_empty(),
            not_found,
            "Unsuccessful TensorSliceReader constructor: Failed to find any matching files for {}",
            pattern.display()
        );
        let mut opened = SliceFiles {
            pattern: pattern.display().to_string(),
            files: Vec::new(),
            tensors: BTreeMap::new(),
        };
        for path in paths {
            let table = Source::open(&path).and_then(Table::open);
            let table = table.map_err(|e| cannot_open(&path, &e))?;
            opened.list(&table, &path)?;
            opened.files.push(table);
        }
        Ok(opened)
    }

    /// Notes what a file holds.
    fn list(&mut self, table: &Table<Source>, path: &Path) -> Result<()> {
        let shown = path.display();
        let bad = || {
            Error::data_loss(format!(
                "Failed to find the saved tensor slices at the beginning of the checkpoint file: {shown}"
            ))
        };
        let mut rows = table.entries();
        let first = rows.advance().map_err(|_| bad())?;
        let Some((META_KEY, value)) = first else {
            return Err(bad());
        };
        let meta = SavedTensorSlices::decode(value).ok().and_then(|m| m.meta);
        let meta = meta.ok_or_else(|| {
            Error::data_loss(format!(
                "Failed to parse meta data of the checkpoint file: {shown}"
            ))
        })?;
        let oldest = meta.versions.unwrap_or_default().min_consumer;
        ensure!(
            oldest <= VERSION,
            invalid,
            "Checkpoint min consumer version {oldest} above current version {VERSION} for TensorFlow: {shown}"
        );
        let number = self.files.len();
        for tensor in &meta.tensor {
            self.add(tensor, number)?;
        }
        Ok(())
    }

    fn add(&mut self, meta: &SavedSliceMeta, file: usize) -> Result<()> {
        let name = &meta.name;
        let bad = |what| Error::data_loss(format!("Tensor {name} of a checkpoint has {what}"));
        let dtype = DType::from_number(meta.r#type).ok();
        let dtype = dtype.ok_or_else(|| bad("no type"))?;
        let shape = decode_shape(&meta.shape.clone().unwrap_or_default()).ok();
        let shape = shape.and_then(|shape| shape.to_shape());
        let shape = shape.ok_or_else(|| bad("an invalid shape"))?;
        let saved = self
            .tensors
            .entry(name.clone().into_bytes())
            .or_insert_with(|| Saved {
                dtype,
                shape: shape.clone(),
                parts: Vec::new(),
            });
        if saved.dtype != dtype || saved.shape != shape {
            return Err(bad("parts of several types or shapes"));
        }
        for proto in &meta.slice {
            let slice = Slice::from_proto(proto)?;
            slice
                .shape_in(&shape)
                .map_err(|_| bad("a part beyond its shape"))?;
            saved.parts.push((slice, file));
        }
        Ok(())
    }

    /// Names, types and shapes of the tensors, in order of name.
    pub fn tensors(&self) -> Vec<(Vec<u8>, DType, PartialShape)> {
        let row = |(name, saved): (&Vec<u8>, &Saved)| {
            (name.clone(), saved.dtype, PartialShape::from(&saved.shape))
        };
        self.tensors.iter().map(row).collect()
    }

    pub fn has(&self, name: &[u8]) -> bool {
        self.tensors.contains_key(name)
    }

    /// Type and shape of a tensor; NotFound in TensorFlow's words.
    pub fn describe(&self, name: &[u8]) -> Result<(DType, Shape)> {
        let saved = self.saved(name)?;
        Ok((saved.dtype, saved.shape.clone()))
    }

    fn saved(&self, name: &[u8]) -> Result<&Saved> {
        self.tensors.get(name).ok_or_else(|| {
            Error::not_found(format!(
                "Tensor name \"{}\" not found in checkpoint files {}",
                String::from_utf8_lossy(name),
                self.pattern
            ))
        })
    }

    /// A whole tensor.
    pub fn read(&self, name: &[u8]) -> Result<Value> {
        let rank = self.saved(name)?.shape.rank();
        self.read_slice(name, &Slice::full(rank))
    }

    /// A part of a tensor, from wherever its elements lie.
    pub fn read_slice(&self, name: &[u8], wanted: &Slice) -> Result<Value> {
        let saved = self.saved(name)?;
        let shape = wanted.shape_in(&saved.shape)?;
        let mut parts = Vec::new();
        let mut elements = 0usize;
        for (slice, file) in &saved.parts {
            if !slice.overlaps(wanted, &saved.shape)? {
                continue;
            }
            let part = self.read_part(name, saved, slice, *file)?;
            elements = elements.saturating_add(part.num_elements());
            if slice == wanted {
                return Ok(part);
            }
            parts.push((slice, part));
        }
        let lacks = || {
            Error::data_loss(format!(
                "The checkpoint lacks a part of tensor {}",
                String::from_utf8_lossy(name)
            ))
        };
        // Memory for the whole is asked for only when the parts read so far can fill it.
        if elements < shape.num_elements() {
            return Err(lacks());
        }
        let mut out = Value::zeros(saved.dtype, shape.clone())?;
        let mut found = 0;
        for (slice, part) in parts {
            found += copy_overlap(&saved.shape, (slice, &part), (wanted, &mut out))?;
        }
        if found < shape.num_elements() {
            return Err(lacks());
        }
        Ok(out)
    }

    fn read_part(&self, name: &[u8], saved: &Saved, slice: &Slice, file: usize) -> Result<Value> {
        let shown = String::from_utf8_lossy(name);
        let data = self.files[file].get(&slice.key(name))?;
        let data = data.ok_or_else(|| {
            Error::data_loss(format!(
                "The checkpoint lists a part {slice} of tensor {shown} but has none"
            ))
        })?;
        let message = SavedTensorSlices::decode(data.as_slice()).ok();
        let proto = message.and_then(|m| m.data).and_then(|d| d.data);
        let proto = proto.ok_or_else(|| {
            Error::data_loss(format!(
                "Unable to parse the part {slice} of tensor {shown} in the checkpoint"
            ))
        })?;
        decode_values(&proto, saved.dtype, slice.shape_in(&saved.shape)?)
    }
}

/// TensorFlow's words for a file that is no table.
fn cannot_open(path: &Path, error: &Error) -> Error {
    match error.code {
        Code::DataLoss => Error::data_loss(format!(
            "Unable to open table file {}: Data loss: {}: perhaps your file is in a different file format and you need to \
             use a different restore operator?",
            path.display(),
            error.message
        )),
        _ => error.clone(),
    }
}
