"""tf.python_io: files of records (TFRecord), plain or compressed."""

import os

from ferroflow import _core
from ferroflow._src.framework.text import as_bytes, path_to_bytes


class TFRecordCompressionType:
    """How a file of records is compressed."""

    NONE = 0
    ZLIB = 1
    GZIP = 2


class TFRecordOptions:
    """How a file of records is written.

    Args:
      compression_type: "GZIP", "ZLIB", "" or None, or one of `TFRecordCompressionType`.
      compression_level: from 0 (fast) to 9 (small); None for zlib's default.
      flush_mode, input_buffer_size, output_buffer_size, window_bits, compression_method, mem_level,
        compression_strategy: taken and kept; what is read back from the file does not depend on them.

    Raises:
      ValueError: for another compression type.
    """

    compression_type_map = {  # noqa: RUF012  (public, and TensorFlow's)
        TFRecordCompressionType.ZLIB: "ZLIB",
        TFRecordCompressionType.GZIP: "GZIP",
        TFRecordCompressionType.NONE: "",
    }

    def __init__(
        self,
        compression_type=None,
        flush_mode=None,
        input_buffer_size=None,
        output_buffer_size=None,
        window_bits=None,
        compression_level=None,
        compression_method=None,
        mem_level=None,
        compression_strategy=None,
    ):
        self.get_compression_type_string(compression_type)
        self.compression_type = compression_type
        self.flush_mode = flush_mode
        self.input_buffer_size = input_buffer_size
        self.output_buffer_size = output_buffer_size
        self.window_bits = window_bits
        self.compression_level = compression_level
        self.compression_method = compression_method
        self.mem_level = mem_level
        self.compression_strategy = compression_strategy

    @classmethod
    def get_compression_type_string(cls, options):
        """Returns "GZIP", "ZLIB" or "" for options, a `TFRecordCompressionType`, such a string or None.

        Raises:
          ValueError: for anything else.
        """
        if isinstance(options, TFRecordOptions):
            return cls.get_compression_type_string(options.compression_type)
        if not options:
            return ""
        if options in cls.compression_type_map:
            return cls.compression_type_map[options]
        if options in cls.compression_type_map.values():
            return options
        raise ValueError(f'Not a valid compression_type: "{options}"')


def _path(path):
    return os.fsdecode(path_to_bytes(path))


def tf_record_iterator(path, options=None):
    """Yields the records of a file, as bytes.

    A file whose last header is not whole ends before it.

    Args:
      path: the file.
      options: `TFRecordOptions`, or what names a compression.

    Raises:
      tf.errors.NotFoundError: when there is no such file.
      tf.errors.DataLossError: at a record that is cut off or was changed.
    """
    reader = _core.RecordReader(_path(path), TFRecordOptions.get_compression_type_string(options))
    while (record := reader.next_record()) is not None:
        yield record


class TFRecordWriter:
    """Writes a file of records; what was there is lost. On disk after `close`, which a `with` block calls.

    Args:
      path: the file.
      options: `TFRecordOptions`, or what names a compression.

    Raises:
      tf.errors.NotFoundError: when the folder does not exist.
      ValueError: for another compression.
    """

    def __init__(self, path, options=None):
        if not isinstance(options, TFRecordOptions):
            options = TFRecordOptions(compression_type=options)
        compression = TFRecordOptions.get_compression_type_string(options)
        level = options.compression_level
        self._writer = _core.RecordWriter(_path(path), compression, None if level is None or level < 0 else level)

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self.close()

    def write(self, record):
        """Adds a record of bytes (text is encoded).

        Raises:
          tf.errors.FailedPreconditionError: after `close`.
        """
        self._writer.write(as_bytes(record))

    def flush(self):
        """Lets others see what was written."""
        self._writer.flush()

    def close(self):
        """Writes what is left and waits until it is on disk."""
        self._writer.close()
