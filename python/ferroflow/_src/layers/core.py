"""Dense, Dropout and Flatten."""

import numpy as np

from ferroflow._src.framework import dtypes
from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.composite import is_sparse
from ferroflow._src.framework.control_flow import smart_cond
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.initializers import Zeros
from ferroflow._src.framework.tensor_shape import TensorShape, dimension_value
from ferroflow._src.layers.base import InputSpec, Layer, get_activation, get_initializer
from ferroflow._src.layers.sizes import normalize_data_format
from ferroflow._src.ops import array, linalg, math, nn, shaping, sparse


class Dense(Layer):
    """`activation(matmul(inputs, kernel) + bias)`, along the last dimension."""

    _config = (
        "units",
        "activation",
        "use_bias",
        "kernel_initializer",
        "bias_initializer",
        "kernel_regularizer",
        "bias_regularizer",
        "activity_regularizer",
        "kernel_constraint",
        "bias_constraint",
    )

    def __init__(
        self,
        units,
        activation=None,
        use_bias=True,
        kernel_initializer=None,
        bias_initializer=Zeros(),
        kernel_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        trainable=True,
        name=None,
        **kwargs,
    ):
        """Creates the layer.

        Args:
          units: the number of outputs.
          activation: a function, or its name; None for none.
          use_bias: whether there is a bias.
          kernel_initializer: makes the kernel's first value; None for the scope's.
          bias_initializer: makes the bias's first value.
          kernel_regularizer: a function that makes a loss of the kernel.
          bias_regularizer: a function that makes a loss of the bias.
          activity_regularizer: a function that makes a loss of the output.
          kernel_constraint: a function that an optimizer applies to the kernel after each update.
          bias_constraint: the same for the bias.
          trainable: whether the variables are trained.
          name: the layer's name.
          **kwargs: see `Layer`.
        """
        super().__init__(trainable=trainable, name=name, activity_regularizer=activity_regularizer, **kwargs)
        self.units = int(units)
        self.activation = get_activation(activation)
        self.use_bias = use_bias
        self.kernel_initializer = get_initializer(kernel_initializer)
        self.bias_initializer = get_initializer(bias_initializer)
        self.kernel_regularizer, self.bias_regularizer = kernel_regularizer, bias_regularizer
        self.kernel_constraint, self.bias_constraint = kernel_constraint, bias_constraint
        self.supports_masking = True
        self.input_spec = InputSpec(min_ndim=2)

    def build(self, input_shape):
        """Makes `kernel` [inputs, units] and `bias` [units].

        Raises:
          TypeError: for inputs that are no floats.
          ValueError: when the last dimension is not known.
        """
        dtype = dtypes.as_dtype(self.dtype or dtypes.float32)
        if not (dtype.is_floating or dtype.is_complex):
            raise TypeError(f"Unable to build `Dense` layer with non-floating point dtype {dtype}")
        last = dimension_value(TensorShape(input_shape)[-1])
        if last is None:
            raise ValueError("The last dimension of the inputs to `Dense` should be defined. Found `None`.")
        self.input_spec = InputSpec(min_ndim=2, axes={-1: last})
        self.kernel = self.add_weight(
            "kernel",
            shape=[last, self.units],
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
            dtype=self.dtype,
            trainable=True,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                "bias",
                shape=[self.units],
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
                dtype=self.dtype,
                trainable=True,
            )
        self.built = True

    def call(self, inputs):
        """Returns a tensor whose last dimension is `units`."""
        ndims = inputs.shape.ndims
        if ndims > 2:
            outputs = linalg.tensordot(inputs, self.kernel, [[ndims - 1], [0]])
            outputs.set_shape([*inputs.shape.as_list()[:-1], self.units])
        else:
            inputs = math.cast(inputs, self.dtype)
            if is_sparse(inputs):
                outputs = sparse.sparse_tensor_dense_matmul(inputs, self.kernel)
            else:
                outputs = apply_op("MatMul", inputs, self.kernel)
        if self.use_bias:
            outputs = nn.bias_add(outputs, self.bias)
        return outputs if self.activation is None else self.activation(outputs)

    def compute_output_shape(self, input_shape):
        """Returns the output's shape.

        Raises:
          ValueError: when the last dimension is not known.
        """
        shape = TensorShape(input_shape).with_rank_at_least(2)
        if dimension_value(shape[-1]) is None:
            raise ValueError(f"The innermost dimension of input_shape must be defined, but saw: {shape}")
        return shape[:-1].concatenate(self.units)


class Dropout(Layer):
    """Sets inputs to zero at random while training, and scales the others up."""

    _config = (
        "rate",
        "noise_shape",
        "seed",
    )

    def __init__(self, rate=0.5, noise_shape=None, seed=None, name=None, **kwargs):
        """Creates the layer.

        Args:
          rate: the probability of an element to be dropped.
          noise_shape: dimensions of size 1 in it are kept or dropped as a whole; None stands for an input's own size.
          seed: a Python integer.
          name: the layer's name.
          **kwargs: see `Layer`.
        """
        super().__init__(name=name, **kwargs)
        self.rate, self.noise_shape, self.seed = rate, noise_shape, seed
        self.supports_masking = True

    def _noise_shape(self, inputs):
        if self.noise_shape is None:
            return None
        sizes = shaping.shape(inputs)
        return convert_to_tensor([sizes[i] if size is None else size for i, size in enumerate(self.noise_shape)])

    def call(self, inputs, training=False):
        """Returns the inputs, dropped when `training` (a bool or a scalar tensor) is True."""

        def dropped():
            return nn.dropout(inputs, noise_shape=self._noise_shape(inputs), seed=self.seed, rate=self.rate)

        return smart_cond(training, dropped, lambda: array.identity(inputs))

    def compute_output_shape(self, input_shape):
        """Returns `input_shape`."""
        return input_shape


class Flatten(Layer):
    """Flattens all dimensions but the first."""

    _config = (
        "data_format",
    )

    def __init__(self, data_format=None, **kwargs):
        """Creates the layer.

        Args:
          data_format: 'channels_last' or 'channels_first'; the latter moves channels to the end first.
          **kwargs: see `Layer`.
        """
        super().__init__(**kwargs)
        self.data_format = normalize_data_format(data_format)
        self.input_spec = InputSpec(min_ndim=1)

    def call(self, inputs):
        """Returns a tensor [batch, everything else]."""
        ndims = inputs.shape.ndims
        if self.data_format == "channels_first" and ndims is not None and ndims > 1:
            inputs = array.transpose(inputs, perm=[0, *range(2, ndims), 1])
        batch = dimension_value(inputs.shape[0]) or shaping.shape(inputs)[0]
        outputs = array.reshape(inputs, (batch, -1))
        outputs.set_shape(self.compute_output_shape(inputs.shape))
        return outputs

    def compute_output_shape(self, input_shape):
        """Returns the output's shape."""
        sizes = TensorShape(input_shape).as_list()
        return TensorShape([sizes[0], int(np.prod(sizes[1:])) if all(sizes[1:]) else None])
