"""Learning rates that change with the global step: each makes a scalar tensor out of a step.

All take the base rate (a number or scalar tensor) and the step (a number, tensor or variable), and a name for their scope.
"""

import math as python_math

from ferroflow._src.framework import control_flow, dtypes
from ferroflow._src.framework.constant import constant
from ferroflow._src.framework.convert import convert_n_to_tensor, convert_to_tensor
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.ops import math, random


class _Scope:
    """The scope of a schedule, with the base rate as a tensor in it; `cast` gives values the rate's dtype."""

    def __init__(self, name, default_name, learning_rate):
        self._scope = name_scope(name or default_name)
        self._learning_rate = learning_rate

    def __enter__(self):
        self.name = self._scope.__enter__()
        self.rate = convert_to_tensor(self._learning_rate, name="initial_learning_rate")
        return self

    def __exit__(self, *exception):
        return self._scope.__exit__(*exception)

    def cast(self, value):
        return math.cast(value, self.rate.dtype)


def _exponential(learning_rate, global_step, decay_steps, decay_rate, staircase, name):
    with _Scope(name, "ExponentialDecay", learning_rate) as scope:
        decay_steps = scope.cast(decay_steps)
        decay_rate = scope.cast(decay_rate)
        periods = scope.cast(global_step) / decay_steps
        if staircase:
            periods = math.floor(periods)
        return math.multiply(scope.rate, math.pow(decay_rate, periods), name=scope.name)


def exponential_decay(learning_rate, global_step, decay_steps, decay_rate, staircase=False, name=None):
    """Returns `learning_rate * decay_rate ** (global_step / decay_steps)`.

    Args:
      learning_rate: the base rate.
      global_step: the step.
      decay_steps: steps in which the rate falls by one factor.
      decay_rate: the factor.
      staircase: whether the exponent is rounded down, so that the rate falls in steps.
      name: of the scope.

    Returns:
      A scalar `Tensor` of the dtype of `learning_rate`.
    """
    return _exponential(learning_rate, global_step, decay_steps, decay_rate, staircase, name)


def natural_exp_decay(learning_rate, global_step, decay_steps, decay_rate, staircase=False, name=None):
    """Returns `learning_rate * exp(-decay_rate * global_step / decay_steps)`; else as `exponential_decay`."""
    factor = math.exp(math.negative(decay_rate))
    return _exponential(learning_rate, global_step, decay_steps, factor, staircase, name)


def inverse_time_decay(learning_rate, global_step, decay_steps, decay_rate, staircase=False, name=None):
    """Returns `learning_rate / (1 + decay_rate * global_step / decay_steps)`; arguments as of `exponential_decay`."""
    with _Scope(name, "InverseTimeDecay", learning_rate) as scope:
        decay_steps = scope.cast(decay_steps)
        decay_rate = scope.cast(decay_rate)
        periods = scope.cast(global_step) / decay_steps
        if staircase:
            periods = math.floor(periods)
        one = scope.cast(constant(1))
        denominator = math.add(one, math.multiply(decay_rate, periods))
        return math.divide(scope.rate, denominator, name=scope.name)


def polynomial_decay(
    learning_rate, global_step, decay_steps, end_learning_rate=0.0001, power=1.0, cycle=False, name=None
):
    """Returns a rate that goes from `learning_rate` to `end_learning_rate` in `decay_steps` steps, along a power.

    Args:
      learning_rate: the base rate.
      global_step: the step.
      decay_steps: steps until the end is reached.
      end_learning_rate: the rate at the end.
      power: of what is left of the way; 1 is a straight line.
      cycle: whether it begins again, with a longer way, rather than staying at the end.
      name: of the scope.
    """
    with _Scope(name, "PolynomialDecay", learning_rate) as scope:
        end = scope.cast(end_learning_rate)
        power = scope.cast(power)
        step = scope.cast(global_step)
        steps = scope.cast(decay_steps)
        if cycle:
            cycles = control_flow.cond(
                math.equal(step, 0), lambda: 1.0, lambda: math.ceil(step / decay_steps)
            )
            steps = math.multiply(steps, cycles)
        else:
            step = math.minimum(step, decay_steps)
        done = math.divide(step, steps)
        left = math.multiply(scope.rate - end, math.pow(1 - done, power))
        return math.add(left, end, name=scope.name)


def _as_cosine(fraction):
    """`(1 + cos(pi * fraction)) / 2`."""
    return 0.5 * (1.0 + math.cos(constant(python_math.pi) * fraction))


def cosine_decay(learning_rate, global_step, decay_steps, alpha=0.0, name=None):
    """Returns a rate that falls along half a cosine to `alpha * learning_rate` (Loshchilov and Hutter, ICLR 2017)."""
    with _Scope(name, "CosineDecay", learning_rate) as scope:
        steps = scope.cast(decay_steps)
        step = math.minimum(scope.cast(global_step), steps)
        decayed = (1 - alpha) * _as_cosine(step / steps) + alpha
        return math.multiply(scope.rate, decayed)


