"""tf.contrib.training.bucket: batches of examples that are alike, by a queue for each kind."""

import functools

import numpy as np

from ferroflow._src.framework import control_flow, dtypes, errors, tensor_util
from ferroflow._src.framework.constant import constant
from ferroflow._src.framework.convert import convert_n_to_tensor_or_indexed_slices, convert_to_tensor
from ferroflow._src.framework.scopes import name_scope
from ferroflow._src.framework.tensor_shape import TensorShape
from ferroflow._src.ops import elementwise, indexing, math, reductions
from ferroflow._src.ops.queues import FIFOQueue, PaddingFIFOQueue
from ferroflow._src.summary.summary_ops import scalar as scalar_summary
from ferroflow._src.training import sparse_batching
from ferroflow._src.training.batching import Plan, as_tensor_list, in_form_of
from ferroflow._src.training.queue_runner import QueueRunner, add_queue_runner


def bucket(
    tensors,
    which_bucket,
    batch_size,
    num_buckets,
    num_threads=1,
    capacity=32,
    bucket_capacities=None,
    shapes=None,
    dynamic_pad=False,
    allow_smaller_final_batch=False,
    keep_input=True,
    shared_name=None,
    name=None,
):
    """Puts examples into batches, each of examples of one bucket.

    Args:
      tensors: a list or dict of tensors: one example.
      which_bucket: an int32 scalar: the example's bucket.
      batch_size: how many examples a batch has; or a list of as many as there are buckets.
      num_buckets: how many buckets there are.
      num_threads: how many threads run what makes an example.
      capacity: how many batches wait, and how many examples in each bucket.
      bucket_capacities: a list of how many examples each bucket holds.
      shapes: the shapes of the tensors; None to infer them.
      dynamic_pad: whether sizes may differ; zeros fill up to the largest of the batch.
      allow_smaller_final_batch: whether the last batches may have fewer.
      keep_input: a bool scalar: whether the example is taken.
      shared_name: a name under which sessions share the queues.
      name: the scope's name.

    Returns:
      (bucket, batch): an int32 scalar, and tensors in the form of `tensors`.

    Raises:
      ValueError: when there is no tensor, a shape is not known, or a list has another length than there are buckets.
    """
    sizes = list(batch_size) if isinstance(batch_size, (list, tuple)) else [batch_size] * num_buckets
    if len(sizes) != num_buckets:
        raise ValueError("If batch_size is a list it must have num_buckets elements")
    if bucket_capacities is None:
        bucket_capacities = [capacity] * num_buckets
    if len(bucket_capacities) != num_buckets:
        raise ValueError(
            f"The list bucket_capacities ({bucket_capacities}) must have exactly num_buckets ({num_buckets}) elements."
        )
    given = as_tensor_list(tensors)
    with name_scope(name, "bucket", given):
        given = convert_n_to_tensor_or_indexed_slices(given)
        if not given:
            raise ValueError("Expected at least one tensor in bucket().")
        plan = Plan([given], keep_input, False, shapes)
        for i, size in enumerate(sizes):
            size = convert_to_tensor(size, dtype=dtypes.int32, name="batch_size")
            static_size = tensor_util.constant_value(size)
            sizes[i] = size if static_size is None else static_size
        which_bucket = convert_to_tensor(which_bucket, dtype=dtypes.int32, name="which_bucket")
        kind = PaddingFIFOQueue if dynamic_pad else FIFOQueue
        buckets = [
            kind(
                capacity=bucket_capacities[i],
                dtypes=plan.types,
                shapes=plan.shapes,
                shared_name=None if shared_name is None else f"{shared_name}_{i}",
                name=f"bucket_queue_{i}",
            )
            for i in range(num_buckets)
        ]
        is_open = allow_smaller_final_batch or isinstance(batch_size, (list, tuple))
        rows = TensorShape([None if is_open else static_size])
        top = PaddingFIFOQueue(
            capacity=capacity,
            dtypes=[dtypes.int32, *plan.types],
            shapes=[TensorShape([]), *(rows.concatenate(shape) for shape in buckets[0].shapes)],
            shared_name=shared_name,
            name="top_queue",
        )
        _run(plan, which_bucket, buckets, top, sizes, num_threads, allow_smaller_final_batch)
        for queue in buckets:
            # The size of the queue of batches, as TensorFlow has it here.
            scalar_summary(f"bucket/{queue.name}/size", math.cast(top.size(), dtypes.float32))
        fraction = math.cast(top.size(), dtypes.float32) * (1.0 / capacity)
        scalar_summary(f"bucket/{top.name}/fraction_of_{capacity}_full", fraction)
        chosen, *batch = top.dequeue(name="dequeue_top")
        batch = sparse_batching.restore(batch[0] if len(batch) == 1 else batch, plan.sparse)
        return chosen, in_form_of(tensors, batch)


