"""Tables from keys to values: filled once by an initializer, or changed at any time."""

import uuid

from ferroflow._src.framework import dtypes, tensor_util
from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.collections import add_to_collection
from ferroflow._src.framework.composite import SparseTensor
from ferroflow._src.framework.control_flow import no_op
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.graph_keys import GraphKeys
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.scopes import colocate_with, device, init_scope
from ferroflow._src.framework.tensor_like import TensorBase
from ferroflow._src.framework.tensor_shape import TensorShape
from ferroflow._src.ops import indexing, math, shaping, strings


class LookupInterface:
    """What all tables have: the types of keys and values, a handle and a name."""

    def __init__(self, key_dtype, value_dtype):
        self._key_dtype = dtypes.as_dtype(key_dtype)
        self._value_dtype = dtypes.as_dtype(value_dtype)
        self._resource_handle = None
        self._table_name = None

    @property
    def key_dtype(self):
        """The type of keys."""
        return self._key_dtype

    @property
    def value_dtype(self):
        """The type of values."""
        return self._value_dtype

    @property
    def resource_handle(self):
        """The handle of the table."""
        return self._resource_handle

    @property
    def name(self):
        """The name of the table's operation."""
        return self._table_name


def _wrong_keys(wanted, given):
    return TypeError(f"Signature mismatch. Keys must be dtype {wanted}, got {given}.")


class StaticHashTable(LookupInterface):
    """A table that its initializer fills once.

    Run `tf.tables_initializer()` first.

    Args:
      initializer: a `KeyValueTensorInitializer` or `TextFileInitializer`.
      default_value: what keys have that are not in the table: a scalar.
      name: the operation's name.
    """

    def __init__(self, initializer, default_value, name=None, shared_name=None):
        super().__init__(initializer.key_dtype, initializer.value_dtype)
        self._initializer = initializer
        self._shared_name = shared_name or initializer._shared_name or f"hash_table_{uuid.uuid4()}"
        self._default_value = convert_to_tensor(default_value, dtype=self._value_dtype)
        self._default_value.shape.merge_with(TensorShape([]))
        with init_scope():
            self._resource_handle = apply_op(
                "HashTableV2",
                shared_name=self._shared_name,
                key_dtype=self._key_dtype,
                value_dtype=self._value_dtype,
                name=name or "hash_table",
            )
        self._table_name = self._resource_handle.op.name.split("/")[-1]
        self._init_op = initializer.initialize(self)

    @property
    def default_value(self):
        """What keys have that are not in the table."""
        return self._default_value

    @property
    def initializer(self):
        """The operation that fills the table."""
        return self._init_op

    @property
    def init(self):
        """The operation that fills the table."""
        return self._init_op

    def size(self, name=None):
        """Returns how many keys there are: a scalar of int64."""
        with name_scope(name, f"{self.name}_Size", [self.resource_handle]):
            return apply_op("LookupTableSizeV2", self.resource_handle)

    def lookup(self, keys, name=None):
        """Looks keys up.

        Args:
          keys: a `Tensor` or `SparseTensor` of the type of keys.
          name: the name scope.

        Returns:
          A `Tensor` or `SparseTensor` of the values.

        Raises:
          TypeError: for keys of another type.
        """
        values = keys.values if isinstance(keys, SparseTensor) else keys
        if keys.dtype.base_dtype != self._key_dtype:
            raise _wrong_keys(self._key_dtype, keys.dtype)
        with name_scope(name, f"{self.name}_Lookup", (self.resource_handle, values, self._default_value)):
            found = apply_op("LookupTableFindV2", self.resource_handle, values, self._default_value)
        found.set_shape(values.shape)
        return SparseTensor(keys.indices, found, keys.dense_shape) if isinstance(keys, SparseTensor) else found

    def export(self, name=None):
        """Returns all keys and all values: two `Tensor`s of rank 1."""
        with name_scope(name, f"{self.name}_Export", [self.resource_handle]):
            keys, values = apply_op(
                "LookupTableExportV2", self.resource_handle, Tkeys=self._key_dtype, Tvalues=self._value_dtype
            )
        values.set_shape(keys.shape)
        return keys, values


