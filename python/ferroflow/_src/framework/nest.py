"""tf.nest: lists, tuples, named tuples, dicts and attrs classes as one structure of leaves.

Dicts count in the order of their sorted keys. With `expand_composites` the parts of sparse tensors and indexed slices
are leaves, without it they themselves are.
"""

import collections
from collections.abc import Mapping, MappingView, Sequence

from ferroflow._src.framework.tensor_like import TensorLike

_PLAIN = (list, tuple, dict)


def _is_attrs(value):
    return hasattr(value.__class__, "__attrs_attrs__")


def _is_namedtuple(value):
    return isinstance(value, tuple) and isinstance(getattr(value, "_fields", None), tuple)


def _is_composite(value):
    return isinstance(value, TensorLike) and hasattr(value, "_to_components")


def is_sequence(value):
    """Whether `value` holds others: a sequence (not a string), a dict, a view of one, or an attrs object."""
    if isinstance(value, _PLAIN):
        return True
    if isinstance(value, (str, bytes, bytearray, memoryview)):
        return False
    return isinstance(value, (Sequence, Mapping, MappingView)) or _is_attrs(value)


def is_nested(seq):
    """Whether the value is a sequence or a dict whose parts this module walks over."""
    return is_sequence(seq)


def is_sequence_or_composite(value):
    """As `is_sequence`, and true of sparse tensors and indexed slices too."""
    return is_sequence(value) or _is_composite(value)


def _sorted_keys(mapping):
    try:
        return sorted(mapping)
    except TypeError:
        raise TypeError("nest only supports dicts with sortable keys.") from None


def _items(value):
    """(key, part) of everything directly in `value`."""
    if isinstance(value, (list, tuple)) and not hasattr(value, "_fields"):
        return list(enumerate(value))
    if isinstance(value, Mapping):
        return [(key, value[key]) for key in _sorted_keys(value)]
    if _is_attrs(value):
        return [(a.name, getattr(value, a.name)) for a in value.__class__.__attrs_attrs__]
    if _is_namedtuple(value):
        return [(field, getattr(value, field)) for field in value._fields]
    if _is_composite(value):
        return [(type(value).__name__, value._to_components())]
    return list(enumerate(value))


def _parts(value):
    return [part for _, part in _items(value)]


def _like(instance, parts):
    """A container as `instance`, with other parts."""
    if isinstance(instance, Mapping):
        made = dict(zip(_sorted_keys(instance), parts, strict=True))
        if isinstance(instance, collections.defaultdict):
            return collections.defaultdict(instance.default_factory, {key: made[key] for key in instance})
        return type(instance)((key, made[key]) for key in instance)
    if isinstance(instance, MappingView):
        return list(parts)
    if _is_namedtuple(instance) or _is_attrs(instance):
        return type(instance)(*parts)
    if _is_composite(instance):
        return instance._from_components(parts[0])
    if isinstance(instance, range):
        return list(parts)
    return type(instance)(parts)


def flatten(structure, expand_composites=False):
    """Returns the leaves of `structure` as a list; `[structure]` when it is one."""
    is_inner = is_sequence_or_composite if expand_composites else is_sequence
    if not is_inner(structure):
        return [structure]
    leaves = []

    def walk(value):
        for part in _parts(value):
            if is_inner(part):
                walk(part)
            else:
                leaves.append(part)

    walk(structure)
    return leaves


def pack_sequence_as(structure, flat_sequence, expand_composites=False):
    """Returns a structure as `structure` whose leaves are `flat_sequence`'s.

    Raises:
      ValueError: when the number of leaves is another.
      TypeError: when `flat_sequence` is no sequence.
    """
    is_inner = is_sequence_or_composite if expand_composites else is_sequence
    if not is_inner(flat_sequence):
        raise TypeError("flat_sequence must be a sequence")
    flat = list(flat_sequence)
    if not is_inner(structure):
        if len(flat) != 1:
            raise ValueError(f"Structure is a scalar but len(flat_sequence) == {len(flat)} > 1")
        return flat[0]
    expected = len(flatten(structure, expand_composites))
    if expected != len(flat):
        raise ValueError(
            f"Could not pack sequence. Structure had {expected} elements, but flat_sequence had {len(flat)} "
            f"elements.  Structure: {structure}, flat_sequence: {flat}."
        )
    leaves = iter(flat)

    def build(value):
        return _like(value, [build(part) if is_inner(part) else next(leaves) for part in _parts(value)])

    return build(structure)


