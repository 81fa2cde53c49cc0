"""Masked attention with two heads, layer norm, smooth labels, a warm-up rate."""

import numpy as np
import tensorflow as tf

tf.set_random_seed(3)


def layer_norm(x, eps=1e-6):
    n = x.get_shape()[-1:]
    mean, var = tf.nn.moments(x, [-1], keep_dims=True)
    beta = tf.Variable(tf.zeros(n))
    gamma = tf.Variable(tf.ones(n))
    return gamma * (x - mean) / ((var + eps) ** 0.5) + beta


def positional(x, maxlen=10):
    E = x.get_shape().as_list()[-1]
    N, T = tf.shape(x)[0], tf.shape(x)[1]
    enc = np.array([[p / np.power(10000, (i - i % 2) / E) for i in range(E)] for p in range(maxlen)])
    enc[:, 0::2] = np.sin(enc[:, 0::2])
    enc[:, 1::2] = np.cos(enc[:, 1::2])
    return tf.to_float(
        tf.nn.embedding_lookup(tf.convert_to_tensor(enc, tf.float32), tf.tile(tf.expand_dims(tf.range(T), 0), [N, 1]))
    )


def mha(q, k, v, heads=2, causality=True):
    d = q.get_shape().as_list()[-1]
    Q, K, V = [tf.layers.dense(t, d, use_bias=False) for t in (q, k, v)]
    Q_, K_, V_ = [tf.concat(tf.split(t, heads, axis=2), axis=0) for t in (Q, K, V)]
    o = tf.matmul(Q_, tf.transpose(K_, [0, 2, 1]))
    o /= K_.get_shape().as_list()[-1] ** 0.5
    if causality:
        tril = (
            tf.linalg.LinearOperatorLowerTriangular(tf.ones_like(o[0])).to_dense()
            if 0
            else tf.matrix_band_part(tf.ones_like(o[0]), -1, 0)
        )
        m = tf.tile(tf.expand_dims(tril, 0), [tf.shape(o)[0], 1, 1])
        o = tf.where(tf.equal(m, 0), tf.ones_like(m) * (-(2**32) + 1), o)
    o = tf.nn.softmax(o)
    o = tf.layers.dropout(o, 0.1, training=True)
    o = tf.matmul(o, V_)
    return layer_norm(tf.concat(tf.split(o, heads, axis=0), axis=2) + q)


ids = tf.placeholder(tf.int32, [None, None])
E = tf.get_variable("E", [20, 8])
E = tf.concat((tf.zeros([1, 8]), E[1:, :]), 0)
x = tf.nn.embedding_lookup(E, ids) * 8**0.5
x += positional(x)
x = mha(x, x, x)
x = layer_norm(tf.layers.dense(tf.layers.dense(x, 16, tf.nn.relu), 8) + x)
lg = tf.einsum("ntd,dk->ntk", x, tf.transpose(E))
y = tf.one_hot(ids, 20)
y = ((1 - 0.1) * y) + 0.1 / 20
ce = tf.nn.softmax_cross_entropy_with_logits_v2(logits=lg, labels=y)
ist = tf.to_float(tf.not_equal(ids, 0))
loss = tf.reduce_sum(ce * ist) / (tf.reduce_sum(ist) + 1e-7)
gs = tf.train.get_or_create_global_step()
step = tf.cast(gs + 1, tf.float32)
lr = 0.1 * 4.0**0.5 * tf.minimum(step * 4.0**-1.5, step**-0.5)
t = tf.train.AdamOptimizer(lr, beta2=0.98, epsilon=1e-9).minimize(loss, gs)
with tf.Session() as s:
    s.run(tf.global_variables_initializer())
    for i in range(3):
        print(s.run([loss, lr, t], {ids: [[1, 2, 3, 0], [4, 5, 6, 7]]})[:2])
