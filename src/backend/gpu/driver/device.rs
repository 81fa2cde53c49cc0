//! A device: opened from an adapter, it allocates, records, hands over and reads back.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};

use parking_lot::{Condvar, Mutex, MutexGuard};
use smallvec::SmallVec;

use crate::error::{Code, Error, Result};
use crate::value::{Buffer, DeviceBuffer};
use crate::{bail, ensure};

use super::super::launch::{Launch, Member, Shader};
use super::super::{Counts, Gpu, Limits};
use super::cache::Cache;
use super::checks::{CHECK_BYTES, MAX_CHECKS};
use super::compile::{Compiler, PARAMETER_BYTES};
use super::feeds::Feeds;
use super::memory::{Block, Memory, Pool, class_of};
use super::staging::Staging;
use super::stream::{Copy, Dispatch, Stream, WORDS};

/// More writes from the host than this wait for no submission: the driver keeps a copy of each.
const MAX_WRITES: usize = 256;
/// Words of parameters before a kernel's own.
pub(super) const OWN_WORDS: usize = 2;

#[derive(Default)]
pub(super) struct Counters {
    dispatches: AtomicU64,
    submissions: AtomicU64,
    waits: AtomicU64,
    pub(super) bytes_up: AtomicU64,
    bytes_down: AtomicU64,
}

pub struct Driver {
    index: usize,
    description: String,
    memory_bytes: i64,
    pub(super) limits: Limits,
    pub(super) device: wgpu::Device,
    pub(super) queue: wgpu::Queue,
    compiler: Arc<Compiler>,
    pub(super) pool: Mutex<Pool>,
    staging: Staging,
    pub(super) feeds: Feeds,
    pub(super) stream: Mutex<Stream>,
    /// Told when checks were looked at.
    noted: Condvar,
    checks: wgpu::Buffer,
    pub(super) counters: Counters,
    /// What went wrong outside of any call.
    fault: Arc<OnceLock<String>>,
    /// The process that opened it: a child of it cannot use it.
    process: u32,
    this: Weak<Driver>,
}

