"""tf.queue: queues of tensors, filled and emptied by operations."""

import hashlib

from ferroflow._src.framework import random_seed, tensor_util
from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.dtypes import int64
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.tensor_shape import Dimension, TensorShape, as_shape, dimension_value, unknown_shape
from ferroflow._src.ops import array, indexing


def _type_list(types):
    return list(types) if isinstance(types, (list, tuple)) else [types]


def _shape_list(shapes, can_be_partial=False):
    if can_be_partial and (
        not isinstance(shapes, (list, tuple)) or not shapes or any(s is None or isinstance(s, int) for s in shapes)
    ):
        raise ValueError("When providing partial shapes, a list of shapes must be provided.")
    if shapes is None:
        return None
    if isinstance(shapes, TensorShape):
        shapes = [shapes]
    if not isinstance(shapes, (tuple, list)):
        raise TypeError("shapes must be a TensorShape or a list or tuple of TensorShapes.")
    if all(s is None or isinstance(s, int) for s in shapes):
        shapes = [shapes]  # one shape, as a list of its sizes
    shapes = [as_shape(s) for s in shapes]
    if not can_be_partial and any(not s.is_fully_defined() for s in shapes):
        raise ValueError(f"All shapes must be fully defined: {shapes}")
    if any(s.ndims is None for s in shapes):
        raise ValueError(f"All shapes must have a defined rank: {shapes}")
    return shapes


def _name_list(names, types):
    if names is None:
        return None
    names = list(names) if isinstance(names, (list, tuple)) else [names]
    if len(names) != len(types):
        raise ValueError("List of names must have the same length as the list of dtypes")
    return names


def _common(a, b):
    if a.ndims is None or b.ndims is None or a.ndims != b.ndims:
        return unknown_shape()
    pairs = zip(a.as_list(), b.as_list(), strict=True)
    return TensorShape([x if x is not None and x == y else None for x, y in pairs])