class HashTable(StaticHashTable):
    """`tf.lookup.StaticHashTable` as `tf.contrib.lookup` has it: with a shared name.

    Args:
      initializer: a `KeyValueTensorInitializer` or `TextFileInitializer`.
      default_value: what keys have that are not in the table: a scalar.
      shared_name: tables of one session with this name are one.
      name: the operation's name.
    """

    def __init__(self, initializer, default_value, shared_name=None, name=None):
        super().__init__(initializer, default_value, name, shared_name or _UNSHARED)

    def export(self, name=None):
        """Returns all keys and all values: two `Tensor`s of rank 1."""
        with name_scope(name, f"{self.name}_Export", [self.resource_handle]) as name:
            keys, values = apply_op(
                "LookupTableExportV2", self.resource_handle, Tkeys=self._key_dtype, Tvalues=self._value_dtype, name=name
            )
        values.set_shape(keys.shape)
        return keys, values


class _Unshared(str):
    """An empty name that counts as given."""

    def __bool__(self):
        return True


_UNSHARED = _Unshared("")


class TableInitializerBase:
    """Fills a table."""

    _shared_name = ""

    def __init__(self, key_dtype, value_dtype):
        self._key_dtype = dtypes.as_dtype(key_dtype)
        self._value_dtype = dtypes.as_dtype(value_dtype)

    @property
    def key_dtype(self):
        """The type of keys."""
        return self._key_dtype

    @property
    def value_dtype(self):
        """The type of values."""
        return self._value_dtype

    def _check(self, table):
        if self._key_dtype.base_dtype != table.key_dtype:
            raise TypeError(f"Invalid key dtype, expected {table.key_dtype} but got {self._key_dtype}.")
        if self._value_dtype.base_dtype != table.value_dtype:
            raise TypeError(f"Invalid value dtype, expected {table.value_dtype} but got {self._value_dtype}.")


class KeyValueTensorInitializer(TableInitializerBase):
    """Fills a table from two tensors.

    Args:
      keys: a `Tensor` of rank 1.
      values: a `Tensor` of its shape.
      key_dtype: the type of keys, if they are no tensor.
      value_dtype: the type of values, if they are no tensor.
      name: the name scope.
    """

    def __init__(self, keys, values, key_dtype=None, value_dtype=None, name=None):
        self._keys = convert_to_tensor(keys, dtype=key_dtype, name="keys")
        self._values = convert_to_tensor(values, dtype=value_dtype, name="values")
        self._name = "key_value_init" if name is None else name
        super().__init__(self._keys.dtype, self._values.dtype)

    def initialize(self, table):
        """Makes the operation that fills a table, in the collection of table initializers."""
        self._check(table)
        with name_scope(self._name, values=(table.resource_handle, self._keys, self._values)):
            made = apply_op("LookupTableImportV2", table.resource_handle, self._keys, self._values)
        add_to_collection(GraphKeys.TABLE_INITIALIZERS, made)
        return made


class TextFileIndex:
    """What of a line is meant: all of it, or its number."""

    WHOLE_LINE = -2
    LINE_NUMBER = -1


