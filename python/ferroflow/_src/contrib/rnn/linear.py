"""`inputs * kernel + bias` as cells write it, with variables of the scope in force."""

from ferroflow._src.framework import dtypes, nest, variable_scope as scopes
from ferroflow._src.framework.constant import constant
from ferroflow._src.framework.initializers import Constant
from ferroflow._src.framework.operators import matmul
from ferroflow._src.framework.tensor_shape import dimension_value
from ferroflow._src.ops import array, nn


class Linear:
    """Inputs, or several of them beside each other, times a kernel, plus a bias."""

    def __init__(self, inputs, output_size):
        """Makes `kernel` and `bias` for one `Tensor` [batch, size] or a list of them.

        Raises:
          ValueError: for no inputs, or when a size is not known.
        """
        if inputs is None or (nest.is_sequence(inputs) and not inputs):
            raise ValueError("`args` must be specified")
        parts = inputs if nest.is_sequence(inputs) else [inputs]
        size = 0
        for shape in [x.shape for x in parts]:
            if shape.ndims != 2:
                raise ValueError(f"linear is expecting 2D arguments: {[x.shape for x in parts]}")
            width = dimension_value(shape[1])
            if width is None:
                raise ValueError(f"linear expects shape[1] to be provided for shape {shape}, but saw {shape[1]}")
            size += width
        dtype = parts[0].dtype
        with scopes.variable_scope(scopes.get_variable_scope()) as outer:
            self._weights = scopes.get_variable("kernel", [size, output_size], dtype=dtype)
            with scopes.variable_scope(outer) as inner:
                inner.set_partitioner(None)
                zeros = Constant(0.0, dtype=dtype)
                self._biases = scopes.get_variable("bias", [output_size], dtype=dtype, initializer=zeros)

    def __call__(self, inputs):
        if nest.is_sequence(inputs):
            inputs = inputs[0] if len(inputs) == 1 else array.concat(inputs, constant(1, dtype=dtypes.int32))
        return nn.bias_add(matmul(inputs, self._weights), self._biases)
