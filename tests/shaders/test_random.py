"""Random numbers against Philox as NumPy computes it, and against what TensorFlow 1.15 drew."""

import numpy as np
import pytest

from . import witness


def philox(counter, key, groups):
    """`groups` groups of four words from the counter on."""
    start = sum(word << (32 * i) for i, word in enumerate(counter))
    out = np.empty((groups, 4), np.uint32)
    for g in range(groups):
        now = start + g
        x = [(now >> (32 * i)) & 0xFFFFFFFF for i in range(4)]
        k = list(key)
        for _ in range(10):
            a, b = x[0] * 0xD2511F53, x[2] * 0xCD9E8D57
            x = [(b >> 32) ^ x[1] ^ k[0], b & 0xFFFFFFFF, (a >> 32) ^ x[3] ^ k[1], a & 0xFFFFFFFF]
            k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
        out[g] = x
    return out


def run(gpu, kind, count, counter, key, dtype=np.float32, low=0, span=0):
    fours = -(-count // 4)
    params = [fours, *counter, *key, low, span]
    return gpu.run("random", {"KIND": kind}, [witness.Out((count,), dtype)], params, witness.groups_1d(fours))[0]


def unit(words):
    return (words & 0x7FFFFF | 0x3F800000).view(np.float32) - np.float32(1)


def normal(words):
    """Box and Muller in double precision."""
    u = np.maximum(unit(words.ravel()[0::2]), np.float32(1e-7)).astype(np.float64)
    angle = (2 * np.pi * unit(words.ravel()[1::2]).astype(np.float64)).astype(np.float32).astype(np.float64)
    radius = np.sqrt(-2 * np.log(u))
    return np.stack([np.sin(angle) * radius, np.cos(angle) * radius], -1).reshape(words.shape)


COUNTERS = [([0, 0, 7, 0], [5, 0]), ([0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFF, 3], [1, 2]), ([256 * 5, 0, 0, 9], [0, 77])]


@pytest.mark.parametrize("counter,key", COUNTERS)
@pytest.mark.parametrize("count", [1, 3, 4, 5, 1030])
def test_uniform_numbers_are_bit_for_bit_those_of_the_stream(gpu, counter, key, count):
    words = philox(counter, key, -(-count // 4)).ravel()[:count]
    np.testing.assert_array_equal(run(gpu, 0, count, counter, key), unit(words))


@pytest.mark.parametrize("counter,key", COUNTERS)
def test_normal_numbers_are_those_of_the_stream(gpu, counter, key):
    expected = normal(philox(counter, key, 300)).ravel()
    np.testing.assert_allclose(run(gpu, 1, 1200, counter, key), expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("counter,key", COUNTERS)
def test_truncated_numbers_are_drawn_again_from_the_stream_of_their_four(gpu, counter, key):
    got = run(gpu, 2, 400, counter, key)
    start = sum(word << (32 * i) for i, word in enumerate(counter))
    for i in range(100):
        own = (start + 256 * i) % 2**128
        own = [(own >> (32 * k)) & 0xFFFFFFFF for k in range(4)]
        all_drawn = normal(philox(own, key, 12)).ravel()
        expected = all_drawn[np.abs(all_drawn) < 2][:4]
        np.testing.assert_allclose(got[4 * i : 4 * i + 4], expected, rtol=1e-6, atol=1e-7)


def test_integers_lie_in_their_range(gpu):
    counter, key = COUNTERS[0]
    words = philox(counter, key, 50).ravel()
    got = run(gpu, 3, 200, counter, key, np.int32, -7, 1000)
    np.testing.assert_array_equal(got, (words % 1000).astype(np.int64) - 7)
