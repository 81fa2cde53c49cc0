"""A GAN of matrices, two Adams with var_list."""

import numpy as np
import tensorflow as tf


def digits(n=64, side=8, classes=4, seed=3):
    r = np.random.RandomState(seed)
    y = r.randint(0, classes, n)
    x = r.rand(n, side * side).astype("f") * 0.3
    for i, c in enumerate(y):
        x[i].reshape(side, side)[:, c * (side // classes)] += 0.7
    return x, y


tf.set_random_seed(3)
xs, _ = digits(16)


def xavier_init(size):
    in_dim = size[0]
    return tf.random_normal(shape=size, stddev=1.0 / tf.sqrt(in_dim / 2.0))


X = tf.placeholder(tf.float32, shape=[None, 64])
D_W1 = tf.Variable(xavier_init([64, 32]))
D_b1 = tf.Variable(tf.zeros(shape=[32]))
D_W2 = tf.Variable(xavier_init([32, 1]))
D_b2 = tf.Variable(tf.zeros(shape=[1]))
theta_D = [D_W1, D_W2, D_b1, D_b2]
Z = tf.placeholder(tf.float32, shape=[None, 10])
G_W1 = tf.Variable(xavier_init([10, 32]))
G_b1 = tf.Variable(tf.zeros(shape=[32]))
G_W2 = tf.Variable(xavier_init([32, 64]))
G_b2 = tf.Variable(tf.zeros(shape=[64]))
theta_G = [G_W1, G_W2, G_b1, G_b2]


def generator(z):
    return tf.nn.sigmoid(tf.matmul(tf.nn.relu(tf.matmul(z, G_W1) + G_b1), G_W2) + G_b2)


def discriminator(x):
    l = tf.matmul(tf.nn.relu(tf.matmul(x, D_W1) + D_b1), D_W2) + D_b2
    return tf.nn.sigmoid(l), l


G_sample = generator(Z)
D_real, D_logit_real = discriminator(X)
D_fake, D_logit_fake = discriminator(G_sample)
D_loss = -tf.reduce_mean(tf.log(D_real) + tf.log(1.0 - D_fake))
G_loss = -tf.reduce_mean(tf.log(D_fake))
D_solver = tf.train.AdamOptimizer().minimize(D_loss, var_list=theta_D)
G_solver = tf.train.AdamOptimizer().minimize(G_loss, var_list=theta_G)
sess = tf.Session()
sess.run(tf.global_variables_initializer())
r = np.random.RandomState(0)
for it in range(4):
    _, d = sess.run([D_solver, D_loss], feed_dict={X: xs, Z: r.uniform(-1.0, 1.0, size=[16, 10])})
    _, g = sess.run([G_solver, G_loss], feed_dict={Z: r.uniform(-1.0, 1.0, size=[16, 10])})
    print("D loss: {:.4}".format(d), "G_loss: {:.4}".format(g))
