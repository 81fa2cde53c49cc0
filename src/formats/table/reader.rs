//! Reads tables. Every place is checked against the file before it is believed, and a table is read front to back:
//! blocks that overlap or run backwards, which no writer makes, are DataLoss.

use super::block::{Block, Cursor};
use super::{FOOTER_LEN, Handle, MAGIC, PLAIN, SNAPPY, TRAILER_LEN};
use crate::error::{Error, Result};
use crate::formats::crc32c;
use crate::formats::io::ReadAt;
use crate::{bail, ensure};

/// Snappy copies 64 bytes by 3 at best, so a block that claims to be larger lies.
const MAX_SNAPPY_EXPANSION: u64 = 24;

/// A table over a file or bytes in memory; holds only its index.
pub struct Table<R> {
    source: R,
    /// The last possible key of each block and where it lies, in order.
    index: Vec<(Vec<u8>, Handle)>,
}

impl<R: ReadAt> Table<R> {
    pub fn open(source: R) -> Result<Self> {
        let len = source.len()?;
        ensure!(
            len >= FOOTER_LEN as u64,
            data_loss,
            "file is too short to be an sstable"
        );
        let footer_start = len - FOOTER_LEN as u64;
        let mut footer = [0; FOOTER_LEN];
        source.read_at(footer_start, &mut footer)?;
        let (mut handles, magic) = footer.split_at(FOOTER_LEN - 8);
        ensure!(
            magic == MAGIC.to_le_bytes(),
            data_loss,
            "not an sstable (bad magic number)"
        );
        let meta_index = Handle::decode(&mut handles)?;
        let index = Handle::decode(&mut handles)?;
        // TensorFlow puts nothing into the meta index, but it tells whether the handles are sound.
        read_block(&source, meta_index, index.offset)?;
        let block = read_block(&source, index, footer_start)?;
        let mut table = Self {
            source,
            index: Vec::new(),
        };
        table.read_index(&block, meta_index.offset)?;
        Ok(table)
    }

    fn read_index(&mut self, block: &Block, end: u64) -> Result<()> {
        let (mut cursor, mut free) = (block.cursor(), 0);
        while cursor.advance(block)? {
            let handle = Handle::decode(&mut block.value(&cursor))?;
            let next = after(handle).filter(|next| handle.offset >= free && *next <= end);
            let Some(next) = next else {
                bail!(data_loss, "bad block handle");
            };
            free = next;
            self.index.push((cursor.key.clone(), handle));
        }
        Ok(())
    }

    /// All entries, in the order of their keys.
    pub fn entries(&self) -> Entries<'_, R> {
        Entries {
            table: self,
            next_block: 0,
            block: None,
            last_key: None,
        }
    }

    /// The value of `key`, if the table has it.
    pub fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        let at = self
            .index
            .partition_point(|(last, _)| last.as_slice() < key);
        let mut entries = Entries {
            table: self,
            next_block: at,
            block: None,
            last_key: None,
        };
        while let Some((found, value)) = entries.advance()? {
            if found >= key {
                return Ok((found == key).then(|| value.to_vec()));
            }
        }
        Ok(None)
    }
}

/// A walk through a table.
pub struct Entries<'a, R> {
    table: &'a Table<R>,
    next_block: usize,
    block: Option<(Block, Cursor)>,
    last_key: Option<Vec<u8>>,
}

impl<R: ReadAt> Entries<'_, R> {
    /// The next key and value; `None` after the last.
    pub fn advance(&mut self) -> Result<Option<(&[u8], &[u8])>> {
        loop {
            let done = match &mut self.block {
                Some((block, cursor)) => !cursor.advance(block)?,
                None => true,
            };
            if !done {
                break;
            }
            if !self.open_next_block()? {
                return Ok(None);
            }
        }
        let Some((block, cursor)) = &self.block else {
            return Ok(None);
        };
        if let Some(last) = self.last_key.take() {
            ensure!(cursor.key > last, data_loss, "keys out of order");
        }
        Ok(Some((&cursor.key, block.value(cursor))))
    }

    /// Moves to the next block; remembers the last key of this one, which those to come must exceed.
    fn open_next_block(&mut self) -> Result<bool> {
        if let Some((_, cursor)) = self.block.take() {
            let limit = &self.table.index[self.next_block - 1].0;
            ensure!(
                cursor.key <= *limit,
                data_loss,
                "a key beyond its block's last"
            );
            self.last_key = Some(cursor.key);
        }
        let Some(&(_, handle)) = self.table.index.get(self.next_block) else {
            return Ok(false);
        };
        let block = read_block(&self.table.source, handle, u64::MAX)?;
        let cursor = block.cursor();
        self.block = Some((block, cursor));
        self.next_block += 1;
        Ok(true)
    }
}

/// The offset after a block and its trailer.
fn after(handle: Handle) -> Option<u64> {
    handle
        .offset
        .checked_add(handle.size)?
        .checked_add(TRAILER_LEN as u64)
}

/// Reads the block at `handle`, which must end before `limit`, and checks its sum.
fn read_block(source: &impl ReadAt, handle: Handle, limit: u64) -> Result<Block> {
    let end = after(handle).filter(|end| *end <= limit);
    let Some(end) = end else {
        bail!(data_loss, "bad block handle");
    };
    let mut bytes = match source.read_vec(handle.offset, end - handle.offset) {
        Err(e) if e.code == crate::error::Code::OutOfRange => {
            bail!(data_loss, "truncated block read")
        }
        other => other?,
    };
    let body = bytes.len() - TRAILER_LEN;
    let mut stored = [0; 4];
    stored.copy_from_slice(&bytes[body + 1..]);
    let sum = crc32c::masked_crc32c(&bytes[..=body]);
    ensure!(
        sum == u32::from_le_bytes(stored),
        data_loss,
        "block checksum mismatch"
    );
    let kind = bytes[body];
    bytes.truncate(body);
    match kind {
        PLAIN => Block::parse(bytes),
        SNAPPY => Block::parse(decompress(&bytes)?),
        _ => bail!(data_loss, "bad block type"),
    }
}

fn decompress(bytes: &[u8]) -> Result<Vec<u8>> {
    let bad = || Error::data_loss("corrupted compressed block contents");
    let len = snap::raw::decompress_len(bytes).map_err(|_| bad())?;
    let most = (bytes.len() as u64).saturating_mul(MAX_SNAPPY_EXPANSION);
    ensure!(
        len as u64 <= most,
        data_loss,
        "corrupted compressed block contents"
    );
    snap::raw::Decoder::new()
        .decompress_vec(bytes)
        .map_err(|_| bad())
}
