"""Normal, uniform, Laplace, Bernoulli and categorical distributions."""

import math as numbers

import numpy as np

from ferroflow._src.contrib.distributions.distribution import (
    FULLY_REPARAMETERIZED,
    NOT_REPARAMETERIZED,
    Distribution,
)
from ferroflow._src.contrib.distributions.divergence import RegisterKL
from ferroflow._src.framework import dtypes
from ferroflow._src.framework.constant import constant
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.scopes import control_dependencies
from ferroflow._src.ops import activations, array, checks, filling, indexing, math, nn, random, reductions, shaping


class _Spread(Distribution):
    """A distribution of two parameters that are broadcast against each other."""

    def _keep(self, first, second, names, check):
        with control_dependencies(check):
            kept = [array.identity(value, name=name) for value, name in zip((first, second), names)]
            checks.assert_same_float_dtype(kept)
        self._pair = kept
        return kept

    def _batch_shape_tensor(self):
        return shaping.broadcast_dynamic_shape(*(shaping.shape(value) for value in self._pair))

    def _batch_shape(self):
        return shaping.broadcast_static_shape(*(value.get_shape() for value in self._pair))


class Normal(_Spread):
    """Gauss's distribution: density exp(-((x - loc) / scale)² / 2) / (scale √(2π))."""

    _PARAMETERS = ("loc", "scale")

    def __init__(self, loc, scale, validate_args=False, allow_nan_stats=True, name="Normal"):
        """Makes a distribution, or a batch of them.

        Args:
          loc: the mean, a tensor of floats.
          scale: the standard deviation, a positive tensor of floats.
          validate_args: whether `scale` is checked in each run.
          allow_nan_stats: whether statistics may be NaN.
          name: the scope.

        Raises:
          ValueError: when the two are of different types.
        """
        parameters = dict(locals())
        with name_scope(name, values=[loc, scale]) as name:
            check = [checks.assert_positive(scale)] if validate_args else []
            self._loc, self._scale = self._keep(loc, scale, ("loc", "scale"), check)
        super().__init__(
            self._scale.dtype,
            FULLY_REPARAMETERIZED,
            validate_args,
            allow_nan_stats,
            parameters,
            [self._loc, self._scale],
            name,
        )

    loc = property(lambda self: self._loc, doc="The mean.")
    scale = property(lambda self: self._scale, doc="The standard deviation.")

    def _sample_n(self, n, seed=None):
        shape = array.concat([[n], self.batch_shape_tensor()], 0)
        drawn = random.random_normal(shape=shape, mean=0.0, stddev=1.0, dtype=self.loc.dtype, seed=seed)
        return drawn * self.scale + self.loc

    def _log_prob(self, x):
        unnormalized = -0.5 * math.square(self._z(x))
        return unnormalized - (0.5 * numbers.log(2.0 * numbers.pi) + math.log(self.scale))

    def _cdf(self, x):
        return _normal_cdf(self._z(x))

    def _survival_function(self, x):
        return _normal_cdf(-self._z(x))

    def _entropy(self):
        scale = self.scale * filling.ones_like(self.loc)
        return 0.5 * numbers.log(2.0 * numbers.pi * numbers.e) + math.log(scale)

    def _mean(self):
        return self.loc * filling.ones_like(self.scale)

    _mode = _mean

    def _stddev(self):
        return self.scale * filling.ones_like(self.loc)

    def _z(self, x):
        with name_scope("standardize", values=[x]):
            return (x - self.loc) / self.scale


def _normal_cdf(x):
    """The integral of the standard normal density, by erf near the middle and by erfc in the tails."""
    with name_scope("ndtr", values=[x]):
        half_sqrt_2 = constant(0.5 * np.sqrt(2.0), dtype=x.dtype, name="half_sqrt_2")
        w = x * half_sqrt_2
        z = math.abs(w)
        middle = math.less(z, half_sqrt_2)
        near = 1.0 + math.erf(w)
        right = math.greater(w, 0.0)
        return 0.5 * indexing.where_v2(middle, near, indexing.where_v2(right, 2.0 - math.erfc(z), math.erfc(z)))


