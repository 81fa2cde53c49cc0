"""LSTMs whose gates are convolutions (Shi et al., NIPS 2015)."""

from ferroflow._src.framework import variable_scope as scopes
from ferroflow._src.framework.initializers import Constant
from ferroflow._src.framework.tensor_shape import TensorShape
from ferroflow._src.ops import array, conv, math
from ferroflow._src.rnn.cells import LSTMStateTuple, RNNCell


class ConvLSTMCell(RNNCell):
    """LSTM over images (or lines, or volumes), channels last."""

    def __init__(
        self,
        conv_ndims,
        input_shape,
        output_channels,
        kernel_shape,
        use_bias=True,
        skip_connection=False,
        forget_bias=1.0,
        initializers=None,
        name="conv_lstm_cell",
    ):
        """Creates the cell.

        Args:
          conv_ndims: 1, 2 or 3: over how many dimensions the convolution goes.
          input_shape: a list: the shape of an input, without the batch.
          output_channels: the number of channels of the output.
          kernel_shape: a list, the size of the kernel.
          use_bias: whether there is a bias.
          skip_connection: whether the input's channels join the output's.
          forget_bias: added to the forget gate.
          initializers: has no effect.
          name: the layer's name.

        Raises:
          ValueError: when the shape is not that of `conv_ndims`.
        """
        super().__init__(name=name)
        if conv_ndims != len(input_shape) - 1:
            raise ValueError(f"Invalid input_shape {input_shape} for conv_ndims={conv_ndims}.")
        self._conv_ndims, self._output_channels, self._kernel_shape = conv_ndims, output_channels, list(kernel_shape)
        self._use_bias, self._forget_bias, self._skip_connection = use_bias, forget_bias, skip_connection
        state_size = TensorShape(input_shape[:-1] + [output_channels])
        self._state_size = LSTMStateTuple(state_size, state_size)
        total = output_channels + (input_shape[-1] if skip_connection else 0)
        self._output_size = TensorShape(input_shape[:-1] + [total])

    @property
    def output_size(self):
        return self._output_size

    @property
    def state_size(self):
        return self._state_size

    def call(self, inputs, state, scope=None):
        """Runs one step."""
        cell, hidden = state
        gates = _convolved([inputs, hidden], self._kernel_shape, 4 * self._output_channels, self._use_bias)
        i, j, f, o = array.split(value=gates, num_or_size_splits=4, axis=self._conv_ndims + 1)
        new_cell = math.sigmoid(f + self._forget_bias) * cell
        new_cell += math.sigmoid(i) * math.tanh(j)
        output = math.tanh(new_cell) * math.sigmoid(o)
        if self._skip_connection:
            output = array.concat([output, inputs], axis=-1)
        return output, LSTMStateTuple(new_cell, output)


class Conv1DLSTMCell(ConvLSTMCell):
    """`ConvLSTMCell` over lines."""

    def __init__(self, name="conv_1d_lstm_cell", **kwargs):
        """Creates the cell from the other arguments of `ConvLSTMCell`."""
        super().__init__(conv_ndims=1, name=name, **kwargs)


class Conv2DLSTMCell(ConvLSTMCell):
    """`ConvLSTMCell` over images."""

    def __init__(self, name="conv_2d_lstm_cell", **kwargs):
        """Creates the cell from the other arguments of `ConvLSTMCell`."""
        super().__init__(conv_ndims=2, name=name, **kwargs)


class Conv3DLSTMCell(ConvLSTMCell):
    """`ConvLSTMCell` over volumes."""

    def __init__(self, name="conv_3d_lstm_cell", **kwargs):
        """Creates the cell from the other arguments of `ConvLSTMCell`."""
        super().__init__(conv_ndims=3, name=name, **kwargs)


def _convolved(args, kernel_size, features, use_bias):
    """Convolves `args`, beside each other, with variables `kernel` and `biases`."""
    shapes = [x.get_shape().as_list() for x in args]
    rank = len(shapes[0])
    for shape in shapes:
        if len(shape) not in (3, 4, 5):
            raise ValueError(f"Conv Linear expects 3D, 4D or 5D arguments: {shapes}")
        if len(shape) != rank:
            raise ValueError(f"Conv Linear expects all args to be of same Dimension: {shapes}")
    dtype = args[0].dtype
    depth = sum(shape[-1] for shape in shapes)
    kernel = scopes.get_variable("kernel", [*kernel_size, depth, features], dtype=dtype)
    convolve = {3: conv.conv1d, 4: conv.conv2d, 5: conv.conv3d}[rank]
    strides = 1 if rank == 3 else rank * [1]
    made = convolve(array.concat(axis=rank - 1, values=args), kernel, strides, padding="SAME")
    if not use_bias:
        return made
    zeros = Constant(0.0, dtype=dtype)
    return made + scopes.get_variable("biases", [features], dtype=dtype, initializer=zeros)
