import ferroflow as tf
import numpy as np
import pytest
from ferroflow._src.framework.tensor_values import as_ndarray


@pytest.mark.parametrize(
    ("value", "dtype", "shape"),
    [
        (1, "int32", ()),
        (2**40, "int64", ()),
        (2.5, "float32", ()),
        ([1, 2.5], "float32", (2,)),
        (True, "bool", ()),
        (1j, "complex128", ()),
        (np.float64(2), "float64", ()),
        ([], "float32", (0,)),
        ([[1], [2]], "int32", (2, 1)),
        ("a", "string", ()),
        (np.ones((2, 0), np.int8), "int8", (2, 0)),
    ],
)
def test_python_values_get_tensorflows_types(value, dtype, shape):
    array, kind = as_ndarray(value)
    assert (kind.name, array.shape) == (dtype, shape)


@pytest.mark.parametrize(
    ("value", "dtype", "error", "message"),
    [
        (1.5, tf.int32, TypeError, "Expected int32, got 1.5 of type 'float' instead."),
        ("a", tf.float32, TypeError, "Expected float32, got 'a' of type 'str' instead."),
        (1, tf.string, TypeError, "Expected string, got 1 of type 'int' instead."),
        (None, None, ValueError, "None values not supported."),
        ([[1, 2], [3]], None, ValueError, "Argument must be a dense tensor"),
        (2**63, tf.int64, OverflowError, "too large"),
    ],
)
def test_values_that_do_not_fit_are_refused(value, dtype, error, message):
    with pytest.raises(error, match=message):
        as_ndarray(value, dtype)


def test_integers_that_do_not_fit_keep_their_lowest_bits():
    assert as_ndarray(2**40 + 5, tf.int32)[0] == 5
    assert as_ndarray([300, -1], tf.uint8)[0].tolist() == [44, 255]


def test_the_last_value_is_repeated_up_to_the_shape():
    array, _ = as_ndarray([1, 2, 3], shape=[2, 3])
    assert array.tolist() == [[1, 2, 3], [3, 3, 3]]


def test_too_many_values_are_refused():
    with pytest.raises(ValueError, match="Needed at most 2, but received 3"):
        as_ndarray([1, 2, 3], shape=[2])


def test_text_becomes_bytes_and_keeps_zero_bytes():
    array, _ = as_ndarray(["é", b"a\0"])
    assert array.tolist() == ["é".encode(), b"a\0"]
