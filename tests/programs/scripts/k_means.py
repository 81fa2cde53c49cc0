"""Clusters moved by segments of sums; nearest neighbours by top_k."""

import numpy as np
import tensorflow as tf

r = np.random.RandomState(0)
pts = tf.constant(r.randn(30, 2))
k = 3
cent = tf.Variable(tf.slice(tf.constant(r.randn(30, 2)), [0, 0], [k, -1]))
assign = tf.Variable(tf.zeros([30], tf.int64))
rc = tf.reshape(tf.tile(cent, [30, 1]), [30, k, 2])
rp = tf.reshape(tf.tile(pts, [1, k]), [30, k, 2])
best = tf.argmin(tf.reduce_sum(tf.square(rp - rc), reduction_indices=2), 1)
did = tf.reduce_any(tf.not_equal(best, assign))


def bucket_mean(data, ids, n):
    return tf.unsorted_segment_sum(data, ids, n) / tf.unsorted_segment_sum(tf.ones_like(data), ids, n)


means = bucket_mean(pts, best, k)
with tf.control_dependencies([did]):
    do = tf.group(cent.assign(means), assign.assign(best))
xtr = tf.placeholder("float", [None, 4])
xte = tf.placeholder("float", [4])
dist = tf.reduce_sum(tf.abs(tf.add(xtr, tf.negative(xte))), reduction_indices=1)
pred = tf.arg_min(dist, 0)
vals, idx = tf.nn.top_k(-dist, k=3)
with tf.Session() as s:
    s.run(tf.global_variables_initializer())
    ch = True
    it = 0
    while ch and it < 20:
        it += 1
        ch, _ = s.run([did, do])
    print(it, s.run(cent), np.bincount(s.run(assign)))
    X = r.randn(9, 4)
    print(s.run([pred, vals, idx], {xtr: X, xte: X[4] + 0.1}))
