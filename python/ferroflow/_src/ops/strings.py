"""Strings: joined, split, cut, hashed, and turned into numbers and back."""

import numpy as np

from ferroflow._src.framework import dtypes, tensor_util
from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.composite import SparseTensor
from ferroflow._src.framework.constant import constant
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.ops import math, shaping
from ferroflow._src.ops.arguments import renamed


def string_join(inputs, separator="", name=None):
    """Joins strings element by element.

    Args:
      inputs: a list of `Tensor`s of string.
      separator: a string.
      name: the operation's name.

    Returns:
      A `Tensor` of string with the broadcast shape.
    """
    return apply_op("StringJoin", inputs, separator=separator, name=name)


def string_strip(input, name=None):
    """Drops white space at both ends.

    Args:
      input: a `Tensor` of string.
      name: the operation's name.

    Returns:
      A `Tensor` of string with the shape of `input`.
    """
    return apply_op("StringStrip", input, name=name)


def as_string(input, precision=-1, scientific=False, shortest=False, width=-1, fill="", name=None):
    """Writes numbers as text.

    Args:
      input: a `Tensor` of numbers, bool.
      precision: an integer.
      scientific: a bool.
      shortest: a bool.
      width: an integer.
      fill: a string.
      name: the operation's name.

    Returns:
      A `Tensor` of string with the shape of `input`.
    """
    return apply_op(
        "AsString",
        input,
        precision=precision,
        scientific=scientific,
        shortest=shortest,
        width=width,
        fill=fill,
        name=name,
    )


def encode_base64(input, pad=False, name=None):
    """Encodes bytes as text of 64 letters, safe in URLs.

    Args:
      input: a `Tensor` of string.
      pad: a bool.
      name: the operation's name.

    Returns:
      A `Tensor` of string with the shape of `input`.
    """
    return apply_op("EncodeBase64", input, pad=pad, name=name)


def decode_base64(input, name=None):
    """Decodes what `encode_base64` made.

    Args:
      input: a `Tensor` of string.
      name: the operation's name.

    Returns:
      A `Tensor` of string with the shape of `input`.
    """
    return apply_op("DecodeBase64", input, name=name)


def string_lower(input, encoding="", name=None):
    """Turns letters into small ones.

    Args:
      input: a `Tensor` of string.
      encoding: a string.
      name: the operation's name.

    Returns:
      A `Tensor` of string with the shape of `input`.
    """
    return apply_op("StringLower", input, encoding=encoding, name=name)


def string_upper(input, encoding="", name=None):
    """Turns letters into capitals.

    Args:
      input: a `Tensor` of string.
      encoding: a string.
      name: the operation's name.

    Returns:
      A `Tensor` of string with the shape of `input`.
    """
    return apply_op("StringUpper", input, encoding=encoding, name=name)


def unicode_script(input, name=None):
    """Finds the script of each code point.

    Args:
      input: a `Tensor` of int32.
      name: the operation's name.

    Returns:
      A `Tensor` of int32.
    """
    return apply_op("UnicodeScript", input, name=name)


def unicode_transcode(
    input,
    input_encoding,
    output_encoding,
    errors="replace",
    replacement_char=65533,
    replace_control_characters=False,
    name=None,
):
    """Turns text of one encoding into another.

    Args:
      input: a `Tensor` of string.
      input_encoding: a string.
      output_encoding: one of 'UTF-8', 'UTF-16-BE', 'UTF-32-BE'.
      errors: one of 'strict', 'replace', 'ignore'.
      replacement_char: an integer.
      replace_control_characters: a bool.
      name: the operation's name.

    Returns:
      A `Tensor` of string with the shape of `input`.
    """
    return apply_op(
        "UnicodeTranscode",
        input,
        input_encoding=input_encoding,
        output_encoding=output_encoding,
        errors=errors,
        replacement_char=replacement_char,
        replace_control_characters=replace_control_characters,
        name=name,
    )


def string_to_hash_bucket_fast(input, num_buckets, name=None):
    """Sorts strings into buckets by FarmHash.

    Args:
      input: a `Tensor` of string.
      num_buckets: an integer.
      name: the operation's name.

    Returns:
      A `Tensor` of int64 with the shape of `input`.
    """
    return apply_op("StringToHashBucketFast", input, num_buckets=num_buckets, name=name)