class Uniform(_Spread):
    """Equal density from `low` to below `high`."""

    _PARAMETERS = ("low", "high")

    def __init__(self, low=0.0, high=1.0, validate_args=False, allow_nan_stats=True, name="Uniform"):
        """Makes a distribution, or a batch of them.

        Args:
          low: where it begins, a tensor of floats.
          high: where it ends, a tensor of floats.
          validate_args: whether `low < high` is checked in each run.
          allow_nan_stats: whether statistics may be NaN.
          name: the scope.

        Raises:
          ValueError: when the two are of different types.
        """
        parameters = dict(locals())
        with name_scope(name, values=[low, high]) as name:
            message = "uniform not defined when low >= high."
            check = [checks.assert_less(low, high, message=message)] if validate_args else []
            self._low, self._high = self._keep(low, high, ("low", "high"), check)
        super().__init__(
            self._low.dtype,
            FULLY_REPARAMETERIZED,
            validate_args,
            allow_nan_stats,
            parameters,
            [self._low, self._high],
            name,
        )

    low = property(lambda self: self._low, doc="Where it begins.")
    high = property(lambda self: self._high, doc="Where it ends.")

    def range(self, name="range"):
        """Returns `high - low`."""
        with self._name_scope(name):
            return self.high - self.low

    def _sample_n(self, n, seed=None):
        shape = array.concat([[n], self.batch_shape_tensor()], 0)
        drawn = random.random_uniform(shape=shape, dtype=self.dtype, seed=seed)
        return self.low + self.range() * drawn

    def _prob(self, x):
        x = x * filling.ones(self.batch_shape_tensor(), dtype=x.dtype)
        is_nan = math.is_nan(x)
        outside = math.logical_or(x < self.low, x >= self.high)
        density = indexing.where_v2(outside, filling.zeros_like(x), filling.ones_like(x) / self.range())
        return indexing.where_v2(is_nan, x, density)

    def _cdf(self, x):
        shape = shaping.broadcast_dynamic_shape(shaping.shape(x), self.batch_shape_tensor())
        zeros, ones = filling.zeros(shape, dtype=self.dtype), filling.ones(shape, dtype=self.dtype)
        spread = x * ones
        below = indexing.where_v2(x < self.low, zeros, (spread - self.low) / self.range())
        return indexing.where_v2(x >= self.high, ones, below)

    def _entropy(self):
        return math.log(self.range())

    def _mean(self):
        return (self.low + self.high) / 2.0

    def _variance(self):
        return math.square(self.range()) / 12.0

    def _stddev(self):
        return self.range() / numbers.sqrt(12.0)


class Laplace(_Spread):
    """Laplace's distribution: density exp(-|x - loc| / scale) / (2 scale)."""

    _PARAMETERS = ("loc", "scale")

    def __init__(self, loc, scale, validate_args=False, allow_nan_stats=True, name="Laplace"):
        """Makes a distribution, or a batch of them.

        Args:
          loc: the mean, a tensor of floats.
          scale: a positive tensor of floats.
          validate_args: whether `scale` is checked in each run.
          allow_nan_stats: whether statistics may be NaN.
          name: the scope.

        Raises:
          ValueError: when the two are of different types.
        """
        parameters = dict(locals())
        with name_scope(name, values=[loc, scale]) as name:
            check = [checks.assert_positive(scale)] if validate_args else []
            self._loc, self._scale = self._keep(loc, scale, ("loc", "scale"), check)
            super().__init__(
                self._loc.dtype,
                FULLY_REPARAMETERIZED,
                validate_args,
                allow_nan_stats,
                parameters,
                [self._loc, self._scale],
                name,
            )

    loc = property(lambda self: self._loc, doc="The mean.")
    scale = property(lambda self: self._scale, doc="The scale.")

    def _sample_n(self, n, seed=None):
        shape = array.concat([[n], self.batch_shape_tensor()], 0)
        of = self.dtype.as_numpy_dtype
        drawn = random.random_uniform(
            shape=shape, minval=np.nextafter(of(-1.0), of(0.0)), maxval=1.0, dtype=self.dtype, seed=seed
        )
        return self.loc - self.scale * math.sign(drawn) * math.log1p(-math.abs(drawn))

    def _log_prob(self, x):
        return -math.abs(self._z(x)) - (numbers.log(2.0) + math.log(self.scale))

    def _prob(self, x):
        return math.exp(self._log_prob(x))

    def _cdf(self, x):
        z = self._z(x)
        return 0.5 + 0.5 * math.sign(z) * (1.0 - math.exp(-math.abs(z)))

    def _entropy(self):
        scale = self.scale + filling.zeros_like(self.loc)
        return numbers.log(2.0) + 1.0 + math.log(scale)

    def _mean(self):
        return self.loc + filling.zeros_like(self.scale)

    _mode = _mean

    def _stddev(self):
        return numbers.sqrt(2.0) * self.scale + filling.zeros_like(self.loc)

    def _z(self, x):
        return (x - self.loc) / self.scale


