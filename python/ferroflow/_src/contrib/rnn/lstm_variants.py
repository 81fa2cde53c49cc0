"""Relatives of the LSTM: with normalized gates, with one gate for two, with phases, found by search."""


from ferroflow._src.contrib.layers.norms import layer_norm
from ferroflow._src.contrib.rnn.linear import Linear
from ferroflow._src.framework import dtypes, variable_scope as scopes
from ferroflow._src.framework.collections import add_to_collection, get_collection
from ferroflow._src.framework.graph_keys import GraphKeys
from ferroflow._src.framework.initializers import Constant, RandomUniform, Zeros
from ferroflow._src.framework.operators import matmul
from ferroflow._src.framework.tensor_shape import TensorShape, dimension_value
from ferroflow._src.ops import activations, array, clip, indexing, math, nn, random
from ferroflow._src.platform import tf_logging
from ferroflow._src.rnn.cells import LayerRNNCell, LSTMStateTuple, RNNCell, warn_of_joined_state


def _check_size(inputs):
    """Returns the size of inputs [batch, size].

    Raises:
      ValueError: when it is not known.
    """
    size = dimension_value(inputs.get_shape().with_rank(2)[1])
    if size is None:
        raise ValueError("Could not infer input size from inputs.get_shape()[-1]")
    return size


def _normalized(gain, shift, inputs, scope, dtype=dtypes.float32):
    shape = inputs.get_shape()[-1:]
    gamma, beta = Constant(gain), Constant(shift)
    with scopes.variable_scope(scope):
        scopes.get_variable("gamma", shape=shape, initializer=gamma, dtype=dtype)
        scopes.get_variable("beta", shape=shape, initializer=beta, dtype=dtype)
    return layer_norm(inputs, reuse=True, scope=scope)


class LayerNormBasicLSTMCell(RNNCell):
    """LSTM with layer normalization (Ba et al., 2016) and recurrent dropout (Semeniuta et al., 2016)."""

    def __init__(
        self,
        num_units,
        forget_bias=1.0,
        input_size=None,
        activation=math.tanh,
        layer_norm=True,
        norm_gain=1.0,
        norm_shift=0.0,
        dropout_keep_prob=1.0,
        dropout_prob_seed=None,
        reuse=None,
    ):
        """Creates the cell.

        Args:
          num_units: the size of the output.
          forget_bias: added to the forget gate.
          input_size: has no effect.
          activation: a function.
          layer_norm: whether gates and cell are normalized.
          norm_gain: the first gain of normalization.
          norm_shift: its first shift.
          dropout_keep_prob: how much of the new cell is kept, a number or `Tensor`.
          dropout_prob_seed: the seed for that.
          reuse: whether its variables exist already.
        """
        super().__init__(_reuse=reuse)
        if input_size is not None:
            tf_logging.warn("%s: The input_size parameter is deprecated.", self)
        self._num_units, self._activation, self._forget_bias = num_units, activation, forget_bias
        self._keep_prob, self._seed = dropout_keep_prob, dropout_prob_seed
        self._layer_norm, self._norm_gain, self._norm_shift = layer_norm, norm_gain, norm_shift

    @property
    def state_size(self):
        return LSTMStateTuple(self._num_units, self._num_units)

    @property
    def output_size(self):
        return self._num_units

    def call(self, inputs, state):
        """Runs one step."""
        c, h = state
        args = array.concat([inputs, h], 1)
        dtype = args.dtype
        kernel = scopes.get_variable("kernel", [args.get_shape()[-1], 4 * self._num_units], dtype=dtype)
        gates = matmul(args, kernel)
        if not self._layer_norm:
            gates = nn.bias_add(gates, scopes.get_variable("bias", [4 * self._num_units], dtype=dtype))

        def normalized(x, scope):
            return _normalized(self._norm_gain, self._norm_shift, x, scope, dtype) if self._layer_norm else x

        gates = array.split(value=gates, num_or_size_splits=4, axis=1)
        i, j, f, o = [normalized(*x) for x in zip(gates, ("input", "transform", "forget", "output"), strict=True)]
        g = self._activation(j)
        if not isinstance(self._keep_prob, float) or self._keep_prob < 1:
            g = nn.dropout(g, self._keep_prob, seed=self._seed)
        new_c = normalized(c * math.sigmoid(f + self._forget_bias) + math.sigmoid(i) * g, "state")
        new_h = self._activation(new_c) * math.sigmoid(o)
        return new_h, LSTMStateTuple(new_c, new_h)


