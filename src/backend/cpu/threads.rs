//! The thread pool of kernels. Work is cut by shape into numbered jobs, so results do not depend on who runs them.
//!
//! The caller works too, and never waits for a helper that has not begun: on a busy machine a helper that gets no
//! core costs nothing. Whoever finds the pool taken (another thread runs, or a job runs jobs) works alone.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering::*};
use std::thread::Thread;

use parking_lot::Mutex;

use super::simd::Shared;

/// Work below about 50 microseconds is not worth waking a helper: so many multiplications and additions.
pub const WORTH_FLOPS: usize = 8 << 20;
/// The same for work that is bound by memory: so many bytes read and written.
pub const WORTH_BYTES: usize = 2 << 20;

/// Set while a job is open to helpers; the lower bits count those that joined.
const OPEN: u32 = 1 << 31;

type Job<'a> = &'a (dyn Fn(usize) + Sync + 'a);

struct Pool {
    /// Counts published jobs; helpers watch it.
    epoch: AtomicU32,
    state: AtomicU32,
    next: AtomicUsize,
    /// Number of parts and the job; written while no helper has joined, read only by those that have.
    job: Mutex<Option<(usize, *const (dyn Fn(usize) + Sync))>>,
    panic: Mutex<Option<Box<dyn Any + Send>>>,
    helpers: Vec<Helper>,
    /// Held by the one caller that the helpers work for.
    taken: Mutex<()>,
    /// The process that started the helpers: after a fork there are none.
    process: u32,
}

struct Helper {
    thread: OnceLock<Thread>,
    is_asleep: AtomicBool,
}

// SAFETY: the pointer in `job` is used only while the caller of `run` waits for those that joined.
unsafe impl Send for Pool {}
// SAFETY: as above.
unsafe impl Sync for Pool {}

static LIMIT: AtomicUsize = AtomicUsize::new(0);
static POOL: OnceLock<Pool> = OnceLock::new();

/// At most so many threads compute at once (0: as many as the machine gives). Counts before the first parallel
/// kernel; `FERROFLOW_THREADS` has the last word.
pub fn limit(threads: usize) {
    LIMIT.store(threads, Relaxed);
}

/// Threads that kernels use, the caller included.
pub fn count() -> usize {
    pool().helpers.len() + 1
}

fn wanted() -> usize {
    let from_environment = std::env::var("FERROFLOW_THREADS");
    let available = std::thread::available_parallelism().map_or(1, usize::from);
    if let Some(n) = from_environment.ok().and_then(|s| s.parse::<usize>().ok()) {
        return n.clamp(1, 256);
    }
    match LIMIT.load(Relaxed) {
        0 => available,
        n => n.min(available),
    }
}

fn pool() -> &'static Pool {
    let mut is_new = false;
    let pool = POOL.get_or_init(|| {
        is_new = true;
        Pool {
            epoch: AtomicU32::new(0),
            state: AtomicU32::new(0),
            next: AtomicUsize::new(0),
            job: Mutex::new(None),
            panic: Mutex::new(None),
            helpers: (1..wanted())
                .map(|_| Helper {
                    thread: OnceLock::new(),
                    is_asleep: AtomicBool::new(false),
                })
                .collect(),
            taken: Mutex::new(()),
            process: std::process::id(),
        }
    });
    if is_new {
        for (i, helper) in pool.helpers.iter().enumerate() {
            let name = format!("ferroflow-{i}");
            // A thread that cannot be started is a helper that never joins.
            let thread = std::thread::Builder::new().name(name);
            if let Ok(handle) = thread.spawn(move || pool.help(helper)) {
                let _ = helper.thread.set(handle.thread().clone());
            }
        }
    }
    pool
}