def map_structure(func, *structure, **kwargs):
    """Calls `func` with the leaves of all structures at each place; returns its results in the first one's form.

    Args:
      func: called with one leaf of each structure.
      *structure: structures of one form.
      **kwargs: `check_types` (True) and `expand_composites` (False).

    Raises:
      TypeError: when `func` cannot be called.
      ValueError: without a structure, or when the forms differ.
    """
    if not callable(func):
        raise TypeError(f"func must be callable, got: {func}")
    if not structure:
        raise ValueError("Must provide at least one structure")
    check_types = kwargs.pop("check_types", True)
    expand_composites = kwargs.pop("expand_composites", False)
    if kwargs:
        raise ValueError(
            f"Only valid keyword arguments are `check_types` and `expand_composites`, not: `{'`, `'.join(kwargs)}`"
        )
    for other in structure[1:]:
        assert_same_structure(structure[0], other, check_types, expand_composites)
    rows = zip(*[flatten(s, expand_composites) for s in structure], strict=True)
    return pack_sequence_as(structure[0], [func(*row) for row in rows], expand_composites)


class _Dot:
    def __repr__(self):
        return "."


def assert_same_structure(nest1, nest2, check_types=True, expand_composites=False):
    """Checks that two structures have one form.

    Raises:
      ValueError: when the numbers of parts or the keys differ.
      TypeError: when `check_types` and the types of containers differ.
    """
    is_inner = is_sequence_or_composite if expand_composites else is_sequence
    try:
        _compare(nest1, nest2, check_types, is_inner)
    except (ValueError, TypeError) as error:
        texts = [str(map_structure(lambda _: _Dot(), n)) for n in (nest1, nest2)]
        raise type(error)(
            f"{error}\nEntire first structure:\n{texts[0]}\nEntire second structure:\n{texts[1]}"
        ) from None


def _compare(first, second, check_types, is_inner):
    head = (
        f"The two structures don't have the same nested structure.\n\nFirst structure: type={type(first).__name__} "
        f"str={first}\n\nSecond structure: type={type(second).__name__} str={second}\n\nMore specifically: "
    )
    inner = [is_inner(first), is_inner(second)]
    if not any(inner):
        return
    if not all(inner):
        kinds = [(n, t) for n, t in zip((first, second), inner, strict=True)]
        yes = next(n for n, t in kinds if t)
        no = next(n for n, t in kinds if not t)
        raise ValueError(
            f'{head}Substructure "type={type(yes).__name__} str={yes}" is a sequence, while substructure '
            f'"type={type(no).__name__} str={no}" is not'
        )
    if check_types and not _same_type(first, second):
        raise TypeError(
            f"{head}The two namedtuples don't have the same sequence type. First structure {_shown(first)} has type "
            f"{type(first).__name__}, while second structure {_shown(second)} has type {type(second).__name__}"
        )
    left, right = _items(first), _items(second)
    if isinstance(first, Mapping) and isinstance(second, Mapping) and [k for k, _ in left] != [k for k, _ in right]:
        raise ValueError(
            f"{head}The two dictionaries don't have the same set of keys. First structure has keys "
            f"{_shown(list(first))}, while second structure has keys {_shown(list(second))}"
        )
    if len(left) != len(right):
        raise ValueError(
            f"{head}The two structures don't have the same number of elements. First structure: {_shown(first)}. "
            f"Second structure: {_shown(second)}"
        )
    for (_, a), (_, b) in zip(left, right, strict=True):
        _compare(a, b, check_types, is_inner)


def _shown(value):
    return f"type={type(value).__name__} str={value}"


def _same_type(first, second):
    if _is_namedtuple(first) and _is_namedtuple(second):
        return type(first).__name__ == type(second).__name__ and first._fields == second._fields
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        return True
    if isinstance(first, list) and isinstance(second, list):
        return True
    return type(first) is type(second)


def flatten_dict_items(dictionary):
    """Returns a dict without nests in its keys: parts of key structures go with the parts of their values.

    Raises:
      TypeError: when it is no dict.
      ValueError: when a key comes twice, or key and value differ in form.
    """
    if not isinstance(dictionary, Mapping):
        raise TypeError("input must be a dictionary")
    flat = {}
    for key, value in dictionary.items():
        keys, values = (flatten(key), flatten(value)) if is_sequence(key) else ([key], [value])
        if len(keys) != len(values):
            raise ValueError(
                f"Could not flatten dictionary. Key had {len(keys)} elements, but value had {len(values)} elements. "
                f"Key: {keys}, value: {values}."
            )
        for one, its in zip(keys, values, strict=True):
            if one in flat:
                raise ValueError(f"Could not flatten dictionary: key {one} is not unique.")
            flat[one] = its
    return flat


