"""tf.TensorArray: an array of tensors that loops write and read."""

import contextlib
import logging

from ferroflow._src.framework import control_flow, dtypes, tensor_util
from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.scopes import colocate_with, control_dependencies, device
from ferroflow._src.framework.tensor_like import TensorBase
from ferroflow._src.framework.tensor_shape import TensorShape, as_shape
from ferroflow._src.ops import array, math, shaping

_log = logging.getLogger("tensorflow")


def _check_arguments(handle, size, element_shape, dynamic_size, clear_after_read, tensor_array_name):
    if handle is not None and tensor_array_name:
        raise ValueError("Cannot construct with both handle and tensor_array_name")
    if handle is not None and not isinstance(handle, TensorBase):
        raise TypeError("Handle must be a Tensor")
    if handle is None and size is None:
        raise ValueError("Size must be provided if handle is not provided")
    for label, value in (
        ("size", size),
        ("element_shape", element_shape),
        ("dynamic_size", dynamic_size),
        ("clear_after_read", clear_after_read),
    ):
        if handle is not None and value is not None:
            raise ValueError(f"Cannot provide both a handle and {label} at the same time")


class TensorArray:
    """An array of tensors of one type, each written once.

    Every writing method returns the array to use from there on: its `flow` keeps the order of operations.
    """

    def __init__(
        self,
        dtype,
        size=None,
        dynamic_size=None,
        clear_after_read=None,
        tensor_array_name=None,
        handle=None,
        flow=None,
        infer_shape=True,
        element_shape=None,
        colocate_with_first_write_call=True,
        name=None,
    ):
        """Creates the array.

        Args:
          dtype: the type of its elements.
          size: an int32 scalar: how many elements.
          dynamic_size: whether it grows.
          clear_after_read: whether an element is gone once it is read; None for True.
          tensor_array_name: the name of the resource.
          handle: an existing resource, in place of `size`.
          flow: the flow of that resource.
          infer_shape: whether all elements must have one shape.
          element_shape: that shape; None when it is not known.
          colocate_with_first_write_call: whether it lies where its first element does.
          name: the operation's name.

        Raises:
          ValueError: for arguments that contradict each other.
          TypeError: for a handle that is no tensor.
        """
        _check_arguments(handle, size, element_shape, dynamic_size, clear_after_read, tensor_array_name)
        self._dynamic_size = dynamic_size or False
        self._dtype = dtypes.as_dtype(dtype).base_dtype
        self._colocate_with_first_write_call = colocate_with_first_write_call
        # Lists, for all arrays made of this one learn of them.
        self._colocate_with = [] if colocate_with_first_write_call else None
        self._element_shape = [as_shape(element_shape)]
        self._infer_shape = infer_shape
        with name_scope(name, "TensorArray", [handle, size, flow]) as scope:
            if handle is not None:
                if flow is None:
                    raise ValueError("flow must not be None if handle is not None.")
                self._handle, self._flow = handle, flow
                return
            with contextlib.ExitStack() as stack:
                if colocate_with_first_write_call:
                    stack.enter_context(device(None))
                    stack.enter_context(colocate_with(None, ignore_existing=True))
                self._handle, self._flow = apply_op(
                    "TensorArrayV3",
                    size,
                    dtype=dtype,
                    element_shape=as_shape(element_shape),
                    identical_element_shapes=infer_shape,
                    dynamic_size=self._dynamic_size,
                    clear_after_read=True if clear_after_read is None else clear_after_read,
                    tensor_array_name=tensor_array_name,
                    name=scope,
                )

    @property
    def flow(self):
        """A float32 scalar that keeps the order of operations."""
        return self._flow

    @property
    def dtype(self):
        """The type of its elements."""
        return self._dtype

    @property
    def handle(self):
        """The resource."""
        return self._handle

    @property
    def element_shape(self):
        """The shape of its elements, as far as it is known."""
        return self._element_shape[0]

    @property
    def dynamic_size(self):
        """Whether it grows."""
        return self._dynamic_size

    def _with_flow(self, flow):
        made = TensorArray(
            dtype=self._dtype,
            handle=self._handle,
            flow=flow,
            infer_shape=self._infer_shape,
            colocate_with_first_write_call=self._colocate_with_first_write_call,
        )
        made._dynamic_size = self._dynamic_size
        made._colocate_with = self._colocate_with
        made._element_shape = self._element_shape
        return made

    def _check_shape(self, shape):
        if not shape.is_compatible_with(self.element_shape):
            raise ValueError(f"Inconsistent shapes: saw {shape} but expected {self.element_shape} ")
        if self._infer_shape:
            self._element_shape[0] = self.element_shape.merge_with(shape)

    def _check_dtype(self, value):
        if value.dtype != self._dtype:
            _log.error("Input value %s has dtype %s, but expected dtype %s.", value, value.dtype, self._dtype)

    def _place(self, value):
        """A block beside the first value written."""
        if not self._colocate_with_first_write_call:
            return contextlib.nullcontext()
        if not self._colocate_with:
            self._colocate_with.append(value)
        return colocate_with(self._colocate_with[0])

    def identity(self):
        """Returns an array with a flow of its own, for control dependencies in force."""
        return self._with_flow(array.identity(self._flow))

    def grad(self, source, flow=None, name=None):
        """Returns the array in which gradients of this one's elements are gathered.

        Args:
          source: a text that tells apart several calls of tf.gradients.
          flow: the flow to use; None for the array's.
          name: the operation's name.
        """
        flow = self._flow if flow is None else flow
        with name_scope(name, "TensorArrayGrad", [self._handle]), colocate_with(self._handle):
            handle = apply_op("TensorArrayGradV3", self._handle, flow, source=source, name=name).grad_handle
            with control_dependencies([handle]):
                flow = array.identity(flow, name="gradient_flow")
            made = TensorArray(
                dtype=self._dtype,
                handle=handle,
                flow=flow,
                infer_shape=self._infer_shape,
                colocate_with_first_write_call=False,
            )
            made._element_shape = self._element_shape
            return made

    def read(self, index, name=None):
        """Returns an element.

        Args:
          index: an int32 scalar.
          name: the operation's name.
        """
        value = apply_op("TensorArrayReadV3", self._handle, index, self._flow, dtype=self._dtype, name=name)
        value.set_shape(self.element_shape)
        return value

    def write(self, index, value, name=None):
        """Writes an element.

        Args:
          index: an int32 scalar.
          value: a `Tensor`.
          name: the name scope.

        Returns:
          The array after it.

        Raises:
          ValueError: when the shape contradicts that of other elements.
        """
        with name_scope(name, "TensorArrayWrite", [self._handle, index, value]):
            value = convert_to_tensor(value, preferred_dtype=self._dtype, name="value")
            self._check_dtype(value)
            self._check_shape(value.shape)
            with self._place(value):
                flow = apply_op("TensorArrayWriteV3", self._handle, index, value, self._flow, name=name)
            return self._with_flow(flow)

    def stack(self, name=None):
        """Returns all elements along a new first dimension."""
        with colocate_with(self._handle), name_scope(name, "TensorArrayStack", [self._handle]):
            return self.gather(math.range(0, self.size()), name=name)

    def gather(self, indices, name=None):
        """Returns some elements along a new first dimension.

        Args:
          indices: int32 of rank 1.
          name: the operation's name.
        """
        value = apply_op(
            "TensorArrayGatherV3",
            self._handle,
            indices,
            self._flow,
            dtype=self._dtype,
            element_shape=self.element_shape,
            name=name,
        )
        if self.element_shape.ndims is not None:
            value.set_shape(TensorShape([None]).concatenate(self.element_shape))
        return value

    def concat(self, name=None):
        """Returns all elements, joined along their first dimension."""
        shape = self.element_shape
        made = apply_op(
            "TensorArrayConcatV3",
            self._handle,
            self._flow,
            dtype=self._dtype,
            element_shape_except0=shape[1:] if shape.ndims is not None else shape,
            name=name,
        )
        if shape.ndims is not None:
            made.value.set_shape(TensorShape([None]).concatenate(shape[1:]))
        return made.value

    def unstack(self, value, name=None):
        """Writes the slices of a tensor along its first dimension.

        Args:
          value: a `Tensor` of rank 1 or more.
          name: the name scope.

        Returns:
          The array after it.
        """
        with name_scope(name, "TensorArrayUnstack", [self._handle, value]):
            count = shaping.shape(value)[0]
            return self.scatter(indices=math.range(0, count), value=value, name=name)

    def scatter(self, indices, value, name=None):
        """Writes the slices of a tensor to given places.

        Args:
          indices: int32 of rank 1.
          value: a `Tensor` of rank 1 or more.
          name: the name scope.

        Returns:
          The array after it.

        Raises:
          ValueError: when the shape contradicts that of other elements.
        """
        with name_scope(name, "TensorArrayScatter", [self._handle, value, indices]):
            value = convert_to_tensor(value, preferred_dtype=self._dtype, name="value")
            self._check_dtype(value)
            self._check_shape(value.shape[1:])
            with self._place(value):
                flow = apply_op("TensorArrayScatterV3", self._handle, indices, value, self._flow, name=name)
            return self._with_flow(flow)

    def split(self, value, lengths, name=None):
        """Writes pieces of a tensor, cut along its first dimension.

        Args:
          value: a `Tensor` of rank 1 or more.
          lengths: integers: how long each piece is.
          name: the name scope.

        Returns:
          The array after it.

        Raises:
          ValueError: when the shape contradicts that of other elements.
        """
        with name_scope(name, "TensorArraySplit", [self._handle, value, lengths]):
            value = convert_to_tensor(value, dtype=self._dtype, name="value")
            with self._place(value):
                lengths = math.cast(lengths, dtypes.int64)
                known = tensor_util.constant_value(lengths)
                if value.shape.ndims is not None and known is not None and known.shape and known.max() == known.min():
                    self._check_shape(TensorShape([int(known[0])]).concatenate(value.shape[1:]))
                flow = apply_op("TensorArraySplitV3", self._handle, value, lengths, self._flow, name=name)
            return self._with_flow(flow)

    def size(self, name=None):
        """Returns how many elements it has, an int32 scalar."""
        return apply_op("TensorArraySizeV3", self._handle, self._flow, name=name)

    def close(self, name=None):
        """Frees it; returns the `Operation`."""
        return apply_op("TensorArrayCloseV3", self._handle, name=name)


control_flow.register_tensor_array(TensorArray, TensorArray._with_flow)
