"""Saver: numbered checkpoints, how many are kept, a part of the variables, other names, what a file holds."""

import argparse
import os
import tempfile

import tensorflow as tf


def build():
    step = tf.Variable(0, trainable=False, name="step")
    weights = tf.get_variable("layer/weights", [2, 2], initializer=tf.constant_initializer(1.0))
    biases = tf.get_variable("layer/biases", [2], initializer=tf.zeros_initializer())
    grow = tf.group(weights.assign_add(tf.ones([2, 2])), biases.assign_add([1.0, 2.0]), step.assign_add(1))
    return step, weights, biases, grow


def save(folder):
    step, _, biases, grow = build()
    saver = tf.train.Saver(max_to_keep=2)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for _ in range(4):
            sess.run(grow)
            path = saver.save(sess, os.path.join(folder, "model.ckpt"), global_step=step)
        print("saved", os.path.basename(path))
        # A Saver of some variables, under names of the program's choice, with a state file of its own.
        tf.train.Saver({"b": biases}).save(sess, os.path.join(folder, "part.ckpt"), latest_filename="part")
    print("kept:", [os.path.basename(path) for path in saver.last_checkpoints])
    print("files:", sorted(name for name in os.listdir(folder) if name.endswith(".index")))


def restore(folder):
    step, weights, biases, _ = build()
    saver = tf.train.Saver()
    with tf.Session() as sess:
        state = tf.train.get_checkpoint_state(folder)
        saver.restore(sess, state.model_checkpoint_path)
        print(
            "step %d: weights %s, biases %s" % (sess.run(step), sess.run(weights).tolist(), sess.run(biases).tolist())
        )
        saver.restore(sess, state.all_model_checkpoint_paths[0])
        print("step %d: weights %s" % (sess.run(step), sess.run(weights).tolist()))
        sess.run(biases.initializer)
        tf.train.Saver({"b": biases}).restore(sess, tf.train.latest_checkpoint(folder, latest_filename="part"))
        print("biases from the partial file: %s" % sess.run(biases).tolist())


def look(folder):
    path = tf.train.latest_checkpoint(folder)
    for name, shape in tf.train.list_variables(path):
        print("  %s %s = %s" % (name, shape, tf.train.load_variable(path, name).tolist()))


def mistakes(folder):
    tf.get_variable("unknown", [1])
    with tf.Session() as sess:
        try:
            tf.train.Saver().restore(sess, tf.train.latest_checkpoint(folder))
        except tf.errors.NotFoundError:
            print("NotFoundError: the checkpoint has no such key")
        try:
            tf.train.Saver().restore(sess, os.path.join(folder, "absent.ckpt"))
        except ValueError:
            print("ValueError: no checkpoint of that name")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", default=None)
    where = parser.parse_args().folder or tempfile.mkdtemp()
    for part in (save, restore, look, mistakes):
        tf.reset_default_graph()
        print(part.__name__)
        part(where)
