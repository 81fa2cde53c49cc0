"""tf.train.batch and its kin: batches of single examples, put together by threads and a queue."""

from ferroflow._src.framework import dtypes
from ferroflow._src.framework.control_flow import no_op, smart_cond
from ferroflow._src.framework.convert import convert_n_to_tensor_or_indexed_slices, convert_to_tensor
from ferroflow._src.framework.scopes import name_scope
from ferroflow._src.framework.tensor_shape import as_shape
from ferroflow._src.ops import elementwise, indexing, math
from ferroflow._src.ops.queues import FIFOQueue, PaddingFIFOQueue, RandomShuffleQueue
from ferroflow._src.summary.summary_ops import scalar as scalar_summary
from ferroflow._src.training import sparse_batching
from ferroflow._src.training.queue_runner import QueueRunner, add_queue_runner


def as_tensor_list(tensors):
    """Returns a list or dict of tensors as a list; a dict's in the order of its keys."""
    return [tensors[key] for key in sorted(tensors, key=str)] if isinstance(tensors, dict) else tensors


def _as_lists(tensors_list):
    if not tensors_list:
        raise ValueError("Expected at least one set of tensors")
    if isinstance(tensors_list[0], dict):
        keys = set(tensors_list[0])
        if any(set(tensors) != keys for tensors in tensors_list[1:]):
            raise ValueError("All dictionaries in tensors_list must have the same keys")
        return [as_tensor_list(tensors) for tensors in tensors_list]
    return tensors_list


def in_form_of(original, tensors):
    """The batches in the form in which the examples were given."""
    if not isinstance(original, dict):
        return tensors
    if len(original) == 1:
        tensors = [tensors]
    return {key: tensors[i] for i, key in enumerate(sorted(original, key=str))}


def _checked_keep_input(keep_input, enqueue_many):
    keep_input = convert_to_tensor(keep_input)
    rank = keep_input.shape.ndims
    if rank is None:
        raise ValueError("`keep_input` dimensions must be known at graph construction.")
    if not enqueue_many and rank == 1:
        raise ValueError("`keep_input` cannot be a vector when `enqueue_many=False`.")
    if rank > 1:
        raise ValueError("`keep_input` must be 0 or 1 dimensions.")
    return keep_input


def _types_of(lists):
    all_types = [[tensor.dtype for tensor in tensors] for tensors in lists]
    types = all_types[0]
    for others in all_types[1:]:
        if others != types:
            names = [", ".join(t.name for t in each) for each in (types, others)]
            raise TypeError(f"Expected types to be consistent: {names[0]} vs. {names[1]}.")
    return types


def _shapes_of(lists, shapes, enqueue_many):
    if shapes is not None:
        return shapes
    count = len(lists[0])
    for tensors in lists:
        for tensor in tensors[:count]:
            if tensor.shape.ndims is None:
                raise ValueError(f"Cannot infer Tensor's rank: {tensor}")
    return [_merged_shape([tensors[i].shape.as_list() for tensors in lists], enqueue_many) for i in range(count)]


def _merged_shape(shapes, enqueue_many):
    shapes = [as_shape(shape) for shape in shapes]
    if enqueue_many:
        shapes = [shape.with_rank_at_least(1)[1:] for shape in shapes]
    for shape in shapes[1:]:
        # TensorFlow checks that they agree, and keeps the first one.
        shapes[0].merge_with(shape)
    return shapes[0].as_list()


def _enqueue_op(queue, tensors, enqueue_many, keep_input):
    enqueue = queue.enqueue_many if enqueue_many else queue.enqueue
    if keep_input.shape.ndims == 1:
        side = math.cast(keep_input, dtypes.int32)
        return enqueue([indexing.dynamic_partition(tensor, side, num_partitions=2)[1] for tensor in tensors])
    return smart_cond(keep_input, lambda: enqueue(tensors), no_op)


class Plan:
    """What the functions have in common once examples are checked."""

    def __init__(self, lists, keep_input, enqueue_many, shapes):
        """Puts handles in the place of sparse tensors, and finds the types and shapes of an example."""
        self.keep_input = _checked_keep_input(keep_input, enqueue_many)
        self.enqueue_many = enqueue_many
        self.lists, self.sparse = sparse_batching.store_all(lists, enqueue_many, self.keep_input)
        self.types = _types_of(self.lists)
        self.shapes = _shapes_of(self.lists, shapes, enqueue_many)

    def run(self, queue, num_threads):
        """Adds the runner that fills the queue: `num_threads` threads for one list, else one thread a list."""
        ops = [_enqueue_op(queue, tensors, self.enqueue_many, self.keep_input) for tensors in self.lists]
        add_queue_runner(QueueRunner(queue, ops * num_threads))

    def dequeue(self, queue, batch_size, allow_smaller_final_batch, name):
        """Returns a batch, in which sparse tensors are sparse again."""
        take = queue.dequeue_up_to if allow_smaller_final_batch else queue.dequeue_many
        return sparse_batching.restore(take(batch_size, name=name), self.sparse)


