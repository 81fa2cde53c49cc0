"""Gradients clipped in each way."""

import numpy as np
import tensorflow as tf

tf.set_random_seed(1)
x = tf.placeholder(tf.float32, [None, 3])
W = tf.get_variable("W", [3, 2])
b = tf.get_variable("b", [2], initializer=tf.zeros_initializer())
loss = tf.reduce_sum(tf.square(tf.matmul(x, W) + b) * 100)
opt = tf.train.MomentumOptimizer(0.01, 0.9, use_nesterov=True)
gv = opt.compute_gradients(loss)
capped = [(tf.clip_by_value(g, -1.0, 1.0), v) for g, v in gv]
t1 = opt.apply_gradients(capped)
normed = [(tf.clip_by_norm(g, 2.0), v) for g, v in gv]
t2 = opt.apply_gradients(normed)
tv = tf.trainable_variables()
grads, gn = tf.clip_by_global_norm(tf.gradients(loss, tv), 5.0)
t3 = tf.train.AdamOptimizer(0.01).apply_gradients(zip(grads, tv))
t4 = opt.apply_gradients([(tf.clip_by_average_norm(g, 0.1), v) for g, v in gv])
with tf.Session() as s:
    s.run(tf.global_variables_initializer())
    for t in (t1, t2, t3, t4):
        for _ in range(2):
            print(s.run([loss, gn, t], {x: [[1, 2, 3], [4, 5, 6]]})[:2])
    print(s.run(tv))
    print(s.run([g for g, _ in capped] + [g for g, v in normed], {x: np.ones([1, 3])}))
