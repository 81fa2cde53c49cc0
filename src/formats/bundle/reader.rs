//! Reads bundles. Sizes and places are checked against the files before memory is asked for.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use parking_lot::Mutex;
use prost::Message;

use crate::ensure;
use crate::error::{Code, Error, Result};
use crate::formats::crc32c;
use crate::formats::io::{DirectoryLock, ReadAt, Source, directory_of};
use crate::formats::proto::{BundleEntryProto, BundleHeaderProto};
use crate::formats::table::Table;
use crate::formats::tensor_proto::decode_shape;
use crate::value::{DType, PartialShape, Shape, Value};

use super::recover::{roll_forward, unfinished_indexes};
use super::slice::copy_overlap;
use super::writer::extend_by_length;
use super::{HEADER_KEY, Slice, VERSION, data_path, index_path};

/// Data files of one bundle at most; each entry's shard is checked against the header.
const MAX_SHARDS: i32 = 1 << 20;

/// Data files that are opened with the index; those of larger bundles when they are read from.
const MAX_OPEN_FILES: i32 = 64;

/// A checkpoint, open for reading by any number of threads.
#[derive(Debug)]
pub struct Bundle {
    prefix: PathBuf,
    shards: i32,
    entries: BTreeMap<Vec<u8>, BundleEntryProto>,
    files: Mutex<BTreeMap<i32, std::sync::Arc<Source>>>,
}

impl Bundle {
    /// Opens `PREFIX.index`; NotFound in TensorFlow's words when there is none.
    pub fn open(prefix: &Path) -> Result<Bundle> {
        let lock = DirectoryLock::shared(directory_of(prefix));
        let bundle = match unfinished_indexes(prefix).as_slice() {
            [] => Self::open_index(prefix, &index_path(prefix))?,
            _ => {
                drop(lock);
                return Self::recover(prefix);
            }
        };
        bundle.open_files();
        Ok(bundle)
    }

    /// Finishes what a save that died has left, where that can be done, then opens.
    fn recover(prefix: &Path) -> Result<Bundle> {
        let lock = DirectoryLock::exclusive(directory_of(prefix));
        let unfinished = unfinished_indexes(prefix);
        if lock.is_some() && !unfinished.is_empty() {
            // Best effort, as in a directory that cannot be written to: reading tells what is wrong.
            let _ = roll_forward(prefix, &unfinished);
        }
        let bundle = Self::open_index(prefix, &index_path(prefix))?;
        bundle.open_files();
        Ok(bundle)
    }

    /// Opens the data files while no writer renames them, so that they are those of the index.
    fn open_files(&self) {
        for shard in 0..self.shards.min(MAX_OPEN_FILES) {
            // What is absent is an error for whoever reads from it.
            let _ = self.file(shard);
        }
    }

    /// Reads every tensor and its checksum.
    pub(super) fn verify(&self) -> Result<()> {
        for (key, entry) in self.entries.iter().filter(|(_, e)| e.slices.is_empty()) {
            self.read_entry(key, entry)?;
        }
        Ok(())
    }

    /// Opens the index at `path` over the data of `prefix`.
    pub(super) fn open_index(prefix: &Path, path: &Path) -> Result<Bundle> {
        let source = Source::open(path).map_err(|e| match e.code {
            Code::NotFound => Error::not_found(format!(
                "Unsuccessful TensorSliceReader constructor: Failed to find any matching files for {}",
                prefix.display()
            )),
            _ => e,
        })?;
        let table = Table::open(source)?;
        let mut rows = table.entries();
        let header = match rows
            .advance()
            .map_err(|e| corrupt(path, SEEK, &e.message))?
        {
            Some((HEADER_KEY, value)) => decode::<BundleHeaderProto>(value)
                .map_err(|e| corrupt(path, "unable to parse header", &e.message))?,
            _ => return Err(corrupt(path, SEEK, "there is none")),
        };
        check_header(&header)?;
        let mut entries = BTreeMap::new();
        while let Some((key, value)) = rows.advance()? {
            let entry = decode::<BundleEntryProto>(value)?;
            ensure!(
                (0..header.num_shards).contains(&entry.shard_id),
                invalid,
                "Checkpoint entry {} lies in shard {} of {}",
                String::from_utf8_lossy(key),
                entry.shard_id,
                header.num_shards
            );
            entries.insert(key.to_vec(), entry);
        }
        Ok(Bundle {
            prefix: prefix.to_owned(),
            shards: header.num_shards,
            entries,
            files: Mutex::default(),
        })
    }

    pub(super) fn entries(&self) -> &BTreeMap<Vec<u8>, BundleEntryProto> {
        &self.entries
    }

    pub(super) fn shards(&self) -> i32 {
        self.shards
    }