def _fifo(plan, capacity, dynamic_pad, shared_name):
    kind = PaddingFIFOQueue if dynamic_pad else FIFOQueue
    return kind(capacity=capacity, dtypes=plan.types, shapes=plan.shapes, shared_name=shared_name)


def _checked(tensors):
    tensors = convert_n_to_tensor_or_indexed_slices(tensors)
    if not tensors:
        raise ValueError("Expected at least one tensor in batch().")
    return tensors


def _summarize_fifo(queue, capacity):
    scalar_summary(f"fraction_of_{capacity}_full", math.cast(queue.size(), dtypes.float32) * (1.0 / capacity))


def _summarize_shuffled(queue, capacity, min_after_dequeue):
    room = capacity - min_after_dequeue
    over = elementwise.maximum(0, queue.size() - min_after_dequeue)
    scalar_summary(f"fraction_over_{min_after_dequeue}_of_{room}_full", math.cast(over, dtypes.float32) * (1.0 / room))


def batch(
    tensors,
    batch_size,
    num_threads=1,
    capacity=32,
    enqueue_many=False,
    shapes=None,
    dynamic_pad=False,
    allow_smaller_final_batch=False,
    shared_name=None,
    name=None,
):
    """Puts examples into batches.

    Args:
      tensors: a list or dict of tensors: one example, or several rows of examples with `enqueue_many`.
      batch_size: how many examples a batch has.
      num_threads: how many threads run what makes an example.
      capacity: how many examples the queue holds.
      enqueue_many: whether the tensors' rows are examples.
      shapes: the shapes of an example's tensors; None to infer them.
      dynamic_pad: whether sizes may differ; zeros fill up to the largest of the batch.
      allow_smaller_final_batch: whether the last batch may have fewer.
      shared_name: a name under which sessions share the queue.
      name: the scope's name.

    Returns:
      Batches in the form of `tensors`: with one axis more, or as many with `enqueue_many`.

    Raises:
      ValueError: when there is no tensor, or a shape is not known.
    """
    return maybe_batch(
        tensors,
        True,
        batch_size,
        num_threads,
        capacity,
        enqueue_many,
        shapes,
        dynamic_pad,
        allow_smaller_final_batch,
        shared_name,
        name,
    )


def maybe_batch(
    tensors,
    keep_input,
    batch_size,
    num_threads=1,
    capacity=32,
    enqueue_many=False,
    shapes=None,
    dynamic_pad=False,
    allow_smaller_final_batch=False,
    shared_name=None,
    name=None,
):
    """Puts those examples into batches for which `keep_input` is true: a bool scalar, or one bool a row.

    The other arguments and the results are those of `batch`.
    """
    given = as_tensor_list(tensors)
    with name_scope(name, "batch", [*given, keep_input]) as name:
        plan = Plan([_checked(given)], keep_input, enqueue_many, shapes)
        queue = _fifo(plan, capacity, dynamic_pad, shared_name)
        plan.run(queue, num_threads)
        _summarize_fifo(queue, capacity)
        return in_form_of(tensors, plan.dequeue(queue, batch_size, allow_smaller_final_batch, name))


def batch_join(
    tensors_list,
    batch_size,
    capacity=32,
    enqueue_many=False,
    shapes=None,
    dynamic_pad=False,
    allow_smaller_final_batch=False,
    shared_name=None,
    name=None,
):
    """Puts examples of several sources into batches, with a thread for each source.

    Args:
      tensors_list: lists or dicts of tensors, one a source.
      batch_size: how many examples a batch has.
      capacity: how many examples the queue holds.
      enqueue_many: whether the tensors' rows are examples.
      shapes: the shapes of an example's tensors; None to infer them.
      dynamic_pad: whether sizes may differ; zeros fill up to the largest of the batch.
      allow_smaller_final_batch: whether the last batch may have fewer.
      shared_name: a name under which sessions share the queue.
      name: the scope's name.

    Returns:
      Batches in the form of one of `tensors_list`.

    Raises:
      ValueError: when there is no source, or a shape is not known.
      TypeError: when the types of two sources differ.
    """
    return maybe_batch_join(
        tensors_list,
        True,
        batch_size,
        capacity,
        enqueue_many,
        shapes,
        dynamic_pad,
        allow_smaller_final_batch,
        shared_name,
        name,
    )


def maybe_batch_join(
    tensors_list,
    keep_input,
    batch_size,
    capacity=32,
    enqueue_many=False,
    shapes=None,
    dynamic_pad=False,
    allow_smaller_final_batch=False,
    shared_name=None,
    name=None,
):
    """Puts those examples of several sources into batches for which `keep_input` is true.

    The other arguments and the results are those of `batch_join`.
    """
    lists = _as_lists(tensors_list)
    with name_scope(name, "batch_join", [*(t for tensors in lists for t in tensors), keep_input]) as name:
        lists = [convert_n_to_tensor_or_indexed_slices(tensors) for tensors in lists]
        plan = Plan(lists, keep_input, enqueue_many, shapes)
        queue = _fifo(plan, capacity, dynamic_pad, shared_name)
        plan.run(queue, 1)
        _summarize_fifo(queue, capacity)
        return in_form_of(tensors_list[0], plan.dequeue(queue, batch_size, allow_smaller_final_batch, name))


