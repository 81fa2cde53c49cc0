"""Matrices of a checkpoint whose rows or columns stand for the words of a list, put in the order of another list."""

from ferroflow._src.framework import dtypes
from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.initializers import zeros_initializer
from ferroflow._src.ops import array, math


def load_and_remap_matrix_initializer(
    ckpt_path,
    old_tensor_name,
    new_row_vocab_size,
    new_col_vocab_size,
    old_row_vocab_size=-1,
    old_row_vocab_file=None,
    new_row_vocab_file=None,
    old_col_vocab_file=None,
    new_col_vocab_file=None,
    num_row_oov_buckets=0,
    num_col_oov_buckets=0,
    initializer=None,
    max_rows_in_memory=-1,
):
    """Returns an initializer of variables that reads a matrix and brings its rows and columns into a new order.

    A vocabulary is a text file with a word a line; row i of the new matrix is the row that the old matrix has for the
    word in line i of the new file. Rows and columns of words that the old file lacks come from `initializer`.

    Args:
      ckpt_path: the checkpoint's prefix.
      old_tensor_name: the matrix in it.
      new_row_vocab_size: rows of the variable without those out of the vocabulary.
      new_col_vocab_size: its columns, likewise.
      old_row_vocab_size: how many lines of the old rows' file count; -1 for all.
      old_row_vocab_file: the words of the old rows, or None when rows stay as they are.
      new_row_vocab_file: the words of the new rows.
      old_col_vocab_file: the words of the old columns, or None when columns stay as they are.
      new_col_vocab_file: the words of the new columns.
      num_row_oov_buckets: rows after those of the words.
      num_col_oov_buckets: columns after those of the words.
      initializer: of what the old matrix lacks; None for zeros.
      max_rows_in_memory: how many rows are read at once; -1 for all.

    Raises:
      TypeError: when `initializer` cannot be called.
    """
    if initializer is None:
        initializer = zeros_initializer()
    elif not callable(initializer):
        raise TypeError(f"initializer must be callable, instead of being {initializer} of type {type(initializer)}.")

    def initialize(shape, dtype=dtypes.float32, partition_info=None):
        _check_shape(shape, dtype, new_col_vocab_size, num_col_oov_buckets)
        offset = 0 if partition_info is None else partition_info.single_offset(shape)
        if offset + shape[0] > new_row_vocab_size + num_row_oov_buckets:
            raise ValueError(
                f"Trying to initialize {shape[0]} additional rows after {offset} rows have already been initialized, "
                f"which would exceed expected total row count of new_row_vocab_size ({new_row_vocab_size}) + "
                f"num_row_oov_buckets ({num_row_oov_buckets}) = {new_row_vocab_size + num_row_oov_buckets}."
            )
        buckets = min(shape[0], max(0, offset + shape[0] - new_row_vocab_size))
        if offset > new_row_vocab_size:
            if shape[0] != buckets:
                raise ValueError(
                    "Partitioned variable offset is greater than new vocab size and not operating on OOV-only partition."
                )
            return initializer(shape)
        return load_and_remap_matrix(
            ckpt_path=ckpt_path,
            old_tensor_name=old_tensor_name,
            new_row_vocab_offset=offset,
            num_rows_to_load=shape[0] - buckets,
            new_col_vocab_size=new_col_vocab_size,
            initializer=initializer,
            old_row_vocab_size=old_row_vocab_size,
            old_row_vocab_file=old_row_vocab_file,
            new_row_vocab_file=new_row_vocab_file,
            old_col_vocab_file=old_col_vocab_file,
            new_col_vocab_file=new_col_vocab_file,
            num_row_oov_buckets=buckets,
            num_col_oov_buckets=num_col_oov_buckets,
            max_rows_in_memory=max_rows_in_memory,
        )

    return initialize