impl Pool {
    fn help(&self, me: &Helper) {
        let mut seen = 0;
        loop {
            let mut tries = 0;
            while self.epoch.load(Acquire) == seen {
                tries += 1;
                if tries < 20 {
                    std::hint::spin_loop();
                    continue;
                }
                me.is_asleep.store(true, SeqCst);
                if self.epoch.load(SeqCst) == seen {
                    std::thread::park();
                }
                me.is_asleep.store(false, SeqCst);
            }
            seen = self.epoch.load(Acquire);
            let join = |state: u32| (state & OPEN != 0).then_some(state + 1);
            if self.state.fetch_update(AcqRel, Acquire, join).is_ok() {
                self.work();
                self.state.fetch_sub(1, Release);
            }
        }
    }

    /// Takes parts until none is left.
    fn work(&self) {
        let Some((parts, job)) = *self.job.lock() else {
            return;
        };
        // SAFETY: whoever is here has joined (or is the caller), and the caller keeps the job alive until all left.
        let job: Job = unsafe { &*job };
        let result = catch_unwind(AssertUnwindSafe(|| {
            loop {
                let part = self.next.fetch_add(1, Relaxed);
                if part >= parts {
                    break;
                }
                job(part);
            }
        }));
        if let Err(payload) = result {
            self.next.store(parts, Relaxed);
            self.panic.lock().get_or_insert(payload);
        }
    }