class TextFileInitializer(TableInitializerBase):
    """Fills a table from the lines of a file.

    Args:
      filename: its path: text, or a scalar string.
      key_dtype: the type of keys.
      key_index: the column of keys, or a `TextFileIndex`.
      value_dtype: the type of values.
      value_index: the column of values, or a `TextFileIndex`.
      vocab_size: how many lines there must be at least; None for all there are.
      delimiter: what separates columns.
      name: the name scope.

    Raises:
      ValueError: for arguments that do not fit.
    """

    def __init__(
        self,
        filename,
        key_dtype,
        key_index,
        value_dtype,
        value_index,
        vocab_size=None,
        delimiter="\t",
        name=None,
    ):
        if not isinstance(filename, TensorBase) and not filename:
            raise ValueError(f"Filename required for {name}.")
        key_dtype, value_dtype = dtypes.as_dtype(key_dtype), dtypes.as_dtype(value_dtype)
        for label, index, dtype in (("key", key_index, key_dtype), ("value", value_index, value_dtype)):
            if index < -2:
                raise ValueError(f"Invalid {label} index {index}.")
            if index == TextFileIndex.LINE_NUMBER and dtype != dtypes.int64:
                raise ValueError(f"Signature mismatch. {label.title()}s must be dtype {dtypes.int64}, got {dtype}.")
        if key_index == TextFileIndex.WHOLE_LINE and not key_dtype.is_integer and key_dtype != dtypes.string:
            raise ValueError(f"Signature mismatch. Keys must be integer or string, got {key_dtype}.")
        if value_index == TextFileIndex.WHOLE_LINE and value_dtype != dtypes.string:
            raise ValueError(f"Signature mismatch. Values must be dtype {dtypes.string}, got {value_dtype}.")
        if vocab_size is not None and vocab_size <= 0:
            raise ValueError(f"Invalid vocab_size {vocab_size}.")
        self._columns = key_index, value_index
        self._vocab_size, self._delimiter, self._name = vocab_size, delimiter, name
        self._filename_arg = filename
        with init_scope(), device("CPU"):
            is_made = isinstance(filename, TensorBase)
            self._filename = filename if is_made else convert_to_tensor(filename, dtypes.string, name="asset_path")
        super().__init__(key_dtype, value_dtype)

    def initialize(self, table):
        """Makes the operation that fills a table, in the collection of table initializers."""
        self._check(table)
        with name_scope(self._name, "text_file_init", (table.resource_handle,)):
            filename = convert_to_tensor(self._filename, dtypes.string, name="asset_filepath")
            made = apply_op(
                "InitializeTableFromTextFileV2",
                table.resource_handle,
                filename,
                key_index=self._columns[0],
                value_index=self._columns[1],
                vocab_size=-1 if self._vocab_size is None else self._vocab_size,
                delimiter=self._delimiter,
            )
        add_to_collection(GraphKeys.TABLE_INITIALIZERS, made)
        if filename.op.type == "Const":
            add_to_collection(GraphKeys.ASSET_FILEPATHS, filename)
        return made

    @property
    def _shared_name(self):
        size = f"_{self._vocab_size:d}" if self._vocab_size else ""
        return f"hash_table_{self._filename_arg}{size}_{self._columns[0]}_{self._columns[1]}"


class TextFileStringTableInitializer(TextFileInitializer):
    """Fills a table from line numbers to lines; see `TextFileInitializer`."""

    def __init__(
        self,
        filename,
        key_column_index=TextFileIndex.LINE_NUMBER,
        value_column_index=TextFileIndex.WHOLE_LINE,
        vocab_size=None,
        delimiter="\t",
        name="text_file_string_table_init",
    ):
        types = (dtypes.int64, key_column_index, dtypes.string, value_column_index)
        super().__init__(filename, *types, vocab_size=vocab_size, delimiter=delimiter, name=name)


class TextFileIdTableInitializer(TextFileInitializer):
    """Fills a table from lines to their numbers; see `TextFileInitializer`."""

    def __init__(
        self,
        filename,
        key_column_index=TextFileIndex.WHOLE_LINE,
        value_column_index=TextFileIndex.LINE_NUMBER,
        vocab_size=None,
        delimiter="\t",
        name="text_file_id_table_init",
        key_dtype=dtypes.string,
    ):
        types = (key_dtype, key_column_index, dtypes.int64, value_column_index)
        super().__init__(filename, *types, vocab_size=vocab_size, delimiter=delimiter, name=name)


