"""Routing by agreement."""

import tensorflow as tf

tf.set_random_seed(3)
u = tf.random_normal([2, 6, 1, 4, 1], seed=2)
W = tf.get_variable("W", [1, 6, 3, 4, 5], initializer=tf.random_normal_initializer(stddev=0.1))


def squash(s):
    n = tf.reduce_sum(tf.square(s), -2, keepdims=True)
    return n / (1 + n) / tf.sqrt(n + 1e-9) * s


ut = tf.tile(u, [1, 1, 3, 1, 1])
Wt = tf.tile(W, [2, 1, 1, 1, 1])
uh = tf.matmul(Wt, ut, transpose_a=True)
st = tf.stop_gradient(uh)
b = tf.zeros([2, 6, 3, 1, 1])
for i in range(3):
    c = tf.nn.softmax(b, axis=2)
    v = squash(tf.reduce_sum(c * (uh if i == 2 else st), 1, keepdims=True))
    if i < 2:
        b += tf.matmul(st, tf.tile(v, [1, 6, 1, 1, 1]), transpose_a=True)
n = tf.sqrt(tf.reduce_sum(tf.square(v), [1, 3, 4]))
T = tf.one_hot([0, 2], 3)
loss = tf.reduce_mean(
    tf.reduce_sum(T * tf.square(tf.maximum(0.0, 0.9 - n)) + 0.5 * (1 - T) * tf.square(tf.maximum(0.0, n - 0.1)), 1)
)
t = tf.train.AdamOptimizer(0.1).minimize(loss)
with tf.Session() as s:
    s.run(tf.global_variables_initializer())
    [print(s.run([loss, t])[0]) for _ in range(3)]
