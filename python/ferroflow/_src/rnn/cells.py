"""Cells: one step of a recurrent network."""

import collections

from ferroflow._src.framework import dtypes, nest, tensor_util, variable_lists, variable_scope as scopes
from ferroflow._src.framework.constant import constant
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.initializers import Constant, Zeros
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.operators import matmul
from ferroflow._src.framework.partitioned_variable import PartitionedVariable
from ferroflow._src.framework.partitioners import fixed_size_partitioner
from ferroflow._src.framework.tensor_like import is_tensor
from ferroflow._src.framework.tensor_shape import TensorShape, dimension_value
from ferroflow._src.layers.base import InputSpec, Layer, get_activation, get_initializer
from ferroflow._src.ops import array, clip, math, nn, shaping
from ferroflow._src.platform import tf_logging
from ferroflow._src.rnn.sizes import zero_states


def check_is_cell(name, cell):
    """Checks that `cell` can be used as an RNNCell.

    Raises:
      TypeError: when it lacks a property or method of one.
    """
    missing = []
    if not hasattr(cell, "output_size"):
        missing.append("'output_size' property is missing")
    if not hasattr(cell, "state_size"):
        missing.append("'state_size' property is missing")
    if not hasattr(cell, "get_initial_state") and not hasattr(cell, "zero_state"):
        missing.append("either 'zero_state' or 'get_initial_state' method is required")
    if not callable(cell):
        missing.append("is not callable")
    if missing:
        raise TypeError(f"The argument {name!r} ({cell}) is not an RNNCell: {', '.join(missing)}.")


def _check_float(dtype):
    if dtype is None:
        return
    dtype = dtypes.as_dtype(dtype)
    if not (dtype.is_floating or dtype.is_complex):
        raise ValueError(f"RNN cell only supports floating point inputs, but saw dtype: {dtype}")


def _check_floats(tensors):
    for tensor in nest.flatten(tensors):
        _check_float(tensor.dtype)


class RNNCell(Layer):
    """One step of a recurrent network: `(output, next_state) = cell(inputs, state)`.

    Subclasses define `state_size`, `output_size` and `call(inputs, state)`; variables made there with
    `tf.get_variable` are shared between steps.
    """

    def __init__(self, trainable=True, name=None, dtype=None, **kwargs):
        """Creates the cell; see `Layer`."""
        super().__init__(trainable=trainable, name=name, dtype=dtype, **kwargs)
        self._is_tf_rnn_cell = True

    def __call__(self, inputs, state, scope=None):
        """Runs one step.

        Args:
          inputs: a `Tensor` [batch, input_size].
          state: `Tensor`s [batch, size] in the structure of `state_size`.
          scope: the variable scope; None for one named after the class.

        Returns:
          (output, next state): a `Tensor` [batch, output_size], and tensors like `state`.
        """
        if scope is not None:
            with scopes.variable_scope(scope, custom_getter=self._get_variable) as scope:
                return super().__call__(inputs, state, scope=scope)
        scope = getattr(self, "rnncell_scope", None)
        if scope is None:
            scope = scopes.variable_scope(scopes.get_variable_scope(), custom_getter=self._get_variable)
            self.rnncell_scope = scope
        with scope:
            return super().__call__(inputs, state)

    def _get_variable(self, getter, *args, **kwargs):
        variable = getter(*args, **kwargs)
        part = list(variable)[0] if isinstance(variable, PartitionedVariable) else variable
        is_trained = any(part is v for v in variable_lists.trainable_variables())
        known = self._trainable_weights if is_trained else self._non_trainable_weights
        if all(variable is not v for v in known):
            known.append(variable)
        return variable

    @property
    def state_size(self):
        """The size of the state: an int, a `TensorShape`, or a structure of them."""
        raise NotImplementedError("Abstract method")

    @property
    def output_size(self):
        """The size of the output: an int or a `TensorShape`."""
        raise NotImplementedError("Abstract method")

    def build(self, _):
        """Nothing: variables are made in `call`."""

    def get_initial_state(self, inputs=None, batch_size=None, dtype=None):
        """Returns zeros as the first state.

        Args:
          inputs: a `Tensor` [batch, ...] that tells batch size and type.
          batch_size: the batch size, an int or int32 scalar.
          dtype: the type.

        Raises:
          ValueError: when something is missing, or the arguments contradict each other.
        """
        if inputs is not None:
            inputs = convert_to_tensor(inputs, name="inputs")
            known = dimension_value(inputs.shape[0])
            if batch_size is not None:
                given = tensor_util.constant_value(batch_size, partial=True) if is_tensor(batch_size) else batch_size
                if known != given:
                    raise ValueError(
                        "batch size from input tensor is different from the input param. Input tensor batch: "
                        f"{known}, batch_size: {batch_size}"
                    )
            if dtype is not None and inputs.dtype != dtype:
                raise ValueError(
                    "dtype from input tensor is different from the input param. Input tensor dtype: "
                    f"{inputs.dtype}, dtype: {dtype}"
                )
            batch_size = known or shaping.shape(inputs)[0]
            dtype = inputs.dtype
        if batch_size is None or dtype is None:
            raise ValueError(
                "batch_size and dtype cannot be None while constructing initial state: "
                f"batch_size={batch_size}, dtype={dtype}"
            )
        return self.zero_state(batch_size, dtype)

    def zero_state(self, batch_size, dtype):
        """Returns zeros as the first state.

        Args:
          batch_size: an int or int32 scalar.
          dtype: the type.
        """
        with name_scope(type(self).__name__ + "ZeroState", values=[batch_size]):
            return zero_states(self.state_size, batch_size, dtype)


