"""One set of filters for two pictures: a dict, get_variable in scopes, AUTO_REUSE, tf.layers, tf.make_template."""

import numpy as np
import tensorflow as tf


def filter_without_sharing(image):
    """Makes new variables at each call."""
    kernel = tf.Variable(tf.random_normal([3, 3, 1, 4]), name="kernel")
    bias = tf.Variable(tf.zeros([4]), name="bias")
    return tf.nn.relu(tf.nn.conv2d(image, kernel, [1, 1, 1, 1], "SAME") + bias)


def filter_with_dict(image, variables):
    """Shares what the caller made."""
    return tf.nn.relu(tf.nn.conv2d(image, variables["kernel"], [1, 1, 1, 1], "SAME") + variables["bias"])


def filter_with_get_variable(image):
    """Shares when the scope around it says so."""
    kernel = tf.get_variable("kernel", [3, 3, 1, 4], initializer=tf.random_normal_initializer())
    bias = tf.get_variable("bias", [4], initializer=tf.constant_initializer(0.0))
    return tf.nn.relu(tf.nn.conv2d(image, kernel, [1, 1, 1, 1], "SAME") + bias)


def variables_of(make):
    """The names of the variables that `make(first, second)` adds, and whether both results agree."""
    tf.reset_default_graph()
    tf.set_random_seed(0)
    picture = np.random.RandomState(0).rand(1, 6, 6, 1).astype(np.float32)
    first, second = make(tf.constant(picture), tf.constant(picture))
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        one, other = sess.run([first, second])
    return [variable.name for variable in tf.global_variables()], bool(np.array_equal(one, other))


def by_dict(first, second):
    shared = {
        "kernel": tf.Variable(tf.random_normal([3, 3, 1, 4]), name="kernel"),
        "bias": tf.Variable(tf.zeros([4]), name="bias"),
    }
    return filter_with_dict(first, shared), filter_with_dict(second, shared)


def by_reuse(first, second):
    with tf.variable_scope("filters") as scope:
        one = filter_with_get_variable(first)
        scope.reuse_variables()
        return one, filter_with_get_variable(second)


def by_auto_reuse(first, second):
    results = []
    for image in (first, second):
        with tf.variable_scope("filters", reuse=tf.AUTO_REUSE):
            results.append(filter_with_get_variable(image))
    return results


def by_layers(first, second):
    return (
        tf.layers.conv2d(first, 4, 3, padding="same", name="filters"),
        tf.layers.conv2d(second, 4, 3, padding="same", name="filters", reuse=True),
    )


def by_template(first, second):
    shared = tf.make_template("filters", filter_with_get_variable)
    return shared(first), shared(second)


if __name__ == "__main__":
    ways = [
        ("nothing shared", lambda a, b: (filter_without_sharing(a), filter_without_sharing(b))),
        ("a dict", by_dict),
        ("reuse_variables", by_reuse),
        ("AUTO_REUSE", by_auto_reuse),
        ("tf.layers", by_layers),
        ("make_template", by_template),
    ]
    for name, way in ways:
        print("%-16s %s, equal results: %s" % (name, *variables_of(way)))
    try:
        tf.get_variable("filters/kernel", [3, 3, 1, 4])
    except ValueError as error:
        print("again without reuse:", str(error).split(".")[0])
    with tf.variable_scope("elsewhere", reuse=True):
        try:
            tf.get_variable("kernel", [3, 3, 1, 4])
        except ValueError as error:
            print("reuse of nothing:", str(error).split(",")[0])
