"""Samples that helpers draw."""

from ferroflow._src.framework import dtypes
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.ops import array, math, random, reductions, shaping


def _drawn(draw, sample_shape):
    with name_scope(None, "call_sampler", values=[sample_shape]):
        sample_shape = convert_to_tensor(sample_shape, dtype=dtypes.int32, name="sample_shape")
        is_scalar = math.cast(math.equal(shaping.rank(sample_shape), 0), dtypes.int32)
        as_vector = array.pad(shaping.shape(sample_shape), paddings=[[is_scalar, 0]], constant_values=1)
        sample_shape = array.reshape(sample_shape, as_vector)
        samples = draw(reductions.reduce_prod(sample_shape))
        inner = shaping.shape(samples)[1:]
        return array.reshape(samples, array.concat([sample_shape, inner], 0))


def bernoulli_sample(probs, dtype, sample_shape, seed):
    """Returns ones, or True, with probabilities `probs`, in `sample_shape` before their shape."""
    probs = convert_to_tensor(probs, name="probs")
    batch_shape = shaping.shape(probs)

    def draw(n):
        shape = array.concat([[n], batch_shape], 0)
        uniform = random.random_uniform(shape, seed=seed, dtype=probs.dtype)
        return math.cast(math.less(uniform, probs), dtype)

    return _drawn(draw, sample_shape)


def categorical_sample(logits, seed):
    """Returns int32 classes, drawn by the last dimension of `logits`."""
    logits = convert_to_tensor(logits, name="logits")
    num_classes = shaping.shape(logits)[-1]
    batch_shape = shaping.shape(logits)[:-1]

    def draw(n):
        rows = logits if logits.shape.ndims == 2 else array.reshape(logits, [-1, num_classes])
        dtype = dtypes.int64 if logits.dtype.size > 4 else dtypes.int32
        drawn = random.multinomial(rows, n, seed=seed, output_dtype=dtype)
        drawn = array.reshape(array.transpose(drawn), array.concat([[n], batch_shape], 0))
        return math.cast(drawn, dtypes.int32)

    return _drawn(draw, ())
