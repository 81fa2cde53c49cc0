//! Record files (TFRecord), plain or compressed: examples, and the framing of event files.
//!
//! A record is its length (8 bytes, little-endian), the masked crc32c of those, the data, and the masked crc32c of
//! the data. Files grow by whole records.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use flate2::Compression as Level;
use flate2::read::{MultiGzDecoder, ZlibDecoder};
use flate2::write::{GzEncoder, ZlibEncoder};

use crate::error::{Error, Result};
use crate::formats::crc32c::masked_crc32c;
use crate::formats::io::{Appender, ReadAt, Source, error};
use crate::{bail, ensure};

/// The length and its checksum.
const HEADER_LEN: usize = 12;
/// What a writer gathers before it writes.
const BUFFER_LEN: usize = 256 << 10;

/// How a whole file is compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    #[default]
    None,
    Zlib,
    Gzip,
}

impl Compression {
    /// By TensorFlow's name: `""`, `"ZLIB"`, `"GZIP"`.
    pub fn from_name(name: &str) -> Result<Self> {
        match name {
            "" => Ok(Self::None),
            "ZLIB" => Ok(Self::Zlib),
            "GZIP" => Ok(Self::Gzip),
            _ => bail!(invalid, "Not a valid compression_type: \"{name}\""),
        }
    }
}

/// Adds `data` to `out` as a record.
pub fn encode(data: &[u8], out: &mut Vec<u8>) {
    let len = (data.len() as u64).to_le_bytes();
    out.reserve(data.len() + HEADER_LEN + 4);
    out.extend(len);
    out.extend(masked_crc32c(&len).to_le_bytes());
    out.extend_from_slice(data);
    out.extend(masked_crc32c(data).to_le_bytes());
}

/// Reads the records of a file, front to back.
pub struct RecordReader {
    input: Input,
    /// Where the next record begins, after decompression.
    offset: u64,
}

enum Input {
    Plain(Source),
    Inflated(Box<dyn Read + Send + Sync>),
}

impl RecordReader {
    /// NotFound when there is no such file.
    pub fn open(path: &Path, compression: Compression) -> Result<Self> {
        let file = || File::open(path).map_err(|e| error(path, &e));
        let input = match compression {
            Compression::None => Input::Plain(Source::open(path)?),
            Compression::Zlib => Input::Inflated(Box::new(ZlibDecoder::new(file()?))),
            Compression::Gzip => Input::Inflated(Box::new(MultiGzDecoder::new(file()?))),
        };
        Ok(Self { input, offset: 0 })
    }

    /// Where the next record begins, after decompression.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The next record; `None` at the end.
    ///
    /// A file that ends inside a header ends there: its writer is at work, and a plain file may be asked again later.
    /// DataLoss, with the place, for a record that is cut off or has been changed.
    pub fn next_record(&mut self) -> Result<Option<Vec<u8>>> {
        let at = self.offset;
        let header = self.read(at, HEADER_LEN as u64)?;
        let Some((len, sum)) = header
            .split_at_checked(8)
            .filter(|_| header.len() == HEADER_LEN)
        else {
            return Ok(None);
        };
        ensure!(
            masked_crc32c(len).to_le_bytes() == *sum,
            data_loss,
            "corrupted record at {at}"
        );
        let len = len.iter().rev().fold(0, |n, b| n << 8 | u64::from(*b));
        let start = at.saturating_add(HEADER_LEN as u64);
        let (Some(with_sum), Some(next)) = (len.checked_add(4), len.checked_add(start + 4)) else {
            bail!(data_loss, "truncated record at {at}");
        };
        let mut data = self.read(start, with_sum)?;
        ensure!(
            data.len() as u64 == with_sum,
            data_loss,
            "truncated record at {at}"
        );
        let sum = data.split_off(data.len() - 4);
        ensure!(
            masked_crc32c(&data).to_le_bytes() == *sum,
            data_loss,
            "corrupted record at {start}"
        );
        self.offset = next;
        Ok(Some(data))
    }

