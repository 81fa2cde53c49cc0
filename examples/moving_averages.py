"""Moving averages: shadow variables, what `num_updates` changes, and loading averages in the place of the weights."""

import os
import tempfile

import tensorflow as tf


def shadows():
    """A shadow follows its variable slowly; with `num_updates` it follows faster at first."""
    weight = tf.Variable(0.0, name="weight")
    step = tf.Variable(0, trainable=False, name="step")
    slow = tf.train.ExponentialMovingAverage(0.99, name="slow")
    eager = tf.train.ExponentialMovingAverage(0.99, num_updates=step, name="eager")
    follow = tf.group(slow.apply([weight]), eager.apply([weight]))
    print("shadow variables:", slow.average_name(weight), eager.average_name(weight))
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for at, value in [(0, 5.0), (10, 5.0), (1000, 10.0), (10000, 10.0)]:
            sess.run([weight.assign(value), step.assign(at)])
            sess.run(follow)
            raw, shadow, quick = sess.run([weight, slow.average(weight), eager.average(weight)])
            print(
                "step %5d: weight %.2f, decay 0.99 %.5f, decay min(0.99, (1+s)/(10+s)) %.5f" % (at, raw, shadow, quick)
            )


def averages_of_tensors():
    """A tensor's shadow begins at zero; `zero_debias` takes that start out again."""
    number = tf.placeholder(tf.float32, [], name="number")
    plain = tf.train.ExponentialMovingAverage(0.9, name="plain")
    debiased = tf.train.ExponentialMovingAverage(0.9, zero_debias=True, name="debiased")
    follow = tf.group(plain.apply([number]), debiased.apply([number]))
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for value in (4.0, 4.0, 6.0):
            sess.run(follow, {number: value})
            print(
                "saw %.1f: plain %.4f, debiased %.4f"
                % (value, *sess.run([plain.average(number), debiased.average(number)]))
            )


def restore_averages(folder):
    """What a training program saved under a shadow's name, an evaluating program loads into the variable itself."""
    path = os.path.join(folder, "model.ckpt")
    weight = tf.Variable(1.0, name="weight")
    average = tf.train.ExponentialMovingAverage(0.5)
    follow = average.apply([weight])
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        sess.run(weight.assign(3.0))
        sess.run(follow)
        tf.train.Saver().save(sess, path)

    tf.reset_default_graph()
    weight = tf.Variable(0.0, name="weight")
    names = tf.train.ExponentialMovingAverage(0.5).variables_to_restore()
    print("to restore:", {key: variable.name for key, variable in names.items()})
    with tf.Session() as sess:
        tf.train.Saver().restore(sess, path)
        print("raw weight %.2f" % sess.run(weight))
        tf.train.Saver(names).restore(sess, path)
        print("averaged weight %.2f" % sess.run(weight))


if __name__ == "__main__":
    shadows()
    tf.reset_default_graph()
    averages_of_tensors()
    tf.reset_default_graph()
    restore_averages(tempfile.mkdtemp())
