//! The queue itself: elements under a lock, and threads that wait in line for room or for elements.
//!
//! A request for many elements takes them as they come, so it may ask for more than the queue can hold; when the queue is
//! closed meanwhile, they go back.

use std::collections::VecDeque;
use std::time::Duration;

use parking_lot::{Condvar, Mutex, MutexGuard};

use crate::error::{Code, Error, Result};
use crate::ops::kernel::Cancellation;
use crate::value::{DType, PartialShape};

use super::order::{Order, Tuple};

/// How often a thread that waits looks whether its run should end.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What a queue was made as; a queue of the same name must be made so again.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Setup {
    /// The op without its version: `FIFOQueue`.
    pub kind: &'static str,
    pub types: Vec<DType>,
    /// One shape a component, or none at all: elements of any shape.
    pub shapes: Vec<PartialShape>,
    pub capacity: usize,
    /// How many elements must stay while the queue is open.
    pub min_after_dequeue: usize,
}

pub(super) struct Queue {
    pub name: String,
    pub setup: Setup,
    content: Mutex<Content>,
    /// Told whenever somebody in a line may go on.
    changed: Condvar,
}

struct Content {
    order: Order,
    is_closed: bool,
    /// Counts closings that cancel whoever waits to enqueue.
    cancellations: u64,
    tickets: u64,
    enqueuers: VecDeque<u64>,
    dequeuers: VecDeque<u64>,
}

/// The two lines.
#[derive(Clone, Copy, Debug)]
enum Line {
    Enqueue,
    Dequeue,
}

impl Content {
    fn line(&mut self, line: Line) -> &mut VecDeque<u64> {
        match line {
            Line::Enqueue => &mut self.enqueuers,
            Line::Dequeue => &mut self.dequeuers,
        }
    }

    fn is_next(&mut self, line: Line, ticket: u64) -> bool {
        self.line(line).front() == Some(&ticket)
    }
}

impl Queue {
    pub fn new(name: String, setup: Setup, order: Order) -> Queue {
        Queue {
            name,
            setup,
            content: Mutex::new(Content {
                order,
                is_closed: false,
                cancellations: 0,
                tickets: 0,
                enqueuers: VecDeque::new(),
                dequeuers: VecDeque::new(),
            }),
            changed: Condvar::new(),
        }
    }

    pub fn size(&self) -> usize {
        self.content.lock().order.len()
    }

    pub fn is_closed(&self) -> bool {
        self.content.lock().is_closed
    }

    /// Stands in `line` while `body` runs; whoever is next hears of it when it ends.
    fn in_line<T>(
        &self,
        line: Line,
        body: impl FnOnce(&mut MutexGuard<Content>, u64) -> Result<T>,
    ) -> Result<T> {
        let mut content = self.content.lock();
        content.tickets += 1;
        let ticket = content.tickets;
        content.line(line).push_back(ticket);
        let done = body(&mut content, ticket);
        content.line(line).retain(|t| *t != ticket);
        drop(content);
        self.changed.notify_all();
        done
    }

    fn wait(
        &self,
        content: &mut MutexGuard<Content>,
        line: Line,
        cancellation: &Cancellation,
    ) -> Result<()> {
        self.changed.wait_for(content, LOOK_EVERY);
        if cancellation.is_cancelled() {
            let message = format!("{line:?} operation was cancelled");
            return Err(Error::new(Code::Cancelled, message));
        }
        // Asking whether Ctrl-C was pressed waits for the interpreter, which may wait for this lock.
        MutexGuard::unlocked(content, || cancellation.check())
    }

    pub fn enqueue(&self, tuples: Vec<Tuple>, cancellation: &Cancellation) -> Result<()> {
        let mut tuples = VecDeque::from(tuples);
        self.in_line(Line::Enqueue, |content, ticket| {
            if content.is_closed {
                return Err(self.closed());
            }
            let before = content.cancellations;
            loop {
                if content.cancellations != before {
                    return Err(Error::new(
                        Code::Cancelled,
                        "Enqueue operation was cancelled",
                    ));
                }
                if content.is_next(Line::Enqueue, ticket) {
                    let room = self.setup.capacity.saturating_sub(content.order.len());
                    let count = room.min(tuples.len());
                    for tuple in tuples.drain(..count) {
                        content.order.push(tuple)?;
                    }
                    if count > 0 {
                        self.changed.notify_all();
                    }
                    if tuples.is_empty() {
                        return Ok(());
                    }
                }
                self.wait(content, Line::Enqueue, cancellation)?;
            }
        })
    }

    fn closed(&self) -> Error {
        let message = format!("{} '{}' is closed.", self.setup.kind, self.name);
        Error::new(Code::Cancelled, message)
    }

    /// Takes `count` elements; fewer, but at least one, when the queue is closed and `fewer_will_do`.
    pub fn dequeue(
        &self,
        count: usize,
        fewer_will_do: bool,
        cancellation: &Cancellation,
    ) -> Result<Vec<Tuple>> {
        let mut taken = Vec::new();
        if count == 0 {
            return Ok(taken);
        }
        self.in_line(Line::Dequeue, |content, ticket| {
            loop {
                let done = match content.is_next(Line::Dequeue, ticket) {
                    true => self.take(content, &mut taken, count, fewer_will_do),
                    false => Ok(false),
                };
                let done = match done {
                    Ok(false) => self
                        .wait(content, Line::Dequeue, cancellation)
                        .map(|()| false),
                    done => done,
                };
                match done {
                    Ok(true) => return Ok(std::mem::take(&mut taken)),
                    Ok(false) => {}
                    Err(error) => {
                        content.order.restore(std::mem::take(&mut taken))?;
                        return Err(error);
                    }
                }
            }
        })
    }