class CoupledInputForgetGateLSTMCell(RNNCell):
    """LSTM whose input gate is what its forget gate leaves (Greff et al., 2015), with peepholes and projection."""

    def __init__(
        self,
        num_units,
        use_peepholes=False,
        initializer=None,
        num_proj=None,
        proj_clip=None,
        num_unit_shards=1,
        num_proj_shards=1,
        forget_bias=1.0,
        state_is_tuple=True,
        activation=math.tanh,
        reuse=None,
        layer_norm=False,
        norm_gain=1.0,
        norm_shift=0.0,
    ):
        """Creates the cell.

        Args:
          num_units: the size of the cell.
          use_peepholes: whether the gates see the cell.
          initializer: has no effect, as in TensorFlow.
          num_proj: the size that the output is projected to; None for no projection.
          proj_clip: the greatest magnitude of the projected output; None for no limit.
          num_unit_shards: into how many variables the kernel is split.
          num_proj_shards: into how many variables the projection is split.
          forget_bias: added to the forget gate.
          state_is_tuple: whether states are `LSTMStateTuple`s; else both are joined along columns.
          activation: a function.
          reuse: whether its variables exist already.
          layer_norm: whether gates and cell are normalized; there is no bias then.
          norm_gain: the first gain of normalization.
          norm_shift: its first shift.
        """
        super().__init__(_reuse=reuse)
        if not state_is_tuple:
            warn_of_joined_state(self)
        self._num_units, self._use_peepholes = num_units, use_peepholes
        self._num_proj, self._proj_clip = num_proj, proj_clip
        self._num_unit_shards, self._num_proj_shards = num_unit_shards, num_proj_shards
        self._forget_bias, self._state_is_tuple, self._activation = forget_bias, state_is_tuple, activation
        self._layer_norm, self._norm_gain, self._norm_shift = layer_norm, norm_gain, norm_shift
        self._output_size = num_proj or num_units

    @property
    def state_size(self):
        c, h = self._num_units, self._output_size
        return LSTMStateTuple(c, h) if self._state_is_tuple else c + h

    @property
    def output_size(self):
        return self._output_size

    def call(self, inputs, state):
        """Runs one step.

        Raises:
          ValueError: when the size of the inputs is not known.
        """
        units = self._num_units
        h_size = units if self._num_proj is None else self._num_proj
        if self._state_is_tuple:
            c_prev, m_prev = state
        else:
            c_prev = array.slice(state, [0, 0], [-1, units])
            m_prev = array.slice(state, [0, units], [-1, h_size])
        dtype, size = inputs.dtype, _check_size(inputs)
        kernel = _joined_variable("W", [size + h_size, 3 * units], dtype, self._num_unit_shards)
        bias = scopes.get_variable("B", shape=[3 * units], initializer=Zeros(), dtype=dtype)
        gates = matmul(array.concat([inputs, m_prev], 1), kernel)
        if not self._layer_norm:
            gates = nn.bias_add(gates, bias)
        j, f, o = array.split(value=gates, num_or_size_splits=3, axis=1)
        if self._layer_norm:
            j, f, o = [
                _normalized(self._norm_gain, self._norm_shift, *x)
                for x in zip((j, f, o), ("transform", "forget", "output"), strict=True)
            ]
        if self._use_peepholes:
            of_f = scopes.get_variable("W_F_diag", shape=[units], dtype=dtype)
            of_o = scopes.get_variable("W_O_diag", shape=[units], dtype=dtype)
            kept = math.sigmoid(f + self._forget_bias + of_f * c_prev)
        else:
            kept = math.sigmoid(f + self._forget_bias)
        c = kept * c_prev + (1 - kept) * self._activation(j)
        if self._layer_norm:
            c = _normalized(self._norm_gain, self._norm_shift, c, "state")
        m = math.sigmoid(o + of_o * c if self._use_peepholes else o) * self._activation(c)
        if self._num_proj is not None:
            m = matmul(m, _joined_variable("W_P", [units, self._num_proj], dtype, self._num_proj_shards))
            if self._proj_clip is not None:
                m = clip.clip_by_value(m, -self._proj_clip, self._proj_clip)
        return m, LSTMStateTuple(c, m) if self._state_is_tuple else array.concat([c, m], 1)


