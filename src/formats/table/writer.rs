//! Writes tables byte for byte as TensorFlow 1.15 writes a checkpoint's index: plain blocks of 256 KiB, every sixteenth
//! key whole, index keys as short as LevelDB makes them.

use super::block::BlockBuilder;
use super::{FOOTER_LEN, Handle, MAGIC, PLAIN, TRAILER_LEN};
use crate::ensure;
use crate::error::Result;
use crate::formats::crc32c;

const BLOCK_SIZE: usize = 256 << 10;
const RESTART_INTERVAL: usize = 16;

/// Builds a table in memory.
pub struct TableWriter {
    out: Vec<u8>,
    data: BlockBuilder,
    index: BlockBuilder,
    last_key: Option<Vec<u8>>,
    /// The block just written: its index entry waits for the next key, which says how short its own may be.
    pending: Option<Handle>,
}

impl Default for TableWriter {
    fn default() -> Self {
        Self::new()
    }
}

impl TableWriter {
    pub fn new() -> Self {
        Self {
            out: Vec::new(),
            data: BlockBuilder::new(RESTART_INTERVAL),
            index: BlockBuilder::new(1),
            last_key: None,
            pending: None,
        }
    }

    /// Adds an entry; keys must come in rising order.
    pub fn add(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        if let Some(last) = &self.last_key {
            ensure!(
                key > last.as_slice(),
                invalid,
                "table keys must be added in rising order"
            );
        }
        self.write_pending(Some(key))?;
        self.data.add(key, value)?;
        match &mut self.last_key {
            Some(last) => {
                last.clear();
                last.extend_from_slice(key);
            }
            none => *none = Some(key.to_vec()),
        }
        if self.data.len() >= BLOCK_SIZE {
            self.flush();
        }
        Ok(())
    }

    /// The whole table.
    pub fn finish(mut self) -> Result<Vec<u8>> {
        if !self.data.is_empty() {
            self.flush();
        }
        let meta_index = write_block(&mut self.out, &BlockBuilder::new(RESTART_INTERVAL).finish());
        self.write_pending(None)?;
        let index = write_block(&mut self.out, &self.index.finish());
        let end = self.out.len() + FOOTER_LEN;
        meta_index.encode(&mut self.out);
        index.encode(&mut self.out);
        self.out.resize(end - 8, 0);
        self.out.extend(MAGIC.to_le_bytes());
        Ok(self.out)
    }

    fn flush(&mut self) {
        let block = self.data.finish();
        self.pending = Some(write_block(&mut self.out, &block));
    }

    fn write_pending(&mut self, next_key: Option<&[u8]>) -> Result<()> {
        let (Some(handle), Some(last)) = (self.pending.take(), &self.last_key) else {
            return Ok(());
        };
        let key = match next_key {
            Some(next) => separator(last, next),
            None => successor(last),
        };
        let mut value = Vec::new();
        handle.encode(&mut value);
        self.index.add(&key, &value)
    }
}

fn write_block(out: &mut Vec<u8>, block: &[u8]) -> Handle {
    let handle = Handle {
        offset: out.len() as u64,
        size: block.len() as u64,
    };
    out.reserve(block.len() + TRAILER_LEN);
    out.extend_from_slice(block);
    out.push(PLAIN);
    let sum = crc32c::extend(crc32c::crc32c(block), &[PLAIN]);
    out.extend(crc32c::mask(sum).to_le_bytes());
    handle
}

/// A short key `k` with `last <= k < next`, chosen as LevelDB chooses.
fn separator(last: &[u8], next: &[u8]) -> Vec<u8> {
    let shared = last.iter().zip(next).take_while(|(a, b)| a == b).count();
    match (last.get(shared), next.get(shared)) {
        (Some(&a), Some(&b)) if a < 0xff && a + 1 < b => {
            let mut key = last[..=shared].to_vec();
            key[shared] = a + 1;
            key
        }
        _ => last.to_vec(),
    }
}

/// A short key not less than `last`, chosen as LevelDB chooses.
fn successor(last: &[u8]) -> Vec<u8> {
    match last.iter().position(|&byte| byte != 0xff) {
        Some(at) => {
            let mut key = last[..=at].to_vec();
            key[at] += 1;
            key
        }
        None => last.to_vec(),
    }
}
