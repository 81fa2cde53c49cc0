"""Policy gradient with entropy, sampled actions, clip_by_global_norm."""

import numpy as np
import tensorflow as tf

tf.set_random_seed(3)
r = np.random.RandomState(0)
obs = tf.placeholder(tf.float32, [None, 4])
acts = tf.placeholder(tf.int32, [None])
adv = tf.placeholder(tf.float32, [None])
h = tf.layers.dense(
    obs,
    10,
    tf.nn.tanh,
    kernel_initializer=tf.random_normal_initializer(0, 0.3),
    bias_initializer=tf.constant_initializer(0.1),
    name="fc1",
)
logits = tf.layers.dense(h, 3, name="fc2")
prob = tf.nn.softmax(logits, name="act_prob")
value = tf.squeeze(tf.layers.dense(h, 1), -1)
neg = tf.nn.sparse_softmax_cross_entropy_with_logits(logits=logits, labels=acts)
neg2 = tf.reduce_sum(-tf.log(prob) * tf.one_hot(acts, 3), axis=1)
ent = -tf.reduce_sum(prob * tf.log(prob), 1)
loss = (
    tf.reduce_mean(neg * adv)
    + 0.5 * tf.reduce_mean(tf.square(value - adv))
    - 0.01 * tf.reduce_mean(ent)
    + 0 * tf.reduce_mean(neg2)
)
sample = tf.squeeze(tf.multinomial(logits, 1), 1)
opt = tf.train.AdamOptimizer(0.02)
gr, norm = tf.clip_by_global_norm(tf.gradients(loss, tf.trainable_variables()), 0.5)
tr = opt.apply_gradients(list(zip(gr, tf.trainable_variables())))
with tf.Session() as s:
    s.run(tf.global_variables_initializer())
    for i in range(3):
        o = r.randn(6, 4)
        print(s.run(sample, {obs: o}))
        print(s.run([loss, norm, tr], {obs: o, acts: r.randint(0, 3, 6), adv: r.randn(6)})[:2])
