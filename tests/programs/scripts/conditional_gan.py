"""Labels beside the noise, AUTO_REUSE, smooth labels."""

import numpy as np
import tensorflow as tf


def digits(n=64, side=8, classes=4, seed=3):
    r = np.random.RandomState(seed)
    y = r.randint(0, classes, n)
    x = r.rand(n, side * side).astype("f") * 0.3
    for i, c in enumerate(y):
        x[i].reshape(side, side)[:, c * (side // classes)] += 0.7
    return x, y


tf.set_random_seed(8)
xs, ys = digits(8)
X = tf.placeholder(tf.float32, [8, 64])
y = tf.placeholder(tf.float32, [None, 4])
Z = tf.placeholder(tf.float32, [None, 6])


def dense(x, n, name, reuse=tf.AUTO_REUSE):
    with tf.variable_scope(name, reuse=reuse):
        w = tf.get_variable("w", [x.get_shape()[1], n], initializer=tf.contrib.layers.xavier_initializer())
        b = tf.get_variable("b", [n], initializer=tf.constant_initializer(0.0))
        return tf.nn.xw_plus_b(x, w, b)


g = tf.sigmoid(dense(tf.nn.relu(dense(tf.concat(axis=1, values=[Z, y]), 16, "g1")), 64, "g2"))


def disc(x):
    return dense(tf.nn.relu(dense(tf.concat([x, y], 1), 16, "d1")), 1, "d2")


lr, lf = disc(X + tf.random_normal(shape=tf.shape(X), mean=0.0, stddev=0.1)), disc(g)
dl = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(logits=lr, labels=tf.ones_like(lr) * 0.9)) + tf.reduce_mean(
    tf.nn.sigmoid_cross_entropy_with_logits(logits=lf, labels=tf.zeros_like(lf))
)
gl = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(logits=lf, labels=tf.ones_like(lf)))
t = tf.trainable_variables()
do = tf.train.AdamOptimizer(1e-3, 0.5).minimize(dl, var_list=[v for v in t if "d" in v.name.split("/")[0]])
go = tf.train.AdamOptimizer(1e-3, 0.5).minimize(gl, var_list=[v for v in t if v.name.startswith("g")])
config = tf.ConfigProto()
config.gpu_options.allow_growth = True
with tf.Session(config=config) as sess:
    sess.run(tf.global_variables_initializer())
    zz = np.random.RandomState(0).randn(8, 6)
    for i in range(3):
        print(sess.run([dl, do, gl, go], {X: xs, y: np.eye(4)[ys], Z: zz})[::2])
