"""A decoder in a while_loop with a TensorArray, differentiated."""

import numpy as np
import tensorflow as tf

tf.set_random_seed(3)
cell = tf.nn.rnn_cell.GRUCell(6)
E = tf.get_variable("E", [8, 4])
W = tf.get_variable("W", [6, 8])


def body(i, tok, st, ta):
    o, st = cell(tf.nn.embedding_lookup(E, tok), st)
    lg = tf.matmul(o, W)
    nt = tf.cast(tf.argmax(lg, 1), tf.int32)
    return i + 1, nt, st, ta.write(i, lg)


i, tok, st, ta = tf.while_loop(
    lambda i, *a: i < 5,
    body,
    [tf.constant(0), tf.constant([1, 2]), cell.zero_state(2, tf.float32), tf.TensorArray(tf.float32, 5)],
)
lg = ta.stack()
g = tf.gradients(tf.reduce_sum(lg**2), [E, W])
with tf.Session() as s:
    s.run(tf.global_variables_initializer())
    print(s.run([tok, tf.reduce_sum(lg)]))
    gg = s.run(g)
    print(gg[1].sum(), np.abs(gg[0].values).sum() if hasattr(gg[0], "values") else np.abs(gg[0]).sum())
