"""tf.initializers: first values of variables, as functions of a shape and a type."""

import math

import numpy as np

from ferroflow._src.framework import dtypes, fills
from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.constant import constant
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.tensor_shape import TensorShape

# The standard deviation of a normal distribution cut off at two of its own.
_TRUNCATED_STDDEV = 0.87962566103423978


class Initializer:
    """Base class of initializers: called with (shape, dtype=None, partition_info=None), they return a `Tensor`."""

    def __call__(self, shape, dtype=None, partition_info=None):
        raise NotImplementedError

    def get_config(self):
        """Returns the constructor's arguments as a dict that JSON can hold."""
        return {}

    @classmethod
    def from_config(cls, config):
        """Returns the initializer that `get_config` describes."""
        return cls(**config)


class Zeros(Initializer):
    """Zeros."""

    def __init__(self, dtype=dtypes.float32):
        self.dtype = dtypes.as_dtype(dtype)

    def __call__(self, shape, dtype=None, partition_info=None):
        return fills.zeros(shape, self.dtype if dtype is None else dtype)

    def get_config(self):
        return {"dtype": self.dtype.name}


class Ones(Initializer):
    """Ones."""

    def __init__(self, dtype=dtypes.float32):
        self.dtype = dtypes.as_dtype(dtype)

    def __call__(self, shape, dtype=None, partition_info=None):
        return fills.ones(shape, self.dtype if dtype is None else dtype)

    def get_config(self):
        return {"dtype": self.dtype.name}


class Constant(Initializer):
    """Given values; the last one is repeated when there are too few."""

    def __init__(self, value=0, dtype=dtypes.float32, verify_shape=False):
        """Creates the initializer.

        Args:
          value: a number, list or array.
          dtype: the type when a call gives none.
          verify_shape: whether the values must have the variable's shape.

        Raises:
          TypeError: for a value of another kind.
        """
        if not (np.isscalar(value) or isinstance(value, (list, tuple, np.ndarray))):
            raise TypeError(
                f"Invalid type for initial value: {type(value)} (expected Python scalar, list or tuple of values, or "
                "numpy.ndarray)."
            )
        self.value = value
        self.dtype = dtypes.as_dtype(dtype)
        self._verify_shape = verify_shape

    def __call__(self, shape, dtype=None, partition_info=None, verify_shape=None):
        if verify_shape is None:
            verify_shape = self._verify_shape
        dtype = self.dtype if dtype is None else dtype
        return constant(self.value, dtype=dtype, shape=shape, verify_shape=verify_shape)

    def get_config(self):
        return {"value": self.value, "dtype": self.dtype.name}


class RandomUniform(Initializer):
    """Values spread evenly over [minval, maxval)."""

    def __init__(self, minval=0, maxval=None, seed=None, dtype=dtypes.float32):
        self.minval = minval
        self.maxval = maxval
        self.seed = seed
        self.dtype = dtypes.as_dtype(dtype)

    def __call__(self, shape, dtype=None, partition_info=None):
        dtype = self.dtype if dtype is None else dtype
        return fills.random_uniform(shape, self.minval, self.maxval, dtype, seed=self.seed)

    def get_config(self):
        return {"minval": self.minval, "maxval": self.maxval, "seed": self.seed, "dtype": self.dtype.name}


class RandomNormal(Initializer):
    """Values of a normal distribution."""

    _fill = staticmethod(fills.random_normal)

    def __init__(self, mean=0.0, stddev=1.0, seed=None, dtype=dtypes.float32):
        self.mean = mean
        self.stddev = stddev
        self.seed = seed
        self.dtype = _float_dtype(dtype)

    def __call__(self, shape, dtype=None, partition_info=None):
        dtype = self.dtype if dtype is None else dtype
        return self._fill(shape, self.mean, self.stddev, dtype, seed=self.seed)

    def get_config(self):
        return {"mean": self.mean, "stddev": self.stddev, "seed": self.seed, "dtype": self.dtype.name}


class TruncatedNormal(RandomNormal):
    """Values of a normal distribution, none more than two standard deviations from the mean."""

    _fill = staticmethod(fills.truncated_normal)


class UniformUnitScaling(Initializer):
    """Even values that keep the scale of a layer's input."""

    def __init__(self, factor=1.0, seed=None, dtype=dtypes.float32):
        self.factor = factor
        self.seed = seed
        self.dtype = _float_dtype(dtype)

    def __call__(self, shape, dtype=None, partition_info=None):
        sizes = _full_shape(shape, partition_info)
        inputs = max(math.prod(float(d) for d in sizes[:-1]), 1.0)
        limit = math.sqrt(3 / inputs) * self.factor
        return fills.random_uniform(shape, -limit, limit, self.dtype if dtype is None else dtype, seed=self.seed)

    def get_config(self):
        return {"factor": self.factor, "seed": self.seed, "dtype": self.dtype.name}


