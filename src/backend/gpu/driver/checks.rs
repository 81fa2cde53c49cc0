//! What shaders may find wrong: four words a check in one buffer, looked at when the host waits anyway, or at the end
//! of the run.

use std::thread::ThreadId;

use crate::error::Error;

use super::super::launch::Check;

/// Most checks of one recording.
pub const MAX_CHECKS: usize = 256;
pub const CHECK_BYTES: u64 = 16;

/// Checks of the recording, by their place in the buffer.
#[derive(Default)]
pub struct Checks {
    pending: Vec<(ThreadId, Check)>,
    /// The runs whose checks some thread has handed over and not yet looked at.
    in_flight: Vec<ThreadId>,
    /// Errors of runs that have not asked yet.
    failed: Vec<(ThreadId, Error)>,
}

impl Checks {
    /// The place of a new check.
    pub fn add(&mut self, check: Check) -> usize {
        self.pending.push((std::thread::current().id(), check));
        self.pending.len() - 1
    }

    pub fn is_full(&self) -> bool {
        self.pending.len() >= MAX_CHECKS
    }

    pub fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    pub fn len(&self) -> usize {
        self.pending.len()
    }

    /// The checks of a recording that is handed over. Whoever takes them calls `note`, whatever happens.
    pub fn take(&mut self) -> Vec<(ThreadId, Check)> {
        self.in_flight
            .extend(self.pending.iter().map(|(run, _)| *run));
        std::mem::take(&mut self.pending)
    }

    /// Whether another thread has this thread's checks and has not looked at them yet.
    pub fn is_awaited(&self) -> bool {
        self.in_flight.contains(&std::thread::current().id())
    }

    /// Keeps what the words say for the runs that they belong to; the first of a run is its error.
    pub fn note(&mut self, checks: Vec<(ThreadId, Check)>, words: &[u32]) {
        for (run, _) in &checks {
            if let Some(at) = self.in_flight.iter().position(|other| other == run) {
                self.in_flight.swap_remove(at);
            }
        }
        for ((run, check), words) in checks.into_iter().zip(words.chunks_exact(4)) {
            if words[0] != 0 {
                self.fail(run, check([words[1], words[2], words[3]]));
            }
        }
    }

    /// Keeps an error for the run of this thread; its first is the one that counts.
    pub fn fail(&mut self, run: ThreadId, error: Error) {
        if !self.failed.iter().any(|(other, _)| *other == run) {
            self.failed.push((run, error));
        }
    }

    /// The error of this thread's run.
    pub fn failure(&mut self) -> Option<Error> {
        let run = std::thread::current().id();
        let at = self.failed.iter().position(|(other, _)| *other == run)?;
        Some(self.failed.swap_remove(at).1)
    }
}
