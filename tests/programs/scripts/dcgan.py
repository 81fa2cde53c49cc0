"""A convolutional GAN of tf.layers; batch norm updates tied by control dependencies."""

import numpy as np
import tensorflow as tf


def digits(n=64, side=8, classes=4, seed=3):
    r = np.random.RandomState(seed)
    y = r.randint(0, classes, n)
    x = r.rand(n, side * side).astype("f") * 0.3
    for i, c in enumerate(y):
        x[i].reshape(side, side)[:, c * (side // classes)] += 0.7
    return x, y


tf.set_random_seed(21)
xs, _ = digits(16)
real = xs.reshape(-1, 8, 8, 1) * 2 - 1


def lrelu(x, th=0.2):
    return tf.maximum(th * x, x)


def generator(z, isTrain=True, reuse=False):
    with tf.variable_scope("generator", reuse=reuse):
        conv1 = tf.layers.conv2d_transpose(z, 32, [2, 2], strides=(1, 1), padding="valid")
        l1 = lrelu(tf.layers.batch_normalization(conv1, training=isTrain))
        conv2 = tf.layers.conv2d_transpose(l1, 16, [4, 4], strides=(2, 2), padding="same")
        l2 = lrelu(tf.layers.batch_normalization(conv2, training=isTrain))
        return tf.nn.tanh(tf.layers.conv2d_transpose(l2, 1, [4, 4], strides=(2, 2), padding="same"))


def discriminator(x, isTrain=True, reuse=False):
    with tf.variable_scope("discriminator", reuse=reuse):
        l1 = lrelu(tf.layers.conv2d(x, 16, [4, 4], strides=(2, 2), padding="same"))
        l2 = lrelu(
            tf.layers.batch_normalization(
                tf.layers.conv2d(l1, 32, [4, 4], strides=(2, 2), padding="same"), training=isTrain
            )
        )
        o = tf.layers.conv2d(l2, 1, [2, 2], strides=(1, 1), padding="valid")
        return tf.nn.sigmoid(o), o


x = tf.placeholder(tf.float32, shape=(None, 8, 8, 1))
z = tf.placeholder(tf.float32, shape=(None, 1, 1, 20))
isTrain = tf.placeholder(dtype=tf.bool)
G_z = generator(z, isTrain)
D_real, D_real_logits = discriminator(x, isTrain)
D_fake, D_fake_logits = discriminator(G_z, isTrain, reuse=True)
batch_size = 16
D_loss_real = tf.reduce_mean(
    tf.nn.sigmoid_cross_entropy_with_logits(logits=D_real_logits, labels=tf.ones([batch_size, 1, 1, 1]))
)
D_loss_fake = tf.reduce_mean(
    tf.nn.sigmoid_cross_entropy_with_logits(logits=D_fake_logits, labels=tf.zeros([batch_size, 1, 1, 1]))
)
D_loss = D_loss_real + D_loss_fake
G_loss = tf.reduce_mean(
    tf.nn.sigmoid_cross_entropy_with_logits(logits=D_fake_logits, labels=tf.ones([batch_size, 1, 1, 1]))
)
T_vars = tf.trainable_variables()
D_vars = [var for var in T_vars if var.name.startswith("discriminator")]
G_vars = [var for var in T_vars if var.name.startswith("generator")]
with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
    D_optim = tf.train.AdamOptimizer(0.0002, beta1=0.5).minimize(D_loss, var_list=D_vars)
    G_optim = tf.train.AdamOptimizer(0.0002, beta1=0.5).minimize(G_loss, var_list=G_vars)
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    r = np.random.RandomState(0)
    for i in range(3):
        z_ = r.normal(0, 1, (batch_size, 1, 1, 20))
        ld, _ = sess.run([D_loss, D_optim], {x: real, z: z_, isTrain: True})
        z_ = r.normal(0, 1, (batch_size, 1, 1, 20))
        lg, _ = sess.run([G_loss, G_optim], {z: z_, x: real, isTrain: True})
        print(ld, lg)
    print(sess.run(G_z, {z: z_, isTrain: False}).mean())
    print([v.name for v in tf.global_variables()])