def shuffle_batch(
    tensors,
    batch_size,
    capacity,
    min_after_dequeue,
    num_threads=1,
    seed=None,
    enqueue_many=False,
    shapes=None,
    allow_smaller_final_batch=False,
    shared_name=None,
    name=None,
):
    """Puts examples into batches in random order.

    Args:
      tensors: a list or dict of tensors: one example, or several rows of examples with `enqueue_many`.
      batch_size: how many examples a batch has.
      capacity: how many examples the queue holds.
      min_after_dequeue: how many stay in it, to be mixed with new ones.
      num_threads: how many threads run what makes an example.
      seed: a seed for the order.
      enqueue_many: whether the tensors' rows are examples.
      shapes: the shapes of an example's tensors; None to infer them.
      allow_smaller_final_batch: whether the last batch may have fewer.
      shared_name: a name under which sessions share the queue.
      name: the scope's name.

    Returns:
      Batches in the form of `tensors`.

    Raises:
      ValueError: when there is no tensor, a shape is not known, or the capacity is too small.
    """
    return maybe_shuffle_batch(
        tensors,
        batch_size,
        capacity,
        min_after_dequeue,
        True,
        num_threads,
        seed,
        enqueue_many,
        shapes,
        allow_smaller_final_batch,
        shared_name,
        name,
    )


def maybe_shuffle_batch(
    tensors,
    batch_size,
    capacity,
    min_after_dequeue,
    keep_input,
    num_threads=1,
    seed=None,
    enqueue_many=False,
    shapes=None,
    allow_smaller_final_batch=False,
    shared_name=None,
    name=None,
):
    """Puts those examples into batches in random order for which `keep_input` is true.

    The other arguments and the results are those of `shuffle_batch`.
    """
    given = as_tensor_list(tensors)
    with name_scope(name, "shuffle_batch", [*given, keep_input]) as name:
        if capacity <= min_after_dequeue:
            raise ValueError("capacity %d must be bigger than min_after_dequeue %d." % (capacity, min_after_dequeue))
        plan = Plan([_checked(given)], keep_input, enqueue_many, shapes)
        queue = _shuffling(plan, capacity, min_after_dequeue, seed, shared_name)
        plan.run(queue, num_threads)
        _summarize_shuffled(queue, capacity, min_after_dequeue)
        return in_form_of(tensors, plan.dequeue(queue, batch_size, allow_smaller_final_batch, name))


def _shuffling(plan, capacity, min_after_dequeue, seed, shared_name):
    return RandomShuffleQueue(
        capacity=capacity,
        min_after_dequeue=min_after_dequeue,
        seed=seed,
        dtypes=plan.types,
        shapes=plan.shapes,
        shared_name=shared_name,
    )


def shuffle_batch_join(
    tensors_list,
    batch_size,
    capacity,
    min_after_dequeue,
    seed=None,
    enqueue_many=False,
    shapes=None,
    allow_smaller_final_batch=False,
    shared_name=None,
    name=None,
):
    """Puts examples of several sources into batches in random order, with a thread for each source.

    Args:
      tensors_list: lists or dicts of tensors, one a source.
      batch_size: how many examples a batch has.
      capacity: how many examples the queue holds.
      min_after_dequeue: how many stay in it, to be mixed with new ones.
      seed: a seed for the order.
      enqueue_many: whether the tensors' rows are examples.
      shapes: the shapes of an example's tensors; None to infer them.
      allow_smaller_final_batch: whether the last batch may have fewer.
      shared_name: a name under which sessions share the queue.
      name: the scope's name.

    Returns:
      Batches in the form of one of `tensors_list`.

    Raises:
      ValueError: when there is no source, or a shape is not known.
      TypeError: when the types of two sources differ.
    """
    return maybe_shuffle_batch_join(
        tensors_list,
        batch_size,
        capacity,
        min_after_dequeue,
        True,
        seed,
        enqueue_many,
        shapes,
        allow_smaller_final_batch,
        shared_name,
        name,
    )


def maybe_shuffle_batch_join(
    tensors_list,
    batch_size,
    capacity,
    min_after_dequeue,
    keep_input,
    seed=None,
    enqueue_many=False,
    shapes=None,
    allow_smaller_final_batch=False,
    shared_name=None,
    name=None,
):
    """Puts those examples of several sources into batches in random order for which `keep_input` is true.

    The other arguments and the results are those of `shuffle_batch_join`.
    """
    lists = _as_lists(tensors_list)
    with name_scope(name, "shuffle_batch_join", [*(t for tensors in lists for t in tensors), keep_input]) as name:
        lists = [convert_n_to_tensor_or_indexed_slices(tensors) for tensors in lists]
        plan = Plan(lists, keep_input, enqueue_many, shapes)
        queue = _shuffling(plan, capacity, min_after_dequeue, seed, shared_name)
        plan.run(queue, 1)
        _summarize_shuffled(queue, capacity, min_after_dequeue)
        return in_form_of(tensors_list[0], plan.dequeue(queue, batch_size, allow_smaller_final_batch, name))