    /// Names, types and shapes of the tensors, in order of name; parts are not listed.
    pub fn tensors(&self) -> Result<Vec<(Vec<u8>, DType, PartialShape)>> {
        // The keys of parts begin with a zero byte, which no name does.
        let named = self
            .entries
            .iter()
            .filter(|(key, _)| key.first() != Some(&0));
        let row = |(key, entry): (&Vec<u8>, &BundleEntryProto)| {
            Ok((
                key.clone(),
                dtype_of(entry)?,
                PartialShape::from(&shape_of(entry)?),
            ))
        };
        named.map(row).collect()
    }

    pub fn has(&self, name: &[u8]) -> bool {
        self.entries.contains_key(name)
    }

    /// Type and shape of a tensor; NotFound in TensorFlow's words.
    pub fn describe(&self, name: &[u8]) -> Result<(DType, Shape)> {
        let entry = self.entry(name)?;
        Ok((dtype_of(entry)?, shape_of(entry)?))
    }

    fn entry(&self, name: &[u8]) -> Result<&BundleEntryProto> {
        self.entries.get(name).ok_or_else(|| {
            Error::not_found(format!(
                "Key {} not found in checkpoint",
                String::from_utf8_lossy(name)
            ))
        })
    }

    /// A whole tensor.
    pub fn read(&self, name: &[u8]) -> Result<Value> {
        let entry = self.entry(name)?;
        if entry.slices.is_empty() {
            return self.read_entry(name, entry);
        }
        self.read_slice(name, &Slice::full(shape_of(entry)?.rank()))
    }

    /// A part of a tensor, from wherever its elements lie.
    pub fn read_slice(&self, name: &[u8], wanted: &Slice) -> Result<Value> {
        let entry = self.entry(name)?;
        let whole = shape_of(entry)?;
        let shape = wanted.shape_in(&whole)?;
        let stored = if entry.slices.is_empty() {
            vec![Slice::full(whole.rank())]
        } else {
            entry
                .slices
                .iter()
                .map(Slice::from_proto)
                .collect::<Result<_>>()?
        };
        self.check_stored(name, entry, &whole, &stored)?;
        let mut out = Value::zeros(dtype_of(entry)?, shape.clone())?;
        let mut found = 0;
        for slice in &stored {
            let part = if entry.slices.is_empty() {
                self.read_entry(name, entry)?
            } else {
                let key = slice.key(name);
                self.read_entry(&key, self.entry(&key)?)?
            };
            ensure!(
                *part.shape() == slice.shape_in(&whole)? && part.dtype() == out.dtype(),
                data_loss,
                "A part of tensor {} has another type or shape than the whole says",
                String::from_utf8_lossy(name)
            );
            found += copy_overlap(&whole, (slice, &part), (wanted, &mut out))?;
        }
        ensure!(
            found >= shape.num_elements(),
            data_loss,
            "The checkpoint lacks a part of tensor {}",
            String::from_utf8_lossy(name)
        );
        Ok(out)
    }

    /// The parts must have as many elements as the whole before memory for it is asked for.
    fn check_stored(
        &self,
        name: &[u8],
        entry: &BundleEntryProto,
        whole: &Shape,
        stored: &[Slice],
    ) -> Result<()> {
        let mut elements = 0usize;
        for slice in stored {
            elements = elements.saturating_add(slice.shape_in(whole)?.num_elements());
            if !entry.slices.is_empty() {
                self.check_place(self.entry(&slice.key(name))?)?;
            }
        }
        ensure!(
            elements >= whole.num_elements() || !entry.slices.is_empty(),
            data_loss,
            "The checkpoint lacks a part of tensor {}",
            String::from_utf8_lossy(name)
        );
        Ok(())
    }

    fn read_entry(&self, key: &[u8], entry: &BundleEntryProto) -> Result<Value> {
        let (dtype, shape) = (dtype_of(entry)?, shape_of(entry)?);
        self.check_place(entry)?;
        if dtype == DType::String {
            return self.read_strings(entry, shape);
        }
        let size = dtype.size().ok_or_else(|| {
            Error::unimplemented(format!("a {} in a checkpoint", dtype.short_name()))
        })?;
        let want = (shape.num_elements() as u64).checked_mul(size as u64);
        ensure!(
            want == Some(entry.size as u64),
            data_loss,
            "Checkpoint entry {} has {} bytes, which its shape {shape} and type {} do not ask for",
            String::from_utf8_lossy(key),
            entry.size,
            dtype.short_name()
        );
        let mut value = Value::uninit(dtype, shape)?;
        let bytes = value.bytes_mut()?;
        self.file(entry.shard_id)?
            .read_at(entry.offset as u64, bytes)?;
        check_sum(crc32c::crc32c(bytes), entry)?;
        if dtype == DType::Bool {
            bytes.iter_mut().for_each(|b| *b = u8::from(*b != 0));
        }
        Ok(value)
    }