def cosine_decay_restarts(
    learning_rate, global_step, first_decay_steps, t_mul=2.0, m_mul=1.0, alpha=0.0, name=None
):
    """As `cosine_decay`, beginning again and again: each period `t_mul` times as long, `m_mul` times as high."""
    with _Scope(name, "SGDRDecay", learning_rate) as scope:
        first = scope.cast(first_decay_steps)
        alpha = scope.cast(alpha)
        t_mul = scope.cast(t_mul)
        m_mul = scope.cast(m_mul)
        done = scope.cast(global_step) / first

        def growing():
            restarts = math.floor(math.log(1.0 - done * (1.0 - t_mul)) / math.log(t_mul))
            before = (1.0 - t_mul**restarts) / (1.0 - t_mul)
            return restarts, (done - before) / t_mul**restarts

        def even():
            restarts = math.floor(done)
            return restarts, done - restarts

        restarts, fraction = control_flow.cond(math.equal(t_mul, 1.0), even, growing)
        height = m_mul**restarts
        cosine = 0.5 * height * (1.0 + math.cos(constant(python_math.pi) * fraction))
        return math.multiply(scope.rate, (1 - alpha) * cosine + alpha, name=scope.name)


def linear_cosine_decay(
    learning_rate, global_step, decay_steps, num_periods=0.5, alpha=0.0, beta=0.001, name=None
):
    """Returns a rate that falls along a line times a cosine (Bello et al., ICML 2017)."""
    with _Scope(name, "LinearCosineDecay", learning_rate) as scope:
        steps = scope.cast(decay_steps)
        periods = scope.cast(num_periods)
        alpha = scope.cast(alpha)
        beta = scope.cast(beta)
        step = math.minimum(scope.cast(global_step), steps)
        line = (steps - step) / steps
        done = step / steps
        fraction = 2.0 * periods * done
        cosine = _as_cosine(fraction)
        decayed = (alpha + line) * cosine + beta
        return math.multiply(scope.rate, decayed, name=scope.name)


def noisy_linear_cosine_decay(
    learning_rate,
    global_step,
    decay_steps,
    initial_variance=1.0,
    variance_decay=0.55,
    num_periods=0.5,
    alpha=0.0,
    beta=0.001,
    name=None,
):
    """As `linear_cosine_decay`, with normal noise on the line, whose variance falls with the step."""
    with _Scope(name, "NoisyLinearCosineDecay", learning_rate) as scope:
        steps = scope.cast(decay_steps)
        first_variance = scope.cast(initial_variance)
        falls = scope.cast(variance_decay)
        periods = scope.cast(num_periods)
        alpha = scope.cast(alpha)
        beta = scope.cast(beta)
        step = math.minimum(scope.cast(global_step), steps)
        line = (steps - step) / steps
        deviation = math.sqrt(first_variance / math.pow(1.0 + step, falls))
        noisy = line + random.random_normal(line.shape, stddev=deviation)
        done = step / steps
        fraction = 2.0 * periods * done
        cosine = _as_cosine(fraction)
        decayed = (alpha + noisy) * cosine + beta
        return math.multiply(scope.rate, decayed, name=scope.name)


def piecewise_constant(x, boundaries, values, name=None):
    """Returns `values[0]` up to `boundaries[0]`, `values[1]` up to `boundaries[1]`, and so on; the last one beyond.

    Args:
      x: a scalar: the step.
      boundaries: a list of rising numbers or tensors, of the dtype of `x`.
      values: a list of one more numbers or tensors, all of one dtype.
      name: of the scope.

    Raises:
      ValueError: when the dtypes or the lengths do not fit.
    """
    boundaries = convert_n_to_tensor(boundaries)
    values = convert_n_to_tensor(values)
    step = convert_to_tensor(x)
    step_dtype = step.dtype.base_dtype
    for i, boundary in enumerate(boundaries):
        dtype = boundary.dtype.base_dtype
        if dtype == step_dtype:
            continue
        if dtype != dtypes.int32 or step_dtype != dtypes.int64:
            raise ValueError(f"Boundaries ({dtype}) must have the same dtype as x ({step_dtype}).")
        boundaries[i] = math.cast(boundary, step_dtype)
    for value in values[1:]:
        if value.dtype.base_dtype != values[0].dtype.base_dtype:
            raise ValueError(
                "Values must have elements all with the same dtype "
                f"({values[0].dtype.base_dtype} vs {value.dtype.base_dtype})."
            )
    if len(boundaries) != len(values) - 1:
        raise ValueError("The length of boundaries should be 1 less than the length of values")
    with name_scope(name or "PiecewiseConstant"):
        step = convert_to_tensor(x)
        pairs = [
            (step <= boundaries[0], lambda: values[0]),
            (step > boundaries[-1], lambda: values[-1]),
        ]
        for low, high, value in zip(boundaries[:-1], boundaries[1:], values[1:-1]):
            between = (step > low) & (step <= high)
            pairs.append((between, lambda value=value: value))
        return control_flow.case(pairs, lambda: values[0], exclusive=True)
