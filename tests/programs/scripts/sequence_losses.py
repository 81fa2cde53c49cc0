"""Losses of sequences, and the decoders over lists of steps."""

import numpy as np
import tensorflow as tf

tf.set_random_seed(3)
r = np.random.RandomState(0)
lg = tf.constant(r.randn(2, 3, 5).astype("f"))
tg = tf.constant(r.randint(0, 5, (2, 3)))
w = tf.constant([[1.0, 1, 0], [1, 0.5, 0]])
loss_of = tf.contrib.seq2seq.sequence_loss
T = [
    loss_of(lg, tg, w),
    loss_of(lg, tg, w, False, False),
    loss_of(lg, tg, w, average_across_batch=False),
    loss_of(lg, tg, w, average_across_timesteps=False),
    loss_of(lg, tg, w, False, False, True, True),
    loss_of(lg, tg, w, False, False, True, False),
]
L = tf.contrib.legacy_seq2seq
ul = tf.unstack(lg, axis=1)
ut = tf.unstack(tg, axis=1)
uw = tf.unstack(w, axis=1)
T += [
    L.sequence_loss(ul, ut, uw),
    L.sequence_loss_by_example(ul, ut, uw),
    L.sequence_loss(ul, ut, uw, average_across_batch=False, average_across_timesteps=False),
]
T += [tf.gradients(T[0], lg)[0]]
with tf.Session() as s:
    for t in T:
        print(s.run(t))
for f in (
    lambda: loss_of(lg, tg, w[0]),
    lambda: loss_of(lg, tg, w, True, True, True),
    lambda: L.sequence_loss(ul, ut[1:], uw),
):
    try:
        f()
    except ValueError as e:
        print(e)
x = [tf.random_normal([2, 4], seed=i) for i in range(3)]
W = tf.get_variable("W", [5, 4])
o, st = L.basic_rnn_seq2seq(x, x, tf.nn.rnn_cell.GRUCell(5))
with tf.variable_scope("lm"):
    o2, s2 = L.rnn_decoder(
        x, tf.zeros([2, 5]), tf.nn.rnn_cell.GRUCell(5), loop_function=lambda prev, i: tf.matmul(prev, W)
    )
with tf.Session() as s:
    s.run(tf.global_variables_initializer())
    print(s.run([tf.reduce_sum(tf.stack(o)), tf.reduce_sum(st), tf.reduce_sum(tf.stack(o2)), tf.reduce_sum(s2)]))
    print([v.name for v in tf.trainable_variables()])
