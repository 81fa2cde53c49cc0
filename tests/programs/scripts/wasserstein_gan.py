"""Gradient penalty (a gradient of a gradient) and clipped weights."""

import numpy as np
import tensorflow as tf

tf.set_random_seed(4)
x = tf.placeholder(tf.float32, [None, 8])
z = tf.random_normal([16, 4])


def D(x, reuse=None):
    with tf.variable_scope("D", reuse=reuse):
        h = tf.layers.dense(x, 16, activation=tf.nn.leaky_relu)
        return tf.layers.dense(h, 1)


def G(z):
    with tf.variable_scope("G"):
        return tf.layers.dense(tf.layers.dense(z, 16, tf.nn.elu), 8, tf.nn.tanh)


fake = G(z)
eps = tf.random_uniform([16, 1], 0.0, 1.0)
hat = eps * x + (1 - eps) * fake
d_real, d_fake = D(x), D(fake, True)
grad = tf.gradients(D(hat, True), [hat])[0]
slopes = tf.sqrt(tf.reduce_sum(tf.square(grad), axis=1))
gp = tf.reduce_mean((slopes - 1.0) ** 2)
d_loss = tf.reduce_mean(d_fake) - tf.reduce_mean(d_real) + 10 * gp
g_loss = -tf.reduce_mean(d_fake)
dv = tf.get_collection(tf.GraphKeys.TRAINABLE_VARIABLES, scope="D")
gv = tf.get_collection(tf.GraphKeys.TRAINABLE_VARIABLES, scope="G")
dop = tf.train.RMSPropOptimizer(5e-5).minimize(d_loss, var_list=dv)
gop = tf.train.RMSPropOptimizer(5e-5).minimize(g_loss, var_list=gv)
clip_D = [p.assign(tf.clip_by_value(p, -0.01, 0.01)) for p in dv]
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    X = np.random.RandomState(1).randn(16, 8)
    for i in range(4):
        a, _ = sess.run([d_loss, dop], {x: X})
        b, _ = sess.run([g_loss, gop])
        print(a, b)
    sess.run(clip_D)
    print(sess.run(d_loss, {x: X}), gp.eval({x: X}))
