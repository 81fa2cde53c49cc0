"""What all distributions share: names, shapes of samples, densities from their logarithms and the other way round."""

import contextlib

import numpy as np

from ferroflow._src.contrib.distributions import divergence
from ferroflow._src.framework import dtypes
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.tensor import Tensor
from ferroflow._src.framework.tensor_shape import TensorShape, as_shape
from ferroflow._src.framework.tensor_util import constant_value
from ferroflow._src.ops import array, math, reductions, shaping


class ReparameterizationType:
    """Whether gradients flow through samples."""

    def __init__(self, rep_type):
        """Makes a type.

        Args:
          rep_type: its name.
        """
        self._rep_type = rep_type

    def __repr__(self):
        return f"<Reparameteriation Type: {self._rep_type}>"

    def __eq__(self, other):
        return self is other

    __hash__ = object.__hash__


FULLY_REPARAMETERIZED = ReparameterizationType("FULLY_REPARAMETERIZED")
NOT_REPARAMETERIZED = ReparameterizationType("NOT_REPARAMETERIZED")


class Distribution:
    """A law of random numbers, or a batch of them.

    A subclass says `_sample_n`, `_log_prob` or `_prob`, and what else it knows (`_mean`, `_stddev`, `_entropy`, …),
    without names or conversions, which are done here.
    """

    def __init__(
        self,
        dtype,
        reparameterization_type,
        validate_args,
        allow_nan_stats,
        parameters=None,
        graph_parents=None,
        name=None,
    ):
        """Keeps what describes the distribution.

        Args:
          dtype: the `DType` of samples.
          reparameterization_type: `FULLY_REPARAMETERIZED` or `NOT_REPARAMETERIZED`.
          validate_args: whether arguments are checked in each run.
          allow_nan_stats: whether statistics that do not exist are NaN; an error otherwise.
          parameters: a dict of what the subclass was made with.
          graph_parents: tensors on which it rests.
          name: its name; one that ends with a slash is taken as a scope.

        Raises:
          ValueError: when a parent is no tensor.
        """
        for i, parent in enumerate(graph_parents or []):
            if not isinstance(parent, Tensor):
                raise ValueError(f"Graph parent item {i} is not a Tensor; {parent}.")
        if not name or not name.endswith("/"):
            with name_scope(name or type(self).__name__) as name:
                pass
        self._dtype = dtype
        self._reparameterization_type = reparameterization_type
        self._validate_args = validate_args
        self._allow_nan_stats = allow_nan_stats
        self._parameters = {key: value for key, value in (parameters or {}).items() if key != "self"}
        self._graph_parents = graph_parents or []
        self._name = name

    name = property(lambda self: self._name, doc="The name, a scope.")
    dtype = property(lambda self: self._dtype, doc="The `DType` of samples.")
    reparameterization_type = property(lambda self: self._reparameterization_type, doc="How samples are made.")
    validate_args = property(lambda self: self._validate_args, doc="Whether arguments are checked in each run.")
    allow_nan_stats = property(lambda self: self._allow_nan_stats, doc="Whether statistics may be NaN.")

    @property
    def parameters(self):
        """What it was made with."""
        return {key: value for key, value in self._parameters.items() if not key.startswith("__")}

    @property
    def batch_shape(self):
        """How many distributions it is, as far as known: a `TensorShape`."""
        return as_shape(self._batch_shape())

    @property
    def event_shape(self):
        """The shape of one sample of one distribution, as far as known: a `TensorShape`."""
        return as_shape(self._event_shape())

    def _event_shape(self):
        return TensorShape([])

    def _event_shape_tensor(self):
        return convert_to_tensor([], dtypes.int32)

    @classmethod
    def param_shapes(cls, sample_shape, name="DistributionParamShapes"):
        """Returns the shapes of parameters for which samples have a shape.

        Args:
          sample_shape: the shape of `sample()`, a vector of integers.
          name: the scope.

        Returns:
          A dict of tensors of int32 by the parameters' names.
        """
        with name_scope(name, values=[sample_shape]):
            return cls._param_shapes(sample_shape)

    @classmethod
    def param_static_shapes(cls, sample_shape):
        """Returns the same as a dict of `TensorShape`s.

        Args:
          sample_shape: the shape of `sample()`, a `TensorShape` or a list.

        Returns:
          A dict by the parameters' names.

        Raises:
          ValueError: when the shape is not known.
        """
        if isinstance(sample_shape, TensorShape):
            if not sample_shape.is_fully_defined():
                raise ValueError("TensorShape sample_shape must be fully defined")
            sample_shape = sample_shape.as_list()
        known = {name: constant_value(shape) for name, shape in cls.param_shapes(sample_shape).items()}
        if any(shape is None for shape in known.values()):
            raise ValueError("sample_shape must be a fully-defined TensorShape or list/tuple")
        return {name: TensorShape(shape) for name, shape in known.items()}

    _PARAMETERS = ()  # those that have the shape of a sample

    @classmethod
    def _param_shapes(cls, sample_shape):
        if not cls._PARAMETERS:
            raise NotImplementedError("_param_shapes not implemented")
        shape = convert_to_tensor(sample_shape, dtype=dtypes.int32)
        return dict.fromkeys(cls._PARAMETERS, shape)

    def copy(self, **override_parameters_kwargs):
        """Returns a distribution of the same class with some parameters replaced."""
        return type(self)(**{**self.parameters, **override_parameters_kwargs})

    def batch_shape_tensor(self, name="batch_shape_tensor"):
        """Returns how many distributions it is: a vector of int32."""
        with self._name_scope(name):
            if self.batch_shape.is_fully_defined():
                return convert_to_tensor(self.batch_shape.as_list(), dtype=dtypes.int32, name="batch_shape")
            return self._batch_shape_tensor()

    def event_shape_tensor(self, name="event_shape_tensor"):
        """Returns the shape of one sample of one distribution: a vector of int32."""
        with self._name_scope(name):
            if self.event_shape.is_fully_defined():
                return convert_to_tensor(self.event_shape.as_list(), dtype=dtypes.int32, name="event_shape")
            return self._event_shape_tensor()

    def is_scalar_event(self, name="is_scalar_event"):
        """Returns whether samples are scalars: a scalar tensor of bool."""
        with self._name_scope(name):
            return convert_to_tensor(self.event_shape.ndims == 0, name="is_scalar_event")

    def is_scalar_batch(self, name="is_scalar_batch"):
        """Returns whether it is a single distribution: a scalar tensor of bool."""
        with self._name_scope(name):
            if self.batch_shape.ndims is not None:
                return convert_to_tensor(self.batch_shape.ndims == 0, name="is_scalar_batch")
            is_scalar = math.equal(shaping.shape(self.batch_shape_tensor())[0], 0)
            return convert_to_tensor(is_scalar, name="is_scalar_batch")

    def sample(self, sample_shape=(), seed=None, name="sample"):
        """Draws samples.

        Args:
          sample_shape: how many of each distribution: an integer, a vector, or a tensor of int32.
          seed: the op's seed.
          name: the scope.

        Returns:
          A `Tensor` [*sample_shape, *batch_shape, *event_shape].
        """
        with self._name_scope(name, [sample_shape]):
            sample_shape = convert_to_tensor(sample_shape, dtype=dtypes.int32, name="sample_shape")
            sample_shape, count = self._sample_shape_as_vector(sample_shape)
            samples = self._sample_n(count, seed)
            shape = array.concat([sample_shape, shaping.shape(samples)[1:]], 0)
            return self._with_static_shape(array.reshape(samples, shape), sample_shape)

    @staticmethod
    def _sample_shape_as_vector(shape):
        known = constant_value(shape)
        count = reductions.reduce_prod(shape) if known is None else np.prod(known, dtype=np.int32)
        if shape.shape.ndims == 0:
            if known is None:
                return array.reshape(shape, [1]), count
            return convert_to_tensor(np.array([known], np.int32), name="sample_shape"), count
        if shape.shape.ndims != 1:
            raise ValueError("Input is neither scalar nor vector.")
        return shape, count

    def _with_static_shape(self, samples, sample_shape):
        known = TensorShape(constant_value(sample_shape))
        if known.ndims is not None:
            samples.set_shape(known.concatenate(self.batch_shape).concatenate(self.event_shape))
        return samples

    def log_prob(self, value, name="log_prob"):
        """Returns the logarithm of the density, or of the probability, at `value`."""
        return self._at(value, name, ("_log_prob", None), ("_prob", math.log))

    def prob(self, value, name="prob"):
        """Returns the density, or the probability, at `value`."""
        return self._at(value, name, ("_prob", None), ("_log_prob", math.exp))

    def log_cdf(self, value, name="log_cdf"):
        """Returns the logarithm of the probability of at most `value`."""
        return self._at(value, name, ("_log_cdf", None), ("_cdf", math.log))

    def cdf(self, value, name="cdf"):
        """Returns the probability of at most `value`."""
        return self._at(value, name, ("_cdf", None), ("_log_cdf", math.exp))

    def quantile(self, value, name="quantile"):
        """Returns the number below which samples lie with probability `value`."""
        return self._at(value, name, ("_quantile", None))

    def survival_function(self, value, name="survival_function"):
        """Returns the probability of more than `value`."""
        with self._name_scope(name, [value]):
            value = convert_to_tensor(value, name="value", preferred_dtype=self.dtype)
            own = getattr(self, "_survival_function", None)
            return own(value) if own else 1.0 - self.cdf(value)

    def log_survival_function(self, value, name="log_survival_function"):
        """Returns the logarithm of the probability of more than `value`."""
        with self._name_scope(name, [value]):
            value = convert_to_tensor(value, name="value", preferred_dtype=self.dtype)
            own = getattr(self, "_log_survival_function", None)
            return own(value) if own else math.log1p(-self.cdf(value))

    def mean(self, name="mean"):
        """Returns the mean [*batch_shape, *event_shape]."""
        return self._statistic(name, ("_mean", None))

    def variance(self, name="variance"):
        """Returns the variance [*batch_shape, *event_shape]."""
        return self._statistic(name, ("_variance", None), ("_stddev", math.square))

    def stddev(self, name="stddev"):
        """Returns the standard deviation [*batch_shape, *event_shape]."""
        return self._statistic(name, ("_stddev", None), ("_variance", math.sqrt))

    def covariance(self, name="covariance"):
        """Returns the covariance of samples that are vectors."""
        return self._statistic(name, ("_covariance", None))

    def entropy(self, name="entropy"):
        """Returns Shannon's entropy, in nats."""
        return self._statistic(name, ("_entropy", None))

    def mode(self, name="mode"):
        """Returns the likeliest value."""
        return self._statistic(name, ("_mode", None))

    def cross_entropy(self, other, name="cross_entropy"):
        """Returns the cross entropy with another distribution, in nats."""
        with self._name_scope(name):
            return divergence.cross_entropy(self, other, allow_nan_stats=self.allow_nan_stats)

    def kl_divergence(self, other, name="kl_divergence"):
        """Returns Kullback and Leibler's divergence from another distribution, in nats."""
        with self._name_scope(name):
            return divergence.kl_divergence(self, other, allow_nan_stats=self.allow_nan_stats)

    @contextlib.contextmanager
    def _name_scope(self, name=None, values=None):
        with name_scope(self.name):
            with name_scope(name, values=[*(values or []), *self._graph_parents]) as scope:
                yield scope

    def _at(self, value, name, *ways):
        with self._name_scope(name, [value]):
            value = convert_to_tensor(value, name="value", preferred_dtype=self.dtype)
            return self._first(name, ways, value)

    def _statistic(self, name, *ways):
        with self._name_scope(name):
            return self._first(name, ways)

    def _first(self, name, ways, *arguments):
        for method, then in ways:
            own = getattr(self, method, None)
            if own is not None:
                return own(*arguments) if then is None else then(own(*arguments))
        raise NotImplementedError(f"{name} is not implemented: {type(self).__name__}")

    def __str__(self):
        shapes = [
            f", {what}={shape}"
            for what, shape in (("batch_shape", self.batch_shape), ("event_shape", self.event_shape))
            if shape.ndims is not None
        ]
        return f'tfp.distributions.{type(self).__name__}("{self.name}"{"".join(shapes)}, dtype={self.dtype.name})'

    def __repr__(self):
        return (
            f"<tfp.distributions.{type(self).__name__} '{self.name}' batch_shape={self.batch_shape} "
            f"event_shape={self.event_shape} dtype={self.dtype.name}>"
        )
