//! Runs in parts: feeds come one after the other, and what can run does.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::error::{Error, Result};
use crate::graph::Endpoint;
use crate::plan::RunSpec;
use crate::value::Value;
use crate::{bail, ensure};

use super::executor::{self, Slots};
use super::plans::Prepared;
use super::{RunOptions, Session};

/// A run that has been set up and waits for feeds.
pub struct PartialRun {
    pub prepared: Arc<Prepared>,
    spec: RunSpec,
    progress: Mutex<Progress>,
}

struct Progress {
    slots: Slots,
    is_fed: Vec<bool>,
    is_fetched: Vec<bool>,
    is_done: Vec<bool>,
}

impl PartialRun {
    pub fn new(prepared: Arc<Prepared>, spec: RunSpec) -> PartialRun {
        let progress = Progress {
            slots: Slots::for_plan(&prepared.plan),
            is_fed: vec![false; spec.feeds.len()],
            is_fetched: vec![false; spec.fetches.len()],
            is_done: vec![false; prepared.plan.steps.len()],
        };
        PartialRun {
            prepared,
            spec,
            progress: Mutex::new(progress),
        }
    }

    /// The place of a tensor among the feeds of the set-up.
    pub fn feed(&self, e: Endpoint) -> Result<usize> {
        let place = self.spec.feeds.iter().position(|feed| *feed == e);
        place.ok_or_else(|| Error::invalid("A feed was not specified in partial_run_setup."))
    }

    /// Feeds, runs what can run, and fetches. True when all that was set up has been fetched.
    pub fn go_on(
        &self,
        session: &Session,
        feeds: Vec<(usize, Value)>,
        fetches: &[Endpoint],
        options: RunOptions,
    ) -> Result<(Vec<Value>, bool)> {
        let mut progress = self.progress.lock();
        let mut is_fed = progress.is_fed.clone();
        let plan = &self.prepared.plan;
        for (feed, value) in &feeds {
            let wanted = &plan.feeds[*feed];
            ensure!(
                !is_fed[*feed],
                invalid,
                "The feed {} has already been fed.",
                wanted.name
            );
            ensure!(
                value.dtype() == wanted.dtype,
                invalid,
                "Tensor {} was fed a value of type {} but has type {}",
                wanted.name,
                value.dtype().short_name(),
                wanted.dtype.short_name()
            );
            is_fed[*feed] = true;
        }
        let may_run: Vec<bool> = (0..plan.steps.len())
            .map(|i| !progress.is_done[i] && is_covered(&plan.needs[i], &is_fed))
            .collect();
        let fetches = self.places(fetches, &progress, &is_fed, &may_run)?;
        progress.is_fed = is_fed;
        let Progress {
            slots,
            is_done,
            is_fetched,
            ..
        } = &mut *progress;
        let cancellation = session.cancellation(options);
        let run = session.executor_run(&self.prepared, &cancellation);
        let values = executor::run_part(&run, slots, feeds, &may_run, &fetches)?;
        for (done, ran) in is_done.iter_mut().zip(may_run) {
            *done |= ran;
        }
        fetches.iter().for_each(|i| is_fetched[*i] = true);
        let is_over = is_fetched.iter().all(|fetched| *fetched);
        Ok((values, is_over))
    }

    /// The places of the fetches, which must be computable by now.
    fn places(
        &self,
        fetches: &[Endpoint],
        progress: &Progress,
        is_fed: &[bool],
        may_run: &[bool],
    ) -> Result<Vec<usize>> {
        let plan = &self.prepared.plan;
        let mut places = Vec::with_capacity(fetches.len());
        for e in fetches {
            let place = self
                .spec
                .fetches
                .iter()
                .position(|f| f == e)
                .ok_or_else(|| Error::invalid("A fetch was not specified in partial_run_setup."))?;
            let fetch = &plan.fetches[place];
            let maker = plan.steps.iter().position(|step| writes(step, fetch.place));
            let is_there = match (maker, fetch.place) {
                (Some(step), _) => may_run[step] || progress.is_done[step],
                (None, crate::plan::Place::Slot(s)) => {
                    is_fed.get(s as usize).copied().unwrap_or(false)
                }
                (None, crate::plan::Place::Constant(_)) => true,
            };
            if !is_there {
                let name = fetch.name.trim_start_matches("_retval_");
                let (node, output) = name.rsplit_once('_').unwrap_or((name, "0"));
                bail!(
                    invalid,
                    "Fetch {node}:{output} can't be computed from the feeds that have been fed so far."
                );
            }
            places.push(place);
        }
        Ok(places)
    }
}

fn writes(step: &crate::plan::Step, place: crate::plan::Place) -> bool {
    let crate::plan::Place::Slot(slot) = place else {
        return false;
    };
    match &step.action {
        crate::plan::Action::Loop(body) => body.exits.contains(&slot),
        _ => step.outputs.contains(&slot),
    }
}

fn is_covered(needs: &[u64], is_fed: &[bool]) -> bool {
    let is_missing = |feed: usize| needs[feed / 64] >> (feed % 64) & 1 == 1 && !is_fed[feed];
    !(0..is_fed.len()).any(is_missing)
}
