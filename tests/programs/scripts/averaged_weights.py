"""Averages with num_updates, saved and restored into the variables."""

import tensorflow as tf

v = tf.Variable(1.0, name="v")
w = tf.Variable([1.0, 2.0], name="w")
gs = tf.Variable(0, trainable=False)
ema = tf.train.ExponentialMovingAverage(0.99, gs)
m = ema.apply(tf.trainable_variables())
up = tf.group(tf.assign(v, 5.0), tf.assign_add(w, [1.0, 1.0]), tf.assign_add(gs, 10))
print(ema.variables_to_restore())
with tf.Session() as s:
    s.run(tf.global_variables_initializer())
    for _ in range(4):
        s.run(up)
        s.run(m)
        print(s.run([v, ema.average(v), w, ema.average(w)]))
    tf.train.Saver().save(s, "e")
tf.reset_default_graph()
v = tf.Variable(0.0, name="v")
w = tf.Variable([0.0, 0.0], name="w")
sv = tf.train.Saver(tf.train.ExponentialMovingAverage(0.9).variables_to_restore())
with tf.Session() as s:
    sv.restore(s, "e")
    print(s.run([v, w]))