def _logits_and_probs(logits, probs, is_vector, validate_args, name):
    """Returns both from the one that is given."""
    with name_scope(name, values=[probs, logits]):
        if (probs is None) == (logits is None):
            raise ValueError("Must pass probs or logits, but not both.")
        if probs is None:
            logits = convert_to_tensor(logits, name="logits")
            if not logits.dtype.is_floating:
                raise TypeError("logits must having floating type.")
            return logits, activations.softmax(logits, name="probs") if is_vector else math.sigmoid(
                logits, name="probs"
            )
        probs = convert_to_tensor(probs, name="probs")
        if not probs.dtype.is_floating:
            raise TypeError("probs must having floating type.")
        if validate_args:
            with name_scope("validate_probs"):
                one = constant(1.0, probs.dtype)
                conditions = [checks.assert_non_negative(probs)]
                if is_vector:
                    total = reductions.reduce_sum(probs, -1)
                    conditions.append(checks.assert_near(total, one, message="probs does not sum to 1."))
                else:
                    message = "probs has components greater than 1."
                    conditions.append(checks.assert_less_equal(probs, one, message=message))
                with control_dependencies(conditions):
                    probs = array.identity(probs)
        with name_scope("logits"):
            if is_vector:
                return math.log(probs), probs
            return math.log(probs) - math.log1p(-1.0 * probs), probs


class Bernoulli(Distribution):
    """1 with probability `probs`, 0 otherwise."""

    _PARAMETERS = ("logits",)

    def __init__(
        self, logits=None, probs=None, dtype=dtypes.int32, validate_args=False, allow_nan_stats=True, name="Bernoulli"
    ):
        """Makes a distribution, or a batch of them, from logits or probabilities.

        Args:
          logits: log-odds of 1, a tensor of floats.
          probs: the probability of 1, a tensor of floats.
          dtype: the `DType` of samples.
          validate_args: whether `probs` is checked in each run.
          allow_nan_stats: whether statistics may be NaN.
          name: the scope.

        Raises:
          ValueError: when both or none are given.
        """
        parameters = dict(locals())
        with name_scope(name) as name:
            self._logits, self._probs = _logits_and_probs(logits, probs, False, validate_args, name)
        super().__init__(
            dtype,
            NOT_REPARAMETERIZED,
            validate_args,
            allow_nan_stats,
            parameters,
            [self._logits, self._probs],
            name,
        )

    logits = property(lambda self: self._logits, doc="Log-odds of 1.")
    probs = property(lambda self: self._probs, doc="The probability of 1.")

    def _batch_shape_tensor(self):
        return shaping.shape(self._logits)

    def _batch_shape(self):
        return self._logits.get_shape()

    def _sample_n(self, n, seed=None):
        shape = array.concat([[n], self.batch_shape_tensor()], 0)
        drawn = random.random_uniform(shape, seed=seed, dtype=self.probs.dtype)
        return math.cast(math.less(drawn, self.probs), self.dtype)

    def _log_prob(self, event):
        event, logits = math.cast(event, self.logits.dtype), self.logits
        known = event.get_shape().is_fully_defined() and logits.get_shape().is_fully_defined()
        if not known or event.get_shape() != logits.get_shape():
            logits, event = filling.ones_like(event) * logits, filling.ones_like(logits) * event
        return -nn.sigmoid_cross_entropy_with_logits(labels=event, logits=logits)

    def _entropy(self):
        return -self.logits * (math.sigmoid(self.logits) - 1) + activations.softplus(-self.logits)

    def _mean(self):
        return array.identity(self.probs)

    def _variance(self):
        return self._mean() * (1.0 - self.probs)

    def _mode(self):
        return math.cast(self.probs > 0.5, self.dtype)


