"""Summaries of every kind for TensorBoard: scalars, histograms, images, audio, text, the graph and where time went."""

import argparse
import collections
import os
import tempfile

import numpy as np
import tensorflow as tf


def variable_summaries(variable):
    with tf.name_scope("summaries"):
        mean = tf.reduce_mean(variable)
        tf.summary.scalar("mean", mean)
        tf.summary.scalar("stddev", tf.sqrt(tf.reduce_mean(tf.square(variable - mean))))
        tf.summary.histogram("histogram", variable)


def layer(inputs, size, name, activation=tf.identity):
    with tf.name_scope(name):
        with tf.name_scope("weights"):
            shape = [inputs.get_shape().as_list()[1], size]
            weights = tf.Variable(tf.truncated_normal(shape, stddev=0.1, seed=1), name="weights")
            variable_summaries(weights)
        with tf.name_scope("biases"):
            biases = tf.Variable(tf.constant(0.1, shape=[size]), name="biases")
            variable_summaries(biases)
        outputs = activation(tf.matmul(inputs, weights) + biases, name="activation")
        tf.summary.histogram("activations", outputs)
        return outputs


def main(folder, steps):
    random = np.random.RandomState(0)
    pictures = random.rand(32, 64).astype(np.float32)
    brightest = pictures.reshape(32, 4, 16).sum(2).argmax(1)
    with tf.name_scope("input"):
        x = tf.placeholder(tf.float32, [None, 64], name="x")
        y = tf.placeholder(tf.int64, [None], name="y")
        tf.summary.image("pictures", tf.reshape(x, [-1, 8, 8, 1]), max_outputs=3)
    logits = layer(layer(x, 16, "hidden", tf.nn.relu), 4, "output")
    with tf.name_scope("loss"):
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits))
    tf.summary.scalar("loss", loss)
    step = tf.train.get_or_create_global_step()
    with tf.name_scope("train"):
        train = tf.train.AdamOptimizer(0.01).minimize(loss, global_step=step)
    merged = tf.summary.merge_all()
    once = tf.summary.merge(
        [
            tf.summary.text("notes", tf.constant("Which quarter of the picture is *brightest*?"), collections=[]),
            tf.summary.audio("tone", tf.sin(tf.linspace(0.0, 440.0, 8000))[tf.newaxis], 8000, collections=[]),
        ]
    )

    with tf.Session() as sess, tf.summary.FileWriter(folder, sess.graph) as writer:
        sess.run(tf.global_variables_initializer())
        writer.add_summary(sess.run(once), 0)
        for i in range(1, steps + 1):
            _, summary, value = sess.run([train, merged, loss], {x: pictures, y: brightest})
            writer.add_summary(summary, i)
        options = tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE)
        metadata = tf.RunMetadata()
        sess.run(train, {x: pictures, y: brightest}, options=options, run_metadata=metadata)
        writer.add_run_metadata(metadata, "step %d" % steps)
        # A summary needs no op: any number can be written.
        writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag="by hand", simple_value=float(value))]), steps)
        print("loss after %d steps: %.4f" % (steps, value))


def read(folder):
    """Counts what the file holds, as `tf.train.summary_iterator` reads it."""
    (name,) = [name for name in os.listdir(folder) if "tfevents" in name]
    kinds = collections.Counter()
    for event in tf.train.summary_iterator(os.path.join(folder, name)):
        kinds[event.WhichOneof("what")] += 1
        for value in event.summary.value:
            kinds[value.WhichOneof("value")] += 1
    for kind, count in sorted(kinds.items()):
        print("  %-20s %d" % (kind, count))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--logs", default=None)
    logs = parser.parse_args().logs or tempfile.mkdtemp()
    main(logs, 20)
    read(logs)