class QueueBase:
    """A queue whose elements are tuples (or dicts, when components have names) of tensors.

    Operations wait while it is full, or empty.
    """

    def __init__(self, dtypes, shapes, names, queue_ref):
        """Creates the queue of a resource.

        Args:
          dtypes: the type of each component.
          shapes: the shape of each; None when they are not known.
          names: the name of each; None for none.
          queue_ref: the resource.

        Raises:
          ValueError: when they differ in number.
        """
        if shapes is not None and len(shapes) != len(dtypes):
            raise ValueError("Queue shapes must have the same length as dtypes")
        if names is not None and len(names) != len(dtypes):
            raise ValueError("Queue names must have the same length as dtypes")
        self._dtypes = dtypes
        self._shapes = [unknown_shape()] * len(dtypes) if shapes is None else [TensorShape(s) for s in shapes]
        self._names = names
        self._queue_ref = queue_ref
        self._name = queue_ref.op.name.split("/")[-1]

    @staticmethod
    def from_list(index, queues):
        """Returns the queue that a scalar chooses from a list.

        Raises:
          TypeError: when they are no queues, or their components differ.
        """
        if not isinstance(queues, list) or not queues or not all(isinstance(q, QueueBase) for q in queues):
            raise TypeError("A list of queues expected")
        first = queues[0]
        if any(q.dtypes != first.dtypes for q in queues):
            raise TypeError("Queues do not have matching component dtypes.")
        if any(q.names != first.names for q in queues):
            raise TypeError("Queues do not have matching component names.")
        shapes = list(first.shapes)
        for q in queues[1:]:
            shapes = [_common(a, b) for a, b in zip(shapes, q.shapes, strict=True)]
        chosen = indexing.gather(array.stack([q.queue_ref for q in queues]), index)
        return QueueBase(first.dtypes, shapes, first.names, chosen)

    @property
    def queue_ref(self):
        """The resource."""
        return self._queue_ref

    @property
    def name(self):
        """The name of the operation that makes it."""
        return self._queue_ref.op.name

    @property
    def dtypes(self):
        """The type of each component."""
        return self._dtypes

    @property
    def shapes(self):
        """The shape of each component."""
        return self._shapes

    @property
    def names(self):
        """The name of each component, or None."""
        return self._names

    def _components(self, vals):
        if isinstance(vals, dict):
            if not self._names:
                raise ValueError("Queue must have names to enqueue a dictionary")
            if sorted(self._names, key=str) != sorted(vals, key=str):
                raise ValueError(
                    "Keys in dictionary to enqueue do not match names of Queue.  Dictionary: "
                    f"({sorted(vals)}), Queue: ({sorted(self._names)})"
                )
            vals = [vals[k] for k in self._names]
        else:
            if self._names:
                raise ValueError("You must enqueue a dictionary in a Queue with names")
            if not isinstance(vals, (list, tuple)):
                vals = [vals]
        return [
            convert_to_tensor(val, dtype=dtype, name=f"component_{i}")
            for i, (val, dtype) in enumerate(zip(vals, self._dtypes, strict=False))
        ]

    @staticmethod
    def _in_scope(vals):
        if isinstance(vals, (list, tuple)):
            return vals
        return vals.values() if isinstance(vals, dict) else [vals]

    def enqueue(self, vals, name=None):
        """Makes an operation that adds one element.

        Args:
          vals: a tensor, a list of them, or a dict.
          name: the operation's name.

        Returns:
          The `Operation`.

        Raises:
          ValueError: when they do not fit the queue.
        """
        with name_scope(name, f"{self._name}_enqueue", self._in_scope(vals)) as scope:
            components = self._components(vals)
            for val, shape in zip(components, self._shapes, strict=False):
                val.shape.assert_is_compatible_with(shape)
            return apply_op("QueueEnqueueV2", self._queue_ref, components, name=scope)

    def enqueue_many(self, vals, name=None):
        """Makes an operation that adds the slices along the first dimension.

        Args:
          vals: a tensor, a list of them, or a dict.
          name: the operation's name.

        Returns:
          The `Operation`.

        Raises:
          ValueError: when they do not fit the queue, or each other.
        """
        with name_scope(name, f"{self._name}_EnqueueMany", self._in_scope(vals)) as scope:
            components = self._components(vals)
            count = Dimension(None)
            for val, shape in zip(components, self._shapes, strict=False):
                count = count.merge_with(Dimension(dimension_value(val.shape.with_rank_at_least(1)[0])))
                val.shape[1:].assert_is_compatible_with(shape)
            return apply_op("QueueEnqueueManyV2", self._queue_ref, components, name=scope)

    def _taken(self, made, batch):
        made = list(made) if isinstance(made, (list, tuple)) else [made]
        for output, shape in zip(made, self._shapes, strict=True):
            output.set_shape(shape if batch is None else batch.concatenate(shape))
        if self._names:
            return dict(zip(self._names, made, strict=True))
        return made[0] if len(made) == 1 else made

    def dequeue(self, name=None):
        """Takes one element.

        Returns:
          A `Tensor`, a list of them, or a dict.
        """
        made = apply_op(
            "QueueDequeueV2", self._queue_ref, component_types=self._dtypes, name=name or f"{self._name}_Dequeue"
        )
        return self._taken(made, None)

    def dequeue_many(self, n, name=None):
        """Takes `n` elements at once, along a new first dimension.

        Args:
          n: an int32 scalar.
          name: the operation's name.

        Returns:
          A `Tensor`, a list of them, or a dict.
        """
        made = apply_op(
            "QueueDequeueManyV2",
            self._queue_ref,
            n,
            component_types=self._dtypes,
            name=name or f"{self._name}_DequeueMany",
        )
        first = made[0] if isinstance(made, (list, tuple)) else made
        known = tensor_util.constant_value(first.op.inputs[1])
        return self._taken(made, TensorShape([None if known is None else int(known)]))

    def dequeue_up_to(self, n, name=None):
        """Takes `n` elements, or those that are left in a closed queue, along a new first dimension.

        Args:
          n: an int32 scalar.
          name: the operation's name.

        Returns:
          A `Tensor`, a list of them, or a dict.
        """
        made = apply_op(
            "QueueDequeueUpToV2",
            self._queue_ref,
            n,
            component_types=self._dtypes,
            name=name or f"{self._name}_DequeueUpTo",
        )
        return self._taken(made, TensorShape([None]))

    def close(self, cancel_pending_enqueues=False, name=None):
        """Makes an operation after which nothing can be added.

        Args:
          cancel_pending_enqueues: whether those that wait fail.
          name: the operation's name.

        Returns:
          The `Operation`.
        """
        return apply_op(
            "QueueCloseV2",
            self._queue_ref,
            cancel_pending_enqueues=cancel_pending_enqueues,
            name=name or f"{self._name}_Close",
        )

    def is_closed(self, name=None):
        """Returns whether it is closed, a bool scalar."""
        return apply_op("QueueIsClosedV2", self._queue_ref, name=name or f"{self._name}_Is_Closed")

    def size(self, name=None):
        """Returns how many elements it holds, an int32 scalar."""
        return apply_op("QueueSizeV2", self._queue_ref, name=name or f"{self._name}_Size")