    fn run(&self, parts: usize, job: Job) {
        let job: *const (dyn Fn(usize) + Sync + '_) = job;
        // SAFETY: only the lifetime changes; `run` does not return while anybody can use the job.
        let job: *const (dyn Fn(usize) + Sync + 'static) = unsafe { std::mem::transmute(job) };
        *self.job.lock() = Some((parts, job));
        self.next.store(0, Relaxed);
        self.state.store(OPEN, Release);
        self.epoch.fetch_add(1, SeqCst);
        for helper in self.helpers.iter().take(parts - 1) {
            if helper.is_asleep.load(SeqCst)
                && let Some(thread) = helper.thread.get()
            {
                thread.unpark();
            }
        }
        self.work();
        let mut tries = 0u32;
        self.state.fetch_and(!OPEN, AcqRel);
        while self.state.load(Acquire) != 0 {
            tries += 1;
            if tries < 2000 {
                std::hint::spin_loop();
            } else {
                std::thread::yield_now();
            }
        }
        *self.job.lock() = None;
        if let Some(payload) = self.panic.lock().take() {
            resume_unwind(payload);
        }
    }
}

/// Runs `job(0)`, …, `job(parts - 1)`, each once, on as many threads as are free. Returns when all are done.
pub fn run(parts: usize, job: impl Fn(usize) + Sync) {
    if parts > 1 {
        let pool = pool();
        if !pool.helpers.is_empty()
            && pool.process == std::process::id()
            && let Some(_taken) = pool.taken.try_lock()
        {
            return pool.run(parts, &job);
        }
    }
    (0..parts).for_each(job);
}

/// Cuts `0..n` into pieces of `piece` and runs `job(start, end)` for each, in parallel when `is_worth_it`.
pub fn run_pieces(n: usize, piece: usize, is_worth_it: bool, job: impl Fn(usize, usize) + Sync) {
    let piece = piece.max(1);
    let parts = n.div_ceil(piece);
    let one = |i: usize| job(i * piece, ((i + 1) * piece).min(n));
    if is_worth_it {
        run(parts, one);
    } else {
        (0..parts).for_each(one);
    }
}

/// Runs `job(i, row)` for each row of `width` elements of `out`, in parallel when `is_worth_it`.
pub fn run_rows<T: Send>(
    out: &mut [T],
    width: usize,
    is_worth_it: bool,
    job: impl Fn(usize, &mut [T]) + Sync,
) {
    if width == 0 {
        return;
    }
    let rows = out.len() / width;
    let piece = if is_worth_it { rows.div_ceil(64) } else { rows };
    let out = Shared::of(out);
    run_pieces(rows, piece, is_worth_it, |from, to| {
        for i in from..to {
            // SAFETY: rows do not overlap, lie in `out`, and each is given to one job.
            job(i, unsafe { out.part(i * width, width) });
        }
    });
}

/// Runs `job(i, chunk)` for each chunk of `len` elements of `out`, the last perhaps shorter, in parallel when
/// `is_worth_it`.
pub fn run_chunks<T: Send>(
    out: &mut [T],
    len: usize,
    is_worth_it: bool,
    job: impl Fn(usize, &mut [T]) + Sync,
) {
    let n = out.len();
    let shared = Shared::of(out);
    run_pieces(n, len, is_worth_it, |from, to| {
        // SAFETY: pieces do not overlap, lie in `out`, and each is given to one job.
        job(from / len.max(1), unsafe { shared.part(from, to - from) });
    });
}

/// Runs `job(i, element, row)` for each element of `a` and row of `width` elements of `b`, in parallel when `is_worth_it`.
pub fn run_pairs<T: Send, U: Send>(
    a: &mut [T],
    b: &mut [U],
    width: usize,
    is_worth_it: bool,
    job: impl Fn(usize, &mut T, &mut [U]) + Sync,
) {
    assert_eq!(Some(b.len()), a.len().checked_mul(width));
    let a = Shared::of(a);
    run_rows(b, width, is_worth_it, |i, row| {
        // SAFETY: there are as many elements as rows, and each is given to one job.
        job(i, &mut unsafe { a.part(i, 1) }[0], row);
    });
}

/// Cuts slices of one length alike and runs `job(start, parts)` for each cut, in parallel when `is_worth_it`.
pub fn run_slices<T: Send, const N: usize>(
    slices: [&mut [T]; N],
    is_worth_it: bool,
    job: impl Fn(usize, [&mut [T]; N]) + Sync,
) {
    const PIECE: usize = 32 << 10;
    let n = slices.iter().map(|s| s.len()).min().unwrap_or(0);
    let piece = if is_worth_it { PIECE } else { n };
    let shared = slices.map(Shared::of);
    run_pieces(n, piece, is_worth_it, |from, to| {
        // SAFETY: pieces do not overlap, lie in each of the slices, and each is given to one job.
        job(from, shared.map(|s| unsafe { s.part(from, to - from) }));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_runs_once_also_when_jobs_run_jobs() {
        let counts: Vec<AtomicUsize> = (0..100).map(|_| AtomicUsize::new(0)).collect();
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        run(10, |i| {
                            run(10, |j| {
                                counts[i * 10 + j].fetch_add(1, Relaxed);
                            });
                        });
                    }
                });
            }
        });
        assert!(counts.iter().all(|c| c.load(Relaxed) == 150));
    }

    #[test]
    fn rows_and_slices_are_cut_without_gap_or_overlap() {
        let mut rows = vec![0u32; 300 * 7];
        run_rows(&mut rows, 7, true, |i, row| {
            row.iter_mut().for_each(|x| *x += i as u32 + 1)
        });
        assert!(
            rows.iter()
                .enumerate()
                .all(|(at, x)| *x as usize == at / 7 + 1)
        );
        let (mut a, mut b) = (vec![0u64; 100_001], vec![0u64; 100_001]);
        run_slices([&mut a, &mut b], true, |start, [a, b]| {
            for (i, (a, b)) in a.iter_mut().zip(b).enumerate() {
                (*a, *b) = (*a + (start + i) as u64, *b + 1);
            }
        });
        assert!(a.iter().enumerate().all(|(i, x)| *x == i as u64) && b.iter().all(|x| *x == 1));
    }

    #[test]
    fn a_panic_in_a_part_reaches_the_caller_and_the_pool_goes_on() {
        let caught = catch_unwind(|| run(64, |i| assert_ne!(i, 17, "part 17")));
        assert!(caught.is_err());
        let sum = AtomicUsize::new(0);
        run(64, |i| {
            sum.fetch_add(i, Relaxed);
        });
        assert_eq!(sum.into_inner(), 64 * 63 / 2);
    }
}