    /// Takes what is there; whether that is all.
    fn take(
        &self,
        content: &mut Content,
        taken: &mut Vec<Tuple>,
        count: usize,
        fewer_will_do: bool,
    ) -> Result<bool> {
        let there = content.order.len();
        let wanted = count - taken.len();
        let is_last_call = content.is_closed && there < wanted;
        if is_last_call && (!fewer_will_do || there + taken.len() == 0) {
            return Err(Error::out_of_range(format!(
                "{} '{}' is closed and has insufficient elements (requested {wanted}, current size {there})",
                self.setup.kind, self.name
            )));
        }
        let free = match content.is_closed {
            true => there,
            false => there.saturating_sub(self.setup.min_after_dequeue),
        };
        let mut took = false;
        for _ in 0..free.min(wanted) {
            if let Some(tuple) = content.order.pop() {
                taken.push(tuple);
                took = true;
            }
        }
        if took {
            self.changed.notify_all();
        }
        Ok(taken.len() == count || is_last_call)
    }

    /// Closes after whoever waits to enqueue now, or at once with `cancels_enqueues`, which ends their waiting.
    pub fn close(&self, cancels_enqueues: bool, cancellation: &Cancellation) -> Result<()> {
        self.in_line(Line::Enqueue, |content, ticket| {
            if cancels_enqueues {
                content.cancellations += 1;
            } else {
                while !content.is_next(Line::Enqueue, ticket) {
                    self.wait(content, Line::Enqueue, cancellation)?;
                }
                if content.is_closed {
                    let message = format!("Queue '{}' is already closed.", self.name);
                    return Err(Error::new(Code::Cancelled, message));
                }
            }
            content.is_closed = true;
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::value::Value;

    fn queue(capacity: usize) -> Arc<Queue> {
        let setup = Setup {
            kind: "FIFOQueue",
            types: vec![DType::I64],
            shapes: vec![PartialShape::scalar()],
            capacity,
            min_after_dequeue: 0,
        };
        Arc::new(Queue::new("q".into(), setup, Order::Fifo(VecDeque::new())))
    }

    fn tuples(numbers: std::ops::Range<i64>) -> Vec<Tuple> {
        numbers.map(|x| vec![Value::scalar(x).unwrap()]).collect()
    }

    fn numbers(tuples: &[Tuple]) -> Vec<i64> {
        tuples.iter().map(|t| t[0].int().unwrap()).collect()
    }

    #[test]
    fn more_than_the_capacity_passes_from_thread_to_thread() {
        let (q, never) = (queue(2), Cancellation::default());
        let to = q.clone();
        let writer = std::thread::spawn(move || to.enqueue(tuples(0..9), &Cancellation::default()));
        assert_eq!(
            numbers(&q.dequeue(5, false, &never).unwrap()),
            [0, 1, 2, 3, 4]
        );
        assert_eq!(numbers(&q.dequeue(4, false, &never).unwrap()), [5, 6, 7, 8]);
        writer.join().unwrap().unwrap();
    }

    #[test]
    fn a_closed_queue_gives_what_it_has() {
        let (q, never) = (queue(5), Cancellation::default());
        q.enqueue(tuples(0..3), &never).unwrap();
        q.close(false, &never).unwrap();
        assert_eq!(
            q.enqueue(tuples(0..1), &never).unwrap_err().code,
            Code::Cancelled
        );
        assert_eq!(q.close(false, &never).unwrap_err().code, Code::Cancelled);
        let error = q.dequeue(4, false, &never).unwrap_err();
        assert_eq!(
            error.message,
            "FIFOQueue 'q' is closed and has insufficient elements (requested 4, current size 3)"
        );
        assert_eq!(numbers(&q.dequeue(4, true, &never).unwrap()), [0, 1, 2]);
        assert_eq!(
            q.dequeue(1, true, &never).unwrap_err().code,
            Code::OutOfRange
        );
    }

    #[test]
    fn closing_can_cancel_those_who_wait_to_enqueue() {
        let (q, never) = (queue(1), Cancellation::default());
        let to = q.clone();
        let writer = std::thread::spawn(move || to.enqueue(tuples(0..2), &Cancellation::default()));
        while q.size() == 0 {
            std::thread::yield_now();
        }
        q.close(true, &never).unwrap();
        assert_eq!(writer.join().unwrap().unwrap_err().code, Code::Cancelled);
        assert_eq!(numbers(&q.dequeue(1, false, &never).unwrap()), [0]);
    }

    #[test]
    fn a_run_that_ends_gives_back_what_it_took() {
        let (q, never) = (queue(5), Cancellation::default());
        q.enqueue(tuples(0..2), &never).unwrap();
        let ends = Cancellation::default();
        ends.cancel();
        assert_eq!(
            q.dequeue(3, false, &ends).unwrap_err().code,
            Code::Cancelled
        );
        assert_eq!(numbers(&q.dequeue(2, false, &never).unwrap()), [0, 1]);
    }
}
