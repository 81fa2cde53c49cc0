"""Small cells: UGRNN, intersection RNN, SRU, and those whose units see only themselves."""

from ferroflow._src.contrib.rnn.linear import Linear
from ferroflow._src.framework import dtypes, variable_scope as scopes
from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.constant import constant
from ferroflow._src.framework.initializers import Constant, RandomUniform, Zeros
from ferroflow._src.framework.operators import matmul
from ferroflow._src.framework.tensor_shape import dimension_value
from ferroflow._src.layers.base import InputSpec
from ferroflow._src.ops import activations, array, math, nn
from ferroflow._src.rnn.cells import LayerRNNCell, LSTMStateTuple, RNNCell


def _size_of(inputs):
    size = dimension_value(inputs.get_shape().with_rank(2)[1])
    if size is None:
        raise ValueError("Could not infer input size from inputs.get_shape()[-1]")
    return size


class _Units(RNNCell):
    """A cell whose state and output are its units."""

    def __init__(self, num_units, initializer, forget_bias, reuse):
        super().__init__(_reuse=reuse)
        self._num_units, self._initializer, self._forget_bias = num_units, initializer, forget_bias
        self._linear = None

    @property
    def state_size(self):
        return self._num_units

    @property
    def output_size(self):
        return self._num_units


class UGRNNCell(_Units):
    """Update gate RNN (Collins et al., ICLR 2017)."""

    def __init__(self, num_units, initializer=None, forget_bias=1.0, activation=math.tanh, reuse=None):
        """Creates the cell.

        Args:
          num_units: the size of state and output.
          initializer: makes the kernel; None for the scope's.
          forget_bias: added to the gate.
          activation: a function.
          reuse: whether its variables exist already.
        """
        super().__init__(num_units, initializer, forget_bias, reuse)
        self._activation = activation

    def call(self, inputs, state):
        """Runs one step.

        Raises:
          ValueError: when the size of the inputs is not known.
        """
        _size_of(inputs)
        with scopes.variable_scope(scopes.get_variable_scope(), initializer=self._initializer):
            both = array.concat([inputs, state], 1)
            if self._linear is None:
                self._linear = Linear(both, 2 * self._num_units)
            g, c = array.split(axis=1, num_or_size_splits=2, value=self._linear(both))
            c = self._activation(c)
            g = math.sigmoid(g + self._forget_bias)
            new_state = g * state + (1.0 - g) * c
        return new_state, new_state


class IntersectionRNNCell(_Units):
    """The +RNN of Collins et al. (ICLR 2017), which gates its output against its input as well."""

    def __init__(
        self,
        num_units,
        num_in_proj=None,
        initializer=None,
        forget_bias=1.0,
        y_activation=activations.relu,
        reuse=None,
    ):
        """Creates the cell.

        Args:
          num_units: the size of state and output.
          num_in_proj: whether to project inputs of another size to that of the output.
          initializer: makes the kernels; None for the scope's.
          forget_bias: added to the gates.
          y_activation: a function.
          reuse: whether its variables exist already.
        """
        super().__init__(num_units, initializer, forget_bias, reuse)
        self._num_input_proj, self._y_activation, self._projection = num_in_proj, y_activation, None

    def call(self, inputs, state):
        """Runs one step.

        Raises:
          ValueError: when the size of the inputs is not known, or not that of the output and not projected to it.
        """
        n = self._num_units
        size = _size_of(inputs)
        with scopes.variable_scope(scopes.get_variable_scope(), initializer=self._initializer):
            if size != n:
                if not self._num_input_proj:
                    raise ValueError(
                        "Must have input size == output size for Intersection RNN. To fix, num_in_proj should be set "
                        "to num_units at cell init."
                    )
                with scopes.variable_scope("in_projection"):
                    if self._projection is None:
                        self._projection = Linear(inputs, n)
                    inputs = self._projection(inputs)
            both = array.concat([inputs, state], 1)
            if self._linear is None:
                self._linear = Linear(both, 4 * n)
            made = self._linear(both)
            gh, h, gy, y = made[:, :n], made[:, n : 2 * n], made[:, 2 * n : 3 * n], made[:, 3 * n : 4 * n]
            h, y = math.tanh(h), self._y_activation(y)
            gh = math.sigmoid(gh + self._forget_bias)
            gy = math.sigmoid(gy + self._forget_bias)
            new_state = gh * state + (1.0 - gh) * h
            new_y = gy * inputs + (1.0 - gy) * y
        return new_y, new_state