class VarianceScaling(Initializer):
    """Random values whose variance suits the size of the layer."""

    def __init__(self, scale=1.0, mode="fan_in", distribution="truncated_normal", seed=None, dtype=dtypes.float32):
        """Creates the initializer.

        Args:
          scale: the variance times the size that `mode` names.
          mode: "fan_in", "fan_out" or "fan_avg".
          distribution: "truncated_normal" (or "normal"), "untruncated_normal" or "uniform".
          seed: an int, or None.
          dtype: the type when a call gives none.

        Raises:
          ValueError: for other values.
        """
        if scale <= 0.0:
            raise ValueError("`scale` must be positive float.")
        if mode not in ("fan_in", "fan_out", "fan_avg"):
            raise ValueError("Invalid `mode` argument:", mode)
        distribution = distribution.lower()
        if distribution not in ("normal", "uniform", "truncated_normal", "untruncated_normal"):
            raise ValueError("Invalid `distribution` argument:", distribution)
        self.scale = scale
        self.mode = mode
        self.distribution = distribution
        self.seed = seed
        self.dtype = _float_dtype(dtype)

    def __call__(self, shape, dtype=None, partition_info=None):
        dtype = self.dtype if dtype is None else dtype
        fan_in, fan_out = _fans(_full_shape(shape, partition_info))
        size = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2.0}[self.mode]
        scale = self.scale / max(1.0, size)
        if self.distribution == "uniform":
            limit = math.sqrt(3.0 * scale)
            return fills.random_uniform(shape, -limit, limit, dtype, seed=self.seed)
        if self.distribution == "untruncated_normal":
            return fills.random_normal(shape, 0.0, math.sqrt(scale), dtype, seed=self.seed)
        return fills.truncated_normal(shape, 0.0, math.sqrt(scale) / _TRUNCATED_STDDEV, dtype, seed=self.seed)

    def get_config(self):
        return {
            "scale": self.scale,
            "mode": self.mode,
            "distribution": self.distribution,
            "seed": self.seed,
            "dtype": self.dtype.name,
        }


class GlorotUniform(VarianceScaling):
    """Glorot and Bengio's even values (AISTATS 2010): the default of `tf.get_variable`."""

    def __init__(self, seed=None, dtype=dtypes.float32):
        super().__init__(scale=1.0, mode="fan_avg", distribution="uniform", seed=seed)

    def get_config(self):
        return {"seed": self.seed, "dtype": self.dtype.name}


class GlorotNormal(VarianceScaling):
    """Glorot and Bengio's normal values (AISTATS 2010)."""

    def __init__(self, seed=None, dtype=dtypes.float32):
        super().__init__(scale=1.0, mode="fan_avg", distribution="truncated_normal", seed=seed)

    def get_config(self):
        return {"seed": self.seed, "dtype": self.dtype.name}


class _Gained(Initializer):
    """An initializer with a gain and a seed."""

    def __init__(self, gain=1.0, seed=None, dtype=dtypes.float32):
        self.gain = gain
        self.dtype = _float_dtype(dtype)
        self.seed = seed

    def get_config(self):
        return {"gain": self.gain, "seed": self.seed, "dtype": self.dtype.name}


def _signed_q(matrix, **attrs):
    """The orthogonal part of `matrix`, with signs that make it evenly distributed."""
    q, r = apply_op("Qr", matrix, **attrs)
    return q * apply_op("Sign", apply_op("DiagPart", r))


class Orthogonal(_Gained):
    """A random orthogonal matrix (Saxe et al., 2013), from the QR decomposition of normal values."""

    def __call__(self, shape, dtype=None, partition_info=None):
        dtype = self.dtype if dtype is None else dtype
        if len(shape) < 2:
            raise ValueError("The tensor to initialize must be at least two-dimensional")
        rows, columns = int(math.prod(int(d) for d in shape[:-1])), int(shape[-1])
        flat = (columns, rows) if rows < columns else (rows, columns)
        q = _signed_q(fills.random_normal(flat, dtype=dtype, seed=self.seed), full_matrices=False)
        if rows < columns:
            q = matrix_transpose(q)
        return self.gain * apply_op("Reshape", q, shape)


