//! The steps of a run: queues are made, filled, emptied and closed.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::backend::cpu::philox::Words;
use crate::error::{Error, Result};
use crate::graph::Attrs;
use crate::ops::kernel::KernelContext;
use crate::ops::moves::{Run, assemble, strides};
use crate::ops::random::seeded;
use crate::value::{DType, PartialShape, Shape, Value};
use crate::{bail, ensure};

use super::order::{Order, Tuple};
use super::store::{Queue, Setup};

/// Numbers the queues of the process, for messages.
static COUNT: AtomicU64 = AtomicU64::new(0);

pub(super) fn make(c: &mut KernelContext) -> Result<()> {
    let attrs = c.attrs();
    let setup = setup_of(c.node.op(), attrs)?;
    let shared_name = attrs.str("shared_name")?;
    let name = match shared_name {
        "" => &*c.node.name,
        name => name,
    };
    // Variables and queues may have one name.
    let key = format!("queue {name}");
    let made = || -> Result<Arc<Queue>> {
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = match shared_name {
            "" => format!("_{number}_{name}"),
            name => name.to_string(),
        };
        let order = order_of(setup.kind, attrs)?;
        Ok(Arc::new(Queue::new(name, setup.clone(), order)))
    };
    let container = attrs.str("container")?;
    let queue = c.session.resources().get_or_create(container, &key, made)?;
    check_same(&queue, &setup, c.node.op())?;
    c.set_output(0, Value::handle(DType::Resource, queue));
    Ok(())
}

fn setup_of(op: &'static str, attrs: &Attrs) -> Result<Setup> {
    let kind = op.trim_end_matches("V2");
    let mut types = Vec::new();
    let mut shapes = attrs.shapes("shapes")?;
    if kind == "PriorityQueue" {
        types.push(DType::I64);
        shapes.insert(0, PartialShape::scalar());
    }
    for number in attrs.types("component_types")? {
        types.push(number.base()?);
    }
    ensure!(
        shapes.is_empty() || shapes.len() == types.len(),
        invalid,
        "Different number of component types.  Types: {}, Shapes: {}",
        names(&types),
        bracketed(&shapes)
    );
    let is_padding = kind == "PaddingFIFOQueue";
    if let Some(shape) = shapes.iter().find(|s| !is_padding && !s.is_fully_defined()) {
        bail!(
            invalid,
            "Shapes of a {kind} must be fully defined, but one is {shape}"
        );
    }
    let capacity = attrs.int("capacity")?;
    let min_after_dequeue = attrs.int("min_after_dequeue").unwrap_or(0);
    ensure!(
        min_after_dequeue >= 0,
        invalid,
        "min_after_dequeue {min_after_dequeue} must be >= 0"
    );
    ensure!(
        capacity < 0 || min_after_dequeue == 0 || min_after_dequeue < capacity,
        invalid,
        "min_after_dequeue {min_after_dequeue} must be < capacity {capacity}"
    );
    Ok(Setup {
        kind,
        types,
        shapes,
        capacity: usize::try_from(capacity).unwrap_or(usize::MAX),
        min_after_dequeue: min_after_dequeue as usize,
    })
}

fn order_of(kind: &str, attrs: &Attrs) -> Result<Order> {
    Ok(match kind {
        "RandomShuffleQueue" => Order::Random {
            tuples: Vec::new(),
            words: Words::new(seeded(attrs)?),
        },
        "PriorityQueue" => Order::Priority {
            tuples: BTreeMap::new(),
            count: 0,
        },
        _ => Order::Fifo(VecDeque::new()),
    })
}

fn names(types: &[DType]) -> String {
    let names: Vec<&str> = types.iter().map(|t| t.short_name()).collect();
    names.join(", ")
}

fn bracketed(shapes: &[PartialShape]) -> String {
    let texts: Vec<String> = shapes.iter().map(PartialShape::to_string).collect();
    format!("[{}]", texts.join(","))
}

/// A queue that is found by its name must be what the node would have made.
fn check_same(queue: &Queue, wanted: &Setup, op: &str) -> Result<()> {
    let (have, name) = (&queue.setup, &queue.name);
    ensure!(
        have.kind == wanted.kind,
        invalid,
        "Expected {}, found {op}",
        have.kind
    );
    ensure!(
        have.capacity == wanted.capacity,
        invalid,
        "Shared queue '{name}' has capacity {} but requested capacity was {}",
        have.capacity as i64,
        wanted.capacity as i64
    );
    ensure!(
        have.types == wanted.types,
        invalid,
        "Shared queue '{name}' has component types {} but requested component types were {}",
        names(&have.types),
        names(&wanted.types)
    );
    ensure!(
        have.shapes == wanted.shapes,
        invalid,
        "Shared queue '{name}' has component shapes {} but requested component shapes were {}",
        bracketed(&have.shapes),
        bracketed(&wanted.shapes)
    );
    ensure!(
        have.min_after_dequeue == wanted.min_after_dequeue,
        invalid,
        "Shared queue '{name}' has min_after_dequeue {} but requested min_after_dequeue was {}.",
        have.min_after_dequeue,
        wanted.min_after_dequeue
    );
    Ok(())
}

