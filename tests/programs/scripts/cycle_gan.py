"""Instance norm, reflected edges, residual blocks, a cycle loss."""

import numpy as np
import tensorflow as tf


def digits(n=64, side=8, classes=4, seed=3):
    r = np.random.RandomState(seed)
    y = r.randint(0, classes, n)
    x = r.rand(n, side * side).astype("f") * 0.3
    for i, c in enumerate(y):
        x[i].reshape(side, side)[:, c * (side // classes)] += 0.7
    return x, y


tf.set_random_seed(3)
xs, ys = digits(2)


def instance_norm(input, name="instance_norm"):
    with tf.variable_scope(name):
        depth = input.get_shape()[3]
        scale = tf.get_variable("scale", [depth], initializer=tf.random_normal_initializer(1.0, 0.02, dtype=tf.float32))
        offset = tf.get_variable("offset", [depth], initializer=tf.constant_initializer(0.0))
        mean, variance = tf.nn.moments(input, axes=[1, 2], keep_dims=True)
        inv = tf.rsqrt(variance + 1e-5)
        return scale * (input - mean) * inv + offset


def residule_block(x, dim, ks=3, s=1, name="res"):
    p = int((ks - 1) / 2)
    y = tf.pad(x, [[0, 0], [p, p], [p, p], [0, 0]], "REFLECT")
    y = instance_norm(
        tf.contrib.layers.conv2d(
            y,
            dim,
            ks,
            s,
            padding="VALID",
            activation_fn=None,
            weights_initializer=tf.truncated_normal_initializer(stddev=0.02),
            biases_initializer=None,
            scope=name + "_c1",
        ),
        name + "_bn1",
    )
    return y + x


def G(x, reuse, name):
    with tf.variable_scope(name):
        if reuse:
            tf.get_variable_scope().reuse_variables()
        else:
            assert tf.get_variable_scope().reuse is False
        h = tf.nn.relu(instance_norm(tf.layers.conv2d(x, 4, 3, padding="same", name="c")))
        h = residule_block(h, 4, name="g_r1")
        h = tf.image.resize_images(h, [16, 16], method=tf.image.ResizeMethod.NEAREST_NEIGHBOR)
        h = tf.nn.avg_pool(h, [1, 2, 2, 1], [1, 2, 2, 1], "SAME")
        return tf.tanh(tf.layers.conv2d(h, 1, 3, padding="same", name="d"))


A = tf.constant(xs.reshape(-1, 8, 8, 1))
B = 1 - A
fB = G(A, False, "GAB")
fA_ = G(fB, False, "GBA")
fA = G(B, True, "GBA")
fB_ = G(fA, True, "GAB")
loss = (
    10.0 * tf.reduce_mean(tf.abs(A - fA_))
    + 10.0 * tf.reduce_mean(tf.abs(B - fB_))
    + tf.reduce_mean((fB - tf.ones_like(fB)) ** 2)
)
lr = tf.placeholder(tf.float32, None, name="learning_rate")
op = tf.train.AdamOptimizer(lr, beta1=0.5).minimize(
    loss, var_list=[v for v in tf.trainable_variables() if "G" in v.name]
)
with tf.Session() as s:
    s.run(tf.global_variables_initializer())
    for i in range(3):
        print(s.run([loss, op], {lr: 0.01})[0])
    print([v.name for v in tf.trainable_variables()])
