"""Gram matrices, a content loss and total variation over the pixels of a variable."""

import numpy as np
import tensorflow as tf

tf.set_random_seed(3)
r = np.random.RandomState(1)
img = tf.Variable(r.rand(1, 16, 16, 3).astype("f"))
k1 = tf.constant(r.randn(3, 3, 3, 8).astype("f") * 0.2)
k2 = tf.constant(r.randn(3, 3, 8, 12).astype("f") * 0.2)
net = {}
cur = img
for n, k in [("conv1", k1), ("conv2", k2)]:
    cur = tf.nn.relu(tf.nn.conv2d(cur, k, [1, 1, 1, 1], "SAME"))
    net[n] = cur
    cur = tf.nn.avg_pool(cur, ksize=(1, 2, 2, 1), strides=(1, 2, 2, 1), padding="SAME")


def gram(layer):
    shape = tf.shape(layer)
    num_filters = shape[3]
    size = tf.size(layer)
    filters = tf.reshape(layer, tf.stack([-1, num_filters]))
    return tf.matmul(filters, filters, transpose_a=True) / tf.to_float(size)


style = sum(
    tf.nn.l2_loss(gram(net[n]) - tf.constant(r.rand(c, c).astype("f"))) for n, c in (("conv1", 8), ("conv2", 12))
)
content = tf.nn.l2_loss(net["conv2"] - 0.3)


def total_variation_loss(layer):
    shape = tf.shape(layer)
    height = shape[1]
    width = shape[2]
    y = tf.slice(layer, [0, 0, 0, 0], tf.stack([-1, height - 1, -1, -1])) - tf.slice(
        layer, [0, 1, 0, 0], [-1, -1, -1, -1]
    )
    x = tf.slice(layer, [0, 0, 0, 0], tf.stack([-1, -1, width - 1, -1])) - tf.slice(
        layer, [0, 0, 1, 0], [-1, -1, -1, -1]
    )
    return tf.nn.l2_loss(x) / tf.to_float(tf.size(x)) + tf.nn.l2_loss(y) / tf.to_float(tf.size(y))


tv = total_variation_loss(img)
tv2 = tf.reduce_sum(tf.image.total_variation(img))
loss = 5 * style + content + 10 * tv + 1e-3 * tv2
op = tf.train.AdamOptimizer(0.1).minimize(loss)
with tf.Session() as s:
    s.run(tf.initialize_all_variables())
    for i in range(4):
        print(s.run([loss, style, content, tv, op])[:4])
