"""An image row by row through an LSTM."""

import numpy as np
import tensorflow as tf


def digits(n=64, side=8, classes=4, seed=3):
    r = np.random.RandomState(seed)
    y = r.randint(0, classes, n)
    x = r.rand(n, side * side).astype("f") * 0.3
    for i, c in enumerate(y):
        x[i].reshape(side, side)[:, c * (side // classes)] += 0.7
    return x, y


from tensorflow.contrib import rnn

tf.set_random_seed(3)
xs, ys = digits(16)
X = tf.placeholder("float", [None, 8, 8])
Y = tf.placeholder("float", [None, 4])
weights = {"out": tf.Variable(tf.random_normal([16, 4]))}
biases = {"out": tf.Variable(tf.random_normal([4]))}


def RNN(x, weights, biases):
    x = tf.unstack(x, 8, 1)
    lstm_cell = rnn.BasicLSTMCell(16, forget_bias=1.0)
    outputs, states = rnn.static_rnn(lstm_cell, x, dtype=tf.float32)
    return tf.matmul(outputs[-1], weights["out"]) + biases["out"]


logits = RNN(X, weights, biases)
loss_op = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(logits=logits, labels=Y))
train_op = tf.train.GradientDescentOptimizer(0.1).minimize(loss_op)
with tf.Session() as s:
    s.run(tf.global_variables_initializer())
    for i in range(3):
        print(s.run([loss_op, train_op], {X: xs.reshape(16, 8, 8), Y: np.eye(4)[ys]})[0])
