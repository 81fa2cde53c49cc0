"""partial_run."""

import tensorflow as tf

a = tf.placeholder(tf.float32, [])
b = tf.placeholder(tf.float32, [])
c = tf.placeholder(tf.float32, [])
r1 = tf.add(a, b)
r2 = tf.multiply(r1, c)
s = tf.Session()
h = s.partial_run_setup([r1, r2], [a, b, c])
res = s.partial_run(h, r1, feed_dict={a: 1, b: 2})
print(res)
print(s.partial_run(h, r2, feed_dict={c: res}))
