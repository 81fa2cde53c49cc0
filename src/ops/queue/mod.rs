//! Queues: tuples of tensors that threads hand to each other. An enqueue waits for room, a dequeue for elements.

mod kernels;
mod order;
mod store;

use crate::bail;
use crate::error::Result;
use crate::graph::ShapeContext;

use super::kernel::KernelContext;
use super::{Op, shape};
use crate::value::Value;

#[rustfmt::skip]
pub(super) const OPS: &[Op] = &[
    Op::new("FIFOQueueV2", "-> handle: resource").attr("component_types: list(type) >= 1").attr("shapes: list(shape) >= 0 = []").attr("capacity: int = -1").attr("container: string = ''").attr("shared_name: string = ''").stateful().shape(shape::scalar).host(kernels::make),
    Op::new("PaddingFIFOQueueV2", "-> handle: resource").attr("component_types: list(type) >= 1").attr("shapes: list(shape) >= 0 = []").attr("capacity: int = -1").attr("container: string = ''").attr("shared_name: string = ''").stateful().shape(shape::scalar).host(kernels::make),
    Op::new("RandomShuffleQueueV2", "-> handle: resource").attr("component_types: list(type) >= 1").attr("shapes: list(shape) >= 0 = []").attr("capacity: int = -1").attr("min_after_dequeue: int = 0").attr("seed: int = 0").attr("seed2: int = 0").attr("container: string = ''").attr("shared_name: string = ''").stateful().shape(shape::scalar).host(kernels::make),
    Op::new("PriorityQueueV2", "-> handle: resource").attr("component_types: list(type) >= 0 = []").attr("shapes: list(shape) >= 0").attr("capacity: int = -1").attr("container: string = ''").attr("shared_name: string = ''").stateful().shape(shape::scalar).host(kernels::make),
    Op::new("QueueEnqueueV2", "handle: resource, components: Tcomponents ->").attr("Tcomponents: list(type) >= 1").attr("timeout_ms: int = -1").stateful().shape(shape::unknown).host(kernels::enqueue),
    Op::new("QueueEnqueueManyV2", "handle: resource, components: Tcomponents ->").attr("Tcomponents: list(type) >= 1").attr("timeout_ms: int = -1").stateful().shape(shape::unknown).host(kernels::enqueue_many),
    Op::new("QueueDequeueV2", "handle: resource -> components: component_types").attr("component_types: list(type) >= 1").attr("timeout_ms: int = -1").stateful().shape(shape::unknown).host(kernels::dequeue),
    Op::new("QueueDequeueManyV2", "handle: resource, n: int32 -> components: component_types").attr("component_types: list(type) >= 1").attr("timeout_ms: int = -1").stateful().shape(many_shape).host(|c| kernels::dequeue_many(c, false)),
    Op::new("QueueDequeueUpToV2", "handle: resource, n: int32 -> components: component_types").attr("component_types: list(type) >= 1").attr("timeout_ms: int = -1").stateful().shape(shape::unknown).host(|c| kernels::dequeue_many(c, true)),
    Op::new("QueueCloseV2", "handle: resource ->").attr("cancel_pending_enqueues: bool = false").stateful().shape(shape::unknown).host(kernels::close),
    Op::new("QueueSizeV2", "handle: resource -> size: int32").stateful().shape(shape::unchanged).host(kernels::size),
    Op::new("QueueIsClosedV2", "handle: resource -> is_closed: bool").stateful().shape(shape::scalar).host(kernels::is_closed),
];

/// What a queue holds is not in the graph; Python says the shapes.
fn many_shape(c: &mut ShapeContext) -> Result<()> {
    match c.constant(1).map(|n| n.int()).transpose()? {
        Some(n) if n < 0 => bail!(invalid, "Input 'n' must be >= 0, but is {n}"),
        _ => Ok(()),
    }
}

/// Takes one element from the queue at input `i`: its components. Waits for it.
pub(super) fn dequeue_one(c: &KernelContext, i: usize) -> Result<Vec<Value>> {
    let queue = c.resource_input::<store::Queue>(i, "queue")?;
    Ok(queue.dequeue(1, false, c.cancellation)?.swap_remove(0))
}