fn queue(c: &KernelContext) -> Result<Arc<Queue>> {
    c.resource_input::<Queue>(0, "queue")
}

/// The components that are given, which must be of the queue's types.
fn components(c: &KernelContext, queue: &Queue) -> Result<Vec<Value>> {
    let given = (1..c.num_inputs()).map(|i| c.input(i).cloned());
    let given = given.collect::<Result<Vec<_>>>()?;
    let types: Vec<DType> = given.iter().map(Value::dtype).collect();
    ensure!(
        types == queue.setup.types,
        invalid,
        "Signature mismatch, have: resource, {}-> expected: resource, {}->",
        names(&types),
        names(&queue.setup.types)
    );
    Ok(given)
}

fn check_outputs(c: &KernelContext, queue: &Queue) -> Result<()> {
    let types: Vec<DType> = c.node.outputs.iter().map(|o| o.dtype).collect();
    ensure!(
        types == queue.setup.types,
        invalid,
        "Signature mismatch, have: resource->{} expected: resource->{}",
        names(&types),
        names(&queue.setup.types)
    );
    Ok(())
}

fn mismatch(i: usize, wanted: &PartialShape, got: &Shape) -> Error {
    Error::invalid(format!(
        "Shape mismatch in tuple component {i}. Expected {wanted}, got {got}"
    ))
}

pub(super) fn enqueue(c: &mut KernelContext) -> Result<()> {
    let queue = queue(c)?;
    let tuple = components(c, &queue)?;
    for (i, (wanted, value)) in queue.setup.shapes.iter().zip(&tuple).enumerate() {
        if !wanted.admits(value.shape()) {
            return Err(mismatch(i, wanted, value.shape()));
        }
    }
    queue.enqueue(vec![tuple], c.cancellation)
}

/// Enqueues the rows of the components.
pub(super) fn enqueue_many(c: &mut KernelContext) -> Result<()> {
    let queue = queue(c)?;
    let given = components(c, &queue)?;
    let mut count = 0;
    for (i, value) in given.iter().enumerate() {
        let dims = value.shape().dims();
        ensure!(
            !dims.is_empty(),
            invalid,
            "Input tensor for component {i} of an enqueue of many elements must be at least a vector, but is a scalar"
        );
        if i == 0 {
            count = dims[0];
        }
        let row = match queue.setup.shapes.get(i) {
            Some(shape) => shape.dims().map(<[i64]>::to_vec),
            None => Some(dims[1..].to_vec()),
        };
        if let Some(row) = row {
            let wanted = PartialShape::from_dims([vec![count], row].concat());
            if !wanted.admits(value.shape()) {
                return Err(mismatch(i, &wanted, value.shape()));
            }
        } else if dims[0] != count {
            let wanted = PartialShape::from_dims([&[count], &dims[1..]].concat());
            return Err(mismatch(i, &wanted, value.shape()));
        }
    }
    let tuples = (0..count as usize).map(|row| given.iter().map(|v| row_of(v, row)).collect());
    let tuples = tuples.collect::<Result<Vec<Tuple>>>()?;
    queue.enqueue(tuples, c.cancellation)
}

fn row_of(value: &Value, row: usize) -> Result<Value> {
    let shape = Shape::new(&value.shape().dims()[1..])?;
    let len = shape.num_elements();
    let run = Run {
        source: 0,
        from: row * len,
        len,
    };
    assemble(value.dtype(), shape, &[value], [run].into_iter())
}

pub(super) fn dequeue(c: &mut KernelContext) -> Result<()> {
    let queue = queue(c)?;
    check_outputs(c, &queue)?;
    let mut taken = queue.dequeue(1, false, c.cancellation)?;
    for (i, value) in taken.swap_remove(0).into_iter().enumerate() {
        c.set_output(i, value);
    }
    Ok(())
}