def flatten_up_to(shallow_tree, input_tree, check_types=True, expand_composites=False):
    """Returns the parts of `input_tree` that stand where `shallow_tree` has leaves."""
    is_inner = is_sequence_or_composite if expand_composites else is_sequence
    assert_shallow_structure(shallow_tree, input_tree, check_types, expand_composites)
    found = []

    def walk(shallow, tree):
        if not is_inner(shallow):
            found.append(tree)
            return
        parts = dict(_items(tree))
        for key, part in _items(shallow):
            walk(part, parts[key])

    walk(shallow_tree, input_tree)
    return found


def map_structure_up_to(shallow_tree, func, *inputs, **kwargs):
    """As `map_structure`, over the parts where `shallow_tree` has leaves."""
    check_types = kwargs.pop("check_types", True)
    expand_composites = kwargs.pop("expand_composites", False)
    rows = [flatten_up_to(shallow_tree, tree, check_types, expand_composites) for tree in inputs]
    return pack_sequence_as(shallow_tree, [func(*row) for row in zip(*rows, strict=True)], expand_composites)


def assert_shallow_structure(shallow_tree, input_tree, check_types=True, expand_composites=False):
    """Checks that `shallow_tree` is a beginning of `input_tree`.

    Raises:
      TypeError: when a sequence stands over a leaf, or types differ.
      ValueError: when lengths or keys differ.
    """
    is_inner = is_sequence_or_composite if expand_composites else is_sequence
    if not is_inner(shallow_tree):
        return
    if not is_inner(input_tree):
        raise TypeError(
            f"If shallow structure is a sequence, input must also be a sequence. Input has type: {type(input_tree)}."
        )
    if check_types and not _same_type(shallow_tree, input_tree):
        raise TypeError(
            "The two structures don't have the same sequence type. Input structure has type "
            f"{type(input_tree)}, while shallow structure has type {type(shallow_tree)}."
        )
    shallow, deep = _items(shallow_tree), dict(_items(input_tree))
    if len(shallow) != len(deep) and not isinstance(shallow_tree, Mapping):
        raise ValueError(
            "The two structures don't have the same sequence length. Input structure has length "
            f"{len(deep)}, while shallow structure has length {len(shallow)}."
        )
    missing = [key for key, _ in shallow if key not in deep]
    if missing:
        raise ValueError(
            "The shallow_tree's keys are not a subset of the input_tree's keys. The shallow_tree has the following "
            f"keys that are not in the input_tree: {sorted(missing)}."
        )
    for key, part in shallow:
        assert_shallow_structure(part, deep[key], check_types, expand_composites)


def get_traverse_shallow_structure(traverse_fn, structure, expand_composites=False):
    """Returns bools in the form of the upper part of `structure` that a function says may be gone into.

    Args:
      traverse_fn: called with each part; returns a bool, or a structure of bools one level deep.
      structure: the structure.
      expand_composites: whether parts of composite tensors count.

    Raises:
      TypeError: when the function returns something else.
    """
    is_inner = is_sequence_or_composite if expand_composites else is_sequence
    answer = traverse_fn(structure)
    if not is_inner(structure):
        if not isinstance(answer, bool):
            raise TypeError(f"traverse_fn returned structure: {answer} for non-structure: {structure}")
        return answer
    parts = _parts(structure)
    if isinstance(answer, bool):
        if not answer:
            return False
        answers = [True] * len(parts)
    elif not is_inner(answer):
        raise TypeError(f"traverse_fn returned a non-bool scalar: {answer} for input: {structure}")
    else:
        assert_shallow_structure(answer, structure, expand_composites=expand_composites)
        answers = _parts(answer)
    if not all(isinstance(one, bool) for one in answers):
        raise TypeError(
            f"traverse_fn didn't return a depth=1 structure of bools.  saw: {answer}  for structure: {structure}"
        )
    return _like(
        structure,
        [one and get_traverse_shallow_structure(traverse_fn, part) for one, part in zip(answers, parts, strict=True)],
    )


def yield_flattened_paths(nest, expand_composites=False):
    """Yields the path (a tuple of keys and positions) of each leaf, in the order of `flatten`."""
    for path, _ in flatten_with_tuple_paths(nest, expand_composites):
        yield path


def flatten_with_tuple_paths(structure, expand_composites=False):
    """Returns (path, leaf) of each leaf; the path is a tuple of keys and positions."""
    is_inner = is_sequence_or_composite if expand_composites else is_sequence
    if not is_inner(structure):
        return [((), structure)]
    found = []

    def walk(prefix, value):
        for key, part in _items(value):
            if is_inner(part):
                walk((*prefix, key), part)
            else:
                found.append(((*prefix, key), part))

    walk((), structure)
    return found


def flatten_with_joined_string_paths(structure, separator="/", expand_composites=False):
    """Returns (path, leaf) of each leaf; the path is text."""
    return [
        (separator.join(map(str, path)), leaf) for path, leaf in flatten_with_tuple_paths(structure, expand_composites)
    ]
