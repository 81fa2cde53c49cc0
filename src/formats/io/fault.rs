//! Faults for tests: the Nth operation on a file fails, or the process dies there.
//!
//! Death is an unwinding that runs no clean-up: what is left in the directory is what `kill -9` would leave.

use std::cell::Cell;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;

use crate::error::Result;

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    Die,
    /// The system call fails with this `errno`.
    Fail(i32),
}

/// How a run under a fault ended.
#[derive(Debug)]
pub enum Outcome<T> {
    Done(T),
    Died,
}

struct Death;

thread_local! {
    static PLANNED: Cell<Option<(usize, Fault)>> = const { Cell::new(None) };
    static DEAD: Cell<bool> = const { Cell::new(false) };
}

/// Runs `body`; its operation number `nth` (from 0) meets `fault`.
pub fn at<T>(nth: usize, fault: Fault, body: impl FnOnce() -> T) -> Outcome<T> {
    PLANNED.set(Some((nth, fault)));
    let result = catch_unwind(AssertUnwindSafe(body));
    PLANNED.set(None);
    DEAD.set(false);
    match result {
        Ok(value) => Outcome::Done(value),
        Err(payload) if payload.is::<Death>() => Outcome::Died,
        Err(payload) => resume_unwind(payload),
    }
}

pub fn is_dead() -> bool {
    DEAD.get()
}

pub fn step(path: &Path) -> Result<()> {
    match PLANNED.get() {
        Some((0, fault)) => {
            PLANNED.set(None);
            match fault {
                Fault::Die => {
                    DEAD.set(true);
                    resume_unwind(Box::new(Death));
                }
                Fault::Fail(number) => {
                    Err(super::error(path, &io::Error::from_raw_os_error(number)))
                }
            }
        }
        Some((left, fault)) => {
            PLANNED.set(Some((left - 1, fault)));
            Ok(())
        }
        None => Ok(()),
    }
}