class Categorical(Distribution):
    """One of several classes, by its number."""

    def __init__(
        self, logits=None, probs=None, dtype=dtypes.int32, validate_args=False, allow_nan_stats=True, name="Categorical"
    ):
        """Makes a distribution, or a batch of them, from logits or probabilities.

        Args:
          logits: a `Tensor` of floats [*batch, classes]: logarithms of probabilities, up to a constant.
          probs: a `Tensor` of floats [*batch, classes].
          dtype: the `DType` of samples.
          validate_args: whether `probs` is checked in each run.
          allow_nan_stats: whether statistics may be NaN.
          name: the scope.

        Raises:
          ValueError: when both or none are given.
        """
        parameters = dict(locals())
        with name_scope(name, values=[logits, probs]) as name:
            self._logits, self._probs = _logits_and_probs(logits, probs, True, validate_args, name)
            static = self._logits.get_shape().with_rank_at_least(1)
            if static.ndims is not None:
                self._batch_rank = convert_to_tensor(static.ndims - 1, dtype=dtypes.int32, name="batch_rank")
            else:
                with name_scope("batch_rank"):
                    self._batch_rank = shaping.rank(self._logits) - 1
            shape = shaping.shape(self._logits, name="logits_shape")
            if static.ndims is not None and static[-1].value is not None:
                self._event_size = convert_to_tensor(static[-1].value, dtype=dtypes.int32, name="event_size")
            else:
                with name_scope("event_size"):
                    self._event_size = shape[self._batch_rank]
            if static[:-1].is_fully_defined():
                self._batch = constant(static[:-1].as_list(), dtype=dtypes.int32, name="batch_shape")
            else:
                with name_scope("batch_shape"):
                    self._batch = shape[:-1]
        super().__init__(
            dtype,
            NOT_REPARAMETERIZED,
            validate_args,
            allow_nan_stats,
            parameters,
            [self._logits, self._probs],
            name,
        )

    logits = property(lambda self: self._logits, doc="Logarithms of probabilities, up to a constant.")
    probs = property(lambda self: self._probs, doc="The classes' probabilities.")
    event_size = property(lambda self: self._event_size, doc="The number of classes, a scalar tensor of int32.")

    def _batch_shape_tensor(self):
        return array.identity(self._batch)

    def _batch_shape(self):
        return self.logits.get_shape()[:-1]

    def _sample_n(self, n, seed=None):
        logits = self.logits
        if logits.get_shape().ndims != 2:
            logits = array.reshape(logits, [-1, self.event_size])
        dtype = dtypes.int64 if self.dtype.size > 4 else dtypes.int32
        drawn = array.transpose(random.multinomial(logits, n, seed=seed, output_dtype=dtype))
        drawn = array.reshape(drawn, array.concat([[n], self.batch_shape_tensor()], 0))
        return math.cast(drawn, self.dtype)

    def _spread(self, event, params):
        """Returns the events as integers, and the parameters, each repeated to the other's shape."""
        if event.dtype.is_floating:
            event = math.cast(event, dtype=dtypes.int32)
        elif not event.dtype.is_integer:
            raise TypeError(f"`value` should have integer `dtype` or `self.dtype` ({self.dtype.base_dtype})")
        known = params.shape.ndims is not None and params.shape[:-1].is_fully_defined()
        if not (known and event.shape.is_fully_defined()) or params.shape[:-1] != event.shape:
            params *= filling.ones_like(event[..., array.newaxis], dtype=params.dtype)
            shape = shaping.shape(params)[:-1]
            event *= filling.ones(shape, dtype=event.dtype)
            if params.shape.ndims is not None:
                event.set_shape(params.shape[:-1])
        return event, params

    def _log_prob(self, k):
        k, logits = self._spread(convert_to_tensor(k, name="k"), self.logits)
        return -nn.sparse_softmax_cross_entropy_with_logits(labels=k, logits=logits)

    def _cdf(self, k):
        k, probs = self._spread(convert_to_tensor(k, name="k"), self.probs)
        probs = array.reshape(probs, (-1, self._event_size))
        mask = indexing.sequence_mask(array.reshape(k, [-1]), self._event_size)
        below = indexing.where(mask, probs, filling.zeros_like(probs))
        return array.reshape(reductions.reduce_sum(below, axis=-1), shaping.shape(k))

    def _entropy(self):
        return -reductions.reduce_sum(activations.log_softmax(self.logits) * self.probs, axis=-1)

    def _mode(self):
        found = math.cast(reductions.argmax(self.logits, axis=self._batch_rank), self.dtype)
        found.set_shape(self.batch_shape)
        return found


@RegisterKL(Normal, Normal)
def _normal_normal(a, b, name=None):
    with name_scope(name, "kl_normal_normal", [a.loc, b.loc]):
        one, two, half = (constant(value, dtype=a.dtype) for value in (1, 2, 0.5))
        of_a, of_b = math.square(a.scale), math.square(b.scale)
        ratio = of_a / of_b
        return math.squared_difference(a.loc, b.loc) / (two * of_b) + half * (ratio - one - math.log(ratio))


@RegisterKL(Bernoulli, Bernoulli)
def _bernoulli_bernoulli(a, b, name=None):
    with name_scope(name, "kl_bernoulli_bernoulli", values=[a.logits, b.logits]):
        zero = activations.softplus(-b.logits) - activations.softplus(-a.logits)
        one = activations.softplus(b.logits) - activations.softplus(a.logits)
        return math.sigmoid(a.logits) * zero + math.sigmoid(-a.logits) * one


@RegisterKL(Categorical, Categorical)
def _categorical_categorical(a, b, name=None):
    with name_scope(name, "kl_categorical_categorical", values=[a.logits, b.logits]):
        delta = activations.log_softmax(a.logits) - activations.log_softmax(b.logits)
        return reductions.reduce_sum(activations.softmax(a.logits) * delta, axis=-1)