impl Driver {
    /// Opens device number `index` on this adapter.
    pub fn open(adapter: &wgpu::Adapter, index: usize) -> Result<Arc<Driver>> {
        let info = adapter.get_info();
        ensure!(
            adapter.features().contains(wgpu::Features::IMMEDIATES),
            unimplemented,
            "it has no room for parameters beside the commands (immediates)"
        );
        let limits = wanted_limits(adapter.limits());
        let request = wgpu::DeviceDescriptor {
            label: Some("ferroflow"),
            required_features: wgpu::Features::IMMEDIATES
                | (adapter.features() & wgpu::Features::PIPELINE_CACHE),
            required_limits: limits.clone(),
            memory_hints: wgpu::MemoryHints::Performance,
            ..Default::default()
        };
        let (device, queue) =
            pollster::block_on(adapter.request_device(&request)).map_err(|error| {
                Error::new(
                    Code::Unavailable,
                    format!("it could not be opened: {error}"),
                )
            })?;
        let fault: Arc<OnceLock<String>> = Arc::default();
        let noted = fault.clone();
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            let _ = noted.set(error.to_string());
        }));
        let noted = fault.clone();
        device.set_device_lost_callback(move |reason, message| {
            let _ = noted.set(format!("the device was lost ({reason:?}): {message}"));
        });
        let checks = device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("checks"),
            size: MAX_CHECKS as u64 * CHECK_BYTES,
            usage: wgpu::BufferUsages::STORAGE
                | wgpu::BufferUsages::COPY_SRC
                | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let buffer_bytes = limits
            .max_storage_buffer_binding_size
            .min(limits.max_buffer_size);
        Ok(Arc::new_cyclic(|this| Driver {
            index,
            description: format!("device: {index}, name: {}, {}", info.name, info.backend),
            // No interface tells how much there is; what one buffer may have is a bound that holds.
            memory_bytes: i64::try_from(buffer_bytes).unwrap_or(i64::MAX),
            limits: Limits {
                // One is left for the checks.
                bindings: limits.max_storage_buffers_per_shader_stage as usize,
                buffer_bytes: usize::try_from(buffer_bytes).unwrap_or(usize::MAX),
                workgroup_bytes: limits.max_compute_workgroup_storage_size as usize,
                invocations: limits.max_compute_invocations_per_workgroup,
            },
            compiler: Compiler::new(device.clone(), is_checking(), Cache::open(&device, &info)),
            pool: Mutex::default(),
            staging: Staging::default(),
            feeds: Feeds::default(),
            stream: Mutex::default(),
            noted: Condvar::new(),
            checks,
            counters: Counters::default(),
            fault,
            process: std::process::id(),
            this: this.clone(),
            device,
            queue,
        }))
    }

    pub(super) fn number(&self) -> usize {
        self.index
    }

    fn this(&self) -> Result<Arc<Driver>> {
        self.this
            .upgrade()
            .ok_or_else(|| Error::internal("a device that was closed is used"))
    }

    fn check(&self) -> Result<()> {
        ensure!(
            self.process == std::process::id(),
            failed_precondition,
            "GPU {} was opened by the parent of this process; a process that was forked cannot use it. Start workers \
             with the 'spawn' method, or fork before the first session.",
            self.index
        );
        match self.fault.get() {
            None => Ok(()),
            Some(fault) => bail!(internal, "GPU {}: {fault}", self.index),
        }
    }

    pub(super) fn give_back(&self, block: Block) {
        self.pool.lock().put(block);
    }

    // ---- memory ----

    fn size_of(&self, len: usize) -> Result<u64> {
        let size = class_of(len).filter(|_| len <= self.limits.buffer_bytes);
        let size = size.ok_or_else(|| {
            Error::exhausted(format!(
                "OOM when allocating {len} bytes on GPU {}: one buffer has at most {} bytes",
                self.index, self.limits.buffer_bytes
            ))
        })?;
        Ok(size.min(self.limits.buffer_bytes as u64))
    }

    fn new_block(&self, size: u64) -> Result<Block> {
        match self.try_block(size) {
            Some(block) => Ok(block),
            None => {
                // What waits goes back to the system first, once the device is done with it.
                let mut stream = self.stream.lock();
                self.launch_companies(&mut stream);
                stream.pipelines.forget_groups();
                drop(stream);
                self.pool.lock().trim();
                self.feeds.trim();
                self.wait_for_all()?;
                self.try_block(size).ok_or_else(|| {
                    Error::exhausted(format!(
                        "OOM when allocating {size} bytes on GPU {}, of which {} bytes are in use",
                        self.index,
                        self.pool.lock().all_bytes
                    ))
                })
            }
        }
    }

    fn try_block(&self, size: u64) -> Option<Block> {
        let scope = self.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let buffer = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size,
            usage: wgpu::BufferUsages::STORAGE
                | wgpu::BufferUsages::COPY_SRC
                | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        if pollster::block_on(scope.pop()).is_some() {
            return None;
        }
        let mut pool = self.pool.lock();
        pool.all_bytes += size;
        pool.next_id += 1;
        Some(Block {
            buffer,
            size,
            id: pool.next_id,
            epoch: 0,
        })
    }

    fn hold(&self, block: Block, len: usize) -> Result<DeviceBuffer> {
        Ok(DeviceBuffer::new(
            Arc::new(Memory::new(self.this()?, block)),
            len,
        ))
    }

    pub(super) fn memory<'b>(&self, buffer: &'b DeviceBuffer) -> Result<&'b Memory> {
        Memory::of(self, buffer)
            .ok_or_else(|| Error::internal(format!("a buffer does not lie on GPU {}", self.index)))
    }

    // ---- waiting ----

    pub(super) fn submit(&self, stream: &mut Stream) -> wgpu::SubmissionIndex {
        self.submit_with(stream, |_| {})
    }

    /// Hands the recording over, with what `last` puts behind it.
    fn submit_with(
        &self,
        stream: &mut Stream,
        last: impl FnOnce(&mut wgpu::CommandEncoder),
    ) -> wgpu::SubmissionIndex {
        self.launch_companies(stream);
        self.counters.submissions.fetch_add(1, Ordering::Relaxed);
        stream.submit(
            &self.device,
            &self.queue,
            (&self.compiler, &self.feeds),
            last,
        )
    }

    pub(super) fn wait(&self, index: wgpu::SubmissionIndex) -> Result<()> {
        self.counters.waits.fetch_add(1, Ordering::Relaxed);
        let waited = self.device.poll(wgpu::PollType::Wait {
            submission_index: Some(index),
            timeout: None,
        });
        waited
            .map_err(|error| Error::internal(format!("waiting for GPU {}: {error}", self.index)))?;
        self.check()
    }

    fn wait_for_all(&self) -> Result<()> {
        let mut stream = self.stream.lock();
        let index = self.submit(&mut stream);
        stream.settle();
        drop(stream);
        self.wait(index)
    }

    /// Reads buffers and the checks of the recording, in one submission.
    fn bring<'s>(
        &'s self,
        mut stream: MutexGuard<'s, Stream>,
        all: &[(&Memory, usize)],
    ) -> Result<Vec<Buffer>> {
        let padded = |len: usize| (len as u64).div_ceil(16) * 16;
        let of_checks = stream.checks.len() as u64 * CHECK_BYTES;
        let total = all.iter().map(|(_, len)| padded(*len)).sum::<u64>() + of_checks;
        let staging = self.staging.take(&self.device, total.max(16));
        let checks = stream.checks.take();
        let index = self.submit_with(&mut stream, |encoder| {
            let mut at = 0;
            for (memory, len) in all {
                let from = &memory.block().buffer;
                encoder.copy_buffer_to_buffer(from, 0, &staging, at, padded(*len));
                at += padded(*len);
            }
            if of_checks > 0 {
                encoder.copy_buffer_to_buffer(&self.checks, 0, &staging, at, of_checks);
                encoder.clear_buffer(&self.checks, 0, None);
            }
        });
        stream.settle();
        drop(stream);
        let outcome = self.read_staged(&staging, index, all, of_checks);
        // Runs whose checks these are wait for this, so it is said also when the reading failed.
        let words = outcome.as_ref().map_or(&[][..], |(_, words)| words);
        self.stream.lock().checks.note(checks, words);
        self.noted.notify_all();
        let (found, _) = outcome?;
        self.staging.give_back(staging);
        let down: usize = all.iter().map(|(_, len)| len).sum();
        self.counters
            .bytes_down
            .fetch_add(down as u64, Ordering::Relaxed);
        Ok(found)
    }

    /// What a submission copied: the bytes of each buffer, and the words of the checks behind them.
    fn read_staged(
        &self,
        staging: &wgpu::Buffer,
        index: wgpu::SubmissionIndex,
        all: &[(&Memory, usize)],
        of_checks: u64,
    ) -> Result<(Vec<Buffer>, Vec<u32>)> {
        let (told, mapped) = std::sync::mpsc::channel();
        staging.map_async(wgpu::MapMode::Read, .., move |outcome| {
            let _ = told.send(outcome);
        });
        self.wait(index)?;
        let lost = || Error::internal(format!("reading from GPU {} failed", self.index));
        mapped.recv().map_err(|_| lost())?.map_err(|_| lost())?;
        let mut found = Vec::with_capacity(all.len());
        let view = staging.get_mapped_range(..).map_err(|_| lost())?;
        let mut at = 0;
        for (_, len) in all {
            found.push(Buffer::copy_of(&view[at..at + len])?);
            at += len.div_ceil(16) * 16;
        }
        let words = view[at..at + of_checks as usize]
            .chunks_exact(4)
            .map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
            .collect();
        drop(view);
        staging.unmap();
        Ok((found, words))
    }

    pub(super) fn read(&self, memory: &Memory, len: usize) -> Result<Buffer> {
        self.check()?;
        let mut found = self.bring(self.stream.lock(), &[(memory, len)])?;
        found
            .pop()
            .ok_or_else(|| Error::internal("nothing was read"))
    }

    /// Puts a dispatch behind what is recorded.
    pub(super) fn record(
        &self,
        stream: &mut Stream,
        shader: &Shader,
        buffers: &[(u64, &wgpu::Buffer)],
        words: [u32; WORDS],
        groups: [u32; 3],
    ) {
        let pipelines = &mut stream.pipelines;
        let pipeline = pipelines.pipeline(&self.compiler, shader, buffers.len());
        let group = pipelines.bind_group(&self.device, &self.compiler, buffers);
        stream.dispatch(Dispatch {
            pipeline,
            group,
            words,
            groups,
            run: std::thread::current().id(),
        });
        self.counters.dispatches.fetch_add(1, Ordering::Relaxed);
    }

    /// Writes over memory that recorded work may read: that work is handed over first.
    pub(super) fn write(&self, memory: &Memory, bytes: &[u8]) -> Result<()> {
        self.check()?;
        let fits = bytes.len() as u64 <= memory.block().size;
        ensure!(fits, internal, "{} bytes for a smaller block", bytes.len());
        let mut stream = self.stream.lock();
        self.submit(&mut stream);
        self.write_ahead(&mut stream, memory.block(), bytes)?;
        memory.touch(stream.epoch());
        Ok(())
    }

    /// The error of this thread's run; another thread may be about to look at its checks.
    fn fail_if_checked(&self) -> Result<()> {
        let mut stream = self.stream.lock();
        while stream.checks.is_awaited() {
            self.noted.wait(&mut stream);
        }
        match stream.checks.failure() {
            None => Ok(()),
            Some(error) => Err(error),
        }
    }
}