def _run(plan, which_bucket, buckets, top, sizes, num_threads, allow_smaller_final_batch):
    """Adds the threads that put examples into buckets, and those that put full batches into the queue of batches."""
    (example,) = plan.lists

    def fill():
        made = [
            control_flow.cond(
                math.equal(which_bucket, i), functools.partial(queue.enqueue, example), control_flow.no_op
            )
            for i, queue in enumerate(buckets)
        ]
        return control_flow.group(*made, name="group_enqueues")

    filling = control_flow.smart_cond(plan.keep_input, fill, control_flow.no_op)
    moving = []
    for i, (queue, size) in enumerate(zip(buckets, sizes, strict=True)):
        number = constant(i)
        take = queue.dequeue_up_to if allow_smaller_final_batch else queue.dequeue_many
        batch = take(size, name=f"read_bucket_{i}")
        batch = batch if isinstance(batch, (list, tuple)) else [batch]
        moving.append(top.enqueue([number, *batch], name=f"enqueue_from_bucket_{i}"))
    ends = (errors.OutOfRangeError, errors.CancelledError)
    add_queue_runner(
        QueueRunner(
            buckets[0],
            moving,
            close_op=top.close(),
            cancel_op=top.close(cancel_pending_enqueues=True),
            queue_closed_exception_types=ends,
        )
    )
    add_queue_runner(
        QueueRunner(
            top,
            [filling] * num_threads,
            close_op=control_flow.group(*[queue.close() for queue in buckets]),
            cancel_op=control_flow.group(*[queue.close(cancel_pending_enqueues=True) for queue in buckets]),
            queue_closed_exception_types=ends,
        )
    )


def bucket_by_sequence_length(
    input_length,
    tensors,
    batch_size,
    bucket_boundaries,
    num_threads=1,
    capacity=32,
    bucket_capacities=None,
    shapes=None,
    dynamic_pad=False,
    allow_smaller_final_batch=False,
    keep_input=True,
    shared_name=None,
    name=None,
):
    """Puts examples into batches of about the same length; the other arguments are those of `bucket`.

    Args:
      input_length: an int32 scalar: the example's length.
      tensors: a list or dict of tensors: one example.
      batch_size: how many examples a batch has; or a list of one more than there are boundaries.
      bucket_boundaries: increasing ints: where one bucket ends and the next begins.
      num_threads: how many threads run what makes an example.
      capacity: how many batches wait, and how many examples in each bucket.
      bucket_capacities: a list of how many examples each bucket holds.
      shapes: the shapes of the tensors; None to infer them.
      dynamic_pad: whether sizes may differ; zeros fill up to the largest of the batch.
      allow_smaller_final_batch: whether the last batches may have fewer.
      keep_input: a bool scalar: whether the example is taken.
      shared_name: a name under which sessions share the queues.
      name: the scope's name.

    Returns:
      (lengths, batch): int32 `[batch]`, and tensors in the form of `tensors`.

    Raises:
      TypeError: when the boundaries are no list of ints.
      ValueError: when they are none, or do not increase.
    """
    given = as_tensor_list(tensors)
    if not isinstance(bucket_boundaries, (list, tuple)):
        raise TypeError(f"bucket_boundaries must be a list or tuple, but received: {bucket_boundaries}")
    if not bucket_boundaries:
        raise ValueError("bucket_boundaries must not be empty")
    for first, second in zip(bucket_boundaries, bucket_boundaries[1:]):
        if not isinstance(first, int) or not isinstance(second, int):
            raise TypeError(f"bucket boundaries must be integers, but saw: {first} and {second}")
        if first >= second:
            raise ValueError(
                f"Buckets must contain sequential increasing lengths, but saw: {first} before {second}"
            )
    with name_scope(name, "bucket_by_sequence_length", [input_length, *given]):
        input_length = convert_to_tensor(input_length, dtype=dtypes.int32, name="input_length")
        limits = np.iinfo(np.int32)
        is_inside = elementwise.logical_and(
            elementwise.less_equal([limits.min, *bucket_boundaries], input_length),
            elementwise.less(input_length, [*bucket_boundaries, limits.max]),
        )
        which_bucket = math.cast(reductions.reduce_min(indexing.where_v2(is_inside)), dtypes.int32)
        _, batch = bucket(
            tensors=[input_length, *given],
            which_bucket=which_bucket,
            batch_size=batch_size,
            num_buckets=len(bucket_boundaries) + 1,
            num_threads=num_threads,
            capacity=capacity,
            bucket_capacities=bucket_capacities,
            shapes=None if shapes is None else [TensorShape([]), *shapes],
            dynamic_pad=dynamic_pad,
            allow_smaller_final_batch=allow_smaller_final_batch,
            keep_input=keep_input,
            shared_name=shared_name,
        )
        return batch[0], in_form_of(tensors, batch[1:])
