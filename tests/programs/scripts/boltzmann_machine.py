"""Gibbs sampling with assign_add; sparse placeholders."""

import numpy as np
import tensorflow as tf

tf.set_random_seed(3)
v0 = tf.placeholder(tf.float32, [None, 6])
W = tf.Variable(tf.random_normal([6, 4], stddev=0.01))
hb = tf.Variable(tf.zeros([4]))
vb = tf.Variable(tf.zeros([6]))


def sample(p):
    return tf.nn.relu(tf.sign(p - tf.random_uniform(tf.shape(p))))


h0 = sample(tf.nn.sigmoid(tf.matmul(v0, W) + hb))
v1 = sample(tf.nn.sigmoid(tf.matmul(h0, tf.transpose(W)) + vb))
h1 = tf.nn.sigmoid(tf.matmul(v1, W) + hb)
up = [
    W.assign_add(
        0.1 * (tf.matmul(tf.transpose(v0), h0) - tf.matmul(tf.transpose(v1), h1)) / tf.to_float(tf.shape(v0)[0])
    ),
    hb.assign_add(tf.reduce_mean(h0 - h1, 0)),
    vb.assign_add(tf.reduce_mean(v0 - v1, 0)),
]
sp = tf.sparse_placeholder(tf.float32, [4, 5])
dn = tf.sparse_tensor_to_dense(sp)
U = tf.Variable(tf.ones([4, 2]))
P = tf.sparse_tensor_dense_matmul(sp, tf.ones([5, 2]))
s2 = tf.sparse_reduce_sum(sp, 1)
with tf.Session() as s:
    s.run(tf.global_variables_initializer())
    for i in range(3):
        s.run(up, {v0: np.eye(6)[:4]})
    print(s.run(W))
    sv = tf.SparseTensorValue([[0, 1], [2, 3]], [1.5, 2.5], [4, 5])
    print(s.run([dn, P, s2], {sp: sv}))
    print(s.run(tf.SparseTensor([[0, 0]], [1], [1, 2])))
