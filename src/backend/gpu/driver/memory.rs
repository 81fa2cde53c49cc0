//! Blocks of device memory, used again by size: a warm run asks the driver for none.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rustc_hash::FxHashMap;

use crate::error::Result;
use crate::value::{Buffer, DeviceBuffer, DeviceMemory};

use super::device::Driver;

/// The smallest block.
const SMALLEST: u64 = 256;

/// Sizes of blocks: powers of two, and halves between them.
pub fn class_of(len: usize) -> Option<u64> {
    let len = u64::try_from(len).ok()?.max(SMALLEST);
    let power = len.checked_next_power_of_two()?;
    let less = power / 4 * 3;
    Some(if less >= len { less } else { power })
}

/// A buffer of the driver.
pub struct Block {
    pub buffer: wgpu::Buffer,
    pub size: u64,
    /// Tells it from every other of its device, dropped ones included.
    pub id: u64,
    /// The recording in which work on it was last recorded.
    pub epoch: u64,
}

/// Blocks that nobody uses, by size.
#[derive(Default)]
pub struct Pool {
    free: FxHashMap<u64, Vec<Block>>,
    /// Numbers of blocks that must not be used again yet, and those of them that were put back.
    held: Vec<u64>,
    back: Vec<Block>,
    pub free_bytes: u64,
    pub all_bytes: u64,
    pub next_id: u64,
}

impl Pool {
    /// A block of this size that waits, the one put back last first.
    pub fn take(&mut self, size: u64) -> Option<Block> {
        let block = self.free.get_mut(&size)?.pop()?;
        self.free_bytes -= size;
        Some(block)
    }

    /// A block on which nothing was recorded in the recording `epoch`: bytes may be written to it ahead of that.
    pub fn take_before(&mut self, size: u64, epoch: u64) -> Option<Block> {
        let list = self.free.get_mut(&size)?;
        let at = list.iter().position(|block| block.epoch < epoch)?;
        self.free_bytes -= size;
        Some(list.swap_remove(at))
    }

    pub fn put(&mut self, block: Block) {
        if self.held.contains(&block.id) {
            self.back.push(block);
            return;
        }
        self.free_bytes += block.size;
        self.free.entry(block.size).or_default().push(block);
    }

    /// Keeps blocks from being used again when they are put back.
    pub fn hold(&mut self, blocks: impl IntoIterator<Item = u64>) {
        self.held.extend(blocks);
    }

    /// Lets them be used again.
    pub fn release(&mut self, is_one: impl Fn(u64) -> bool) {
        self.held.retain(|id| !is_one(*id));
        while let Some(at) = self.back.iter().position(|block| is_one(block.id)) {
            let block = self.back.swap_remove(at);
            self.put(block);
        }
    }

    /// Drops every waiting block.
    pub fn trim(&mut self) {
        self.all_bytes -= self.free_bytes;
        self.free_bytes = 0;
        self.free.clear();
    }
}

/// A block in use.
pub struct Memory {
    driver: Arc<Driver>,
    /// Always there until it is dropped.
    block: Option<Block>,
    epoch: AtomicU64,
}

impl Memory {
    pub fn new(driver: Arc<Driver>, block: Block) -> Memory {
        Memory {
            driver,
            epoch: AtomicU64::new(block.epoch),
            block: Some(block),
        }
    }

    pub fn block(&self) -> &Block {
        self.block.as_ref().expect("the block stays until the drop")
    }

    /// Notes that work on it is recorded in the recording `epoch`.
    pub fn touch(&self, epoch: u64) {
        self.epoch.store(epoch, Ordering::Relaxed);
    }

    /// The memory behind a buffer, when it belongs to `driver`.
    pub fn of<'b>(driver: &Driver, buffer: &'b DeviceBuffer) -> Option<&'b Memory> {
        let memory = buffer.memory()?.as_any().downcast_ref::<Memory>()?;
        std::ptr::eq(&*memory.driver, driver).then_some(memory)
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        if let Some(mut block) = self.block.take() {
            block.epoch = self.epoch.load(Ordering::Relaxed);
            self.driver.give_back(block);
        }
    }
}

impl DeviceMemory for Memory {
    fn read(&self, len: usize) -> Result<Buffer> {
        self.driver.read(self, len)
    }

    fn write(&self, bytes: &[u8]) -> Result<()> {
        self.driver.write(self, bytes)
    }

    fn device_index(&self) -> usize {
        self.driver.number()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_close_above_the_size_asked_for() {
        for (len, size) in [
            (0, 256),
            (256, 256),
            (257, 384),
            (384, 384),
            (385, 512),
            (1 << 20, 1 << 20),
        ] {
            assert_eq!(class_of(len), Some(size));
        }
        assert_eq!(class_of(usize::MAX), None);
    }
}