def _joined_variable(name, shape, dtype, count):
    """Returns one variable `name_0`, or `count` of them joined along rows."""
    if count > shape[0]:
        raise ValueError(f"Too many shards: shape={shape}, num_shards={count}")
    rows, more = divmod(shape[0], count)
    parts = [scopes.get_variable(f"{name}_{i}", [rows + (i < more), *shape[1:]], dtype=dtype) for i in range(count)]
    if count == 1:
        return parts[0]
    full_name = f"{scopes.get_variable_scope().name}/{name}/concat:0"
    for value in get_collection(GraphKeys.CONCATENATED_VARIABLES):
        if value.name == full_name:
            return value
    joined = array.concat(parts, 0, name=name + "/concat")
    add_to_collection(GraphKeys.CONCATENATED_VARIABLES, joined)
    return joined


class NASCell(LayerRNNCell):
    """The cell that a search over architectures found (Zoph and Le, ICLR 2017)."""

    _NAS_BASE = 8

    def __init__(self, num_units, num_proj=None, use_bias=False, reuse=None, **kwargs):
        """Creates the cell.

        Args:
          num_units: the size of the cell.
          num_proj: the size that the output is projected to; None for no projection.
          use_bias: whether there is a bias.
          reuse: whether its variables exist already.
          **kwargs: see `Layer`.
        """
        super().__init__(_reuse=reuse, **kwargs)
        self._num_units, self._num_proj, self._use_bias = num_units, num_proj, use_bias
        self._h_size = num_units if num_proj is None else num_proj

    @property
    def state_size(self):
        return LSTMStateTuple(self._num_units, self._h_size)

    @property
    def output_size(self):
        return self._h_size

    def build(self, inputs_shape):
        """Makes `recurrent_kernel`, `kernel`, and what bias and projection need."""
        size = dimension_value(TensorShape(inputs_shape).with_rank(2)[1])
        if size is None:
            raise ValueError("Could not infer input size from inputs.get_shape()[-1]")
        width = self._NAS_BASE * self._num_units
        self.recurrent_kernel = self.add_variable("recurrent_kernel", [self._h_size, width])
        self.kernel = self.add_variable("kernel", [size, width])
        if self._use_bias:
            self.bias = self.add_variable("bias", shape=[width], initializer=Zeros)
        if self._num_proj is not None:
            self.projection_weights = self.add_variable("projection_weights", [self._num_units, self._num_proj])
        self.built = True

    def call(self, inputs, state):
        """Runs one step."""
        c_prev, m_prev = state
        of_m = matmul(m_prev, self.recurrent_kernel)
        of_x = matmul(inputs, self.kernel)
        if self._use_bias:
            of_m = nn.bias_add(of_m, self.bias)
        of_m = array.split(axis=1, num_or_size_splits=self._NAS_BASE, value=of_m)
        of_x = array.split(axis=1, num_or_size_splits=self._NAS_BASE, value=of_x)
        sigmoid, tanh, relu = math.sigmoid, math.tanh, activations.relu
        first = [
            f(x * m if i == 3 else x + m)
            for i, (f, x, m) in enumerate(
                zip((sigmoid, relu, sigmoid, relu, tanh, sigmoid, tanh, sigmoid), of_x, of_m, strict=True)
            )
        ]
        a = tanh(first[0] * first[1])
        b = tanh(first[2] + first[3])
        c = tanh(first[4] * first[5])
        d = sigmoid(first[6] + first[7])
        new_c = tanh(a + c_prev) * b
        new_m = tanh(new_c * tanh(c + d))
        if self._num_proj is not None:
            new_m = matmul(new_m, self.projection_weights)
        return new_m, LSTMStateTuple(new_c, new_m)