def string_to_hash_bucket_strong(input, num_buckets, key, name=None):
    """Sorts strings into buckets by SipHash with a secret key.

    Args:
      input: a `Tensor` of string.
      num_buckets: an integer.
      key: integers.
      name: the operation's name.

    Returns:
      A `Tensor` of int64 with the shape of `input`.
    """
    return apply_op("StringToHashBucketStrong", input, num_buckets=num_buckets, key=key, name=name)


def string_to_hash_bucket(string_tensor=None, num_buckets=None, name=None, input=None):
    """Sorts strings into buckets by a hash.

    Args:
      string_tensor: a `Tensor` of string.
      num_buckets: how many buckets there are.
      name: the operation's name.
      input: another name of `string_tensor`.

    Returns:
      A `Tensor` of int64 with the shape of the strings.
    """
    strings = renamed("input", input, "string_tensor", string_tensor)
    return apply_op("StringToHashBucket", strings, num_buckets=num_buckets, name=name)


def string_to_number(string_tensor=None, out_type=dtypes.float32, name=None, input=None):
    """Reads numbers.

    Args:
      string_tensor: a `Tensor` of string.
      out_type: float32, float64, int32 or int64.
      name: the operation's name.
      input: another name of `string_tensor`.

    Returns:
      A `Tensor` of `out_type` with the shape of the strings.
    """
    strings = renamed("input", input, "string_tensor", string_tensor)
    return apply_op("StringToNumber", strings, out_type=out_type, name=name)


def string_length(input, name=None, unit="BYTE"):
    """Counts the bytes or characters of strings.

    Args:
      input: a `Tensor` of string.
      name: the operation's name.
      unit: 'BYTE' or 'UTF8_CHAR'.

    Returns:
      A `Tensor` of int32 with the shape of `input`.
    """
    return apply_op("StringLength", input, unit=unit, name=name)


def substr(input, pos, len, name=None, unit="BYTE"):
    """Cuts a piece out of each string.

    Args:
      input: a `Tensor` of string.
      pos: int32 or int64: where each piece begins; negative ones count from the end.
      len: one of the same type: how long each is.
      name: the operation's name.
      unit: 'BYTE' or 'UTF8_CHAR'.

    Returns:
      A `Tensor` of string.
    """
    return apply_op("Substr", input, pos, len, unit=unit, name=name)


def regex_full_match(input, pattern, name=None):
    """Finds which strings match a pattern as a whole.

    Args:
      input: a `Tensor` of string.
      pattern: a regular expression (RE2), as Python text or a scalar.
      name: the operation's name.

    Returns:
      A `Tensor` of bool with the shape of `input`.
    """
    if isinstance(pattern, (str, bytes)):
        return apply_op("StaticRegexFullMatch", input, pattern=pattern, name=name)
    return apply_op("RegexFullMatch", input, pattern, name=name)


def regex_replace(input, pattern, rewrite, replace_global=True, name=None):
    """Replaces what matches a pattern.

    Args:
      input: a `Tensor` of string.
      pattern: a regular expression (RE2), as Python text or a scalar.
      rewrite: what stands in its place; '\\\\1' is the first group.
      replace_global: whether all matches are replaced, not only the first.
      name: the operation's name.

    Returns:
      A `Tensor` of string with the shape of `input`.
    """
    if isinstance(pattern, (str, bytes)) and isinstance(rewrite, (str, bytes)):
        return apply_op(
            "StaticRegexReplace", input, pattern=pattern, rewrite=rewrite, replace_global=replace_global, name=name
        )
    return apply_op("RegexReplace", input, pattern, rewrite, replace_global=replace_global, name=name)


def string_format(template, inputs, placeholder="{}", summarize=3, name=None):
    """Writes tensors into a text.

    Args:
      template: a text with a placeholder for each tensor.
      inputs: a `Tensor` or a list of them.
      placeholder: what stands for a tensor.
      summarize: how many elements at each end of a dimension are written.
      name: the operation's name.

    Returns:
      A string scalar.

    Raises:
      ValueError: when placeholders and tensors differ in number.
    """
    if tensor_util.is_tensor(inputs):
        inputs = [inputs]
    count = template.count(placeholder)
    if count != len(inputs):
        raise ValueError(f"{count} placeholder(s) in template does not match {len(inputs)} tensor(s) provided as input")
    return apply_op("StringFormat", inputs, template=template, placeholder=placeholder, summarize=summarize, name=name)