class FIFOQueue(QueueBase):
    """A queue whose elements leave in the order in which they came."""

    def __init__(self, capacity, dtypes, shapes=None, names=None, shared_name=None, name="fifo_queue"):
        """Creates the queue.

        Args:
          capacity: how many elements it holds at most.
          dtypes: the type of each component.
          shapes: the shape of each; None when they differ from element to element.
          names: the name of each; None for none.
          shared_name: a name under which sessions share it.
          name: the operation's name.
        """
        types, shapes = _type_list(dtypes), _shape_list(shapes)
        ref = apply_op(
            "FIFOQueueV2",
            component_types=types,
            shapes=shapes,
            capacity=capacity,
            shared_name=shared_name,
            name=name,
        )
        super().__init__(types, shapes, _name_list(names, types), ref)


class RandomShuffleQueue(QueueBase):
    """A queue whose elements leave in a random order."""

    def __init__(
        self,
        capacity,
        min_after_dequeue,
        dtypes,
        shapes=None,
        names=None,
        seed=None,
        shared_name=None,
        name="random_shuffle_queue",
    ):
        """Creates the queue.

        Args:
          capacity: how many elements it holds at most.
          min_after_dequeue: how many always stay, so that there is something to choose from.
          dtypes: the type of each component.
          shapes: the shape of each; None when they differ from element to element.
          names: the name of each; None for none.
          seed: a Python integer.
          shared_name: a name under which sessions share it.
          name: the operation's name.
        """
        types, shapes = _type_list(dtypes), _shape_list(shapes)
        names = _name_list(names, types)
        seed1, seed2 = random_seed.get_seed(seed)
        if seed1 is None and seed2 is None:
            seed1, seed2 = 0, 0
        elif seed is None and shared_name is not None:
            # All that share it draw the same numbers.
            text = (str(seed1) + shared_name).encode("utf-8")
            seed2 = int(hashlib.md5(text).hexdigest()[:8], 16) & 0x7FFFFFFF
        ref = apply_op(
            "RandomShuffleQueueV2",
            component_types=types,
            shapes=shapes,
            capacity=capacity,
            min_after_dequeue=min_after_dequeue,
            seed=seed1,
            seed2=seed2,
            shared_name=shared_name,
            name=name,
        )
        super().__init__(types, shapes, names, ref)


class PaddingFIFOQueue(QueueBase):
    """A `FIFOQueue` whose elements may differ in size: those taken together are padded."""

    def __init__(self, capacity, dtypes, shapes, names=None, shared_name=None, name="padding_fifo_queue"):
        """Creates the queue.

        Args:
          capacity: how many elements it holds at most.
          dtypes: the type of each component.
          shapes: the shape of each; None for dimensions that differ.
          names: the name of each; None for none.
          shared_name: a name under which sessions share it.
          name: the operation's name.

        Raises:
          ValueError: when types and shapes differ in number.
        """
        types, shapes = _type_list(dtypes), _shape_list(shapes, can_be_partial=True)
        names = _name_list(names, types)
        if len(types) != len(shapes):
            raise ValueError(
                f"Shapes must be provided for all components, but received {len(types)} dtypes and {len(shapes)} "
                "shapes."
            )
        ref = apply_op(
            "PaddingFIFOQueueV2",
            component_types=types,
            shapes=shapes,
            capacity=capacity,
            shared_name=shared_name,
            name=name,
        )
        super().__init__(types, shapes, names, ref)


class PriorityQueue(QueueBase):
    """A queue whose first component, an int64 scalar, says in which order elements leave: the least first."""

    def __init__(self, capacity, types, shapes=None, names=None, shared_name=None, name="priority_queue"):
        """Creates the queue.

        Args:
          capacity: how many elements it holds at most.
          types: the type of each component but the priority.
          shapes: the shape of each.
          names: the name of each; None for none.
          shared_name: a name under which sessions share it.
          name: the operation's name.
        """
        own, shapes = _type_list(types), _shape_list(shapes)
        ref = apply_op(
            "PriorityQueueV2",
            component_types=own,
            shapes=shapes,
            capacity=capacity,
            shared_name=shared_name,
            name=name,
        )
        full_shapes = [TensorShape([]), *shapes] if shapes else shapes
        super().__init__([int64, *own], full_shapes, names, ref)