    fn read_strings(&self, entry: &BundleEntryProto, shape: Shape) -> Result<Value> {
        let bytes = self
            .file(entry.shard_id)?
            .read_vec(entry.offset as u64, entry.size as u64)?;
        let n = shape.num_elements();
        // Each string has a length, of one byte at least.
        ensure!(
            n <= bytes.len(),
            data_loss,
            "{n} strings in {} bytes of a checkpoint",
            bytes.len()
        );
        let mut rest = bytes.as_slice();
        let mut lengths = Vec::with_capacity(n);
        let mut crc = 0;
        for _ in 0..n {
            let len = prost::encoding::decode_varint(&mut rest)
                .map_err(|_| Error::data_loss("Length of a string in a checkpoint is broken"))?;
            crc = extend_by_length(crc, len);
            lengths.push(len);
        }
        let (sum, mut rest) = rest.split_at_checked(4).ok_or_else(|| {
            Error::data_loss("String lengths of a checkpoint lack their checksum")
        })?;
        ensure!(
            sum == crc32c::mask(crc).to_le_bytes(),
            data_loss,
            "The length checksum does not match: expected {} but computed {}",
            crc32c::unmask(u32::from_le_bytes([sum[0], sum[1], sum[2], sum[3]])),
            crc
        );
        crc = crc32c::extend(crc, sum);
        let mut strings = Vec::with_capacity(n);
        for len in lengths {
            let split = usize::try_from(len)
                .ok()
                .and_then(|len| rest.split_at_checked(len));
            let (string, after) = split.ok_or_else(|| {
                Error::data_loss("A string of a checkpoint ends beyond its entry")
            })?;
            crc = crc32c::extend(crc, string);
            strings.push(string.to_vec());
            rest = after;
        }
        ensure!(
            rest.is_empty(),
            data_loss,
            "Bytes are left after the strings of a checkpoint"
        );
        check_sum(crc, entry)?;
        Value::strings(shape, strings)
    }

    /// An entry must lie in its file.
    fn check_place(&self, entry: &BundleEntryProto) -> Result<()> {
        ensure!(
            entry.offset >= 0 && entry.size >= 0,
            data_loss,
            "A checkpoint entry with a negative place"
        );
        let end = (entry.offset as u64).checked_add(entry.size as u64);
        let len = self.file(entry.shard_id)?.len()?;
        ensure!(
            end.is_some_and(|end| end <= len),
            out_of_range,
            "Read less bytes than requested"
        );
        Ok(())
    }

    fn file(&self, shard: i32) -> Result<std::sync::Arc<Source>> {
        let mut files = self.files.lock();
        if let Some(open) = files.get(&shard) {
            return Ok(open.clone());
        }
        let path = data_path(&self.prefix, shard as usize, self.shards as usize);
        let opened = std::sync::Arc::new(Source::open(&path)?);
        files.insert(shard, opened.clone());
        Ok(opened)
    }
}

fn decode<M: Message + Default>(bytes: &[u8]) -> Result<M> {
    M::decode(bytes)
        .map_err(|_| Error::data_loss("Unable to parse an entry of a checkpoint's index"))
}

/// What of an index is read first.
const SEEK: &str = "failed to seek to header entry";

/// TensorFlow's words for an index without a sound header.
fn corrupt(index: &Path, step: &str, detail: &str) -> Error {
    Error::data_loss(format!(
        "Unable to read file ({}). Perhaps the file is corrupt or was produced by a newer version of TensorFlow with \
         format changes ({step}): {detail}",
        index.display()
    ))
}

fn check_header(header: &BundleHeaderProto) -> Result<()> {
    let version = header.version.clone().unwrap_or_default();
    ensure!(
        (1..=MAX_SHARDS).contains(&header.num_shards),
        data_loss,
        "A checkpoint of {} shards",
        header.num_shards
    );
    ensure!(
        header.endianness == 0,
        unimplemented,
        "The checkpoint has big-endian numbers"
    );
    ensure!(
        version.min_consumer <= VERSION,
        invalid,
        "Checkpoint min consumer version {} above current version {VERSION} for TensorFlow",
        version.min_consumer
    );
    Ok(())
}

fn dtype_of(entry: &BundleEntryProto) -> Result<DType> {
    DType::from_number(entry.dtype)
        .ok()
        .filter(|_| entry.dtype < 100)
        .ok_or_else(|| Error::data_loss(format!("{} is no type of a tensor", entry.dtype)))
}

fn shape_of(entry: &BundleEntryProto) -> Result<Shape> {
    let proto = entry.shape.clone().unwrap_or_default();
    let shape = decode_shape(&proto).ok().and_then(|shape| shape.to_shape());
    shape.ok_or_else(|| Error::data_loss("A checkpoint entry with an invalid shape"))
}

fn check_sum(crc: u32, entry: &BundleEntryProto) -> Result<()> {
    ensure!(
        crc32c::mask(crc) == entry.crc32c,
        data_loss,
        "Checksum does not match: stored {} vs. calculated on the restored bytes {crc}",
        crc32c::unmask(entry.crc32c)
    );
    Ok(())
}
