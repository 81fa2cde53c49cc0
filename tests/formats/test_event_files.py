"""Event files: what tf.summary.FileWriter writes and tf.train.summary_iterator reads."""

import re
import shutil
import warnings
from pathlib import Path

import ferroflow as tf
import pytest

FIXTURES = Path(__file__).parent / "fixtures"


def events_of(folder):
    """The events of all files of a folder, without those that tell the version."""
    found = []
    for path in sorted(folder.iterdir()):
        first, *rest = tf.train.summary_iterator(str(path))
        assert first.file_version == "brain.Event:2"
        found += rest
    return found


def summary(value, description=""):
    message = tf.Summary()
    made = message.value.add(tag="loss", simple_value=value)
    if description:
        made.metadata.summary_description = description
    return message


def test_events_of_tensorflow_are_read():
    version, loss, start = tf.train.summary_iterator(str(FIXTURES / "events"))
    assert version.file_version == "brain.Event:2"
    assert (loss.step, loss.summary.value[0].tag, loss.summary.value[0].simple_value) == (3, "loss", 0.5)
    assert (start.step, start.session_log.status) == (4, tf.SessionLog.START)


def test_the_file_is_named_as_tensorflow_names_it(tmp_path):
    writer = tf.summary.FileWriter(str(tmp_path / "made" / "folder"), filename_suffix=".end")
    (path,) = (tmp_path / "made" / "folder").iterdir()
    assert re.fullmatch(r"events\.out\.tfevents\.\d{10}\..+\.end", path.name)
    assert writer.get_logdir() == str(tmp_path / "made" / "folder")
    writer.close()


def test_the_file_is_made_with_the_first_event(tmp_path):
    with tf.summary.FileWriter(str(tmp_path)) as writer:
        writer.flush()
        assert list(tmp_path.iterdir()) == []
        writer.add_summary(summary(1.0), 1)
        writer.flush()
        assert len(list(tmp_path.iterdir())) == 1


def test_summaries_keep_their_metadata_once_a_tag(tmp_path):
    with tf.summary.FileWriter(str(tmp_path)) as writer:
        writer.add_summary(summary(1.0, "what it is"), 1)
        writer.add_summary(summary(2.0, "what it is"), global_step=2)
        writer.add_summary(summary(3.0).SerializeToString())
    events = events_of(tmp_path)
    assert [e.step for e in events] == [1, 2, 0]
    assert [e.summary.value[0].simple_value for e in events] == [1.0, 2.0, 3.0]
    assert [e.summary.value[0].metadata.summary_description for e in events] == ["what it is", "", ""]
    assert all(e.wall_time > 1e9 for e in events)


def test_a_graph_brings_its_meta_graph(tmp_path):
    with tf.Graph().as_default() as graph:
        tf.constant(1.0, name="one")
    with tf.summary.FileWriter(str(tmp_path), graph) as writer:
        writer.add_graph(graph, 5)
    first, meta, second = events_of(tmp_path)
    assert first.graph_def == second.graph_def == graph.as_graph_def(add_shapes=True).SerializeToString()
    assert second.step == 5
    message = tf.MetaGraphDef.FromString(meta.meta_graph_def)
    assert [node.name for node in message.graph_def.node] == ["one"]


def test_logs_metadata_and_events_are_added(tmp_path):
    with tf.summary.FileWriter(str(tmp_path)) as writer:
        writer.add_session_log(tf.SessionLog(status=tf.SessionLog.STOP), 7)
        writer.add_run_metadata(tf.RunMetadata(), "run", 8)
        with pytest.raises(ValueError, match="tag was already used"):
            writer.add_run_metadata(tf.RunMetadata(), "run", 9)
        writer.add_event(tf.Event(step=9, wall_time=1.0))
    log, run, event = events_of(tmp_path)
    assert (log.step, log.session_log.status) == (7, tf.SessionLog.STOP)
    assert (run.step, run.tagged_run_metadata.tag) == (8, "run")
    assert (event.step, event.wall_time) == (9, 1.0)


def test_what_is_no_graph_is_refused(tmp_path):
    with tf.summary.FileWriter(str(tmp_path)) as writer:
        for wrong in (None, 3):
            with pytest.raises(TypeError, match="must be an instance of `Graph`"):
                writer.add_graph(wrong)
        with pytest.raises(TypeError, match="meta_graph_def must be type MetaGraphDef"):
            writer.add_meta_graph(3)


def test_a_closed_writer_drops_events_with_a_warning_until_it_is_reopened(tmp_path):
    writer = tf.summary.FileWriter(str(tmp_path))
    writer.add_summary(summary(1.0), 1)
    writer.close()
    with pytest.warns(UserWarning, match="Attempting to use a closed FileWriter"):
        writer.add_summary(summary(2.0), 2)
    writer.reopen()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        writer.add_summary(summary(3.0), 3)
        writer.close()
    writer.close()
    assert [e.step for e in events_of(tmp_path)] == [1, 3]
    assert len(list(tmp_path.iterdir())) == 2


def test_two_writers_of_one_folder_lose_nothing(tmp_path):
    writers = [tf.summary.FileWriter(str(tmp_path)) for _ in range(2)]
    for step, writer in enumerate(writers):
        writer.add_summary(summary(1.0), step)
    for writer in writers:
        writer.close()
    assert sorted(e.step for e in events_of(tmp_path)) == [0, 1]


def test_a_folder_that_is_removed_does_not_stop_the_program(tmp_path):
    folder = tmp_path / "run"
    writer = tf.summary.FileWriter(str(folder))
    writer.add_summary(summary(1.0), 1)
    writer.flush()
    shutil.rmtree(folder)
    writer.add_summary(summary(2.0), 2)
    writer.flush()
    writer.close()


def test_an_error_of_the_thread_is_raised_by_flush(tmp_path):
    folder = tmp_path / "run"
    writer = tf.summary.FileWriter(str(folder))
    shutil.rmtree(folder)
    writer.add_summary(summary(1.0), 1)
    with pytest.raises(tf.errors.NotFoundError, match="No such file or directory"):
        writer.flush()
    writer.close()


def test_the_cache_has_one_writer_a_folder(tmp_path):
    with tf.Graph().as_default():
        tf.constant(1.0)
        first = tf.summary.FileWriterCache.get(str(tmp_path / "a"))
        assert tf.summary.FileWriterCache.get(str(tmp_path / "a")) is first
        assert tf.summary.FileWriterCache.get(str(tmp_path / "b")) is not first
    tf.summary.FileWriterCache.clear()
    assert [e.WhichOneof("what") for e in events_of(tmp_path / "a")] == ["graph_def", "meta_graph_def"]
