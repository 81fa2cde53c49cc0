//! Buffers through which many bytes go up to the device: filled by the host, copied from ahead of a recording, and
//! mapped for the host again when that is done. wgpu's own writes make a buffer each: as long as those fit into memory
//! that its allocator keeps, nothing is lost, but above that the system is asked for fresh pages each time.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use parking_lot::Mutex;

use crate::error::{Error, Result};

use super::device::Driver;
use super::memory::Block;
use super::stream::{Copy, Stream};

/// Fewer bytes than this are the driver's own write: it keeps 64 MiB. In software, 128 MiB go up 3.6 times as fast from
/// here, 16 MiB no faster.
const WORTH_BYTES: usize = 32 << 20;
/// More bytes than this go in pieces.
const PIECE_BYTES: usize = 64 << 20;
/// Bytes that may be under way, and as many may wait to be filled.
const MAX_BYTES: u64 = 256 << 20;

/// Sizes are powers of two.
#[derive(Default)]
struct Ring {
    ready: Vec<wgpu::Buffer>,
    ready_bytes: u64,
    under_way: u64,
}

#[derive(Default)]
pub struct Feeds(Arc<Mutex<Ring>>);

impl Feeds {
    /// Whether so many bytes more have to wait until others have arrived.
    pub fn is_full(&self, len: usize) -> bool {
        let ring = self.0.lock();
        ring.under_way > 0 && ring.under_way + len as u64 > MAX_BYTES
    }

    /// A buffer that holds these bytes, to copy from. It comes back by `take_back`.
    pub fn fill(&self, device: &wgpu::Device, bytes: &[u8]) -> Result<wgpu::Buffer> {
        let buffer = self.take(device, (bytes.len() as u64).next_power_of_two())?;
        let unwritable = |_| Error::internal("the memory for bytes on their way cannot be written");
        let mut view = buffer.get_mapped_range_mut(..).map_err(unwritable)?;
        view.slice(..bytes.len()).copy_from_slice(bytes);
        drop(view);
        buffer.unmap();
        Ok(buffer)
    }

    fn take(&self, device: &wgpu::Device, size: u64) -> Result<wgpu::Buffer> {
        let mut ring = self.0.lock();
        ring.under_way += size;
        if let Some(at) = ring.ready.iter().position(|buffer| buffer.size() == size) {
            ring.ready_bytes -= size;
            return Ok(ring.ready.swap_remove(at));
        }
        drop(ring);
        let scope = device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let made = device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("feed"),
            size,
            usage: wgpu::BufferUsages::MAP_WRITE | wgpu::BufferUsages::COPY_SRC,
            mapped_at_creation: true,
        });
        if pollster::block_on(scope.pop()).is_some() {
            self.0.lock().under_way -= size;
            return Err(Error::exhausted(format!(
                "OOM when allocating {size} bytes on the way to a GPU"
            )));
        }
        Ok(made)
    }

    /// The submission that copies from the buffer was made: it can be filled again when that is done.
    pub fn take_back(&self, buffer: wgpu::Buffer) {
        let ring = self.0.clone();
        let again = buffer.clone();
        buffer.map_async(wgpu::MapMode::Write, .., move |outcome| {
            let mut ring = ring.lock();
            let size = again.size();
            ring.under_way -= size;
            if outcome.is_ok() && ring.ready_bytes + size <= MAX_BYTES {
                ring.ready_bytes += size;
                ring.ready.push(again);
            }
        });
    }

    /// Drops what waits to be filled.
    pub fn trim(&self) {
        let mut ring = self.0.lock();
        ring.ready_bytes = 0;
        ring.ready.clear();
    }
}

impl Driver {
    /// Writes bytes ahead of what is recorded, to a block that this does not use.
    pub(super) fn write_ahead(
        &self,
        stream: &mut Stream,
        block: &Block,
        bytes: &[u8],
    ) -> Result<()> {
        match bytes.len() < WORTH_BYTES {
            true => self.write_few(block, bytes),
            false => self.write_many(stream, block, bytes)?,
        }
        stream.writes += 1;
        self.counters
            .bytes_up
            .fetch_add(bytes.len() as u64, Ordering::Relaxed);
        Ok(())
    }

    fn write_many(&self, stream: &mut Stream, block: &Block, bytes: &[u8]) -> Result<()> {
        for (i, piece) in bytes.chunks(PIECE_BYTES).enumerate() {
            if self.feeds.is_full(piece.len()) {
                // Earlier pieces may go ahead alone: nothing that is recorded knows the block.
                let index = self.submit(stream);
                self.wait(index)?;
            }
            stream.feed(Copy {
                from: self.feeds.fill(&self.device, piece)?,
                to: block.buffer.clone(),
                at: (i * PIECE_BYTES) as u64,
                bytes: (piece.len() as u64).div_ceil(4) * 4,
            });
        }
        Ok(())
    }

    fn write_few(&self, block: &Block, bytes: &[u8]) {
        let whole = bytes.len() / 4 * 4;
        self.queue.write_buffer(&block.buffer, 0, &bytes[..whole]);
        if whole < bytes.len() {
            let mut last = [0u8; 4];
            last[..bytes.len() - whole].copy_from_slice(&bytes[whole..]);
            self.queue.write_buffer(&block.buffer, whole as u64, &last);
        }
    }
}
