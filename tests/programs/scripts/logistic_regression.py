"""Softmax regression with the cross entropy written out."""

import numpy as np
import tensorflow as tf


def digits(n=64, side=8, classes=4, seed=3):
    r = np.random.RandomState(seed)
    y = r.randint(0, classes, n)
    x = r.rand(n, side * side).astype("f") * 0.3
    for i, c in enumerate(y):
        x[i].reshape(side, side)[:, c * (side // classes)] += 0.7
    return x, y


xs, ys = digits()
oh = np.eye(4)[ys]
tf.set_random_seed(1)
x = tf.placeholder(tf.float32, [None, 64])
y = tf.placeholder(tf.float32, [None, 4])
W = tf.Variable(tf.zeros([64, 4]))
b = tf.Variable(tf.zeros([4]))
pred = tf.nn.softmax(tf.matmul(x, W) + b)
cost = tf.reduce_mean(-tf.reduce_sum(y * tf.log(pred), reduction_indices=1))
opt = tf.train.GradientDescentOptimizer(0.1).minimize(cost)
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for e in range(10):
        avg = 0.0
        for i in range(4):
            _, c = sess.run([opt, cost], feed_dict={x: xs[i * 16 : i * 16 + 16], y: oh[i * 16 : i * 16 + 16]})
            avg += c / 4
        print("Epoch", e + 1, "cost=%.6f" % avg)
    correct = tf.equal(tf.argmax(pred, 1), tf.argmax(y, 1))
    accuracy = tf.reduce_mean(tf.cast(correct, tf.float32))
    print("Accuracy:", accuracy.eval({x: xs, y: oh}))
