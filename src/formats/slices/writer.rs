//! Writes V1 checkpoints byte for byte as TensorFlow 1.15 does.

use std::collections::BTreeMap;
use std::path::Path;

use crate::error::{Error, Result};
use crate::formats::bundle::Slice;
use crate::formats::io::{TempFile, directory_of, sync_directory};
use crate::formats::proto::{
    Message, SavedSlice, SavedSliceMeta, SavedTensorSliceMeta, SavedTensorSlices, VersionDef,
};
use crate::formats::table::TableWriter;
use crate::formats::tensor_proto::{encode_shape, encode_values};
use crate::value::{DType, PartialShape, Shape, Value};
use crate::{bail, ensure};

use super::{META_KEY, VERSION};

/// What a message may take; TensorFlow's own limit.
const MAX_MESSAGE_BYTES: usize = 1 << 31;

/// A checkpoint in the making: nothing bears its name before `finish`.
pub struct SliceWriter {
    file: TempFile,
    /// The tensors in the order in which they came, each with its parts.
    tensors: Vec<(SavedSliceMeta, Vec<Slice>)>,
    data: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl SliceWriter {
    /// A checkpoint that will be the file `path`.
    pub fn create(path: &Path) -> Result<SliceWriter> {
        Ok(SliceWriter {
            file: TempFile::create(path)?,
            tensors: Vec::new(),
            data: BTreeMap::new(),
        })
    }

    /// Takes the part `slice` of the tensor `name`, whose whole has the shape `whole`.
    pub fn add(&mut self, name: &[u8], whole: &Shape, slice: &Slice, value: &Value) -> Result<()> {
        let dtype = value.dtype();
        if matches!(dtype, DType::BF16 | DType::U32 | DType::U64) {
            bail!(
                unimplemented,
                "Saving data type {} not yet supported",
                dtype.name()
            );
        }
        let text = String::from_utf8(name.to_vec())
            .map_err(|_| Error::invalid("A V1 checkpoint holds tensor names in UTF-8 only"))?;
        self.register(&text, dtype, whole, slice)?;
        let bound = value
            .num_elements()
            .saturating_mul(dtype.size().unwrap_or(1));
        ensure!(
            bound < MAX_MESSAGE_BYTES,
            invalid,
            "Tensor slice is too large to serialize (conservative estimate: {bound} bytes)"
        );
        let message = SavedTensorSlices {
            data: Some(SavedSlice {
                name: text,
                slice: Some(slice.to_proto()),
                data: Some(encode_values(value)?),
            }),
            ..Default::default()
        };
        self.data.insert(slice.key(name), message.encode_to_vec());
        Ok(())
    }

    fn register(&mut self, name: &str, dtype: DType, whole: &Shape, slice: &Slice) -> Result<()> {
        let shape = encode_shape(&PartialShape::from(whole));
        let Some((known, slices)) = self.tensors.iter_mut().find(|(t, _)| t.name == name) else {
            let meta = SavedSliceMeta {
                name: name.to_owned(),
                shape: Some(shape),
                r#type: dtype.number(),
                slice: vec![slice.to_proto()],
            };
            self.tensors.push((meta, vec![slice.clone()]));
            return Ok(());
        };
        ensure!(
            known.shape.as_ref() == Some(&shape),
            internal,
            "Mismatching shapes: trying to add name {name}, shape = {whole}"
        );
        ensure!(
            known.r#type == dtype.number(),
            internal,
            "Mismatching types: existing type = {}, trying to add name {name}, type = {}",
            DType::from_number(known.r#type).map_or("unknown", |t| t.short_name()),
            dtype.short_name()
        );
        if slices.contains(slice) {
            return Ok(());
        }
        for other in slices.iter() {
            ensure!(
                !slice.overlaps(other, whole)?,
                internal,
                "Overlapping slices: existing slice = {other}, new slice = {slice}"
            );
        }
        known.slice.push(slice.to_proto());
        slices.push(slice.clone());
        Ok(())
    }

    /// Makes the checkpoint durable and gives it its name.
    pub fn finish(mut self, path: &Path) -> Result<()> {
        let meta = SavedTensorSlices {
            meta: Some(SavedTensorSliceMeta {
                tensor: self.tensors.into_iter().map(|(meta, _)| meta).collect(),
                versions: Some(VersionDef {
                    producer: VERSION,
                    ..Default::default()
                }),
            }),
            ..Default::default()
        };
        let mut table = TableWriter::new();
        table.add(META_KEY, &meta.encode_to_vec())?;
        for (key, message) in &self.data {
            table.add(key, message)?;
        }
        self.file.write(&table.finish()?)?;
        self.file.sync()?;
        self.file.rename()?;
        sync_directory(directory_of(path))
    }
}
