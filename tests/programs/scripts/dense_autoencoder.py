"""An autoencoder with its weights in dicts."""

import numpy as np
import tensorflow as tf


def digits(n=64, side=8, classes=4, seed=3):
    r = np.random.RandomState(seed)
    y = r.randint(0, classes, n)
    x = r.rand(n, side * side).astype("f") * 0.3
    for i, c in enumerate(y):
        x[i].reshape(side, side)[:, c * (side // classes)] += 0.7
    return x, y


xs, _ = digits()
tf.set_random_seed(2)
X = tf.placeholder("float", [None, 64])
weights = {
    "encoder_h1": tf.Variable(tf.random_normal([64, 32])),
    "encoder_h2": tf.Variable(tf.random_normal([32, 8])),
    "decoder_h1": tf.Variable(tf.random_normal([8, 32])),
    "decoder_h2": tf.Variable(tf.random_normal([32, 64])),
}
biases = {k: tf.Variable(tf.random_normal([n])) for k, n in [("e1", 32), ("e2", 8), ("d1", 32), ("d2", 64)]}


def encoder(x):
    l1 = tf.nn.sigmoid(tf.add(tf.matmul(x, weights["encoder_h1"]), biases["e1"]))
    return tf.nn.sigmoid(tf.add(tf.matmul(l1, weights["encoder_h2"]), biases["e2"]))


def decoder(x):
    l1 = tf.nn.sigmoid(tf.add(tf.matmul(x, weights["decoder_h1"]), biases["d1"]))
    return tf.nn.sigmoid(tf.add(tf.matmul(l1, weights["decoder_h2"]), biases["d2"]))


y_pred = decoder(encoder(X))
loss = tf.reduce_mean(tf.pow(X - y_pred, 2))
optimizer = tf.train.RMSPropOptimizer(0.01).minimize(loss)
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for i in range(1, 11):
        _, l = sess.run([optimizer, loss], feed_dict={X: xs[:16]})
        if i % 5 == 0 or i == 1:
            print("Step %i: Minibatch Loss: %f" % (i, l))
    print(sess.run(y_pred, {X: xs[:2]}).mean())
