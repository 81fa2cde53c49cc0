"""Trains 5 steps, saves, trains 20 more and keeps their losses: `python make.py` with TensorFlow 1.15.5's Python writes
the checkpoint and `losses.json` beside this file."""

import json
import os
import sys

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))


def batch(step):
    """The inputs and labels of a step."""
    draw = np.random.RandomState(step)
    return draw.rand(8, 6, 6, 2).astype(np.float32), draw.randint(0, 3, 8)


def build(tf):
    """A network with what travels in a checkpoint: slots, a step that the rate follows, batch norm, averages."""
    x = tf.placeholder(tf.float32, [None, 6, 6, 2], "x")
    labels = tf.placeholder(tf.int64, [None], "labels")
    draw = np.random.RandomState(0)

    def variable(name, shape):
        return tf.get_variable(name, initializer=draw.normal(scale=0.3, size=shape).astype(np.float32))

    h = tf.nn.conv2d(x, variable("filter", [3, 3, 2, 4]), [1, 1, 1, 1], "SAME")
    h = tf.nn.relu(tf.layers.batch_normalization(h, training=True, name="norm"))
    h = tf.nn.max_pool(h, [1, 2, 2, 1], [1, 2, 2, 1], "VALID")
    logits = tf.matmul(tf.reshape(h, [-1, 36]), variable("weights", [36, 3])) + variable("bias", [3])
    loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits), name="loss")
    step = tf.train.get_or_create_global_step()
    rate = tf.train.exponential_decay(0.02, step, 5, 0.9)
    variables = tf.trainable_variables()
    gradients = tf.gradients(loss, variables)
    # No variable changes before all gradients are there: what reads it must not race with its update.
    with tf.control_dependencies(gradients + tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
        pairs = list(zip(gradients, variables))
        slow = tf.train.MomentumOptimizer(rate, 0.9).apply_gradients(pairs[:3])
        fast = tf.train.AdamOptimizer(rate).apply_gradients(pairs[3:])
    with tf.control_dependencies([slow, fast]):
        advance = tf.assign_add(step, 1)
    averages = tf.train.ExponentialMovingAverage(0.9, step)
    with tf.control_dependencies([advance]):
        tf.group(averages.apply(tf.trainable_variables()), name="train")


def losses_of(sess, steps):
    """Trains; returns the loss of each step."""
    return [float(sess.run(["loss:0", "train"], dict(zip(("x:0", "labels:0"), batch(s))))[0]) for s in steps]


def first(tf, folder):
    """Trains 5 steps and saves; returns the losses of the 20 steps after."""
    with tf.Graph().as_default(), tf.Session() as sess:
        build(tf)
        saver = tf.train.Saver()
        sess.run(tf.global_variables_initializer())
        losses_of(sess, range(5))
        saver.save(sess, os.path.join(folder, "model"), global_step=5, write_state=False)
        return losses_of(sess, range(5, 25))


def go_on(tf, folder):
    """Takes up the graph and the variables of a folder; returns the losses of 20 steps."""
    with tf.Graph().as_default(), tf.Session() as sess:
        saver = tf.train.import_meta_graph(os.path.join(folder, "model-5.meta"))
        saver.restore(sess, os.path.join(folder, "model-5"))
        return losses_of(sess, range(5, 25))


if __name__ == "__main__":
    import tensorflow

    if len(sys.argv) > 1:  # the losses that go on from a folder, as JSON
        print(json.dumps(go_on(tensorflow, sys.argv[1])))
    else:
        with open(os.path.join(HERE, "losses.json"), "w") as file:
            json.dump(first(tensorflow, HERE), file)
            file.write("\n")