class PhasedLSTMCell(RNNCell):
    """LSTM that opens for a part of each period of time (Neil et al., NIPS 2016). Its inputs are (time, values)."""

    def __init__(
        self,
        num_units,
        use_peepholes=False,
        leak=0.001,
        ratio_on=0.1,
        trainable_ratio_on=True,
        period_init_min=1.0,
        period_init_max=1000.0,
        reuse=None,
    ):
        """Creates the cell.

        Args:
          num_units: the size of the output.
          use_peepholes: whether the gates see the cell.
          leak: how far it is open when it is closed.
          ratio_on: the first part of the period in which it is open.
          trainable_ratio_on: whether that is trained.
          period_init_min: the shortest first period.
          period_init_max: the longest.
          reuse: whether its variables exist already.
        """
        super().__init__(_reuse=reuse)
        self._num_units, self._use_peepholes = num_units, use_peepholes
        self._leak, self._ratio_on, self._trainable_ratio_on = leak, ratio_on, trainable_ratio_on
        self._period_init_min, self._period_init_max = period_init_min, period_init_max
        self._linears = {}

    @property
    def state_size(self):
        return LSTMStateTuple(self._num_units, self._num_units)

    @property
    def output_size(self):
        return self._num_units

    def _linear(self, name, parts, size):
        if name not in self._linears:
            self._linears[name] = Linear(parts, size)
        return self._linears[name](parts)

    def call(self, inputs, state):
        """Runs one step."""
        c_prev, h_prev = state
        time, x = inputs
        units, peepholes = self._num_units, self._use_peepholes
        with scopes.variable_scope("mask_gates"):
            parts = [x, h_prev, c_prev] if peepholes else [x, h_prev]
            gates = math.sigmoid(self._linear("mask_gates", parts, 2 * units))
            input_gate, forget_gate = array.split(axis=1, num_or_size_splits=2, value=gates)
        with scopes.variable_scope("new_input"):
            new_input = math.tanh(self._linear("new_input", [x, h_prev], units))
        new_c = c_prev * forget_gate + input_gate * new_input
        with scopes.variable_scope("output_gate"):
            parts = [x, h_prev, new_c] if peepholes else [x, h_prev]
            output_gate = math.sigmoid(self._linear("output_gate", parts, units))
        new_h = math.tanh(new_c) * output_gate
        least, most = self._period_init_min, self._period_init_max
        period = scopes.get_variable("period", [units], initializer=_log_uniform(least, most))
        phase = scopes.get_variable("phase", [units], initializer=RandomUniform(0.0, period.initial_value))
        ratio_on = scopes.get_variable(
            "ratio_on", [units], initializer=Constant(self._ratio_on), trainable=self._trainable_ratio_on
        )
        cycle = _cycle_ratio(time, phase, period)
        k_up = 2 * cycle / ratio_on
        k_down = 2 - k_up
        k_closed = self._leak * cycle
        k = indexing.where(cycle < ratio_on, k_down, k_closed)
        k = indexing.where(cycle < 0.5 * ratio_on, k_up, k)
        new_c = k * new_c + (1 - k) * c_prev
        new_h = k * new_h + (1 - k) * h_prev
        return new_h, LSTMStateTuple(new_c, new_h)


def _log_uniform(least, most):
    def initializer(shape, dtype=dtypes.float32, partition_info=None):
        return math.exp(random.random_uniform(shape, math.log(least), math.log(most), dtype))

    return initializer


def _cycle_ratio(time, phase, period):
    """How far into its period `time` is; the gradient is that of a line."""
    phase, period = math.cast(phase, dtype=time.dtype), math.cast(period, dtype=time.dtype)
    shifted = time - phase
    rest = array.stop_gradient(math.mod(shifted, period) - shifted) + shifted
    return math.cast(rest / period, dtype=dtypes.float32)
