"""Transposed, dilated, depthwise, separable, one- and three-dimensional convolutions and their gradients."""

import numpy as np
import tensorflow as tf

tf.set_random_seed(3)
x = tf.random_uniform([2, 4, 4, 8], seed=1)
y = tf.depth_to_space(x, 2)
z = tf.space_to_depth(y, 2)
w = tf.get_variable("w", [5, 5, 3, 8], initializer=tf.truncated_normal_initializer(stddev=0.02))
d = tf.nn.conv2d_transpose(x, w, output_shape=[2, 8, 8, 3], strides=[1, 2, 2, 1])
bs = tf.shape(x)[0]
d2 = tf.nn.conv2d_transpose(x, w, tf.stack([bs, 8, 8, 3]), [1, 2, 2, 1], padding="SAME", name="dc")
a = tf.nn.atrous_conv2d(x, tf.get_variable("wa", [3, 3, 8, 2]), 2, "SAME")
dw = tf.nn.depthwise_conv2d(x, tf.get_variable("wd", [3, 3, 8, 1]), [1, 1, 1, 1], "SAME")
sp = tf.layers.separable_conv2d(x, 4, 3, padding="same", name="sep")
c1 = tf.layers.conv1d(x[:, 0], 3, 2)
c3 = tf.layers.conv3d(x[:, :, :, :, None], 2, 2)
dil = tf.layers.conv2d(x, 3, 3, dilation_rate=2, padding="same")
ml = tf.layers.max_pooling2d(dil, 2, 2)
al = tf.layers.average_pooling2d(dil, 2, 1, "same")
fl = tf.layers.flatten(ml)
print([t.shape for t in (y, z, d, d2, a, dw, sp, c1, c3, dil, ml, al, fl)])
ls = tf.add_n([tf.reduce_sum(t**2) for t in (y, z, d, d2, a, dw, sp, c1, c3, dil, ml, al, fl)])
gs = tf.gradients(ls, tf.trainable_variables())
with tf.Session() as s:
    s.run(tf.global_variables_initializer())
    print(s.run(ls))
    print([float(np.abs(v).sum()) for v in s.run(gs)])
