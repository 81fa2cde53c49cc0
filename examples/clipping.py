"""Gradients between compute_gradients and apply_gradients: clipped by value, by norm, all together, or looked at."""

import numpy as np
import tensorflow as tf

POINTS = np.array([[1.0, 2.0], [3.0, -4.0]], np.float32)


def build():
    weights = tf.get_variable("weights", [2, 2], initializer=tf.constant_initializer([[1.0, -2.0], [3.0, 0.5]]))
    bias = tf.get_variable("bias", [2], initializer=tf.zeros_initializer())
    return tf.reduce_sum(tf.square(tf.matmul(POINTS, weights) + bias)), [weights, bias]


def none(pairs):
    return pairs


def by_value(pairs):
    return [(tf.clip_by_value(gradient, -5.0, 5.0), variable) for gradient, variable in pairs]


def by_norm(pairs):
    return [(tf.clip_by_norm(gradient, 5.0), variable) for gradient, variable in pairs]


def by_average_norm(pairs):
    return [(tf.clip_by_average_norm(gradient, 5.0), variable) for gradient, variable in pairs]


def by_global_norm(pairs):
    gradients, variables = zip(*pairs)
    clipped, _ = tf.clip_by_global_norm(gradients, 5.0)
    return list(zip(clipped, variables))


if __name__ == "__main__":
    for clip in (none, by_value, by_norm, by_average_norm, by_global_norm):
        tf.reset_default_graph()
        loss, variables = build()
        optimizer = tf.train.GradientDescentOptimizer(0.01)
        pairs = clip(optimizer.compute_gradients(loss, var_list=variables))
        norm = tf.global_norm([gradient for gradient, _ in pairs])
        train = optimizer.apply_gradients(pairs)
        with tf.Session() as sess:
            sess.run(tf.global_variables_initializer())
            losses = []
            for _ in range(3):
                losses.append(sess.run(loss))
                length = sess.run(norm)
                sess.run(train)
        print(
            "%-16s losses %s, last gradients' norm %.3f" % (clip.__name__, " ".join("%.3f" % x for x in losses), length)
        )

    # A function whose gradient is of the program's own making: 1 where hinge(x) stops, so that x can come back.
    @tf.custom_gradient
    def hinge(x):
        return tf.clip_by_value(x, -1.0, 1.0), lambda dy: dy

    x = tf.constant([-3.0, 0.5, 3.0])
    with tf.Session() as sess:
        plain = tf.gradients(tf.clip_by_value(x, -1.0, 1.0), x)[0]
        print("gradient of a clipped value:", sess.run(plain).tolist())
        print("gradient of hinge:          ", sess.run(tf.gradients(hinge(x), x)[0]).tolist())