class IdTableWithHashBuckets(LookupInterface):
    """A table of ids that gives keys it does not have an id of one of several buckets.

    Args:
      table: a table to int64; None for buckets alone.
      num_oov_buckets: how many buckets.
      hasher: a function of (strings, num_buckets=, name=).
      name: its name.
      key_dtype: the type of keys; None for the table's.

    Raises:
      ValueError: for no table and no buckets.
      TypeError: for types that do not fit.
    """

    def __init__(self, table, num_oov_buckets, hasher=strings.string_to_hash_bucket_fast, name=None, key_dtype=None):
        if table is None and num_oov_buckets <= 0:
            raise ValueError("oov_buckets must be > 0 if no table is supplied.")
        if key_dtype is None:
            key_dtype = dtypes.string if table is None else table.key_dtype
        if not key_dtype.is_integer and key_dtype != dtypes.string:
            raise TypeError(f"Invalid key_dtype, expected integer or string, got {key_dtype}.")
        super().__init__(key_dtype, dtypes.int64)
        self._table, self._num_oov_buckets, self._hasher = table, num_oov_buckets, hasher
        name = (name or (table.name if table is not None else "hash_bucket")).rstrip("/")
        self._table_name = name.split("/")[-1]

    @property
    def initializer(self):
        """The operation that fills the table."""
        if self._table is not None:
            return self._table.initializer
        with name_scope(None, "init"):
            return no_op()

    init = initializer

    @property
    def resource_handle(self):
        """The handle of the table; None without one."""
        return None if self._table is None else self._table.resource_handle

    def size(self, name=None):
        """Returns how many ids there are: a scalar of int64."""
        with name_scope(name, f"{self.name}_Size"):
            known = convert_to_tensor(0, dtype=dtypes.int64) if self._table is None else self._table.size()
            return known + self._num_oov_buckets

    def lookup(self, keys, name=None):
        """Looks keys up.

        Args:
          keys: a `Tensor` or `SparseTensor` of the type of keys.
          name: the name scope.

        Returns:
          A `Tensor` or `SparseTensor` of ids.

        Raises:
          TypeError: for keys of another type.
        """
        if keys.dtype.base_dtype != self._key_dtype:
            raise _wrong_keys(self._key_dtype, keys.dtype)
        values = keys.values if isinstance(keys, SparseTensor) else keys
        if self._table is not None and self._table.key_dtype.base_dtype == dtypes.int64:
            values = math.cast(values, dtypes.int64)
        if self._num_oov_buckets == 0:
            ids = self._table.lookup(values, name=name)
        else:
            with name_scope(name, f"{self.name}_Lookup"):
                is_text = values.dtype.base_dtype == dtypes.string
                text = values if is_text else strings.as_string(values)
                ids = self._hasher(text, num_buckets=self._num_oov_buckets, name="hash_bucket")
                if self._table is not None:
                    found = self._table.lookup(values)
                    buckets = math.add(ids, self._table.size())
                    is_found = math.not_equal(found, self._table.default_value)
                    ids = indexing.where_v2(is_found, found, buckets)
        return SparseTensor(keys.indices, ids, keys.dense_shape) if isinstance(keys, SparseTensor) else ids