class ConvolutionDeltaOrthogonal(_Gained):
    """A convolution kernel that is an orthogonal matrix in its middle and zero around it (Xiao et al., 2018)."""

    def __call__(self, shape, dtype=None, partition_info=None):
        dtype = self.dtype if dtype is None else dtype
        if len(shape) < 3 or len(shape) > 5:
            raise ValueError("The tensor to initialize must be at least three-dimensional and at most five-dimensional")
        if shape[-2] > shape[-1]:
            raise ValueError("In_filters cannot be greater than out_filters.")
        q = _signed_q(fills.random_normal([shape[-1], shape[-1]], dtype=dtype, seed=self.seed), full_matrices=False)
        q = q[: shape[-2], :]
        q *= convert_to_tensor(self.gain, dtype=dtype, name="Cast/x")
        middle = [[(d - 1) // 2 for d in shape[:-2]]]
        return apply_op("ScatterNd", middle, apply_op("ExpandDims", q, 0), shape)


class Identity(Initializer):
    """The identity matrix, times a gain."""

    def __init__(self, gain=1.0, dtype=dtypes.float32):
        self.gain = gain
        self.dtype = _float_dtype(dtype)

    def __call__(self, shape, dtype=None, partition_info=None):
        full = _full_shape(shape, partition_info)
        if len(full) != 2:
            raise ValueError("Identity matrix initializer can only be used for 2D matrices.")
        full = full.as_list() if isinstance(full, TensorShape) else full
        matrix = eye(*full, dtype=self.dtype if dtype is None else dtype)
        if partition_info is not None:
            matrix = apply_op("Slice", matrix, partition_info.var_offset, shape)
        return self.gain * matrix

    def get_config(self):
        return {"gain": self.gain, "dtype": self.dtype.name}


def eye(num_rows, num_columns=None, dtype=dtypes.float32, name=None):
    """Returns the identity matrix of known size; `tf.eye` is in the ops."""
    with name_scope(name, "eye", [num_rows, num_columns]):
        num_columns = num_rows if num_columns is None else num_columns
        ones = fills.ones([min(num_rows, num_columns)], dtype=dtype)
        if num_rows == num_columns:
            return apply_op("MatrixDiag", ones, name="diag")
        return apply_op("MatrixSetDiag", fills.zeros([num_rows, num_columns], dtype), ones, name="set_diag")


def matrix_transpose(a, name="matrix_transpose"):
    """Swaps the two dimensions of a matrix of known rank 2."""
    with name_scope(name, values=[a]) as name:
        return _transposed(a)


def _transposed(a):
    with name_scope(None, "transpose", [a]) as scope:
        return apply_op("Transpose", a, constant([1, 0], name="perm"), name=scope)


def lecun_normal(seed=None):
    """LeCun's normal values (1998): variance 1 / inputs."""
    return VarianceScaling(scale=1.0, mode="fan_in", distribution="truncated_normal", seed=seed)


def lecun_uniform(seed=None):
    """LeCun's even values (1998): variance 1 / inputs."""
    return VarianceScaling(scale=1.0, mode="fan_in", distribution="uniform", seed=seed)


def he_normal(seed=None):
    """He et al.'s normal values (2015): variance 2 / inputs."""
    return VarianceScaling(scale=2.0, mode="fan_in", distribution="truncated_normal", seed=seed)


def he_uniform(seed=None):
    """He et al.'s even values (2015): variance 2 / inputs."""
    return VarianceScaling(scale=2.0, mode="fan_in", distribution="uniform", seed=seed)


def _full_shape(shape, partition_info):
    return shape if partition_info is None else partition_info.full_shape


def _fans(shape):
    """(inputs, outputs) of a weight of that shape: of a kernel, times the elements of its window."""
    if len(shape) < 1:
        return 1, 1
    if len(shape) == 1:
        return int(shape[0]), int(shape[0])
    window = math.prod(int(d) for d in shape[:-2])
    return int(shape[-2]) * window, int(shape[-1]) * window


def _float_dtype(dtype):
    dtype = dtypes.as_dtype(dtype)
    if not dtype.is_floating:
        raise ValueError(f"Expected floating point type, got {dtype}.")
    return dtype


zeros_initializer = Zeros
ones_initializer = Ones
constant_initializer = Constant
random_uniform_initializer = RandomUniform
random_normal_initializer = RandomNormal
truncated_normal_initializer = TruncatedNormal
uniform_unit_scaling_initializer = UniformUnitScaling
variance_scaling_initializer = VarianceScaling
glorot_uniform_initializer = GlorotUniform
glorot_normal_initializer = GlorotNormal
orthogonal_initializer = Orthogonal
identity_initializer = Identity
convolutional_delta_orthogonal = ConvolutionDeltaOrthogonal
