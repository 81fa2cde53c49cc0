"""Graphs and sessions: constants, placeholders of unknown size, feeds, fetches, eval, several graphs, partial runs."""

import numpy as np
import tensorflow as tf


def constants():
    a = tf.constant([1.0, 2.0], name="a")
    b = tf.constant([2.0, 3.0], name="b")
    result = tf.add(a, b, name="add")
    print(result)
    with tf.Session() as sess:
        print(sess.run(result), result.eval())
    sess = tf.InteractiveSession()
    print((a * b).eval())
    sess.close()


def placeholders():
    x = tf.placeholder(tf.float32, [None, 2], name="x")
    weights = tf.constant([[1.0], [10.0]])
    y = tf.matmul(x, weights)
    scale = tf.placeholder_with_default(1.0, [], name="scale")
    print(x.shape, y.shape, scale.shape)
    with tf.Session() as sess:
        print(sess.run(y * scale, {x: [[1, 2]]}).tolist())
        print(sess.run(y * scale, {x: np.ones([3, 2]), scale: 0.5}).tolist())
        # Any tensor can be fed, and fetches keep the form in which they were asked for.
        print(sess.run({"sum": tf.reduce_sum(y), "both": (y, "x:0")}, {y: [[1.0]], x: [[0, 0]]})["sum"])
        try:
            sess.run(y, {x: [1.0, 2.0, 3.0]})
        except ValueError as error:
            print(error)
        try:
            sess.run(y)
        except tf.errors.InvalidArgumentError as error:
            print(error.message.split("\n")[0])


def graphs():
    """Names are counted in each graph, and a session knows one graph."""
    first, second = tf.Graph(), tf.Graph()
    with first.as_default():
        tf.get_variable("v", [1], initializer=tf.zeros_initializer())
    with second.as_default():
        tf.get_variable("v", [2], initializer=tf.ones_initializer())
    for graph in (first, second):
        with tf.Session(graph=graph) as sess:
            sess.run("init" if "init" in [op.name for op in graph.get_operations()] else "v/Assign")
            print(graph is tf.get_default_graph(), sess.run("v:0").tolist(), [op.name for op in graph.get_operations()])


def partial_run():
    """Runs a part, looks at the result, then feeds the rest."""
    a, b, c = (tf.placeholder(tf.float32, [], name=name) for name in "abc")
    total = a + b
    product = total * c
    sess = tf.Session()
    handle = sess.partial_run_setup([total, product], [a, b, c])
    first = sess.partial_run(handle, total, {a: 1, b: 2})
    print(first, sess.partial_run(handle, product, {c: first}))


if __name__ == "__main__":
    for part in (constants, placeholders, graphs, partial_run):
        tf.reset_default_graph()
        part()