    /// Up to `len` bytes from `offset`: fewer where the file ends. Memory follows what is there, not what is asked for.
    fn read(&mut self, offset: u64, len: u64) -> Result<Vec<u8>> {
        match &mut self.input {
            Input::Plain(source) => {
                let rest = source.len()?.saturating_sub(offset);
                source.read_vec(offset, len.min(rest))
            }
            Input::Inflated(stream) => {
                let mut bytes = Vec::new();
                match stream.take(len).read_to_end(&mut bytes) {
                    Ok(_) => Ok(bytes),
                    Err(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => Ok(bytes),
                    Err(e) => Err(Error::data_loss(format!("inflate() failed: {e}"))),
                }
            }
        }
    }
}

/// Writes a record file. What was written is in the file after `flush`, and on disk after `close`.
pub struct RecordWriter {
    file: Appender,
    buffer: Vec<u8>,
    stream: Stream,
}

/// Where records go on their way to the file.
enum Stream {
    Plain,
    Zlib(ZlibEncoder<Vec<u8>>),
    Gzip(GzEncoder<Vec<u8>>),
}

impl RecordWriter {
    /// An empty file, whatever was there. `level` is from 0 (fast) to 9 (small).
    pub fn create(path: &Path, compression: Compression, level: Option<u32>) -> Result<Self> {
        Ok(Self::over(Appender::create(path)?, compression, level))
    }

    /// A new file; AlreadyExists when there is one.
    pub fn create_new(path: &Path) -> Result<Self> {
        Ok(Self::over(
            Appender::create_new(path)?,
            Compression::None,
            None,
        ))
    }

    fn over(file: Appender, compression: Compression, level: Option<u32>) -> Self {
        let level = level.map_or_else(Level::default, |level| Level::new(level.min(9)));
        let stream = match compression {
            Compression::None => Stream::Plain,
            Compression::Zlib => Stream::Zlib(ZlibEncoder::new(Vec::new(), level)),
            Compression::Gzip => Stream::Gzip(GzEncoder::new(Vec::new(), level)),
        };
        Self {
            file,
            buffer: Vec::new(),
            stream,
        }
    }

    pub fn path(&self) -> &Path {
        self.file.path()
    }

    pub fn write(&mut self, data: &[u8]) -> Result<()> {
        encode(data, &mut self.buffer);
        if self.buffer.len() >= BUFFER_LEN {
            self.write_buffer()?;
        }
        Ok(())
    }

    /// Gives the system what was written, so that others see it. After an error the records that were not yet in the
    /// file are given up, and it ends with a whole one.
    pub fn flush(&mut self) -> Result<()> {
        self.write_buffer()?;
        self.deflate(|stream| stream.flush(), |stream| stream.flush())
    }

    /// Waits until everything is on disk.
    pub fn close(mut self) -> Result<()> {
        self.write_buffer()?;
        self.deflate(ZlibEncoder::try_finish, GzEncoder::try_finish)?;
        self.file.sync()
    }

    fn write_buffer(&mut self) -> Result<()> {
        let buffer = std::mem::take(&mut self.buffer);
        if let Stream::Plain = self.stream {
            return self.append(&buffer);
        }
        self.deflate(
            |stream| stream.write_all(&buffer),
            |stream| stream.write_all(&buffer),
        )
    }

    /// Does something with the compressing stream, if there is one, and moves to the file what came out.
    fn deflate(
        &mut self,
        zlib: impl FnOnce(&mut ZlibEncoder<Vec<u8>>) -> std::io::Result<()>,
        gzip: impl FnOnce(&mut GzEncoder<Vec<u8>>) -> std::io::Result<()>,
    ) -> Result<()> {
        let (done, out) = match &mut self.stream {
            Stream::Plain => return Ok(()),
            Stream::Zlib(stream) => (zlib(stream), std::mem::take(stream.get_mut())),
            Stream::Gzip(stream) => (gzip(stream), std::mem::take(stream.get_mut())),
        };
        done.map_err(|e| error(self.file.path(), &e))?;
        self.append(&out)
    }

    fn append(&mut self, bytes: &[u8]) -> Result<()> {
        match bytes {
            [] => Ok(()),
            _ => self.file.append(bytes),
        }
    }
}

#[cfg(test)]
mod tests;