def _check_shape(shape, dtype, columns, buckets):
    if len(shape) != 2:
        raise ValueError(f"Expected 2-dim shape, but received: {shape}")
    if shape[0] <= 0:
        raise ValueError(f"Expected 1st dim of shape to be > 0, but received shape: {shape}")
    if shape[1] != columns + buckets:
        raise ValueError(
            f"Expected 2nd dim of shape to be new_col_vocab_size ({columns}) + num_col_oov_buckets ({buckets}) = "
            f"{columns + buckets}, but received shape: {shape}"
        )
    if dtype != dtypes.float32:
        raise TypeError(f"Currently, only float32 is supported. Received dtype: {dtype}")


def load_and_remap_matrix(
    ckpt_path,
    old_tensor_name,
    new_row_vocab_offset,
    num_rows_to_load,
    new_col_vocab_size,
    initializer,
    old_row_vocab_size=-1,
    old_row_vocab_file=None,
    new_row_vocab_file=None,
    old_col_vocab_file=None,
    new_col_vocab_file=None,
    num_row_oov_buckets=0,
    num_col_oov_buckets=0,
    max_rows_in_memory=-1,
):
    """Returns the matrix as a tensor; arguments as of `load_and_remap_matrix_initializer`, and the part wanted.

    Args:
      new_row_vocab_offset: the line of the new rows' file at which the part begins.
      num_rows_to_load: how many of its lines count.

    Raises:
      ValueError: when numbers of buckets are negative, or files are missing.
    """
    for label, count in (("row", num_row_oov_buckets), ("col", num_col_oov_buckets)):
        if count < 0:
            raise ValueError(f"num_{label}_oov_buckets must be >= 0, but received {count}")
    for label, old, new in (
        ("row", old_row_vocab_file, new_row_vocab_file),
        ("col", old_col_vocab_file, new_col_vocab_file),
    ):
        if bool(old) != bool(new):
            raise ValueError(
                f"old_{label}_vocab_file and new_{label}_vocab_file must both be specified or left unspecified. "
                f"old_{label}_vocab_file='{old}', new_{label}_vocab_file='{new}'"
            )
    if not (new_row_vocab_file or new_col_vocab_file):
        raise ValueError(
            "Must provide either row or column vocab files. If no remapping is necessary, consider using "
            "`tf.contrib.framework.init_from_checkpoint` instead."
        )
    rows_present, columns_present = num_rows_to_load, new_col_vocab_size
    if new_row_vocab_file:
        row_remapping, rows_present = apply_op(
            "GenerateVocabRemapping",
            new_row_vocab_file,
            old_row_vocab_file,
            new_vocab_offset=new_row_vocab_offset,
            num_new_vocab=num_rows_to_load,
            old_vocab_size=old_row_vocab_size,
        )
    else:
        end = new_row_vocab_offset + num_rows_to_load
        row_remapping = math.range(new_row_vocab_offset, end, dtype=dtypes.int64)
    column_remapping = []
    if new_col_vocab_file:
        column_remapping, columns_present = apply_op(
            "GenerateVocabRemapping",
            new_col_vocab_file,
            old_col_vocab_file,
            new_vocab_offset=0,
            num_new_vocab=new_col_vocab_size,
        )
    missing = initializer([num_rows_to_load * new_col_vocab_size - rows_present * columns_present, 1])
    matrix = apply_op(
        "LoadAndRemapMatrix",
        ckpt_path,
        old_tensor_name,
        row_remapping,
        column_remapping,
        missing,
        num_rows=num_rows_to_load,
        num_cols=new_col_vocab_size,
        max_rows_in_memory=max_rows_in_memory,
    )
    if num_row_oov_buckets > 0:
        rows = convert_to_tensor(initializer([num_row_oov_buckets, new_col_vocab_size]))
        matrix = array.concat([matrix, rows], 0)
    if num_col_oov_buckets > 0:
        columns = initializer([num_rows_to_load + num_row_oov_buckets, num_col_oov_buckets])
        matrix = array.concat([matrix, convert_to_tensor(columns)], 1)
    return matrix