class _LayerUnits(LayerRNNCell):
    """A layer whose state and output are its units."""

    def __init__(self, num_units, activation, reuse, name, **kwargs):
        super().__init__(_reuse=reuse, name=name, **kwargs)
        self._num_units = num_units
        self._activation = activation or math.tanh
        self.input_spec = InputSpec(ndim=2)

    @property
    def state_size(self):
        return self._num_units

    @property
    def output_size(self):
        return self._num_units

    def _depth(self, shape):
        depth = dimension_value(shape[1])
        if depth is None:
            raise ValueError(f"Expected inputs.shape[-1] to be known, saw shape: {shape}")
        return depth

    def _signed(self):
        return RandomUniform(minval=-1, maxval=1, dtype=dtypes.as_dtype(self.dtype or dtypes.float32))


class SRUCell(_LayerUnits):
    """Simple recurrent unit (Lei et al., 2017)."""

    def __init__(self, num_units, activation=None, reuse=None, name=None, **kwargs):
        """Creates the cell.

        Args:
          num_units: the size of state and output.
          activation: a function; None for tanh.
          reuse: whether its variables exist already.
          name: the layer's name.
          **kwargs: see `Layer`.
        """
        super().__init__(num_units, activation, reuse, name, **kwargs)

    def build(self, inputs_shape):
        """Makes `kernel` [inputs, 4 * units] and `bias` [2 * units]."""
        self._kernel = self.add_variable("kernel", shape=[self._depth(inputs_shape), 4 * self._num_units])
        self._bias = self.add_variable("bias", shape=[2 * self._num_units], initializer=Zeros)
        self._built = True

    def call(self, inputs, state):
        """Runs one step."""
        made = matmul(inputs, self._kernel)
        x_bar, f, r, x = array.split(value=made, num_or_size_splits=4, axis=1)
        gates = math.sigmoid(nn.bias_add(array.concat([f, r], 1), self._bias))
        f, r = array.split(value=gates, num_or_size_splits=2, axis=1)
        c = f * state + (1.0 - f) * x_bar
        h = r * self._activation(c) + (1.0 - r) * x
        return h, c


class IndRNNCell(_LayerUnits):
    """Independently recurrent network (Li et al., CVPR 2018): each unit sees only its own state."""

    def __init__(self, num_units, activation=None, reuse=None, name=None, dtype=None):
        """Creates the cell; see `BasicRNNCell`."""
        super().__init__(num_units, activation, reuse, name, dtype=dtype)

    def build(self, inputs_shape):
        """Makes `kernel_w` [inputs, units], `kernel_u` [1, units] and `bias` [units]."""
        units = self._num_units
        self._kernel_w = self.add_variable("kernel_w", shape=[self._depth(inputs_shape), units])
        self._kernel_u = self.add_variable("kernel_u", shape=[1, units], initializer=self._signed())
        self._bias = self.add_variable("bias", shape=[units], initializer=self._zeros())
        self.built = True

    def call(self, inputs, state):
        """Runs one step."""
        made = matmul(inputs, self._kernel_w) + state * self._kernel_u
        output = self._activation(nn.bias_add(made, self._bias))
        return output, output


