import copy
import pickle

import ferroflow as tf
import numpy as np
import pytest
from ferroflow._src.framework import dtypes


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("float", "float32"),
        ("half", "float16"),
        (np.float64, "float64"),
        (np.dtype("int16"), "int16"),
        (np.longlong, "int64"),
        (1, "float32"),
        (103, "int32_ref"),
        (float, "float32"),
        (bool, "bool"),
        (np.str_, "string"),
        (object, "string"),
        ("resource", "resource"),
    ],
)
def test_as_dtype_knows_all_ways_to_name_a_type(value, name):
    assert tf.as_dtype(value).name == name


@pytest.mark.parametrize("value", ["nope", int, None, [], 99])
def test_as_dtype_of_anything_else_is_a_type_error(value):
    with pytest.raises(TypeError, match="Cannot convert value"):
        tf.as_dtype(value)


def test_a_reference_type_is_the_type_plus_100_and_compatible_one_way():
    ref = tf.float32._as_ref
    assert (ref.name, ref.as_datatype_enum, ref.base_dtype) == ("float32_ref", 101, tf.float32)
    assert tf.float32.is_compatible_with(ref)
    assert not ref.is_compatible_with(tf.float32)


def test_types_are_one_object_each_whatever_is_done_to_them():
    for dtype in dtypes._INTERNED.values():
        assert copy.deepcopy(dtype) is dtype
        assert pickle.loads(pickle.dumps(dtype)) is dtype
        assert dtypes.DType(dtype.as_datatype_enum) is dtype


def test_limits_are_numpys():
    assert tf.uint8.max == 255
    assert tf.int64.min == -(2**63)
    assert tf.float16.max == np.float16(65504)
    assert tf.bfloat16.max == 2.0**127 * (2 - 2**-7)
    with pytest.raises(TypeError, match="minimum value"):
        tf.string.min  # noqa: B018


def test_equality_takes_names_and_numpy_types():
    assert tf.float32 == "float32" == tf.float32
    assert tf.int64 == np.int64
    assert tf.float32 != tf.float64
    assert tf.float32 != None  # noqa: E711