class LayerRNNCell(RNNCell):
    """A cell that makes its variables in `build`."""

    def __call__(self, inputs, state, scope=None, *args, **kwargs):
        """Runs one step; see `RNNCell`."""
        return Layer.__call__(self, inputs, state, *args, scope=scope, **kwargs)

    def _set_up(self, num_units, activation):
        _check_float(self.dtype)
        self.input_spec = InputSpec(ndim=2)
        self._num_units = num_units
        self._activation = get_activation(activation) if activation else math.tanh

    def _input_depth(self, shape):
        depth = dimension_value(TensorShape(shape)[-1])
        if depth is None:
            # TensorFlow shows the shape as a tuple.
            raise ValueError(f"Expected inputs.shape[-1] to be known, saw shape: {tuple(TensorShape(shape).as_list())}")
        _check_float(self.dtype)
        return depth

    def _zeros(self):
        return Zeros(dtype=dtypes.as_dtype(self.dtype or dtypes.float32))


class BasicRNNCell(LayerRNNCell):
    """`output = next_state = activation([inputs, state] * kernel + bias)`."""

    def __init__(self, num_units, activation=None, reuse=None, name=None, dtype=None, **kwargs):
        """Creates the cell.

        Args:
          num_units: the size of state and output.
          activation: a function or its name; None for tanh.
          reuse: whether its variables exist already.
          name: the layer's name.
          dtype: the type of its variables; None for that of the first input.
          **kwargs: see `Layer`.
        """
        super().__init__(_reuse=reuse, name=name, dtype=dtype, **kwargs)
        self._set_up(num_units, activation)

    @property
    def state_size(self):
        return self._num_units

    @property
    def output_size(self):
        return self._num_units

    def build(self, inputs_shape):
        """Makes `kernel` [inputs + units, units] and `bias` [units]."""
        depth = self._input_depth(inputs_shape)
        self._kernel = self.add_variable("kernel", shape=[depth + self._num_units, self._num_units])
        self._bias = self.add_variable("bias", shape=[self._num_units], initializer=self._zeros())
        self.built = True

    def call(self, inputs, state):
        """Runs one step."""
        _check_floats([inputs, state])
        gates = matmul(array.concat([inputs, state], 1), self._kernel)
        output = self._activation(nn.bias_add(gates, self._bias))
        return output, output


class GRUCell(LayerRNNCell):
    """Gated recurrent unit (Cho et al., 2014)."""

    def __init__(
        self,
        num_units,
        activation=None,
        reuse=None,
        kernel_initializer=None,
        bias_initializer=None,
        name=None,
        dtype=None,
        **kwargs,
    ):
        """Creates the cell.

        Args:
          num_units: the size of state and output.
          activation: a function or its name; None for tanh.
          reuse: whether its variables exist already.
          kernel_initializer: makes the kernels; None for the scope's.
          bias_initializer: makes the biases; None for ones at the gates and zeros at the candidate.
          name: the layer's name.
          dtype: the type of its variables; None for that of the first input.
          **kwargs: see `Layer`.
        """
        super().__init__(_reuse=reuse, name=name, dtype=dtype, **kwargs)
        self._set_up(num_units, activation)
        self._kernel_initializer = get_initializer(kernel_initializer)
        self._bias_initializer = get_initializer(bias_initializer)

    @property
    def state_size(self):
        return self._num_units

    @property
    def output_size(self):
        return self._num_units

    def build(self, inputs_shape):
        """Makes kernels and biases of the gates and of the candidate."""
        rows, units = self._input_depth(inputs_shape) + self._num_units, self._num_units
        kernel, bias = self._kernel_initializer, self._bias_initializer
        ones = Constant(1.0, dtype=dtypes.as_dtype(self.dtype or dtypes.float32))
        self._gate_kernel = self.add_variable("gates/kernel", shape=[rows, 2 * units], initializer=kernel)
        self._gate_bias = self.add_variable("gates/bias", shape=[2 * units], initializer=ones if bias is None else bias)
        self._candidate_kernel = self.add_variable("candidate/kernel", shape=[rows, units], initializer=kernel)
        self._candidate_bias = self.add_variable(
            "candidate/bias", shape=[units], initializer=self._zeros() if bias is None else bias
        )
        self.built = True

    def call(self, inputs, state):
        """Runs one step."""
        _check_floats([inputs, state])
        gates = matmul(array.concat([inputs, state], 1), self._gate_kernel)
        value = math.sigmoid(nn.bias_add(gates, self._gate_bias))
        r, u = array.split(value=value, num_or_size_splits=2, axis=1)
        candidate = matmul(array.concat([inputs, r * state], 1), self._candidate_kernel)
        c = self._activation(nn.bias_add(candidate, self._candidate_bias))
        new_h = u * state + (1 - u) * c
        return new_h, new_h