pub(super) fn dequeue_many(c: &mut KernelContext, fewer_will_do: bool) -> Result<()> {
    let queue = queue(c)?;
    check_outputs(c, &queue)?;
    let what = if fewer_will_do {
        "DequeueUpTo"
    } else {
        "DequeueMany"
    };
    let n = c.scalar_input(1, "n")?.int()?;
    ensure!(
        n >= 0,
        invalid,
        "{what} requires a non-negative n, but got {n}"
    );
    ensure!(
        !queue.setup.shapes.is_empty(),
        invalid,
        "{}'s DequeueMany and DequeueUpTo require the components to have specified shapes.",
        queue.setup.kind
    );
    let taken = queue.dequeue(n as usize, fewer_will_do, c.cancellation)?;
    for i in 0..queue.setup.types.len() {
        let values: Vec<&Value> = taken.iter().map(|tuple| &tuple[i]).collect();
        let batch = batch_of(queue.setup.types[i], &queue.setup.shapes[i], &values)?;
        c.set_output(i, batch);
    }
    Ok(())
}

/// Values side by side along a new first axis; where their sizes differ, zeros fill them up to the largest.
fn batch_of(dtype: DType, shape: &PartialShape, values: &[&Value]) -> Result<Value> {
    let mut dims: Vec<i64> = match (values.first(), shape.dims()) {
        (Some(first), _) => first.shape().dims().to_vec(),
        (None, Some(dims)) => dims.iter().map(|d| (*d).max(0)).collect(),
        (None, None) => Vec::new(),
    };
    for value in values {
        let own = value.shape().dims();
        ensure!(
            own.len() == dims.len(),
            invalid,
            "elements of {} and {} dimensions cannot be put into one batch",
            dims.len(),
            own.len()
        );
        for (all, own) in dims.iter_mut().zip(own) {
            *all = (*all).max(*own);
        }
    }
    let out = Shape::new(&[&[values.len() as i64], &dims[..]].concat())?;
    let is_padded = |value: &&&Value| value.shape().dims() != dims;
    if !values.iter().any(|v| is_padded(&v)) {
        let runs = values.iter().enumerate().map(|(source, v)| Run {
            source,
            from: 0,
            len: v.num_elements(),
        });
        return assemble(dtype, out, values, runs);
    }
    let row = Shape::new(&dims)?;
    let zeros = Value::zeros(dtype, row.clone())?;
    let mut sources = values.to_vec();
    sources.push(&zeros);
    let mut runs = Vec::new();
    for (source, value) in values.iter().enumerate() {
        pad(&mut runs, value.shape(), &row, source, values.len());
    }
    assemble(dtype, out, &sources, runs.into_iter())
}

/// The runs that make a value of shape `from` one of shape `to`, the rest taken from source `zeros`.
fn pad(runs: &mut Vec<Run>, from: &Shape, to: &Shape, source: usize, zeros: usize) {
    let Some(last) = to.rank().checked_sub(1) else {
        runs.push(Run {
            source,
            from: 0,
            len: 1,
        });
        return;
    };
    let steps = strides(from.dims());
    let width = to.dim(last);
    let rows: usize = (0..last).map(|axis| to.dim(axis)).product();
    for row in 0..rows {
        let (mut rest, mut at, mut is_inside) = (row, 0, true);
        for axis in (0..last).rev() {
            let index = rest % to.dim(axis);
            rest /= to.dim(axis);
            is_inside &= index < from.dim(axis);
            at += index * steps[axis];
        }
        let len = if is_inside { from.dim(last) } else { 0 };
        if len > 0 {
            runs.push(Run {
                source,
                from: at,
                len,
            });
        }
        if len < width {
            runs.push(Run {
                source: zeros,
                from: 0,
                len: width - len,
            });
        }
    }
}

pub(super) fn close(c: &mut KernelContext) -> Result<()> {
    let cancels = c.attrs().bool("cancel_pending_enqueues")?;
    queue(c)?.close(cancels, c.cancellation)
}

pub(super) fn size(c: &mut KernelContext) -> Result<()> {
    let size = queue(c)?.size();
    c.set_output(0, Value::scalar(size as i32)?);
    Ok(())
}

pub(super) fn is_closed(c: &mut KernelContext) -> Result<()> {
    let is_closed = queue(c)?.is_closed();
    c.set_output(0, Value::scalar_bool(is_closed)?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_of_several_sizes_are_filled_up_with_zeros() {
        let a = Value::from_slice(Shape::new(&[1, 2]).unwrap(), &[1i32, 2]).unwrap();
        let b = Value::from_slice(Shape::new(&[2, 1]).unwrap(), &[3i32, 4]).unwrap();
        let made = batch_of(DType::I32, &PartialShape::unknown_of_rank(2), &[&a, &b]).unwrap();
        assert_eq!(made.shape().dims(), [2, 2, 2]);
        assert_eq!(made.ints().unwrap(), [1, 2, 0, 0, 3, 0, 4, 0]);
        let empty = batch_of(DType::I32, &PartialShape::new(&[-1, 3]).unwrap(), &[]).unwrap();
        assert_eq!(empty.shape().dims(), [0, 0, 3]);
    }
}
