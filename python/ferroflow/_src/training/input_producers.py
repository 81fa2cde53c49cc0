"""tf.train.string_input_producer and its kin: queues that a thread fills with names, numbers or slices, epoch by epoch."""

from ferroflow._src.framework import dtypes
from ferroflow._src.framework.constant import constant
from ferroflow._src.framework.control_flow import Assert
from ferroflow._src.framework.convert import convert_n_to_tensor_or_indexed_slices, convert_to_tensor
from ferroflow._src.framework.graph_keys import GraphKeys
from ferroflow._src.framework.scopes import control_dependencies, name_scope
from ferroflow._src.framework.tensor import Tensor
from ferroflow._src.framework.variables import Variable
from ferroflow._src.ops import array, elementwise, indexing, io, math, shaping
from ferroflow._src.ops.queues import FIFOQueue
from ferroflow._src.ops.random import random_shuffle
from ferroflow._src.summary.summary_ops import scalar as scalar_summary
from ferroflow._src.training.queue_runner import QueueRunner, add_queue_runner


def match_filenames_once(pattern, name=None):
    """Makes a local variable of the files that match a pattern when it is initialized.

    Args:
      pattern: a string or list of strings, with `*`, `?` and `[...]`.
      name: the variable's name.
    """
    with name_scope(name, "matching_filenames", [pattern]) as name:
        return Variable(
            name=name,
            initial_value=io.matching_files(pattern),
            trainable=False,
            validate_shape=False,
            collections=[GraphKeys.LOCAL_VARIABLES],
        )


def limit_epochs(tensor, num_epochs=None, name=None):
    """Returns a tensor that can be had so many times; then `tf.errors.OutOfRangeError` is raised.

    The count is a local variable.

    Args:
      tensor: a `Tensor`.
      num_epochs: how many times; None for no limit.
      name: the operation's name.

    Raises:
      ValueError: when it is not positive.
    """
    if num_epochs is None:
        return tensor
    if num_epochs <= 0:
        raise ValueError("num_epochs must be > 0 not %d." % num_epochs)
    with name_scope(name, "limit_epochs", [tensor]) as name:
        zero = constant(0, dtype=dtypes.int64)
        epochs = Variable(zero, name="epochs", trainable=False, collections=[GraphKeys.LOCAL_VARIABLES])
        with control_dependencies([epochs.count_up_to(num_epochs)]):
            return array.identity(tensor, name=name)


def input_producer(
    input_tensor,
    element_shape=None,
    num_epochs=None,
    shuffle=True,
    seed=None,
    capacity=32,
    shared_name=None,
    summary_name=None,
    name=None,
    cancel_op=None,
):
    """Returns a queue that a `QueueRunner` fills with the rows of a tensor, again and again.

    Args:
      input_tensor: the rows.
      element_shape: the shape of a row, when it is not known from the tensor.
      num_epochs: how many times all rows are produced; None for no limit.
      shuffle: whether the rows of each epoch are shuffled.
      seed: a seed for that.
      capacity: how many rows the queue holds.
      shared_name: a name under which sessions share the queue.
      summary_name: the name of a summary of how full it is; None for no summary.
      name: the scope's name.
      cancel_op: the operation that ends pending enqueues; None to make one.

    Raises:
      ValueError: when the shape of a row is not known.
    """
    with name_scope(name, "input_producer", [input_tensor]):
        input_tensor = convert_to_tensor(input_tensor, name="input_tensor")
        element_shape = input_tensor.shape[1:].merge_with(element_shape)
        if not element_shape.is_fully_defined():
            raise ValueError(
                "Either `input_tensor` must have a fully defined shape or `element_shape` must be specified"
            )
        if shuffle:
            input_tensor = random_shuffle(input_tensor, seed=seed)
        input_tensor = limit_epochs(input_tensor, num_epochs)
        queue = FIFOQueue(
            capacity=capacity,
            dtypes=[input_tensor.dtype.base_dtype],
            shapes=[element_shape],
            shared_name=shared_name,
            name=name,
        )
        enqueue = queue.enqueue_many([input_tensor])
        add_queue_runner(QueueRunner(queue, [enqueue], cancel_op=cancel_op))
        if summary_name is not None:
            scalar_summary(summary_name, math.cast(queue.size(), dtypes.float32) * (1.0 / capacity))
        return queue


