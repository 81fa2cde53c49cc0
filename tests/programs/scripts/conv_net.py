"""Two convolutions with pooling, dropout fed by a placeholder, an InteractiveSession."""

import numpy as np
import tensorflow as tf


def digits(n=64, side=8, classes=4, seed=3):
    r = np.random.RandomState(seed)
    y = r.randint(0, classes, n)
    x = r.rand(n, side * side).astype("f") * 0.3
    for i, c in enumerate(y):
        x[i].reshape(side, side)[:, c * (side // classes)] += 0.7
    return x, y


xs, ys = digits(32, 8)
oh = np.eye(4).astype("f")[ys]
tf.set_random_seed(7)


def weight_variable(shape):
    initial = tf.truncated_normal(shape, stddev=0.1)
    return tf.Variable(initial)


def bias_variable(shape):
    return tf.Variable(tf.constant(0.1, shape=shape))


def conv2d(x, W):
    return tf.nn.conv2d(x, W, strides=[1, 1, 1, 1], padding="SAME")


def max_pool_2x2(x):
    return tf.nn.max_pool(x, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="SAME")


x = tf.placeholder(tf.float32, [None, 64])
y_ = tf.placeholder(tf.float32, [None, 4])
x_image = tf.reshape(x, [-1, 8, 8, 1])
h_pool1 = max_pool_2x2(tf.nn.relu(conv2d(x_image, weight_variable([5, 5, 1, 8])) + bias_variable([8])))
h_pool2 = max_pool_2x2(tf.nn.relu(conv2d(h_pool1, weight_variable([5, 5, 8, 16])) + bias_variable([16])))
flat = tf.reshape(h_pool2, [-1, 2 * 2 * 16])
h_fc1 = tf.nn.relu(tf.matmul(flat, weight_variable([64, 32])) + bias_variable([32]))
keep_prob = tf.placeholder(tf.float32)
drop = tf.nn.dropout(h_fc1, keep_prob)
y_conv = tf.matmul(drop, weight_variable([32, 4])) + bias_variable([4])
cross_entropy = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(labels=y_, logits=y_conv))
train_step = tf.train.AdamOptimizer(1e-3).minimize(cross_entropy)
correct_prediction = tf.equal(tf.argmax(y_conv, 1), tf.argmax(y_, 1))
accuracy = tf.reduce_mean(tf.cast(correct_prediction, tf.float32))
sess = tf.InteractiveSession()
sess.run(tf.global_variables_initializer())
for i in range(8):
    if i % 2 == 0:
        print(
            "step %d, training accuracy %g" % (i, accuracy.eval(feed_dict={x: xs, y_: oh, keep_prob: 1.0})),
            cross_entropy.eval({x: xs, y_: oh, keep_prob: 1.0}),
        )
    train_step.run(feed_dict={x: xs, y_: oh, keep_prob: 0.5})
print("test accuracy %g" % accuracy.eval(feed_dict={x: xs, y_: oh, keep_prob: 1.0}))
sess.close()
