"""Trains a digit classifier: L2 regularisation, decaying learning rate, moving averages, summaries, checkpoints."""

import os

import mnist_inference
import tensorflow as tf
from tensorflow.examples.tutorials.mnist import input_data

flags = tf.app.flags
flags.DEFINE_string("data", "data", "folder with MNIST's four IDX files")
flags.DEFINE_string("logs", "logs", "folder for checkpoints and summaries")
flags.DEFINE_integer("steps", 3000, "training steps")
flags.DEFINE_integer("batch", 100, "images a step")
FLAGS = flags.FLAGS

RATE, RATE_DECAY, REGULARIZATION, MOVING_AVERAGE_DECAY = 0.8, 0.99, 0.0001, 0.99


def train(mnist):
    x = tf.placeholder(tf.float32, [None, mnist.train.images.shape[1]], name="x-input")
    y = tf.placeholder(tf.int64, [None], name="y-input")
    logits = mnist_inference.inference(x, lambda w: tf.multiply(tf.nn.l2_loss(w), REGULARIZATION))
    global_step = tf.Variable(0, trainable=False, name="global_step")

    averages = tf.train.ExponentialMovingAverage(MOVING_AVERAGE_DECAY, global_step)
    averages_op = averages.apply(tf.trainable_variables())
    entropy = tf.nn.sparse_softmax_cross_entropy_with_logits(logits=logits, labels=y)
    loss = tf.reduce_mean(entropy) + tf.add_n(tf.get_collection("losses"))
    rate = tf.train.exponential_decay(RATE, global_step, mnist.train.num_examples / FLAGS.batch, RATE_DECAY)
    step = tf.train.GradientDescentOptimizer(rate).minimize(loss, global_step=global_step)
    with tf.control_dependencies([step, averages_op]):
        train_op = tf.no_op(name="train")

    tf.summary.scalar("loss", loss)
    tf.summary.scalar("learning_rate", rate)
    for variable in tf.trainable_variables():
        tf.summary.histogram(variable.op.name, variable)
    summaries = tf.summary.merge_all()
    saver = tf.train.Saver()
    with tf.Session() as sess:
        writer = tf.summary.FileWriter(FLAGS.logs, sess.graph)
        sess.run(tf.global_variables_initializer())
        for i in range(1, FLAGS.steps + 1):
            images, labels = mnist.train.next_batch(FLAGS.batch)
            feed = {x: images, y: labels}
            if i % 100 and i < FLAGS.steps:
                sess.run(train_op, feed_dict=feed)
                continue
            _, value, at, summary = sess.run([train_op, loss, global_step, summaries], feed_dict=feed)
            writer.add_summary(summary, at)
            if i % 500 == 0 or i == FLAGS.steps:
                print("After %d training steps, loss on a training batch is %g." % (i, value), flush=True)
                saver.save(sess, os.path.join(FLAGS.logs, "model.ckpt"), global_step=global_step)
        writer.close()


def main(_):
    tf.set_random_seed(1)
    train(input_data.read_data_sets(FLAGS.data, validation_size=0, seed=1))


if __name__ == "__main__":
    tf.app.run()
