"""Order: a graph runs what a fetch needs and no more, in any order but for what control dependencies say."""

import tensorflow as tf


def forgotten_update():
    """An assignment that nothing asks for does not run."""
    x = tf.Variable(1.0)
    x.assign_add(10.0)
    y = x * 2
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        print("no dependency:", sess.run(y))


def update_first():
    """Only ops made inside the block wait, so the value is read there, by tf.identity or another op."""
    x = tf.Variable(1.0)
    update = x.assign_add(10.0)
    doubled = x * 2  # made outside of the block: reads the variable when it pleases
    with tf.control_dependencies([update]):
        inside = tf.identity(x)
    print("waits for:", [op.name for op in inside.op.control_inputs], [op.name for op in doubled.op.control_inputs])
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        print("identity inside:", sess.run(inside), sess.run(inside))


def train_and_average():
    """One fetch that runs the training step and then the moving average, by no_op or by group."""
    w = tf.Variable(4.0)
    step = tf.train.GradientDescentOptimizer(0.25).minimize(tf.square(w))
    average = tf.train.ExponentialMovingAverage(0.5)
    with tf.control_dependencies([step]):
        follow = average.apply([w])
    with tf.control_dependencies([step, follow]):
        both = tf.no_op(name="train")
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for _ in range(3):
            sess.run(both)
            print("w = %.3f, average %.3f" % tuple(sess.run([w, average.average(w)])))
    print(both.type, [op.name for op in both.control_inputs])
    print(tf.group(step, follow).type, tf.tuple([tf.constant(1), tf.constant(2)])[0].op.type)


def checks():
    """An assertion is an op too: something has to depend on it."""
    x = tf.placeholder(tf.float32, [])
    with tf.control_dependencies([tf.assert_positive(x, message="x is below zero")]):
        root = tf.sqrt(x)
    with tf.Session() as sess:
        print("sqrt(9) =", sess.run(root, {x: 9.0}))
        try:
            sess.run(root, {x: -1.0})
        except tf.errors.InvalidArgumentError as error:
            print("InvalidArgumentError:", "x is below zero" in error.message)


if __name__ == "__main__":
    for part in (forgotten_update, update_first, train_and_average, checks):
        tf.reset_default_graph()
        part()