class IndyGRUCell(_LayerUnits):
    """Gated recurrent unit whose units see only their own state."""

    def __init__(
        self,
        num_units,
        activation=None,
        reuse=None,
        kernel_initializer=None,
        bias_initializer=None,
        name=None,
        dtype=None,
    ):
        """Creates the cell; see `GRUCell`."""
        super().__init__(num_units, activation, reuse, name, dtype=dtype)
        self._kernel_initializer, self._bias_initializer = kernel_initializer, bias_initializer

    def build(self, inputs_shape):
        """Makes kernels and biases of the gates and of the candidate."""
        depth, units, bias = self._depth(inputs_shape), self._num_units, self._bias_initializer
        add, kernel = self.add_variable, self._kernel_initializer
        ones = Constant(1.0, dtype=dtypes.as_dtype(self.dtype or dtypes.float32))
        self._gate_kernel_w = add("gates/kernel_w", shape=[depth, 2 * units], initializer=kernel)
        self._gate_kernel_u = add("gates/kernel_u", shape=[1, 2 * units], initializer=self._signed())
        self._gate_bias = add("gates/bias", shape=[2 * units], initializer=ones if bias is None else bias)
        self._candidate_kernel_w = add("candidate/kernel", shape=[depth, units], initializer=kernel)
        self._candidate_kernel_u = add("candidate/kernel_u", shape=[1, units], initializer=self._signed())
        self._candidate_bias = add("candidate/bias", shape=[units], initializer=self._zeros() if bias is None else bias)
        self.built = True

    def call(self, inputs, state):
        """Runs one step."""
        gates = matmul(inputs, self._gate_kernel_w) + apply_op("Tile", state, [1, 2]) * self._gate_kernel_u
        gates = math.sigmoid(nn.bias_add(gates, self._gate_bias))
        r, u = array.split(value=gates, num_or_size_splits=2, axis=1)
        r_state = r * state
        candidate = matmul(inputs, self._candidate_kernel_w) + r_state * self._candidate_kernel_u
        c = self._activation(nn.bias_add(candidate, self._candidate_bias))
        new_h = u * state + (1 - u) * c
        return new_h, new_h


class IndyLSTMCell(_LayerUnits):
    """Long short-term memory whose units see only their own state (Gonnet and Deselaers, 2019)."""

    def __init__(
        self,
        num_units,
        forget_bias=1.0,
        activation=None,
        reuse=None,
        kernel_initializer=None,
        bias_initializer=None,
        name=None,
        dtype=None,
    ):
        """Creates the cell; see `BasicLSTMCell` and `GRUCell`."""
        super().__init__(num_units, activation, reuse, name, dtype=dtype)
        self._forget_bias = forget_bias
        self._kernel_initializer, self._bias_initializer = kernel_initializer, bias_initializer

    @property
    def state_size(self):
        return LSTMStateTuple(self._num_units, self._num_units)

    def build(self, inputs_shape):
        """Makes `kernel_w` [inputs, 4 * units], `kernel_u` [1, 4 * units] and `bias` [4 * units]."""
        depth, width, bias = self._depth(inputs_shape), 4 * self._num_units, self._bias_initializer
        self._kernel_w = self.add_variable("kernel_w", shape=[depth, width], initializer=self._kernel_initializer)
        self._kernel_u = self.add_variable("kernel_u", shape=[1, width], initializer=self._signed())
        self._bias = self.add_variable("bias", shape=[width], initializer=self._zeros() if bias is None else bias)
        self.built = True

    def call(self, inputs, state):
        """Runs one step."""
        one = constant(1, dtype=dtypes.int32)
        c, h = state
        gates = matmul(inputs, self._kernel_w)
        gates += apply_op("Tile", h, [1, 4]) * self._kernel_u
        gates = nn.bias_add(gates, self._bias)
        i, j, f, o = array.split(value=gates, num_or_size_splits=4, axis=one)
        forget_bias = constant(self._forget_bias, dtype=f.dtype)
        kept = math.multiply(c, math.sigmoid(math.add(f, forget_bias)))
        new_c = math.add(kept, math.multiply(math.sigmoid(i), self._activation(j)))
        new_h = math.multiply(self._activation(new_c), math.sigmoid(o))
        return new_h, LSTMStateTuple(new_c, new_h)