class LSTMStateTuple(collections.namedtuple("LSTMStateTuple", ("c", "h"))):
    """The state of an LSTM: the cell `c` and the output `h`."""

    __slots__ = ()

    @property
    def dtype(self):
        """The type of both.

        Raises:
          TypeError: when they differ.
        """
        c, h = self
        if c.dtype != h.dtype:
            raise TypeError(f"Inconsistent internal state: {c.dtype} vs {h.dtype}")
        return c.dtype


def warn_of_joined_state(cell):
    """Says that a state that is no tuple will not be taken for ever."""
    tf_logging.warn(
        "%s: Using a concatenated state is slower and will soon be deprecated.  Use state_is_tuple=True.", cell
    )


class BasicLSTMCell(LayerRNNCell):
    """Long short-term memory (Zaremba et al., 2014), without clipping, projection or peepholes."""

    def __init__(
        self,
        num_units,
        forget_bias=1.0,
        state_is_tuple=True,
        activation=None,
        reuse=None,
        name=None,
        dtype=None,
        **kwargs,
    ):
        """Creates the cell.

        Args:
          num_units: the size of the output.
          forget_bias: added to the forget gate.
          state_is_tuple: whether states are `LSTMStateTuple`s; else both are joined along columns.
          activation: a function or its name; None for tanh.
          reuse: whether its variables exist already.
          name: the layer's name.
          dtype: the type of its variables; None for that of the first input.
          **kwargs: see `Layer`.
        """
        super().__init__(_reuse=reuse, name=name, dtype=dtype, **kwargs)
        if not state_is_tuple:
            warn_of_joined_state(self)
        self._set_up(num_units, activation)
        self._forget_bias = forget_bias
        self._state_is_tuple = state_is_tuple

    @property
    def state_size(self):
        units = self._num_units
        return LSTMStateTuple(units, units) if self._state_is_tuple else 2 * units

    @property
    def output_size(self):
        return self._num_units

    def build(self, inputs_shape):
        """Makes `kernel` [inputs + units, 4 * units] and `bias` [4 * units]."""
        depth, units = self._input_depth(inputs_shape), self._num_units
        self._kernel = self.add_variable("kernel", shape=[depth + units, 4 * units])
        self._bias = self.add_variable("bias", shape=[4 * units], initializer=self._zeros())
        self.built = True

    def call(self, inputs, state):
        """Runs one step."""
        _check_floats([inputs, state])
        one = constant(1, dtype=dtypes.int32)
        if self._state_is_tuple:
            c, h = state
        else:
            c, h = array.split(value=state, num_or_size_splits=2, axis=one)
        gates = nn.bias_add(matmul(array.concat([inputs, h], 1), self._kernel), self._bias)
        i, j, f, o = array.split(value=gates, num_or_size_splits=4, axis=one)
        forget_bias = constant(self._forget_bias, dtype=f.dtype)
        kept = math.multiply(c, math.sigmoid(math.add(f, forget_bias)))
        new_c = math.add(kept, math.multiply(math.sigmoid(i), self._activation(j)))
        new_h = math.multiply(self._activation(new_c), math.sigmoid(o))
        if self._state_is_tuple:
            return new_h, LSTMStateTuple(new_c, new_h)
        return new_h, array.concat([new_c, new_h], 1)


