"""Files of records through tf.python_io; the format itself is tested in src/formats/record."""

from pathlib import Path

import ferroflow as tf
import pytest

FIXTURES = Path(__file__).parent / "fixtures"
RECORDS = [b"first", b"", b"x" * 1000, bytes(range(256))]


@pytest.mark.parametrize(("name", "compression"), [("records", ""), ("records.zlib", "ZLIB"), ("records.gzip", "GZIP")])
def test_records_of_tensorflow_are_read(name, compression):
    options = tf.python_io.TFRecordOptions(compression)
    assert list(tf.python_io.tf_record_iterator(FIXTURES / name, options)) == RECORDS


@pytest.mark.parametrize("compression", ["", "ZLIB", "GZIP", None, tf.python_io.TFRecordCompressionType.GZIP])
def test_what_is_written_is_read(tmp_path, compression):
    path = str(tmp_path / "r")
    with tf.python_io.TFRecordWriter(path, options=compression) as writer:
        for record in RECORDS:
            writer.write(record)
    assert list(tf.python_io.tf_record_iterator(path, compression)) == RECORDS


def test_plain_files_are_tensorflows_byte_for_byte(tmp_path):
    with tf.python_io.TFRecordWriter(str(tmp_path / "r")) as writer:
        for record in RECORDS:
            writer.write(record)
    assert (tmp_path / "r").read_bytes() == (FIXTURES / "records").read_bytes()


def test_flush_shows_what_was_written(tmp_path):
    writer = tf.python_io.TFRecordWriter(str(tmp_path / "r"))
    writer.write("text")
    writer.flush()
    assert list(tf.python_io.tf_record_iterator(str(tmp_path / "r"))) == [b"text"]
    writer.close()
    writer.close()
    with pytest.raises(tf.errors.FailedPreconditionError):
        writer.write(b"late")


def test_broken_records_raise_data_loss_with_the_place(tmp_path):
    whole = (FIXTURES / "records").read_bytes()
    path = tmp_path / "r"
    path.write_bytes(whole[:-3])
    with pytest.raises(tf.errors.DataLossError, match="truncated record at"):
        list(tf.python_io.tf_record_iterator(str(path)))
    path.write_bytes(b"\1" + whole[1:])
    with pytest.raises(tf.errors.DataLossError, match="corrupted record at 0"):
        list(tf.python_io.tf_record_iterator(str(path)))


def test_wrong_options_and_paths_raise_as_in_tensorflow(tmp_path):
    with pytest.raises(ValueError, match='Not a valid compression_type: "FOO"'):
        tf.python_io.TFRecordOptions("FOO")
    with pytest.raises(tf.errors.NotFoundError, match="No such file or directory"):
        list(tf.python_io.tf_record_iterator(str(tmp_path / "absent")))
    with pytest.raises(tf.errors.NotFoundError):
        tf.python_io.TFRecordWriter(str(tmp_path / "no" / "folder"))
