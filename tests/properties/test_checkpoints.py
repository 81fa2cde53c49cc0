"""Checkpoints: what is written is read back, bit for bit; what is broken is an error and never another value."""

import pathlib
import tempfile

import ferroflow as tf
import numpy as np
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hnp

_NUMBERS = ["float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
            "bool", "complex64", "complex128"]  # fmt: skip
_V1_NUMBERS = [name for name in _NUMBERS if name not in ("uint32", "uint64")]
# A name in a checkpoint is any text but the empty one; the reader lists no name that begins with a zero byte.
_NAMES = st.text(min_size=1, max_size=12).filter(lambda s: not s.startswith("\0") and _is_text(s))
_SHAPES = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=3)
_ERRORS = (
    tf.errors.DataLossError,
    tf.errors.OutOfRangeError,
    tf.errors.InvalidArgumentError,
    tf.errors.NotFoundError,
    tf.errors.UnimplementedError,
)


def _is_text(text):
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _arrays(numbers):
    text = hnp.arrays(object, _SHAPES, elements=st.binary(max_size=5), fill=st.nothing())
    return st.sampled_from(numbers).flatmap(lambda kind: hnp.arrays(kind, _SHAPES)) | text


def _tensor(array):
    return tf.constant(array, tf.string if array.dtype == object else None)


def _is_same(a, b):
    if a.dtype == object or b.dtype == object:
        return a.shape == b.shape and a.ravel().tolist() == b.ravel().tolist()
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def _write(prefix, arrays, version=2):
    with tf.Graph().as_default(), tf.Session() as sess:
        names, tensors = list(arrays), [_tensor(array) for array in arrays.values()]
        if version == 1:
            op = tf.raw_ops.Save(filename=prefix, tensor_names=names, data=tensors)
        else:
            slices = [""] * len(names)
            op = tf.raw_ops.SaveV2(prefix=prefix, tensor_names=names, shape_and_slices=slices, tensors=tensors)
        sess.run(op)


def _read(prefix):
    reader = tf.train.NewCheckpointReader(prefix)
    return {name: _array(reader.get_tensor(name)) for name in reader.get_variable_to_shape_map()}


def _array(value):
    # NumPy's own strings lose zero bytes at their ends.
    return np.asarray(value, object if isinstance(value, bytes) else None)


def _check_round_trip(arrays, version):
    with tempfile.TemporaryDirectory() as folder:
        prefix = folder + "/m"
        _write(prefix, arrays, version)
        got = _read(prefix)
        assert got.keys() == arrays.keys()
        with tf.Graph().as_default(), tf.Session() as sess:
            types = [_tensor(array).dtype for array in arrays.values()]
            restored = tf.raw_ops.RestoreV2(
                prefix=prefix, tensor_names=list(arrays), shape_and_slices=[""] * len(arrays), dtypes=types
            )
            values = sess.run(restored)
        for (name, want), value in zip(arrays.items(), values, strict=True):
            want = np.asarray(want)
            assert _is_same(np.asarray(value, want.dtype), want), name
            assert _is_same(got[name], want), name


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(_NAMES, _arrays(_NUMBERS), min_size=1, max_size=5))
def test_what_is_saved_is_read(arrays):
    _check_round_trip(arrays, 2)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(_NAMES, _arrays(_V1_NUMBERS), min_size=1, max_size=5))
def test_what_is_saved_in_the_old_format_is_read(arrays):
    _check_round_trip(arrays, 1)


@st.composite
def _damage(draw):
    """A function of a file's bytes: a cut, flipped bits, or bytes put in."""
    kind = draw(st.sampled_from(["cut", "flip", "insert"]))
    place = draw(st.floats(0, 1, exclude_max=True))
    if kind == "cut":
        return lambda data: data[: int(place * len(data))]
    if kind == "insert":
        extra = draw(st.binary(min_size=1, max_size=9))
        return lambda data: data[: int(place * len(data))] + extra + data[int(place * len(data)) :]
    mask = draw(st.integers(1, 255))

    def flip(data):
        at = int(place * len(data))
        return data[:at] + bytes([data[at] ^ mask]) + data[at + 1 :]

    return flip


_SAMPLE = {
    "a": np.arange(6, dtype=np.float32).reshape(2, 3),
    "a/long/name": np.array([b"one", b"", b"three" * 9], object),
    "b": np.array(7, np.int64),
}


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["m.index", "m.data-00000-of-00001", "m"]), _damage())
def test_a_broken_file_is_an_error_and_never_another_value(name, damage):
    with tempfile.TemporaryDirectory() as folder:
        prefix = folder + "/m"
        _write(prefix, _SAMPLE, 1 if name == "m" else 2)
        path = pathlib.Path(folder, name)
        path.write_bytes(damage(path.read_bytes()))
        try:
            reader = tf.train.NewCheckpointReader(prefix)
            names = list(reader.get_variable_to_shape_map())
        except _ERRORS:
            return
        for key in names:
            assert key in _SAMPLE
            try:
                got = reader.get_tensor(key)
            except _ERRORS:
                continue
            want = _SAMPLE[key]
            assert _is_same(np.asarray(got, want.dtype), want)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_as_an_index_are_an_error(data):
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "m.index").write_bytes(data)
        try:
            tf.train.NewCheckpointReader(folder + "/m")
        except _ERRORS:
            return
        raise AssertionError("such an index was taken")
