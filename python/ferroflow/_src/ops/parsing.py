"""tf.parse_example and its like: features of `Example` messages as tensors."""

import collections
import re

from ferroflow._src.framework import dtypes
from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.composite import SparseTensor
from ferroflow._src.framework.constant import constant
from ferroflow._src.framework.control_flow import Assert, with_dependencies
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.tensor_like import TensorBase
from ferroflow._src.framework.tensor_shape import as_shape
from ferroflow._src.ops import array, math, shaping, sparse


class VarLenFeature(collections.namedtuple("VarLenFeature", ["dtype"])):
    """A feature with any number of values, read as a `SparseTensor`.

    Args:
      dtype: float32, int64 or string.
    """

    __slots__ = ()


class SparseFeature(
    collections.namedtuple("SparseFeature", ["index_key", "value_key", "dtype", "size", "already_sorted"])
):
    """A `SparseTensor` made of a feature with places and one with values.

    Args:
      index_key: the key of the places, or a list of keys, one for each dimension.
      value_key: the key of the values.
      dtype: float32, int64 or string.
      size: the size of the last dimension, or a list of sizes.
      already_sorted: whether the places are in order.
    """

    __slots__ = ()

    def __new__(cls, index_key, value_key, dtype, size, already_sorted=False):
        return super().__new__(cls, index_key, value_key, dtype, size, already_sorted)


class FixedLenFeature(collections.namedtuple("FixedLenFeature", ["shape", "dtype", "default_value"])):
    """A feature of a known shape, read as a `Tensor`.

    Args:
      shape: its shape in one example.
      dtype: float32, int64 or string.
      default_value: what examples have that lack it; None: it must be there.
    """

    __slots__ = ()

    def __new__(cls, shape, dtype, default_value=None):
        return super().__new__(cls, shape, dtype, default_value)


class FixedLenSequenceFeature(
    collections.namedtuple("FixedLenSequenceFeature", ["shape", "dtype", "allow_missing", "default_value"])
):
    """A feature with any number of entries of a known shape, padded to the longest of a batch.

    Args:
      shape: the shape of one entry.
      dtype: float32, int64 or string.
      allow_missing: whether examples may lack it; `tf.parse_example` wants True.
      default_value: what it is padded with; None for 0 or ''.
    """

    __slots__ = ()

    def __new__(cls, shape, dtype, allow_missing=False, default_value=None):
        return super().__new__(cls, shape, dtype, allow_missing, default_value)


