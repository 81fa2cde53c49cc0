"""Files, bytes and records as tensors: read, written, matched, decoded."""

from ferroflow._src.framework.apply import apply_op
from ferroflow._src.ops.arguments import renamed


def read_file(filename, name=None):
    """Reads a file.

    Args:
      filename: a `Tensor` of string.
      name: the operation's name.

    Returns:
      A `Tensor` of string.
    """
    return apply_op("ReadFile", filename, name=name)


def write_file(filename, contents, name=None):
    """Writes a file.

    Args:
      filename: a `Tensor` of string.
      contents: a `Tensor` of string.
      name: the operation's name.

    Returns:
      The `Operation`.
    """
    return apply_op("WriteFile", filename, contents, name=name)


def matching_files(pattern, name=None):
    """Finds the files whose names match a pattern.

    Args:
      pattern: a `Tensor` of string.
      name: the operation's name.

    Returns:
      A `Tensor` of string.
    """
    return apply_op("MatchingFiles", pattern, name=name)


def decode_compressed(bytes, compression_type="", name=None):
    """Unpacks compressed bytes.

    Args:
      bytes: a `Tensor` of string.
      compression_type: a string.
      name: the operation's name.

    Returns:
      A `Tensor` of string with the shape of `bytes`.
    """
    return apply_op("DecodeCompressed", bytes, compression_type=compression_type, name=name)


def decode_json_example(json_examples, name=None):
    """Turns examples in JSON into serialized messages.

    Args:
      json_examples: a `Tensor` of string.
      name: the operation's name.

    Returns:
      A `Tensor` of string with the shape of `json_examples`.
    """
    return apply_op("DecodeJSONExample", json_examples, name=name)


def parse_tensor(serialized, out_type, name=None):
    """Reads a serialized `TensorProto`.

    Args:
      serialized: a `Tensor` of string.
      out_type: a `DType`.
      name: the operation's name.

    Returns:
      A `Tensor` of any type.
    """
    return apply_op("ParseTensor", serialized, out_type=out_type, name=name)


def serialize_tensor(tensor, name=None):
    """Writes a tensor as a serialized `TensorProto`.

    Args:
      tensor: a `Tensor` of any type.
      name: the operation's name.

    Returns:
      A `Tensor` of string.
    """
    return apply_op("SerializeTensor", tensor, name=name)


def encode_wav(audio, sample_rate, name=None):
    """Encodes sound as a WAV file.

    Args:
      audio: a `Tensor` of float32.
      sample_rate: a `Tensor` of int32.
      name: the operation's name.

    Returns:
      A `Tensor` of string.
    """
    return apply_op("EncodeWav", audio, sample_rate, name=name)


def decode_wav(contents, desired_channels=-1, desired_samples=-1, name=None):
    """Decodes a WAV file of 16 bits.

    Args:
      contents: a string scalar.
      desired_channels: how many channels; -1 for as many as there are.
      desired_samples: how many samples; -1 for as many as there are.
      name: the operation's name.

    Returns:
      A named tuple: `audio`, float32 [samples, channels] from -1 to 1; `sample_rate`, an int32 scalar.
    """
    return apply_op(
        "DecodeWav", contents, desired_channels=desired_channels, desired_samples=desired_samples, name=name
    )


def decode_raw(input_bytes=None, out_type=None, little_endian=True, name=None, bytes=None):
    """Reads the bytes of strings as numbers.

    Args:
      input_bytes: a `Tensor` of string, all of one length.
      out_type: the numbers' type.
      little_endian: whether the lowest byte comes first.
      name: the operation's name.
      bytes: another name of `input_bytes`.

    Returns:
      A `Tensor` of `out_type` whose rank is one more.
    """
    contents = renamed("input_bytes", input_bytes, "bytes", bytes)
    return apply_op("DecodeRaw", contents, out_type=out_type, little_endian=little_endian, name=name)


def decode_csv(
    records,
    record_defaults,
    field_delim=",",
    use_quote_delim=True,
    name=None,
    na_value="",
    select_cols=None,
):
    """Splits lines of comma-separated values into columns.

    Args:
      records: a `Tensor` of string: the lines.
      record_defaults: a list of tensors of rank 1 (or scalars): each column's type and the value where it is empty.
      field_delim: what separates fields.
      use_quote_delim: whether double quotes hold fields together.
      name: the operation's name.
      na_value: a text that counts as empty.
      select_cols: the numbers of the columns to take, in rising order; None for all.

    Returns:
      A list of `Tensor`s, one a column, with the shape of `records`.

    Raises:
      ValueError: when columns and defaults differ in number, or columns do not rise.
    """
    if select_cols is not None:
        if any(b <= a for a, b in zip(select_cols, select_cols[1:], strict=False)):
            raise ValueError("select_cols is not strictly increasing.")
        if select_cols[0] < 0:
            raise ValueError("select_cols contains negative values.")
        if len(select_cols) != len(record_defaults):
            raise ValueError("Length of select_cols and record_defaults do not match.")
    return apply_op(
        "DecodeCSV",
        records,
        record_defaults,
        field_delim=field_delim,
        use_quote_delim=use_quote_delim,
        na_value=na_value,
        select_cols=select_cols,
        name=name,
    )


def fingerprint(data, method="farmhash64", name=None):
    """Computes a fingerprint of each slice along the first dimension.

    Args:
      data: a `Tensor` of rank 1 or more.
      method: 'farmhash64'.
      name: the operation's name.

    Returns:
      A `Tensor` of uint8 [slices, 8].
    """
    return apply_op("Fingerprint", data, method, name=name)
