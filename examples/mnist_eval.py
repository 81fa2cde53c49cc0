"""Evaluates the newest checkpoint of mnist_train.py, with the weights as they are and with their moving averages."""

import mnist_inference
import tensorflow as tf
from tensorflow.examples.tutorials.mnist import input_data

flags = tf.app.flags
flags.DEFINE_string("data", "data", "folder with MNIST's four IDX files")
flags.DEFINE_string("logs", "logs", "folder with the checkpoints")
FLAGS = flags.FLAGS

MOVING_AVERAGE_DECAY = 0.99


def accuracy_of(saver, accuracy, feed):
    state = tf.train.get_checkpoint_state(FLAGS.logs)
    if not (state and state.model_checkpoint_path):
        raise SystemExit("No checkpoint found in %s; run mnist_train.py first." % FLAGS.logs)
    with tf.Session() as sess:
        saver.restore(sess, state.model_checkpoint_path)
        step = state.model_checkpoint_path.split("/")[-1].split("-")[-1]
        return step, sess.run(accuracy, feed_dict=feed)


def main(_):
    mnist = input_data.read_data_sets(FLAGS.data, validation_size=0)
    x = tf.placeholder(tf.float32, [None, mnist.test.images.shape[1]], name="x-input")
    y = tf.placeholder(tf.int64, [None], name="y-input")
    logits = mnist_inference.inference(x)
    accuracy = tf.reduce_mean(tf.cast(tf.equal(tf.argmax(logits, 1), y), tf.float32))
    feed = {x: mnist.test.images, y: mnist.test.labels}

    averages = tf.train.ExponentialMovingAverage(MOVING_AVERAGE_DECAY)
    for kind, saver in [
        ("raw", tf.train.Saver()),
        ("averaged", tf.train.Saver(averages.variables_to_restore())),
    ]:
        step, value = accuracy_of(saver, accuracy, feed)
        print("After %s training steps, test accuracy with %s weights = %.4f" % (step, kind, value), flush=True)


if __name__ == "__main__":
    tf.app.run()