impl Gpu for Driver {
    fn index(&self) -> usize {
        self.index
    }

    fn description(&self) -> String {
        self.description.clone()
    }

    fn memory_bytes(&self) -> i64 {
        self.memory_bytes
    }

    fn limits(&self) -> &Limits {
        &self.limits
    }

    fn counts(&self) -> Counts {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            dispatches: of(&self.counters.dispatches),
            submissions: of(&self.counters.submissions),
            waits: of(&self.counters.waits),
            bytes_up: of(&self.counters.bytes_up),
            bytes_down: of(&self.counters.bytes_down),
            bytes_held: self.pool.lock().all_bytes,
        }
    }

    fn allocate(&self, len: usize) -> Result<DeviceBuffer> {
        if len == 0 {
            return Ok(DeviceBuffer::empty());
        }
        let size = self.size_of(len)?;
        let waiting = self.pool.lock().take(size);
        let block = match waiting {
            Some(block) => block,
            None => self.new_block(size)?,
        };
        self.hold(block, len)
    }

    fn upload(&self, bytes: &[u8]) -> Result<DeviceBuffer> {
        if bytes.is_empty() {
            return Ok(DeviceBuffer::empty());
        }
        self.check()?;
        let size = self.size_of(bytes.len())?;
        let mut stream = self.stream.lock();
        if stream.writes >= MAX_WRITES {
            self.submit(&mut stream);
        }
        // Bytes arrive ahead of what is recorded: the block must be one that the recording does not use.
        let waiting = self.pool.lock().take_before(size, stream.epoch());
        let mut block = match waiting {
            Some(block) => block,
            None => {
                drop(stream);
                let block = self.new_block(size)?;
                stream = self.stream.lock();
                block
            }
        };
        self.write_ahead(&mut stream, &block, bytes)?;
        block.epoch = stream.epoch();
        drop(stream);
        self.hold(block, bytes.len())
    }

    fn copy(&self, from: &DeviceBuffer) -> Result<DeviceBuffer> {
        let to = self.allocate(from.len_bytes())?;
        if from.memory().is_none() {
            return Ok(to);
        }
        let (source, target) = (self.memory(from)?, self.memory(&to)?);
        let mut stream = self.stream.lock();
        let epoch = stream.epoch();
        source.touch(epoch);
        target.touch(epoch);
        let bytes = (from.len_bytes() as u64).div_ceil(4) * 4;
        self.launch_those_with(&mut stream, |id| id == source.block().id);
        stream.copy(Copy {
            from: source.block().buffer.clone(),
            to: target.block().buffer.clone(),
            at: 0,
            bytes,
        });
        drop(stream);
        Ok(to)
    }

    fn launch(&self, launch: Launch) -> Result<()> {
        ensure!(
            launch.params.len() + OWN_WORDS <= WORDS,
            internal,
            "{} words of parameters for {:?}",
            launch.params.len(),
            launch.shader
        );
        let mut buffers: SmallVec<[(u64, &wgpu::Buffer); 8]> = SmallVec::new();
        let mut stream = self.stream.lock();
        if launch.check.is_some() && stream.checks.is_full() {
            self.bring(stream, &[])?;
            stream = self.stream.lock();
        }
        let epoch = stream.epoch();
        for buffer in launch.bindings {
            let memory = self.memory(buffer)?;
            memory.touch(epoch);
            buffers.push((memory.block().id, &memory.block().buffer));
        }
        self.launch_those_with(&mut stream, |id| buffers.iter().any(|(own, _)| *own == id));
        let mut words = [0u32; WORDS];
        words[OWN_WORDS..OWN_WORDS + launch.params.len()].copy_from_slice(launch.params);
        if let Some(check) = launch.check {
            words[1] = stream.checks.add(check) as u32;
            buffers.push((0, &self.checks));
        }
        self.record(&mut stream, launch.shader, &buffers, words, launch.groups);
        Ok(())
    }

    fn launch_with_others(&self, member: Member) -> Result<()> {
        self.launch_in_company(&member)
    }

    fn download(&self, all: &[&DeviceBuffer]) -> Result<Vec<Buffer>> {
        self.check()?;
        let mut wanted = Vec::with_capacity(all.len());
        for buffer in all {
            if buffer.memory().is_some() {
                wanted.push((self.memory(buffer)?, buffer.len_bytes()));
            }
        }
        let mut read = match wanted.is_empty() {
            true => Vec::new(),
            false => self.bring(self.stream.lock(), &wanted)?,
        }
        .into_iter();
        self.fail_if_checked()?;
        let each = all.iter().map(|buffer| match buffer.memory() {
            None => Buffer::new(0),
            Some(_) => read
                .next()
                .ok_or_else(|| Error::internal("a buffer was not read")),
        });
        each.collect()
    }

    fn settle(&self) {
        if self.process == std::process::id() {
            self.compiler.settle();
        }
    }

    fn finish(&self) -> Result<()> {
        self.check()?;
        let mut stream = self.stream.lock();
        if !stream.checks.is_empty() {
            self.bring(stream, &[])?;
        } else {
            if !stream.is_empty() {
                self.submit(&mut stream);
            }
            let oldest = stream.oldest();
            drop(stream);
            if let Some(index) = oldest {
                self.wait(index)?;
            }
        }
        self.fail_if_checked()
    }
}

/// What shaders may use: all that the adapter has, or what every WebGPU device has (`FERROFLOW_GPU_LIMITS=default`).
fn wanted_limits(of_adapter: wgpu::Limits) -> wgpu::Limits {
    let is_least = std::env::var_os("FERROFLOW_GPU_LIMITS").is_some_and(|v| v == "default");
    match is_least {
        true => wgpu::Limits {
            max_immediate_size: PARAMETER_BYTES,
            ..wgpu::Limits::default()
        },
        false => of_adapter,
    }
}

/// Whether shaders are to check every index themselves, for looking for faults: `FERROFLOW_GPU_CHECKS=1`.
fn is_checking() -> bool {
    std::env::var_os("FERROFLOW_GPU_CHECKS").is_some_and(|v| v != "0" && !v.is_empty())
}
