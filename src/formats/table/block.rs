//! One block of a table: entries whose keys share prefixes with the key before, and restart points where they do not.

use super::varint;
use crate::ensure;
use crate::error::{Error, Result};

/// Keys of one block may decode to this many times the block's size. TensorFlow writes every sixteenth key whole, so
/// that no block of its own comes near; a hostile one could otherwise make a megabyte stand for a terabyte of keys.
const MAX_KEY_EXPANSION: usize = 64;

/// Collects the entries of a block.
pub(super) struct BlockBuilder {
    interval: usize,
    bytes: Vec<u8>,
    restarts: Vec<u32>,
    since_restart: usize,
    last_key: Vec<u8>,
}

impl BlockBuilder {
    /// A builder that writes every `interval`th key whole.
    pub fn new(interval: usize) -> Self {
        Self {
            interval,
            bytes: Vec::new(),
            restarts: vec![0],
            since_restart: 0,
            last_key: Vec::new(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The size that [`finish`](Self::finish) would give.
    pub fn len(&self) -> usize {
        self.bytes.len() + 4 * self.restarts.len() + 4
    }

    pub fn add(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        let mut shared = 0;
        if self.since_restart < self.interval {
            shared = self
                .last_key
                .iter()
                .zip(key)
                .take_while(|(a, b)| a == b)
                .count();
        } else {
            let offset = u32::try_from(self.bytes.len());
            self.restarts
                .push(offset.map_err(|_| Error::invalid("a table block over 4 GiB"))?);
            self.since_restart = 0;
        }
        for len in [shared, key.len() - shared, value.len()] {
            prost::encoding::encode_varint(len as u64, &mut self.bytes);
        }
        self.bytes.extend_from_slice(&key[shared..]);
        self.bytes.extend_from_slice(value);
        self.last_key.truncate(shared);
        self.last_key.extend_from_slice(&key[shared..]);
        self.since_restart += 1;
        Ok(())
    }

    /// The finished block; the builder begins the next one.
    pub fn finish(&mut self) -> Vec<u8> {
        let mut bytes = std::mem::take(&mut self.bytes);
        for restart in &self.restarts {
            bytes.extend(restart.to_le_bytes());
        }
        bytes.extend((self.restarts.len() as u32).to_le_bytes());
        *self = Self::new(self.interval);
        bytes
    }
}

/// A block whose frame has been checked: the restart points lie in it and rise.
pub(super) struct Block {
    bytes: Vec<u8>,
    /// Where the entries end and the restart points begin.
    end: usize,
    restarts: usize,
}

impl Block {
    pub fn parse(bytes: Vec<u8>) -> Result<Self> {
        let count = bytes
            .len()
            .checked_sub(4)
            .map(|at| u32_at(&bytes, at) as usize);
        let end = count.and_then(|n| bytes.len().checked_sub(n.checked_add(1)?.checked_mul(4)?));
        let (Some(restarts), Some(end)) = (count, end) else {
            return Err(bad_block());
        };
        let block = Self {
            bytes,
            end,
            restarts,
        };
        ensure!(
            restarts == 0 || block.restart(0) == 0,
            data_loss,
            "bad block contents"
        );
        for i in 1..restarts {
            let rises = block.restart(i - 1) < block.restart(i) && block.restart(i) < end;
            ensure!(rises, data_loss, "bad block contents");
        }
        Ok(block)
    }

    fn restart(&self, i: usize) -> usize {
        u32_at(&self.bytes, self.end + 4 * i) as usize
    }

    pub fn cursor(&self) -> Cursor {
        let key_budget = self
            .bytes
            .len()
            .saturating_mul(MAX_KEY_EXPANSION)
            .saturating_add(4096);
        Cursor {
            position: 0,
            next_restart: 0,
            key: Vec::new(),
            value: 0..0,
            started: false,
            key_budget,
        }
    }

    pub fn value(&self, cursor: &Cursor) -> &[u8] {
        &self.bytes[cursor.value.clone()]
    }
}

/// A place in a block: the entry it is at.
pub(super) struct Cursor {
    position: usize,
    next_restart: usize,
    pub key: Vec<u8>,
    value: std::ops::Range<usize>,
    started: bool,
    key_budget: usize,
}

impl Cursor {
    /// Goes to the next entry of `block` (always the same one); false after the last.
    pub fn advance(&mut self, block: &Block) -> Result<bool> {
        let at_restart =
            self.next_restart < block.restarts && block.restart(self.next_restart) == self.position;
        if self.position >= block.end {
            let visited_all = self.next_restart == block.restarts || block.end == 0;
            ensure!(visited_all, data_loss, "bad block contents");
            return Ok(false);
        }
        let mut rest = &block.bytes[self.position..block.end];
        let (Some(shared), Some(fresh), Some(size)) =
            (varint(&mut rest), varint(&mut rest), varint(&mut rest))
        else {
            return Err(bad_entry());
        };
        let start = block.end - rest.len();
        let (shared, fresh, size) = (length(shared)?, length(fresh)?, length(size)?);
        let value = start.checked_add(fresh).ok_or_else(bad_entry)?;
        let end = value
            .checked_add(size)
            .filter(|end| *end <= block.end)
            .ok_or_else(bad_entry)?;
        ensure!(
            shared <= self.key.len() && !(at_restart && shared != 0),
            data_loss,
            "bad entry in block"
        );
        let fresh = &block.bytes[start..value];
        // What follows the shared part must be greater than what it replaces, or the keys do not rise.
        ensure!(
            !self.started || *fresh > self.key[shared..],
            data_loss,
            "bad entry in block: keys out of order"
        );
        self.key.truncate(shared);
        self.key.extend_from_slice(fresh);
        self.key_budget = self
            .key_budget
            .checked_sub(self.key.len())
            .ok_or_else(bad_entry)?;
        if at_restart {
            self.next_restart += 1;
        }
        (self.position, self.value, self.started) = (end, value..end, true);
        Ok(true)
    }
}

fn length(x: u64) -> Result<usize> {
    usize::try_from(x).map_err(|_| bad_entry())
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let mut four = [0; 4];
    four.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(four)
}

fn bad_block() -> Error {
    Error::data_loss("bad block contents")
}

fn bad_entry() -> Error {
    Error::data_loss("bad entry in block")
}
