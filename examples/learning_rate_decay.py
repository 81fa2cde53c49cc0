"""Learning rates that fall with the step: every schedule of tf.train beside the others, then one in training."""

import tensorflow as tf


def table():
    step = tf.placeholder(tf.int32, [], name="step")
    rates = [
        ("exponential", tf.train.exponential_decay(0.1, step, 10, 0.5)),
        ("staircase", tf.train.exponential_decay(0.1, step, 10, 0.5, staircase=True)),
        ("natural exp", tf.train.natural_exp_decay(0.1, step, 10, 0.5)),
        ("inverse time", tf.train.inverse_time_decay(0.1, step, 10, 0.5)),
        ("polynomial", tf.train.polynomial_decay(0.1, step, 30, 0.01, power=2.0)),
        ("piecewise", tf.train.piecewise_constant(step, [5, 15], [0.1, 0.05, 0.01])),
        ("cosine", tf.train.cosine_decay(0.1, step, 30)),
        ("restarts", tf.train.cosine_decay_restarts(0.1, step, 8)),
        ("linear cosine", tf.train.linear_cosine_decay(0.1, step, 30)),
    ]
    with tf.Session() as sess:
        print("%-14s" % "step", "".join("%9d" % at for at in range(0, 31, 5)))
        columns = [sess.run([rate for _, rate in rates], {step: at}) for at in range(0, 31, 5)]
        for row, (name, _) in enumerate(rates):
            print("%-14s" % name, "".join("%9.5f" % column[row] for column in columns))


def train():
    """`minimize(global_step=...)` counts, the rate follows the count."""
    step = tf.Variable(0, trainable=False, name="global_step")
    rate = tf.train.exponential_decay(0.2, step, decay_steps=5, decay_rate=0.5, staircase=True)
    x = tf.Variable(5.0)
    train = tf.train.GradientDescentOptimizer(rate).minimize(tf.square(x), global_step=step)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for _ in range(12):
            at, now, value = sess.run([step, rate, x])
            sess.run(train)
            if at % 3 == 0:
                print("step %2d: rate %.3f, x = %.5f" % (at, now, value))


if __name__ == "__main__":
    table()
    tf.reset_default_graph()
    train()
