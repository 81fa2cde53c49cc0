"""A learning rate with noise."""

import tensorflow as tf

tf.set_random_seed(1)
gs = tf.Variable(3, trainable=False)
r = tf.train.noisy_linear_cosine_decay(0.1, gs, 20)
with tf.Session() as s:
    s.run(tf.global_variables_initializer())
    print(s.run(r), s.run(r))
