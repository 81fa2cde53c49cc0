//! Sorted string tables in LevelDB's format, as TensorFlow uses them: checkpoint indexes and V1 checkpoints.
//!
//! A table is a run of blocks of sorted entries, each block followed by its kind (1 byte: plain or snappy) and the
//! masked crc32c of both; then an index block, whose entries give the place of each block under a key not less than
//! the block's last; then a footer with the place of the index and a magic number.

mod block;
mod reader;
mod writer;

pub use reader::{Entries, Table};
pub use writer::TableWriter;

use crate::error::{Error, Result};

const MAGIC: u64 = 0xdb47_7524_8b80_fb57;
const FOOTER_LEN: usize = 48;
/// A block's kind and checksum, which follow it.
const TRAILER_LEN: usize = 5;
const PLAIN: u8 = 0;
const SNAPPY: u8 = 1;

/// Where a block lies (its trailer not counted).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Handle {
    offset: u64,
    size: u64,
}

impl Handle {
    fn encode(self, out: &mut Vec<u8>) {
        prost::encoding::encode_varint(self.offset, out);
        prost::encoding::encode_varint(self.size, out);
    }

    fn decode(bytes: &mut &[u8]) -> Result<Self> {
        let (offset, size) = (varint(bytes), varint(bytes));
        match (offset, size) {
            (Some(offset), Some(size)) => Ok(Self { offset, size }),
            _ => Err(Error::data_loss("bad block handle")),
        }
    }
}

/// Takes a varint off the front; `None` if there is none.
fn varint(bytes: &mut &[u8]) -> Option<u64> {
    prost::encoding::decode_varint(bytes).ok()
}

#[cfg(test)]
mod tests;