class _Keys:
    """Features as the ops take them: sparse ones and dense ones, each in the order of keys."""

    def __init__(self, features, allowed):
        self.sparse, self.sparse_types = [], []
        self.dense, self.dense_types, self.dense_shapes = [], [], []
        self.defaults = {}
        for key in sorted(features or {}):
            feature = features[key]
            kind = next((kind for kind in _ADD if isinstance(feature, kind)), None)
            if kind is None:
                raise ValueError(f"Invalid feature {key}:{feature}.")
            if kind not in allowed:
                raise ValueError(f"Unsupported {kind.__name__} {feature}.")
            _ADD[kind](self, key, feature)

    def _check_type(self, key, feature):
        if not feature.dtype:
            raise ValueError(f"Missing type for feature {key}.")

    def add_variable(self, key, feature):
        self._check_type(key, feature)
        self.sparse.append(key)
        self.sparse_types.append(feature.dtype)

    def _add_part(self, key, dtype, label):
        if key not in self.sparse:
            self.sparse.append(key)
            self.sparse_types.append(dtype)
            return
        found = self.sparse_types[self.sparse.index(key)]
        if found != dtype:
            raise ValueError(f"Conflicting type {found} vs {label} for feature {key}.")

    def add_sparse(self, key, feature):
        for part in ("index_key", "value_key"):
            if not getattr(feature, part):
                raise ValueError(f"Missing {part} for SparseFeature {feature}.")
        self._check_type(key, feature)
        index_keys = [feature.index_key] if isinstance(feature.index_key, str) else feature.index_key
        for index_key in sorted(index_keys):
            self._add_part(index_key, dtypes.int64, "int64")
        self._add_part(feature.value_key, feature.dtype, feature.dtype)

    def _add_dense(self, key, feature):
        self.dense.append(key)
        self.dense_shapes.append(feature.shape)
        self.dense_types.append(feature.dtype)

    def add_fixed(self, key, feature):
        self._check_type(key, feature)
        if feature.shape is None:
            raise ValueError(f"Missing shape for feature {key}.")
        shape = as_shape(feature.shape)
        if feature.shape and shape.ndims and shape.dims[0].value is None:
            raise ValueError(
                f"First dimension of shape for feature {key} unknown. Consider using FixedLenSequenceFeature."
            )
        if not shape.is_fully_defined():
            raise ValueError(
                f"All dimensions of shape for feature {key} need to be known but received {feature.shape}."
            )
        self._add_dense(key, feature)
        if feature.default_value is not None:
            self.defaults[key] = feature.default_value

    def add_sequence(self, key, feature):
        self._check_type(key, feature)
        if feature.shape is None:
            raise ValueError(f"Missing shape for feature {key}.")
        self._add_dense(key, feature)
        if feature.allow_missing:
            self.defaults[key] = None
        if feature.default_value is not None:
            self.defaults[key] = feature.default_value

    def check(self):
        """Raises ValueError when there is no key, or one is both sparse and dense."""
        if not self.dense and not self.sparse:
            raise ValueError("Must provide at least one sparse key or dense key")
        both = set(self.dense) & set(self.sparse)
        if both:
            raise ValueError(f"Dense and sparse keys must not intersect; intersection: {both}")

    def default_tensors(self):
        """Makes a tensor of each dense feature's default: empty when it has none."""
        made = []
        for key, dtype, shape in zip(self.dense, self.dense_types, map(as_shape, self.dense_shapes), strict=True):
            given = self.defaults.get(key)
            if shape.ndims and shape.dims[0].value is None:
                if given is None:
                    made.append(convert_to_tensor("" if dtype == dtypes.string else 0, dtype=dtype))
                else:
                    padding = convert_to_tensor(given, dtype=dtype, name="padding_" + _as_name(key))
                    made.append(array.reshape(padding, []))
            elif given is None:
                made.append(constant([], dtype=dtype))
            elif isinstance(given, TensorBase):
                made.append(given)
            else:
                given = convert_to_tensor(given, dtype=dtype, name="key_" + _as_name(key))
                made.append(array.reshape(given, shape))
        return made

    def tensors(self, made):
        """Returns a dict of what an op made: its four lists of outputs."""
        indices, values, shapes, dense = made
        found = [SparseTensor(*parts) for parts in zip(indices, values, shapes, strict=True)]
        return dict(zip(self.sparse + self.dense, [*found, *dense], strict=True))


_ADD = {
    VarLenFeature: _Keys.add_variable,
    SparseFeature: _Keys.add_sparse,
    FixedLenFeature: _Keys.add_fixed,
    FixedLenSequenceFeature: _Keys.add_sequence,
}


def _as_name(key):
    return re.sub(r"[^A-Za-z0-9_.\-/]", "_", key)


def _with_unknown_length(features):
    """Gives sequence features a first dimension of unknown size."""
    changed = dict(features)
    for key, feature in features.items():
        if isinstance(feature, FixedLenSequenceFeature):
            if not feature.allow_missing:
                raise ValueError("Unsupported: FixedLenSequenceFeature requires allow_missing to be True.")
            changed[key] = feature._replace(shape=[None, *feature.shape])
    return changed


def _merged(features, tensors):
    """Makes the sparse features of their two parts, and drops parts that nobody asked for."""
    found = dict(tensors)
    for key in sorted(features):
        feature = features[key]
        if isinstance(feature, SparseFeature):
            is_one = isinstance(feature.index_key, str)
            ids = found[feature.index_key] if is_one else [found[k] for k in feature.index_key]
            found[key] = sparse.sparse_merge(
                ids, found[feature.value_key], vocab_size=feature.size, already_sorted=feature.already_sorted
            )
    return {key: value for key, value in found.items() if key in features}


