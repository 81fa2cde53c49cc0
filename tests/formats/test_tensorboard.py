"""TensorBoard's own reader finds in our event files what was written."""

import ferroflow as tf
import numpy as np
import pytest

accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")


def write_run(folder):
    """A small training run with summaries of every kind; returns the losses."""
    losses = []
    with tf.Graph().as_default() as graph, tf.Session() as sess:
        x = tf.placeholder(tf.float32, [None, 4, 4, 1], name="x")
        w = tf.get_variable("w", initializer=np.linspace(-1, 1, 16, dtype=np.float32).reshape(16, 1))
        loss = tf.reduce_mean(tf.square(tf.matmul(tf.reshape(x, [-1, 16]), w)))
        train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)
        tf.summary.scalar("loss", loss)
        tf.summary.histogram("weights", w)
        tf.summary.image("input", x, max_outputs=2)
        tf.summary.text("note", tf.constant("a **note**"))
        merged = tf.summary.merge_all()
        sess.run(tf.global_variables_initializer())
        pictures = np.arange(48, dtype=np.float32).reshape(3, 4, 4, 1) / 48
        with tf.summary.FileWriter(str(folder), graph) as writer:
            for step in range(5):
                metadata = tf.RunMetadata()
                summary, value = sess.run([merged, loss], {x: pictures}, run_metadata=metadata)
                sess.run(train, {x: pictures})
                losses.append(value)
                writer.add_summary(summary, step)
                writer.add_run_metadata(metadata, f"step {step}", step)
    return losses


def test_tensorboard_reads_what_a_run_wrote(tmp_path):
    losses = write_run(tmp_path)
    read = accumulator.EventAccumulator(str(tmp_path), size_guidance={accumulator.HISTOGRAMS: 0})
    read.Reload()
    tags = read.Tags()
    assert tags["scalars"] == ["loss"]
    assert tags["histograms"] == tags["distributions"] == ["weights"]
    assert tags["images"] == ["input/image/0", "input/image/1"]
    assert tags["tensors"] == ["note"]
    assert tags["graph"]
    assert tags["meta_graph"]
    assert tags["run_metadata"] == [f"step {step}" for step in range(5)]
    assert [(event.step, event.value) for event in read.Scalars("loss")] == list(enumerate(losses))
    histogram = read.Histograms("weights")[0].histogram_value
    assert histogram.num == 16
    assert histogram.min == -1
    assert sum(histogram.bucket) == 16
    picture = read.Images("input/image/0")[0]
    assert (picture.height, picture.width) == (4, 4)
    assert picture.encoded_image_string.startswith(b"\x89PNG")
    assert {"x", "w", "loss"} <= {node.name for node in read.Graph().node}
    assert read.Tensors("note")[0].tensor_proto.string_val[0] == b"a **note**"
