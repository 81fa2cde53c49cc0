"""tf.contrib.lookup: tables from keys to values."""

# fmt: off
from ferroflow._src import contents as _contents

_contents.begin(__name__)
from ferroflow._src.framework.variable_lists import tables_initializer as tables_initializer
from ferroflow._src.ops.lookup import (
    HashTable as HashTable,
    IdTableWithHashBuckets as IdTableWithHashBuckets,
    KeyValueTensorInitializer as KeyValueTensorInitializer,
    LookupInterface as LookupInterface,
    MutableHashTable as MutableHashTable,
    TextFileIdTableInitializer as TextFileIdTableInitializer,
    TextFileIndex as TextFileIndex,
    TextFileInitializer as TextFileInitializer,
    TextFileStringTableInitializer as TextFileStringTableInitializer,
    index_table_from_file as index_table_from_file,
    index_table_from_tensor as index_table_from_tensor,
    index_to_string as index_to_string,
    index_to_string_table_from_file as index_to_string_table_from_file,
    index_to_string_table_from_tensor as index_to_string_table_from_tensor,
    string_to_index as string_to_index,
)
_contents.end(__name__)
# fmt: on