def parse_example(serialized, features, name=None, example_names=None):
    """Reads features of a batch of serialized `Example` messages.

    Args:
      serialized: a `Tensor` of strings [batch].
      features: a dict of `FixedLenFeature`, `VarLenFeature`, `SparseFeature` and `FixedLenSequenceFeature` by key.
      name: the name scope.
      example_names: strings [batch] that messages tell; None for none.

    Returns:
      A dict by key: a `Tensor` [batch, *shape] for features of a known shape, [batch, longest, *shape] for sequences, a
      `SparseTensor` for the others.

    Raises:
      ValueError: for features that are not valid.
    """
    if not features:
        raise ValueError(f"Missing: features was {features}.")
    features = _with_unknown_length(features)
    keys = _Keys(features, tuple(_ADD))
    return _merged(features, _parse_batch(serialized, example_names, keys, name))


def parse_example_v2(serialized, features, example_names=None, name=None):
    """`tf.parse_example` with the arguments in TensorFlow 2's order."""
    return parse_example(serialized, features, name, example_names)


def _parse_batch(serialized, names, keys, name):
    with name_scope(name, "ParseExample", [serialized, names]):
        keys.check()
        defaults = keys.default_tensors()
        made = apply_op(
            "ParseExample",
            serialized,
            [] if names is None else names,
            keys.sparse,
            keys.dense,
            defaults,
            sparse_types=keys.sparse_types,
            dense_shapes=[as_shape(shape) for shape in keys.dense_shapes],
            name=name,
        )
        return keys.tensors(made)


def parse_single_example(serialized, features, name=None, example_names=None):
    """Reads features of one serialized `Example` message.

    Args:
      serialized: a scalar string.
      features: a dict of `FixedLenFeature`, `VarLenFeature`, `SparseFeature` and `FixedLenSequenceFeature` by key.
      name: the name scope.
      example_names: a scalar string that messages tell; None for none.

    Returns:
      A dict by key: a `Tensor` of the feature's shape, or a `SparseTensor`.

    Raises:
      ValueError: for features that are not valid.
    """
    if not features:
        raise ValueError("Missing features.")
    prepared = _with_unknown_length(features)
    keys = _Keys(prepared, tuple(_ADD))
    if example_names is not None:
        return _merged(prepared, _parse_batch_of_one(serialized, example_names, keys, name))
    with name_scope(name, "ParseSingleExample", [serialized]):
        serialized = convert_to_tensor(serialized, name="serialized")
        keys.check()
        defaults = keys.default_tensors()
        made = apply_op(
            "ParseSingleExample",
            serialized,
            defaults,
            num_sparse=len(keys.sparse),
            sparse_keys=keys.sparse,
            sparse_types=keys.sparse_types,
            dense_keys=keys.dense,
            dense_shapes=[as_shape(shape) for shape in keys.dense_shapes],
            name=name,
        )
        return _merged(prepared, keys.tensors(made))


def parse_single_example_v2(serialized, features, example_names=None, name=None):
    """`tf.parse_single_example` with the arguments in TensorFlow 2's order."""
    return parse_single_example(serialized, features, name, example_names)


def _as_batch_of_one(tensor, label, prefix):
    tensor = convert_to_tensor(tensor)
    if tensor.shape.ndims is None:
        is_scalar = math.equal(shaping.rank(tensor), 0)
        check = Assert(is_scalar, [f"Input {label} must be a scalar"], name=f"{prefix}IsScalar")
        tensor = with_dependencies([check], tensor, name=f"{prefix}Dependencies")
    elif tensor.shape.ndims != 0:
        raise ValueError(f"Input {label} must be a scalar")
    return array.expand_dims(tensor, 0)


def _parse_batch_of_one(serialized, names, keys, name):
    with name_scope(name, "ParseSingleExample", [serialized, names]):
        serialized = _as_batch_of_one(serialized, "serialized", "Serialized")
        names = _as_batch_of_one(names, "names", "Names")
        found = _parse_batch(serialized, names, keys, name)
        for key in keys.dense:
            found[key] = array.squeeze(found[key], [0], name=f"Squeeze_{_as_name(key)}")
        for key in keys.sparse:
            label = _as_name(key)
            indices = array.slice(found[key].indices, [0, 1], [-1, -1], name=f"Slice_Indices_{label}")
            shape = array.slice(found[key].dense_shape, [1], [-1], name=f"Squeeze_Shape_{label}")
            found[key] = SparseTensor(indices, found[key].values, shape)
        return found
