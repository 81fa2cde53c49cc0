//! Which element of a queue comes next.

use std::collections::{BTreeMap, VecDeque};

use crate::backend::cpu::philox::Words;
use crate::error::Result;
use crate::value::Value;

/// An element: one value a component.
pub(super) type Tuple = Vec<Value>;

pub(super) enum Order {
    /// First in, first out.
    Fifo(VecDeque<Tuple>),
    /// Any of them, drawn from a stream of random words.
    Random { tuples: Vec<Tuple>, words: Words },
    /// The one with the lowest first component, of equals the first that came. A counter keeps equals apart.
    Priority {
        tuples: BTreeMap<(i64, u64), Tuple>,
        count: u64,
    },
}

impl Order {
    pub fn len(&self) -> usize {
        match self {
            Order::Fifo(tuples) => tuples.len(),
            Order::Random { tuples, .. } => tuples.len(),
            Order::Priority { tuples, .. } => tuples.len(),
        }
    }

    pub fn push(&mut self, tuple: Tuple) -> Result<()> {
        match self {
            Order::Fifo(tuples) => tuples.push_back(tuple),
            Order::Random { tuples, .. } => tuples.push(tuple),
            Order::Priority { tuples, count } => {
                let priority = tuple[0].item::<i64>()?;
                *count += 1;
                tuples.insert((priority, *count), tuple);
            }
        }
        Ok(())
    }

    pub fn pop(&mut self) -> Option<Tuple> {
        match self {
            Order::Fifo(tuples) => tuples.pop_front(),
            Order::Random { tuples, .. } if tuples.is_empty() => None,
            Order::Random { tuples, words } => {
                let at = words.word() as usize % tuples.len();
                Some(tuples.swap_remove(at))
            }
            Order::Priority { tuples, .. } => tuples.pop_first().map(|(_, tuple)| tuple),
        }
    }

    /// Puts elements back that were taken, in the order in which they were.
    pub fn restore(&mut self, taken: Vec<Tuple>) -> Result<()> {
        for tuple in taken.into_iter().rev() {
            match self {
                Order::Fifo(tuples) => tuples.push_front(tuple),
                _ => self.push(tuple)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::cpu::philox::Philox;

    fn numbers(order: &mut Order, all: &[i64]) -> Vec<i64> {
        for x in all {
            order.push(vec![Value::scalar(*x).unwrap()]).unwrap();
        }
        std::iter::from_fn(|| order.pop())
            .map(|t| t[0].int().unwrap())
            .collect()
    }

    #[test]
    fn a_shuffled_queue_draws_as_tensorflow_draws() {
        // tf.RandomShuffleQueue(..., seed=7) without a graph seed.
        let words = Words::new(Philox::new(87654321, 7));
        let mut order = Order::Random {
            tuples: Vec::new(),
            words,
        };
        assert_eq!(
            numbers(&mut order, &[0, 1, 2, 3, 4, 5, 6, 7]),
            [7, 4, 1, 6, 0, 2, 3, 5]
        );
    }

    #[test]
    fn priorities_come_in_order() {
        let mut order = Order::Priority {
            tuples: BTreeMap::new(),
            count: 0,
        };
        assert_eq!(numbers(&mut order, &[3, -1, 2, 2]), [-1, 2, 2, 3]);
    }

    #[test]
    fn what_is_put_back_comes_first_again() {
        let mut order = Order::Fifo(VecDeque::new());
        for x in 0i64..3 {
            order.push(vec![Value::scalar(x).unwrap()]).unwrap();
        }
        let taken = vec![order.pop().unwrap(), order.pop().unwrap()];
        order.restore(taken).unwrap();
        assert_eq!(numbers(&mut order, &[]), [0, 1, 2]);
    }
}
