"""tf.ConditionalAccumulator: sums of gradients that are given out when enough were added."""

from ferroflow._src.framework import dtypes
from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.composite import IndexedSlices
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.operators import cast
from ferroflow._src.framework.tensor_shape import TensorShape, unknown_shape


def _step(value):
    return cast(convert_to_tensor(value), dtypes.int64)


class ConditionalAccumulatorBase:
    """What sums gradients up and gives out their mean, or sum, once enough of them have come.

    A gradient that was made before the accumulator's own step is dropped.
    """

    _resource = False

    def __init__(self, dtype, shape, accumulator_ref):
        """Wraps an accumulator.

        Args:
          dtype: the gradients' type.
          shape: their shape; None for any.
          accumulator_ref: its handle.
        """
        self._dtype = dtype
        self._shape = unknown_shape() if shape is None else TensorShape(shape)
        accumulator_ref.set_shape([2])
        self._accumulator_ref = accumulator_ref
        self._name = accumulator_ref.op.name.split("/")[-1]

    @property
    def accumulator_ref(self):
        """The handle."""
        return self._accumulator_ref

    @property
    def name(self):
        """The name of the operation that makes the handle, without scopes."""
        return self._name

    @property
    def dtype(self):
        """The gradients' type."""
        return self._dtype

    def _apply(self, op, *args, **kwargs):
        return apply_op(("Resource" if self._resource else "") + op, self._accumulator_ref, *args, **kwargs)

    def num_accumulated(self, name=None):
        """Returns how many gradients have been added since the last were taken: an int32 scalar."""
        made = self._apply("AccumulatorNumAccumulated", name=name or f"{self._name}_NumAccumulated")
        made.set_shape([])
        return made

    def set_global_step(self, new_global_step, name=None):
        """Returns an operation that sets the accumulator's step."""
        return self._apply("AccumulatorSetGlobalStep", _step(new_global_step), name=name)


class ConditionalAccumulator(ConditionalAccumulatorBase):
    """An accumulator of dense gradients."""

    _resource = True

    def __init__(
        self, dtype, shape=None, shared_name=None, name="conditional_accumulator", reduction_type="MEAN"
    ):
        """Creates the accumulator.

        Args:
          dtype: the gradients' type.
          shape: their shape; None for any.
          shared_name: the name under which sessions share it.
          name: the operation's name.
          reduction_type: "MEAN" or "SUM".
        """
        handle = apply_op(
            "ResourceConditionalAccumulator",
            dtype=dtype,
            shape=TensorShape(shape),
            shared_name=shared_name,
            reduction_type=reduction_type,
            name=name,
        )
        super().__init__(dtype, shape, handle)

    def apply_grad(self, grad, local_step=0, name=None):
        """Returns an operation that adds a gradient, unless `local_step` is before the accumulator's step.

        Raises:
          ValueError: when the gradient has another shape.
        """
        grad = convert_to_tensor(grad, self._dtype)
        grad.get_shape().assert_is_compatible_with(self._shape)
        return self._apply("AccumulatorApplyGradient", _step(local_step), grad, name=name)

    def take_grad(self, num_required, name=None):
        """Waits for `num_required` gradients, returns their mean or sum, and begins anew with the next step."""
        taken = self._apply("AccumulatorTakeGradient", num_required, dtype=self._dtype, name=name)
        taken.set_shape(self._shape)
        return taken


class SparseConditionalAccumulator(ConditionalAccumulatorBase):
    """An accumulator of gradients that are `IndexedSlices`."""

    def __init__(
        self, dtype, shape=None, shared_name=None, name="sparse_conditional_accumulator", reduction_type="MEAN"
    ):
        """Creates the accumulator; see `ConditionalAccumulator`."""
        handle = apply_op(
            "SparseConditionalAccumulator",
            dtype=dtype,
            shape=TensorShape(shape),
            shared_name=shared_name,
            reduction_type=reduction_type,
            name=name,
        )
        super().__init__(dtype, shape, handle)

    def apply_indexed_slices_grad(self, grad, local_step=0, name=None):
        """Returns an operation that adds an `IndexedSlices`, unless `local_step` is before the accumulator's step."""
        return self.apply_grad(
            grad_indices=grad.indices,
            grad_values=grad.values,
            grad_shape=grad.dense_shape,
            local_step=local_step,
            name=name,
        )

    def apply_grad(self, grad_indices, grad_values, grad_shape=None, local_step=0, name=None):
        """Returns an operation that adds slices.

        Args:
          grad_indices: int64 `[n]`: the rows.
          grad_values: `[n, ...]`: their gradients.
          grad_shape: the shape of the whole gradient; None when it is not known.
          local_step: the step at which it was made; one before the accumulator's is dropped.
          name: the operation's name.
        """
        step = _step(local_step)
        indices = cast(grad_indices, dtypes.int64)
        shape = cast([] if grad_shape is None else grad_shape, dtypes.int64)
        return self._apply(
            "SparseAccumulatorApplyGradient",
            step,
            indices,
            grad_values,
            shape,
            has_known_shape=grad_shape is not None,
            name=name,
        )

    def take_grad(self, num_required, name=None):
        """Waits for `num_required` gradients and returns (indices, values, shape) of their mean or sum."""
        return self._apply("SparseAccumulatorTakeGradient", num_required, dtype=self._dtype, name=name)

    def take_indexed_slices_grad(self, num_required, name=None):
        """Waits for `num_required` gradients and returns their mean or sum, an `IndexedSlices`."""
        indices, values, shape = self.take_grad(num_required, name)
        return IndexedSlices(indices=indices, values=values, dense_shape=shape)
