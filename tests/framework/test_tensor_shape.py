import ferroflow as tf
import pytest
from ferroflow._src.framework.tensor_shape import as_shape, unknown_shape
from hypothesis import given, strategies as st

sizes = st.one_of(st.none(), st.lists(st.one_of(st.none(), st.integers(0, 5)), max_size=4))


def test_texts_are_tensorflows():
    assert repr(tf.TensorShape([1, None])) == "TensorShape([Dimension(1), Dimension(None)])"
    assert [str(tf.TensorShape(s)) for s in (None, [], [3], [1, None])] == ["<unknown>", "()", "(3,)", "(1, ?)"]


def test_comparison_with_an_unknown_dimension_is_none():
    unknown = tf.Dimension(None)
    assert (unknown == 3) is None
    assert (unknown < 3) is None
    assert (tf.Dimension(3) == 3) is True
    assert (unknown * 2).value is None


@pytest.mark.parametrize("value", [-1, 1.5])
def test_a_dimension_is_a_natural_number(value):
    with pytest.raises(ValueError, match=r"Dimension -1 must be >= 0|Ambiguous dimension: 1.5"):
        tf.Dimension(value)


def test_division_names_the_other_operator():
    with pytest.raises(TypeError, match="please use // instead"):
        tf.Dimension(4) / 2
    assert (tf.Dimension(7) // 2).value == 3


@given(sizes)
def test_a_proto_tells_the_shape(dims):
    shape = tf.TensorShape(dims)
    assert tf.TensorShape(shape.as_proto())._sizes == shape._sizes
    assert tf.TensorShape._of(shape._for_core())._sizes == shape._sizes


@given(sizes, sizes)
def test_merging_works_where_shapes_are_compatible_and_only_there(a, b):
    a, b = as_shape(a), as_shape(b)
    if a.is_compatible_with(b):
        merged = a.merge_with(b)
        assert merged.is_compatible_with(a)
        assert merged._sizes == b.merge_with(a)._sizes
    else:
        with pytest.raises(ValueError, match="are not compatible"):
            a.merge_with(b)


def test_slices_of_unknown_shapes_have_the_rank_that_is_known():
    assert unknown_shape()[1:3].ndims == 2
    assert unknown_shape()[1:].ndims is None
    with pytest.raises(ValueError, match="Steps are not yet handled"):
        unknown_shape()[::2]


def test_an_unknown_shape_has_no_list():
    with pytest.raises(ValueError, match="as_list"):
        tf.TensorShape(None).as_list()
    with pytest.raises(ValueError, match="unknown rank"):
        len(tf.TensorShape(None))
    assert not tf.TensorShape(None)


def test_with_rank_says_which_rank_is_wrong():
    with pytest.raises(ValueError, match=r"Shape \(2, 3\) must have rank 1"):
        tf.TensorShape([2, 3]).with_rank(1)
    assert unknown_shape().with_rank(2).ndims == 2
