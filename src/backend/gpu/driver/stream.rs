//! The recording of a device: one encoder, one pass for as long as nothing is copied, one submission.

use std::collections::VecDeque;

use super::checks::Checks;

/// Runs that may be under way while the next is recorded.
pub const MAX_IN_FLIGHT: usize = 2;

#[derive(Default)]
pub struct Stream {
    /// Ends before its encoder does.
    pass: Option<wgpu::ComputePass<'static>>,
    encoder: Option<wgpu::CommandEncoder>,
    /// The number of the recording; counts up with each submission, from 1.
    epoch: u64,
    /// Writes from the host that wait for the next submission.
    pub writes: usize,
    pub checks: Checks,
    in_flight: VecDeque<wgpu::SubmissionIndex>,
}

impl Stream {
    /// Memory used before any recording has epoch 0.
    pub fn epoch(&self) -> u64 {
        self.epoch + 1
    }

    pub fn is_empty(&self) -> bool {
        self.encoder.is_none() && self.writes == 0
    }

    /// The pass to record dispatches in.
    pub fn pass(&mut self, device: &wgpu::Device) -> &mut wgpu::ComputePass<'static> {
        if self.pass.is_none() {
            let pass = self
                .encoder_inside(device)
                .begin_compute_pass(&Default::default());
            self.pass = Some(pass.forget_lifetime());
        }
        self.pass.as_mut().expect("the pass was just begun")
    }

    /// The encoder, outside of a pass: for copies.
    pub fn encoder(&mut self, device: &wgpu::Device) -> &mut wgpu::CommandEncoder {
        self.pass = None;
        self.encoder_inside(device)
    }

    fn encoder_inside(&mut self, device: &wgpu::Device) -> &mut wgpu::CommandEncoder {
        self.encoder
            .get_or_insert_with(|| device.create_command_encoder(&Default::default()))
    }

    /// Hands the recording over.
    pub fn submit(&mut self, queue: &wgpu::Queue) -> wgpu::SubmissionIndex {
        self.pass = None;
        let commands = self.encoder.take().map(wgpu::CommandEncoder::finish);
        let index = queue.submit(commands);
        self.epoch += 1;
        self.writes = 0;
        self.in_flight.push_back(index.clone());
        index
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
