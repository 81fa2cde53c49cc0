import collections

import pytest
from ferroflow._src.framework import nest
from hypothesis import given, strategies as st

Point = collections.namedtuple("Point", "x y")
structures = st.recursive(
    st.integers(),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.tuples(inner, inner),
        st.dictionaries(st.text(max_size=2), inner, max_size=3),
        st.builds(Point, inner, inner),
    ),
)


@given(structures)
def test_packing_what_was_flattened_gives_the_same_structure(structure):
    assert nest.pack_sequence_as(structure, nest.flatten(structure)) == structure


@given(structures)
def test_a_mapped_structure_has_the_same_form(structure):
    doubled = nest.map_structure(lambda n: 2 * n, structure)
    nest.assert_same_structure(structure, doubled)
    assert nest.flatten(doubled) == [2 * n for n in nest.flatten(structure)]


def test_dicts_count_in_the_order_of_their_keys():
    assert nest.flatten({"b": 1, "a": [2, 3]}) == [2, 3, 1]
    assert nest.pack_sequence_as({"b": 0, "a": 0}, [1, 2]) == {"a": 1, "b": 2}


def test_strings_are_leaves():
    assert nest.flatten(["ab", b"cd"]) == ["ab", b"cd"]


def test_too_many_leaves_are_an_error():
    with pytest.raises(ValueError, match=r"Structure had 2 elements, but flat_sequence had 3 elements"):
        nest.pack_sequence_as([1, 2], [1, 2, 3])
    with pytest.raises(ValueError, match="Structure is a scalar"):
        nest.pack_sequence_as(1, [1, 2])


@pytest.mark.parametrize(
    ("first", "second", "error"),
    [([1], 1, ValueError), ([1], [1, 2], ValueError), ([1], (1,), TypeError), ({"a": 1}, {"b": 1}, ValueError)],
)
def test_other_forms_are_told_apart(first, second, error):
    with pytest.raises(error):
        nest.assert_same_structure(first, second)


def test_types_of_containers_count_only_when_asked():
    nest.assert_same_structure([1], (2,), check_types=False)


def test_flatten_up_to_keeps_what_lies_below():
    assert nest.flatten_up_to([0, 0], [[1, 2], 3]) == [[1, 2], 3]


def test_keys_of_feeds_may_be_structures():
    assert nest.flatten_dict_items({("a", "b"): (1, 2), "c": 3}) == {"a": 1, "b": 2, "c": 3}
    with pytest.raises(ValueError, match="not unique"):
        nest.flatten_dict_items({("a", "a"): (1, 2)})


def test_paths_name_the_way_to_each_leaf():
    assert nest.flatten_with_joined_string_paths({"a": [1, 2]}) == [("a/0", 1), ("a/1", 2)]