def _split_result(made):
    made.indices.set_shape([None, 2])
    made.values.set_shape([None])
    made.shape.set_shape([2])
    return SparseTensor(made.indices, made.values, made.shape)


def string_split(source, sep=None, skip_empty=True, delimiter=None, result_type="SparseTensor", name=None):
    """Splits strings at any of several characters.

    Args:
      source: a `Tensor` of string of rank 1.
      sep: the characters; None for a space.
      skip_empty: whether empty pieces are left out.
      delimiter: the older name of `sep`.
      result_type: 'SparseTensor'.
      name: the name scope.

    Returns:
      A `SparseTensor` of string: row by row the pieces of each.

    Raises:
      ValueError: for another result type.
    """
    with name_scope(name, "StringSplit", [source]):
        delimiter = renamed("sep", sep, "delimiter", delimiter)
        delimiter = convert_to_tensor(" " if delimiter is None else delimiter, dtype=dtypes.string)
        source = convert_to_tensor(source, dtype=dtypes.string)
        if result_type != "SparseTensor":
            raise ValueError("result_type must be 'SparseTensor': ragged tensors are not supported.")
        return _split_result(apply_op("StringSplit", source, delimiter, skip_empty=skip_empty))


def strings_split(input=None, sep=None, maxsplit=-1, result_type="SparseTensor", source=None, name=None):
    """Splits strings as Python's `split` does.

    Args:
      input: a `Tensor` of string of rank 1.
      sep: what to split at; None for white space.
      maxsplit: how often at most; -1 for any.
      result_type: 'SparseTensor'.
      source: the older name of `input`.
      name: the name scope.

    Returns:
      A `SparseTensor` of string: row by row the pieces of each.

    Raises:
      ValueError: for another result type.
    """
    input = renamed("input", input, "source", source)
    with name_scope(name, "StringSplit", [input]):
        input = convert_to_tensor(input, dtype=dtypes.string, name="input")
        if result_type != "SparseTensor":
            raise ValueError("result_type must be 'SparseTensor': ragged tensors are not supported.")
        sep = convert_to_tensor("" if sep is None else sep, dtype=dtypes.string)
        return _split_result(apply_op("StringSplitV2", input, sep, maxsplit=maxsplit))


def reduce_join(inputs, axis=None, keep_dims=None, separator="", name=None, reduction_indices=None, keepdims=None):
    """Joins strings along dimensions.

    Args:
      inputs: a `Tensor` of string.
      axis: a number or numbers of dimensions; None for all.
      keep_dims: whether they stay, with size 1.
      separator: what stands between the strings.
      name: the operation's name.
      reduction_indices: the older name of `axis`.
      keepdims: another name of `keep_dims`.

    Returns:
      A `Tensor` of string.
    """
    keepdims = bool(renamed("keepdims", keepdims, "keep_dims", keep_dims))
    axis = renamed("axis", axis, "reduction_indices", reduction_indices)
    with name_scope(None, "ReduceJoin", [inputs, axis]):
        inputs = convert_to_tensor(inputs)
        if axis is None:
            ndims = inputs.shape.ndims
            if ndims is not None:
                axis = constant(np.arange(ndims - 1, -1, -1), dtype=dtypes.int32)
            else:
                axis = math.range(shaping.rank(inputs) - 1, -1, -1)
        return apply_op("ReduceJoin", inputs, axis, keep_dims=keepdims, separator=separator, name=name)


def unsorted_segment_join(inputs, segment_ids, num_segments, separator="", name=None):
    """Joins strings with equal numbers, in any order.

    Args:
      inputs: a `Tensor` of string.
      segment_ids: a `Tensor` of int32 or int64.
      num_segments: a `Tensor` of int32 or int64.
      separator: a string.
      name: the operation's name.

    Returns:
      A `Tensor` of string.
    """
    return apply_op("UnsortedSegmentJoin", inputs, segment_ids, num_segments, separator=separator, name=name)
