//! Buffers through which bytes come back to the host, kept by size.

use parking_lot::Mutex;

/// At most this many wait.
const KEEP: usize = 8;
const SMALLEST: u64 = 4096;

#[derive(Default)]
pub struct Staging(Mutex<Vec<wgpu::Buffer>>);

impl Staging {
    /// A buffer of at least `len` bytes, not mapped.
    pub fn take(&self, device: &wgpu::Device, len: u64) -> wgpu::Buffer {
        let size = len.max(SMALLEST).next_power_of_two();
        let mut waiting = self.0.lock();
        if let Some(at) = waiting.iter().position(|buffer| buffer.size() == size) {
            return waiting.swap_remove(at);
        }
        drop(waiting);
        device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size,
            usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        })
    }

    pub fn give_back(&self, buffer: wgpu::Buffer) {
        let mut waiting = self.0.lock();
        if waiting.len() >= KEEP {
            waiting.remove(0);
        }
        waiting.push(buffer);
    }
}