class MutableHashTable(LookupInterface):
    """A table that changes at any time.

    Args:
      key_dtype: the type of keys.
      value_dtype: the type of values.
      default_value: what keys have that are not in the table: a scalar.
      name: the operation's name.
      checkpoint: whether the node's name is its name in the session.
    """

    def __init__(self, key_dtype, value_dtype, default_value, name="MutableHashTable", checkpoint=True):
        super().__init__(key_dtype, value_dtype)
        self._default_value = convert_to_tensor(default_value, dtype=value_dtype)
        self._resource_handle = apply_op(
            "MutableHashTableV2",
            use_node_name_sharing=checkpoint,
            key_dtype=self._key_dtype,
            value_dtype=self._value_dtype,
            name=name,
        )
        self._table_name = self._resource_handle.op.name.split("/")[-1]
        # What a saver would save; made at once, as TensorFlow does.
        self._saved = self.export() if checkpoint else None

    def size(self, name=None):
        """Returns how many keys there are: a scalar of int64."""
        with name_scope(name, f"{self.name}_Size", [self.resource_handle]):
            with colocate_with(self.resource_handle):
                return apply_op("LookupTableSizeV2", self.resource_handle)

    def remove(self, keys, name=None):
        """Makes an operation that removes keys.

        Raises:
          TypeError: for keys of another type.
        """
        if keys.dtype != self._key_dtype:
            raise _wrong_keys(self._key_dtype, keys.dtype)
        values = (self.resource_handle, keys, self._default_value)
        with name_scope(name, f"{self.name}_lookup_table_remove", values):
            return apply_op("LookupTableRemoveV2", self.resource_handle, keys)

    def lookup(self, keys, name=None):
        """Looks keys up; returns a `Tensor` of values in their shape."""
        values = (self.resource_handle, keys, self._default_value)
        with name_scope(name, f"{self.name}_lookup_table_find", values):
            keys = convert_to_tensor(keys, dtype=self._key_dtype, name="keys")
            with colocate_with(self.resource_handle):
                return apply_op("LookupTableFindV2", self.resource_handle, keys, self._default_value)

    def insert(self, keys, values, name=None):
        """Makes an operation that gives keys values."""
        with name_scope(name, f"{self.name}_lookup_table_insert", [self.resource_handle, keys, values]):
            keys = convert_to_tensor(keys, self._key_dtype, name="keys")
            values = convert_to_tensor(values, self._value_dtype, name="values")
            with colocate_with(self.resource_handle):
                return apply_op("LookupTableInsertV2", self.resource_handle, keys, values)

    def export(self, name=None):
        """Returns all keys and all values: two `Tensor`s of rank 1."""
        with name_scope(name, f"{self.name}_lookup_table_export_values", [self.resource_handle]):
            with colocate_with(self.resource_handle):
                return apply_op(
                    "LookupTableExportV2", self.resource_handle, Tkeys=self._key_dtype, Tvalues=self._value_dtype
                )


def _check_file(vocabulary_file, vocab_size):
    if vocabulary_file is None or (isinstance(vocabulary_file, str) and not vocabulary_file):
        raise ValueError("vocabulary_file must be specified and must not be empty.")
    if vocab_size is not None and vocab_size < 1:
        shown = vocabulary_file
        if isinstance(vocabulary_file, TensorBase):
            shown = tensor_util.constant_value(vocabulary_file) or "?"
        raise ValueError(f"vocab_size must be greater than 0, got {vocab_size:d}. vocabulary_file: {shown}")


def _check_ids(num_oov_buckets, dtype):
    if num_oov_buckets < 0:
        raise ValueError(f"num_oov_buckets must be greater or equal than 0, got {num_oov_buckets:d}.")
    if not dtype.is_integer and dtype.base_dtype != dtypes.string:
        raise TypeError("Only integer and string keys are supported.")


def index_table_from_file(
    vocabulary_file=None,
    num_oov_buckets=0,
    vocab_size=None,
    default_value=-1,
    hasher_spec=strings.string_to_hash_bucket_fast,
    key_dtype=dtypes.string,
    name=None,
    key_column_index=TextFileIndex.WHOLE_LINE,
    value_column_index=TextFileIndex.LINE_NUMBER,
    delimiter="\t",
):
    """Makes a table from the lines of a file to their numbers.

    Args:
      vocabulary_file: its path.
      num_oov_buckets: how many ids there are for keys that are not in it.
      vocab_size: how many lines count; None for all.
      default_value: the id of keys that are not in it, without buckets.
      hasher_spec: a function that gives strings a bucket.
      key_dtype: string, or an integer type.
      name: the name scope.
      key_column_index: the column of keys.
      value_column_index: the column of ids.
      delimiter: what separates columns.

    Returns:
      A table.

    Raises:
      ValueError: for arguments that do not fit.
    """
    _check_file(vocabulary_file, vocab_size)
    _check_ids(num_oov_buckets, key_dtype)
    with name_scope(name, "string_to_index"):
        with name_scope(None, "hash_table"):
            initializer = TextFileIdTableInitializer(
                vocabulary_file,
                vocab_size=vocab_size,
                key_dtype=dtypes.int64 if key_dtype.is_integer else key_dtype,
                name="table_init",
                key_column_index=key_column_index,
                value_column_index=value_column_index,
                delimiter=delimiter,
            )
            table = StaticHashTable(initializer, default_value)
        if num_oov_buckets:
            table = IdTableWithHashBuckets(table, num_oov_buckets, hasher_spec, key_dtype=key_dtype)
        return table


