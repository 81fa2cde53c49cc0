"""tf.train.Supervisor: it initializes or restores, saves now and then, writes summaries, and stops the loop."""

import argparse
import tempfile

import numpy as np
import tensorflow as tf

TRUE_WEIGHTS = np.array([[2.0], [-1.0], [0.5]], np.float32)


def build(examples):
    """A linear model fitted to made data; returns the training op, the loss and the step."""
    points = np.random.RandomState(1).rand(examples, 3).astype(np.float32)
    weights = tf.get_variable("weights", [3, 1], initializer=tf.zeros_initializer())
    loss = tf.reduce_mean(tf.square(tf.matmul(points, weights) - points.dot(TRUE_WEIGHTS)), name="loss")
    step = tf.train.get_or_create_global_step()
    train = tf.train.GradientDescentOptimizer(0.5).minimize(loss, global_step=step)
    tf.summary.scalar("loss", loss)
    return train, loss, step, weights


def run(logdir, steps):
    """Trains up to `steps` steps in all, going on from the newest checkpoint in `logdir`."""
    tf.reset_default_graph()
    train, loss, step, weights = build(64)
    # The supervisor makes its own Saver and initializer, so it comes after the rest of the graph, and ends its changes.
    supervisor = tf.train.Supervisor(logdir=logdir, global_step=step, save_model_secs=600, save_summaries_secs=600)
    with supervisor.managed_session() as sess:
        print("began at step %d, loss %.5f" % tuple(sess.run([step, loss])))
        while not supervisor.should_stop():
            _, at = sess.run([train, step])
            if at >= steps:
                supervisor.request_stop()
        print("ended at step %d, loss %.5f" % tuple(sess.run([step, loss])))
        supervisor.saver.save(sess, supervisor.save_path, global_step=step)
        return sess.run(weights).ravel()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--logs", default=None)
    folder = parser.parse_args().logs or tempfile.mkdtemp()
    tf.logging.set_verbosity(tf.logging.ERROR)
    run(folder, 50)
    found = run(folder, 200)  # the second run finds the first one's checkpoint
    print("checkpoint:", tf.train.latest_checkpoint(folder).split("/")[-1])
    print("weights:", " ".join("%.3f" % value for value in found))
