"""A bidirectional LSTM with attention over its outputs."""

import numpy as np
import tensorflow as tf

tf.set_random_seed(3)
r = np.random.RandomState(0)
ids = tf.placeholder(tf.int32, [None, None])
ln = tf.placeholder(tf.int32, [None])
E = tf.Variable(tf.random_uniform([20, 6], -1, 1))
x = tf.nn.embedding_lookup(E, ids)
(fw, bw), (sf, sb) = tf.nn.bidirectional_dynamic_rnn(
    tf.nn.rnn_cell.LSTMCell(5), tf.nn.rnn_cell.LSTMCell(5), x, sequence_length=ln, dtype=tf.float32
)
H = tf.concat([fw, bw], 2)
w = tf.get_variable("w", [10, 4])
u = tf.get_variable("u", [4])
v = tf.tanh(tf.tensordot(H, w, axes=1))
vu = tf.tensordot(v, u, axes=1)
al = tf.nn.softmax(vu)
out = tf.reduce_sum(H * tf.expand_dims(al, -1), 1)
mask = tf.sequence_mask(ln, tf.shape(ids)[1], dtype=tf.float32)
loss = tf.reduce_mean(tf.square(out)) + tf.reduce_mean(tf.concat([sf.h, sb.c], 1)) + tf.reduce_sum(mask) * 0
t = tf.train.RMSPropOptimizer(0.01).minimize(loss)
with tf.Session() as s:
    s.run(tf.global_variables_initializer())
    for i in range(3):
        print(s.run([loss, t, al], {ids: r.randint(0, 20, (2, 4)), ln: [3, 4]})[::2])