class LSTMCell(LayerRNNCell):
    """Long short-term memory (Hochreiter and Schmidhuber, 1997), with peepholes, clipping and projection on request."""

    def __init__(
        self,
        num_units,
        use_peepholes=False,
        cell_clip=None,
        initializer=None,
        num_proj=None,
        proj_clip=None,
        num_unit_shards=None,
        num_proj_shards=None,
        forget_bias=1.0,
        state_is_tuple=True,
        activation=None,
        reuse=None,
        name=None,
        dtype=None,
        **kwargs,
    ):
        """Creates the cell.

        Args:
          num_units: the size of the cell.
          use_peepholes: whether the gates see the cell.
          cell_clip: the greatest magnitude of the cell; None for no limit.
          initializer: makes the kernels; None for the scope's.
          num_proj: the size that the output is projected to; None for no projection.
          proj_clip: the greatest magnitude of the projected output; None for no limit.
          num_unit_shards: into how many parts the kernel is split.
          num_proj_shards: into how many parts the projection is split.
          forget_bias: added to the forget gate.
          state_is_tuple: whether states are `LSTMStateTuple`s; else both are joined along columns.
          activation: a function or its name; None for tanh.
          reuse: whether its variables exist already.
          name: the layer's name.
          dtype: the type of its variables; None for that of the first input.
          **kwargs: see `Layer`.
        """
        super().__init__(_reuse=reuse, name=name, dtype=dtype, **kwargs)
        if not state_is_tuple:
            warn_of_joined_state(self)
        if num_unit_shards is not None or num_proj_shards is not None:
            tf_logging.warn(
                "%s: The num_unit_shards and proj_unit_shards parameters are deprecated and will be removed in Jan "
                "2017.  Use a variable scope with a partitioner instead.",
                self,
            )
        self._set_up(num_units, activation)
        self._use_peepholes = use_peepholes
        self._cell_clip, self._proj_clip = cell_clip, proj_clip
        self._initializer = get_initializer(initializer)
        self._num_proj = num_proj
        self._num_unit_shards, self._num_proj_shards = num_unit_shards, num_proj_shards
        self._forget_bias = forget_bias
        self._state_is_tuple = state_is_tuple
        self._output_size = num_proj if num_proj else num_units

    @property
    def state_size(self):
        c, h = self._num_units, self._output_size
        return LSTMStateTuple(c, h) if self._state_is_tuple else c + h

    @property
    def output_size(self):
        return self._output_size

    def build(self, inputs_shape):
        """Makes `kernel`, `bias`, and what peepholes and projection need."""
        depth, units = self._input_depth(inputs_shape), self._num_units
        h_depth = units if self._num_proj is None else self._num_proj

        def parts(count):
            return None if count is None else fixed_size_partitioner(count)

        self._kernel = self.add_variable(
            "kernel",
            shape=[depth + h_depth, 4 * units],
            initializer=self._initializer,
            partitioner=parts(self._num_unit_shards),
        )
        self._bias = self.add_variable("bias", shape=[4 * units], initializer=self._zeros())
        if self._use_peepholes:
            self._w_f_diag, self._w_i_diag, self._w_o_diag = [
                self.add_variable(name, shape=[units], initializer=self._initializer)
                for name in ("w_f_diag", "w_i_diag", "w_o_diag")
            ]
        if self._num_proj is not None:
            self._proj_kernel = self.add_variable(
                "projection/kernel",
                shape=[units, self._num_proj],
                initializer=self._initializer,
                partitioner=parts(self._num_proj_shards),
            )
        self.built = True

    def _split_state(self, state):
        if self._state_is_tuple:
            return state
        units, outputs = self._num_units, self._num_units if self._num_proj is None else self._num_proj
        c = array.slice(state, [0, 0], [-1, units])
        return c, array.slice(state, [0, units], [-1, outputs])

    def call(self, inputs, state):
        """Runs one step.

        Raises:
          ValueError: when the size of the inputs is not known.
        """
        _check_floats([inputs, state])
        c_prev, m_prev = self._split_state(state)
        if dimension_value(inputs.shape.with_rank(2)[1]) is None:
            raise ValueError("Could not infer input size from inputs.get_shape()[-1]")
        gates = nn.bias_add(matmul(array.concat([inputs, m_prev], 1), self._kernel), self._bias)
        i, j, f, o = array.split(value=gates, num_or_size_splits=4, axis=1)
        sigmoid, activation = math.sigmoid, self._activation
        if self._use_peepholes:
            c = sigmoid(f + self._forget_bias + self._w_f_diag * c_prev) * c_prev + sigmoid(
                i + self._w_i_diag * c_prev
            ) * activation(j)
        else:
            c = sigmoid(f + self._forget_bias) * c_prev + sigmoid(i) * activation(j)
        if self._cell_clip is not None:
            c = clip.clip_by_value(c, -self._cell_clip, self._cell_clip)
        if self._use_peepholes:
            m = sigmoid(o + self._w_o_diag * c) * activation(c)
        else:
            m = sigmoid(o) * activation(c)
        if self._num_proj is not None:
            m = matmul(m, self._proj_kernel)
            if self._proj_clip is not None:
                m = clip.clip_by_value(m, -self._proj_clip, self._proj_clip)
        return m, LSTMStateTuple(c, m) if self._state_is_tuple else array.concat([c, m], 1)
