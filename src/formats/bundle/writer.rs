//! Writes bundles byte for byte as TensorFlow 1.15 does.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use prost::Message;
use prost::encoding::encode_varint;

use crate::ensure;
use crate::error::Result;
use crate::formats::crc32c;
use crate::formats::io::{DirectoryLock, TempFile, directory_of, make_directory, sync_directory};
use crate::formats::proto::{BundleEntryProto, BundleHeaderProto, VersionDef};
use crate::formats::table::TableWriter;
use crate::formats::tensor_proto::encode_shape;
use crate::value::{DType, PartialShape, Value};

use super::recover::remove_unfinished;
use super::{HEADER_KEY, ShapeAndSlice, VERSION, data_path, index_path};

/// A checkpoint in the making: nothing bears its name before `finish`.
pub struct BundleWriter {
    prefix: PathBuf,
    data: TempFile,
    len: u64,
    entries: BTreeMap<Vec<u8>, BundleEntryProto>,
}

impl BundleWriter {
    pub fn create(prefix: &Path) -> Result<BundleWriter> {
        make_directory(directory_of(prefix))?;
        Ok(BundleWriter {
            prefix: prefix.to_owned(),
            data: TempFile::create(&data_path(prefix, 0, 1))?,
            len: 0,
            entries: BTreeMap::new(),
        })
    }

    /// Writes a tensor's elements now; `value` is not kept.
    pub fn add(&mut self, key: &[u8], value: &Value) -> Result<()> {
        ensure!(
            key != HEADER_KEY,
            invalid,
            "A tensor cannot be saved under an empty name"
        );
        ensure!(
            !self.entries.contains_key(key),
            invalid,
            "Adding duplicate key: {}",
            String::from_utf8_lossy(key)
        );
        let offset = self.len;
        let crc = match value.dtype() {
            DType::String => self.write_strings(value.string_slice()?)?,
            _ => {
                let bytes = value.bytes()?;
                self.write(bytes)?;
                crc32c::crc32c(bytes)
            }
        };
        let entry = BundleEntryProto {
            dtype: value.dtype().number(),
            shape: Some(encode_shape(&PartialShape::from(value.shape()))),
            offset: offset as i64,
            size: (self.len - offset) as i64,
            crc32c: crc32c::mask(crc),
            ..Default::default()
        };
        self.entries.insert(key.to_vec(), entry);
        Ok(())
    }

    /// Writes a part of the tensor `name`.
    pub fn add_slice(&mut self, name: &[u8], part: &ShapeAndSlice, value: &Value) -> Result<()> {
        if part.part_shape()? == part.shape {
            return self.add(name, value);
        }
        let shape = encode_shape(&PartialShape::from(&part.shape));
        let whole = self
            .entries
            .entry(name.to_vec())
            .or_insert_with(|| BundleEntryProto {
                dtype: value.dtype().number(),
                shape: Some(shape.clone()),
                ..Default::default()
            });
        let is_same = whole.dtype == value.dtype().number() && whole.shape.as_ref() == Some(&shape);
        ensure!(
            is_same,
            invalid,
            "Parts of tensor {} differ in type or in the shape of the whole",
            String::from_utf8_lossy(name)
        );
        whole.slices.push(part.slice.to_proto());
        self.add(&part.slice.key(name), value)
    }

    /// Makes the checkpoint durable and gives both files their names.
    pub fn finish(mut self) -> Result<()> {
        let index = encode_index(&self.entries, 1)?;
        self.data.sync()?;
        let directory = directory_of(&self.prefix);
        let lock = DirectoryLock::exclusive(directory);
        let mut file = TempFile::create(&index_path(&self.prefix))?;
        file.write(&index)?;
        file.sync()?;
        self.data.rename()?;
        if let Err(e) = file.try_rename() {
            // The data has its name: without this index there is no checkpoint.
            file.keep();
            return Err(e);
        }
        if lock.is_some() {
            remove_unfinished(&self.prefix);
        }
        sync_directory(directory)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.data.write(bytes)?;
        self.len += bytes.len() as u64;
        Ok(())
    }

    /// Lengths, their checksum, then the bytes; returns the checksum of it all.
    fn write_strings(&mut self, strings: &[Vec<u8>]) -> Result<u32> {
        let mut lengths = Vec::new();
        let mut crc = 0;
        for string in strings {
            encode_varint(string.len() as u64, &mut lengths);
            crc = extend_by_length(crc, string.len() as u64);
        }
        let sum = crc32c::mask(crc).to_le_bytes();
        self.write(&lengths)?;
        self.write(&sum)?;
        crc = crc32c::extend(crc, &sum);
        for string in strings {
            self.write(string)?;
            crc = crc32c::extend(crc, string);
        }
        Ok(crc)
    }
}

/// The checksum goes over lengths as four bytes, as eight only where they must be.
pub(super) fn extend_by_length(crc: u32, len: u64) -> u32 {
    match u32::try_from(len) {
        Ok(len) => crc32c::extend(crc, &len.to_le_bytes()),
        Err(_) => crc32c::extend(crc, &len.to_le_bytes()),
    }
}

/// The index of entries over `shards` data files.
pub(super) fn encode_index(
    entries: &BTreeMap<Vec<u8>, BundleEntryProto>,
    shards: i32,
) -> Result<Vec<u8>> {
    let header = BundleHeaderProto {
        num_shards: shards,
        version: Some(VersionDef {
            producer: VERSION,
            ..Default::default()
        }),
        ..Default::default()
    };
    let mut table = TableWriter::new();
    table.add(HEADER_KEY, &header.encode_to_vec())?;
    for (key, entry) in entries {
        table.add(key, &entry.encode_to_vec())?;
    }
    table.finish()
}