def string_input_producer(
    string_tensor,
    num_epochs=None,
    shuffle=True,
    seed=None,
    capacity=32,
    shared_name=None,
    name=None,
    cancel_op=None,
):
    """Returns a queue of strings, such as file names, that a `QueueRunner` fills.

    Args:
      string_tensor: the strings, of rank 1.
      num_epochs: how many times all are produced; None for no limit.
      shuffle: whether those of each epoch are shuffled.
      seed: a seed for that.
      capacity: how many the queue holds.
      shared_name: a name under which sessions share the queue.
      name: the scope's name.
      cancel_op: the operation that ends pending enqueues; None to make one.

    Raises:
      ValueError: for an empty list. An empty tensor fails when it runs.
    """
    message = "string_input_producer requires a non-null input tensor"
    if not isinstance(string_tensor, Tensor) and not string_tensor:
        raise ValueError(message)
    with name_scope(name, "input_producer", [string_tensor]) as name:
        string_tensor = convert_to_tensor(string_tensor, dtype=dtypes.string)
        with control_dependencies([Assert(elementwise.greater(shaping.size(string_tensor), 0), [message])]):
            string_tensor = array.identity(string_tensor)
        return input_producer(
            input_tensor=string_tensor,
            element_shape=[],
            num_epochs=num_epochs,
            shuffle=shuffle,
            seed=seed,
            capacity=capacity,
            shared_name=shared_name,
            name=name,
            summary_name=f"fraction_of_{capacity}_full",
            cancel_op=cancel_op,
        )


def range_input_producer(limit, num_epochs=None, shuffle=True, seed=None, capacity=32, shared_name=None, name=None):
    """Returns a queue of the numbers 0 to limit - 1 that a `QueueRunner` fills.

    Args:
      limit: an int32 scalar.
      num_epochs: how many times all are produced; None for no limit.
      shuffle: whether those of each epoch are shuffled.
      seed: a seed for that.
      capacity: how many the queue holds.
      shared_name: a name under which sessions share the queue.
      name: the scope's name.
    """
    with name_scope(name, "input_producer", [limit]) as name:
        return input_producer(
            math.range(limit),
            element_shape=[],
            num_epochs=num_epochs,
            shuffle=shuffle,
            seed=seed,
            capacity=capacity,
            shared_name=shared_name,
            summary_name=f"fraction_of_{capacity}_full",
            name=name,
        )


def slice_input_producer(
    tensor_list, num_epochs=None, shuffle=True, seed=None, capacity=32, shared_name=None, name=None
):
    """Returns one row of each tensor, the next at each run; a `QueueRunner` fills the queue of row numbers behind it.

    Args:
      tensor_list: tensors with equally many rows.
      num_epochs: how many times all rows are produced; None for no limit.
      shuffle: whether those of each epoch are shuffled.
      seed: a seed for that.
      capacity: how many the queue holds.
      shared_name: a name under which sessions share the queue.
      name: the scope's name.

    Returns:
      A list of tensors of one rank less.

    Raises:
      ValueError: for an empty list.
    """
    with name_scope(name, "input_producer", tensor_list):
        tensor_list = convert_n_to_tensor_or_indexed_slices(tensor_list)
        if not tensor_list:
            raise ValueError("Expected at least one tensor in slice_input_producer().")
        queue = range_input_producer(
            shaping.shape(tensor_list[0])[0],
            num_epochs=num_epochs,
            shuffle=shuffle,
            seed=seed,
            capacity=capacity,
            shared_name=shared_name,
        )
        index = queue.dequeue()
        return [indexing.gather(tensor, index) for tensor in tensor_list]
