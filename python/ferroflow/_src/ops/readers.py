"""Readers: records of files, one a run, from a queue of file names."""

from ferroflow._src.framework.apply import apply_op
from ferroflow._src.ops.queues import QueueBase


class ReaderBase:
    """What all readers share: each run of `read` gives the next record of the next file."""

    def __init__(self, reader_ref, supports_serialize=False):
        """Creates the reader of a resource.

        Args:
          reader_ref: the resource.
          supports_serialize: whether its state can be written.
        """
        self._reader_ref = reader_ref
        self._supports_serialize = supports_serialize

    @property
    def reader_ref(self):
        """The resource."""
        return self._reader_ref

    @property
    def supports_serialize(self):
        """Whether its state can be written."""
        return self._supports_serialize

    def read(self, queue, name=None):
        """Takes the next record.

        Args:
          queue: a queue of file names, or its resource.
          name: the operation's name.

        Returns:
          A named tuple: `key`, which tells file and place; `value`, the record. Both are string scalars.
        """
        ref = queue.queue_ref if isinstance(queue, QueueBase) else queue
        return apply_op("ReaderReadV2", self._reader_ref, ref, name=name)

    def read_up_to(self, queue, num_records, name=None):
        """Takes several records.

        Args:
          queue: a queue of file names, or its resource.
          num_records: an int64 scalar: how many at most.
          name: the operation's name.

        Returns:
          A named tuple: `keys` and `values`, of string and rank 1.
        """
        ref = queue.queue_ref if isinstance(queue, QueueBase) else queue
        return apply_op("ReaderReadUpToV2", self._reader_ref, ref, num_records, name=name)

    def num_records_produced(self, name=None):
        """Returns how many records it has given, an int64 scalar."""
        return apply_op("ReaderNumRecordsProducedV2", self._reader_ref, name=name)

    def num_work_units_completed(self, name=None):
        """Returns how many files it has finished, an int64 scalar."""
        return apply_op("ReaderNumWorkUnitsCompletedV2", self._reader_ref, name=name)

    def serialize_state(self, name=None):
        """Returns its state, a string scalar."""
        return apply_op("ReaderSerializeStateV2", self._reader_ref, name=name)

    def restore_state(self, state, name=None):
        """Makes an operation that puts it back into a state.

        Args:
          state: a string scalar.
          name: the operation's name.
        """
        return apply_op("ReaderRestoreStateV2", self._reader_ref, state, name=name)

    def reset(self, name=None):
        """Makes an operation that puts it back to its beginning."""
        return apply_op("ReaderResetV2", self._reader_ref, name=name)


class WholeFileReader(ReaderBase):
    """Gives each file as one record."""

    def __init__(self, name=None):
        """Creates the reader `name`."""
        super().__init__(apply_op("WholeFileReaderV2", name=name), supports_serialize=True)


class TextLineReader(ReaderBase):
    """Gives each line as a record."""

    def __init__(self, skip_header_lines=None, name=None):
        """Creates the reader.

        Args:
          skip_header_lines: how many lines at the beginning of each file are left out.
          name: the operation's name.
        """
        super().__init__(apply_op("TextLineReaderV2", skip_header_lines=skip_header_lines, name=name))


class FixedLengthRecordReader(ReaderBase):
    """Gives records of one length."""

    def __init__(self, record_bytes, header_bytes=None, footer_bytes=None, hop_bytes=None, name=None, encoding=None):
        """Creates the reader.

        Args:
          record_bytes: the length.
          header_bytes: how many bytes at the beginning of each file are left out.
          footer_bytes: how many at its end.
          hop_bytes: how far apart records begin; None for their length.
          name: the operation's name.
          encoding: None, 'GZIP' or 'ZLIB'.
        """
        ref = apply_op(
            "FixedLengthRecordReaderV2",
            record_bytes=record_bytes,
            header_bytes=header_bytes,
            footer_bytes=footer_bytes,
            hop_bytes=hop_bytes,
            encoding=encoding,
            name=name,
        )
        super().__init__(ref)


class TFRecordReader(ReaderBase):
    """Gives the records of TFRecord files."""

    def __init__(self, name=None, options=None):
        """Creates the reader.

        Args:
          name: the operation's name.
          options: `TFRecordOptions`: how files are packed; None for not.
        """
        packed = options.get_compression_type_string(options) if options is not None else None
        super().__init__(apply_op("TFRecordReaderV2", name=name, compression_type=packed))


class IdentityReader(ReaderBase):
    """Gives each name in the queue as a record."""

    def __init__(self, name=None):
        """Creates the reader `name`."""
        super().__init__(apply_op("IdentityReaderV2", name=name), supports_serialize=True)
