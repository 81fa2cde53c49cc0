"""scan, map_fn, foldl, foldr, cumsum."""

import tensorflow as tf

el = tf.constant([1.0, 2.0, 3.0, 4.0])
a = tf.scan(lambda p, x: p * 0.5 + x, el)
b = tf.map_fn(lambda x: (x**2, x + 1), el, dtype=(tf.float32, tf.float32))
c = tf.foldl(lambda a, x: a * x, el)
d = tf.foldr(lambda a, x: a - x, el)
disc = tf.scan(lambda agg, cur: agg * 0.9 + cur, tf.reverse(el, [0]))
gr = tf.gradients(tf.reduce_sum(a), el)[0]
with tf.Session() as s:
    print(s.run([a, b, c, d, disc, gr, tf.cumsum(el, reverse=True, exclusive=True)]))
