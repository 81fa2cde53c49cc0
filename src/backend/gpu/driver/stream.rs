//! The recording of a device: launches and copies kept as data in their order, encoded when they are handed over. One
//! encoder then, one pass for as long as nothing is copied, one submission.

use std::collections::VecDeque;
use std::sync::Arc;
use std::thread::ThreadId;

use super::checks::Checks;
use super::company::Companies;
use super::compile::{Compiler, PARAMETER_BYTES, Pipeline};
use super::feeds::Feeds;
use super::pipelines::Pipelines;

/// Runs that may be under way while the next is recorded.
pub const MAX_IN_FLIGHT: usize = 2;
/// Words of the parameters of a launch.
pub const WORDS: usize = PARAMETER_BYTES as usize / 4;

pub struct Dispatch {
    pub pipeline: Arc<Pipeline>,
    pub group: wgpu::BindGroup,
    pub words: [u32; WORDS],
    pub groups: [u32; 3],
    /// The thread whose run launched it.
    pub run: ThreadId,
}

/// A copy of so many bytes from the beginning of one buffer to a place in another.
pub struct Copy {
    pub from: wgpu::Buffer,
    pub to: wgpu::Buffer,
    pub at: u64,
    pub bytes: u64,
}

impl Copy {
    fn encode(&self, encoder: &mut wgpu::CommandEncoder) {
        encoder.copy_buffer_to_buffer(&self.from, 0, &self.to, self.at, self.bytes);
    }
}

enum Command {
    Dispatch(Dispatch),
    Copy(Copy),
}

#[derive(Default)]
pub struct Stream {
    /// What the host fed: copied ahead of the commands.
    feeds: Vec<Copy>,
    commands: Vec<Command>,
    /// The number of the recording; counts up with each submission, from 1.
    epoch: u64,
    /// Writes from the host that wait for the next submission.
    pub writes: usize,
    pub checks: Checks,
    /// Work that comes behind the commands, as soon as it matters.
    pub companies: Companies,
    pub pipelines: Pipelines,
    in_flight: VecDeque<wgpu::SubmissionIndex>,
}

impl Stream {
    /// Memory used before any recording has epoch 0.
    pub fn epoch(&self) -> u64 {
        self.epoch + 1
    }

    pub fn is_empty(&self) -> bool {
        self.commands.is_empty() && self.companies.is_empty() && self.writes == 0
    }

    pub fn dispatch(&mut self, dispatch: Dispatch) {
        self.commands.push(Command::Dispatch(dispatch));
    }

    pub fn copy(&mut self, copy: Copy) {
        self.commands.push(Command::Copy(copy));
    }

    /// Bytes of the host, ahead of all that is recorded. The buffer that they are copied from is one of `Feeds`.
    pub fn feed(&mut self, copy: Copy) {
        self.feeds.push(copy);
    }

    /// Hands the recording over, with what `last` puts behind it.
    pub fn submit(
        &mut self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        (compiler, feeds): (&Compiler, &Feeds),
        last: impl FnOnce(&mut wgpu::CommandEncoder),
    ) -> wgpu::SubmissionIndex {
        let mut encoder = device.create_command_encoder(&Default::default());
        for copy in &self.feeds {
            copy.encode(&mut encoder);
        }
        self.encode(&mut encoder, compiler);
        last(&mut encoder);
        let index = queue.submit([encoder.finish()]);
        for copy in self.feeds.drain(..) {
            feeds.take_back(copy.from);
        }
        self.epoch += 1;
        self.writes = 0;
        self.in_flight.push_back(index.clone());
        index
    }

    /// Encodes the commands. One whose shader is not accepted is left out, and is an error of the run that launched it.
    fn encode(&mut self, encoder: &mut wgpu::CommandEncoder, compiler: &Compiler) {
        // Ends before the encoder does.
        let mut pass: Option<wgpu::ComputePass<'static>> = None;
        for command in self.commands.drain(..) {
            match command {
                Command::Dispatch(dispatch) => match compiler.wait(&dispatch.pipeline) {
                    Ok(pipeline) => {
                        let pass = pass.get_or_insert_with(|| {
                            encoder
                                .begin_compute_pass(&Default::default())
                                .forget_lifetime()
                        });
                        let [x, y, z] = dispatch.groups;
                        pass.set_pipeline(pipeline);
                        pass.set_bind_group(0, &dispatch.group, &[]);
                        pass.set_immediates(0, bytemuck::cast_slice(&dispatch.words));
                        pass.dispatch_workgroups(x, y, z);
                    }
                    Err(error) => self.checks.fail(dispatch.run, error),
                },
                Command::Copy(copy) => {
                    pass = None;
                    copy.encode(encoder);
                }
            }
        }
    }

    /// The submission to wait for so that not too many are under way.
    pub fn oldest(&mut self) -> Option<wgpu::SubmissionIndex> {
        (self.in_flight.len() > MAX_IN_FLIGHT).then(|| self.in_flight.pop_front())?
    }

    /// All submissions are known to be done.
    pub fn settle(&mut self) {
        self.in_flight.clear();
    }
}
