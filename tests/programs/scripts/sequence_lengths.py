"""Sequences of different lengths; each one's last output is gathered."""

import numpy as np
import tensorflow as tf

tf.set_random_seed(3)
r = np.random.RandomState(0)
x = tf.placeholder("float", [None, 6, 1])
seqlen = tf.placeholder(tf.int32, [None])
w = tf.Variable(tf.random_normal([8, 2]))
xx = tf.unstack(x, 6, 1)
cell = tf.contrib.rnn.BasicLSTMCell(8)
outputs, states = tf.contrib.rnn.static_rnn(cell, xx, dtype=tf.float32, sequence_length=seqlen)
outputs = tf.transpose(tf.stack(outputs), [1, 0, 2])
bs = tf.shape(outputs)[0]
index = tf.range(0, bs) * 6 + (seqlen - 1)
outputs = tf.gather(tf.reshape(outputs, [-1, 8]), index)
pred = tf.matmul(outputs, w)
with tf.Session() as s:
    s.run(tf.global_variables_initializer())
    print(s.run(pred, {x: r.rand(3, 6, 1), seqlen: [2, 6, 4]}))
