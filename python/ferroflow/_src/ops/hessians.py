"""tf.hessians: a loop over the rows of first derivatives."""

from ferroflow._src.framework import dtypes
from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.constant import constant
from ferroflow._src.framework.gradients import as_list, gradients
from ferroflow._src.framework.while_loops import while_loop
from ferroflow._src.ops.tensor_array import TensorArray


def hessians(ys, xs, name="hessians", colocate_gradients_with_ops=False, gate_gradients=False, aggregation_method=None):
    """Makes the second derivatives of the sum of `ys` with respect to each of `xs`.

    Args:
      ys: a tensor or a list of tensors.
      xs: a tensor or variable, or a list of them.
      name: not used.
      colocate_gradients_with_ops: as for `gradients`.
      gate_gradients: as for `gradients`.
      aggregation_method: as for `gradients`.

    Returns:
      A list, an entry an x: a `Tensor` of shape [*x's shape, *x's shape].
    """
    xs = as_list(xs)
    first = gradients(
        ys,
        xs,
        colocate_gradients_with_ops=colocate_gradients_with_ops,
        gate_gradients=gate_gradients,
        aggregation_method=aggregation_method,
    )
    return [_hessian(gradient, x) for gradient, x in zip(first, xs, strict=True)]


def _hessian(gradient, x):
    gradient = apply_op("Reshape", gradient, [-1])
    count = x.shape.num_elements()
    n = apply_op("Size", x) if count is None else constant(count, dtypes.int32, name="Size")
    _, rows = while_loop(
        lambda j, _: j < n,
        lambda j, result: (j + 1, result.write(j, gradients(gradient[j], x)[0])),
        [constant(0, dtypes.int32), TensorArray(x.dtype, n)],
    )
    shape = apply_op("Shape", x) if count is None else constant(x.shape.as_list(), dtypes.int32, name="Shape")
    return apply_op("Reshape", rows.stack(), apply_op("ConcatV2", [shape, shape], 0, name="concat"))


def hessians_v2(ys, xs, gate_gradients=False, aggregation_method=None, name="hessians"):
    """`hessians` with TensorFlow 2's order of arguments."""
    return hessians(ys, xs, name=name, gate_gradients=gate_gradients, aggregation_method=aggregation_method)