def index_table_from_tensor(
    mapping,
    num_oov_buckets=0,
    default_value=-1,
    hasher_spec=strings.string_to_hash_bucket_fast,
    dtype=dtypes.string,
    name=None,
):
    """Makes a table from the elements of a tensor to their places.

    Args:
      mapping: a `Tensor` of rank 1.
      num_oov_buckets: how many ids there are for keys that are not in it.
      default_value: the id of keys that are not in it, without buckets.
      hasher_spec: a function that gives strings a bucket.
      dtype: string, or an integer type.
      name: the name scope.

    Returns:
      A table.

    Raises:
      ValueError: for arguments that do not fit.
    """
    if mapping is None:
        raise ValueError("mapping must be specified.")
    _check_ids(num_oov_buckets, dtype)
    with name_scope(name, "string_to_index"):
        keys = convert_to_tensor(mapping)
        if keys.dtype.is_integer != dtype.is_integer:
            raise ValueError(f"Expected {'integer' if dtype.is_integer else 'non-integer'}, got {keys.dtype}.")
        if not dtype.is_integer and keys.dtype.base_dtype != dtype:
            raise ValueError(f"Expected {dtype}, got {keys.dtype}.")
        values = math.cast(math.range(shaping.size(keys)), dtypes.int64)
        with name_scope(None, "hash_table"):
            if keys.dtype.is_integer:
                keys = math.cast(keys, dtypes.int64)
            initializer = KeyValueTensorInitializer(
                keys, values, keys.dtype.base_dtype, dtypes.int64, name="table_init"
            )
            table = StaticHashTable(initializer, default_value)
        if num_oov_buckets:
            table = IdTableWithHashBuckets(table, num_oov_buckets, hasher_spec, key_dtype=dtype)
        return table


def index_to_string_table_from_file(
    vocabulary_file,
    vocab_size=None,
    default_value="UNK",
    name=None,
    key_column_index=TextFileIndex.LINE_NUMBER,
    value_column_index=TextFileIndex.WHOLE_LINE,
    delimiter="\t",
):
    """Makes a table from numbers to the lines of a file.

    Args:
      vocabulary_file: its path.
      vocab_size: how many lines count; None for all.
      default_value: what other numbers have.
      name: the name scope.
      key_column_index: the column of keys.
      value_column_index: the column of values.
      delimiter: what separates columns.

    Returns:
      A table.

    Raises:
      ValueError: for arguments that do not fit.
    """
    _check_file(vocabulary_file, vocab_size)
    with name_scope(name, "index_to_string"):
        initializer = TextFileStringTableInitializer(
            vocabulary_file,
            vocab_size=vocab_size,
            name="table_init",
            key_column_index=key_column_index,
            value_column_index=value_column_index,
            delimiter=delimiter,
        )
        return StaticHashTable(initializer, default_value)


def index_to_string_table_from_tensor(mapping, default_value="UNK", name=None):
    """Makes a table from places to the elements of a tensor.

    Args:
      mapping: strings of rank 1.
      default_value: what other numbers have.
      name: the name scope.

    Returns:
      A table.

    Raises:
      ValueError: without a mapping.
    """
    if mapping is None:
        raise ValueError("mapping must be specified.")
    with name_scope(name, "index_to_string"):
        mapping = convert_to_tensor(mapping, dtypes.string)
        keys = math.cast(math.range(shaping.size(mapping)), dtypes.int64)
        initializer = KeyValueTensorInitializer(keys, mapping, dtypes.int64, dtypes.string, name="table_init")
        return StaticHashTable(initializer, default_value)


def string_to_index(tensor, mapping, default_value=-1, name=None):
    """Looks strings up in a mapping; see `index_table_from_tensor`."""
    return index_table_from_tensor(mapping=mapping, default_value=default_value, name=name).lookup(tensor)


def index_to_string(tensor, mapping, default_value="UNK", name=None):
    """Looks numbers up in a mapping; see `index_to_string_table_from_tensor`."""
    return index_to_string_table_from_tensor(mapping, default_value, name).lookup(tensor)
