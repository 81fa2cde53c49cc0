"""A variational autoencoder as a class that owns its session; a tensor in the middle is fed."""

import numpy as np
import tensorflow as tf


def digits(n=64, side=8, classes=4, seed=3):
    r = np.random.RandomState(seed)
    y = r.randint(0, classes, n)
    x = r.rand(n, side * side).astype("f") * 0.3
    for i, c in enumerate(y):
        x[i].reshape(side, side)[:, c * (side // classes)] += 0.7
    return x, y


tf.set_random_seed(11)
xs, _ = digits()


def xavier_init(fan_in, fan_out, constant=1):
    low = -constant * np.sqrt(6.0 / (fan_in + fan_out))
    high = constant * np.sqrt(6.0 / (fan_in + fan_out))
    return tf.random_uniform((fan_in, fan_out), minval=low, maxval=high, dtype=tf.float32)


class VAE(object):
    def __init__(self, n_in, n_h, n_z, transfer_fct=tf.nn.softplus, learning_rate=0.001, batch_size=16):
        self.x = tf.placeholder(tf.float32, [None, n_in])
        self.batch_size = batch_size
        h = transfer_fct(tf.add(tf.matmul(self.x, tf.Variable(xavier_init(n_in, n_h))), tf.Variable(tf.zeros([n_h]))))
        self.z_mean = tf.add(
            tf.matmul(h, tf.Variable(xavier_init(n_h, n_z))), tf.Variable(tf.zeros([n_z], dtype=tf.float32))
        )
        self.z_log_sigma_sq = tf.add(tf.matmul(h, tf.Variable(xavier_init(n_h, n_z))), tf.Variable(tf.zeros([n_z])))
        eps = tf.random_normal((batch_size, n_z), 0, 1, dtype=tf.float32)
        self.z = tf.add(self.z_mean, tf.multiply(tf.sqrt(tf.exp(self.z_log_sigma_sq)), eps))
        d = transfer_fct(tf.matmul(self.z, tf.Variable(xavier_init(n_z, n_h))) + tf.Variable(tf.zeros([n_h])))
        self.out = tf.nn.sigmoid(tf.matmul(d, tf.Variable(xavier_init(n_h, n_in))) + tf.Variable(tf.zeros([n_in])))
        reconstr_loss = -tf.reduce_sum(
            self.x * tf.log(1e-10 + self.out) + (1 - self.x) * tf.log(1e-10 + 1 - self.out), 1
        )
        latent_loss = -0.5 * tf.reduce_sum(
            1 + self.z_log_sigma_sq - tf.square(self.z_mean) - tf.exp(self.z_log_sigma_sq), 1
        )
        self.cost = tf.reduce_mean(reconstr_loss + latent_loss)
        self.optimizer = tf.train.AdamOptimizer(learning_rate=learning_rate).minimize(self.cost)
        self.sess = tf.InteractiveSession()
        self.sess.run(tf.global_variables_initializer())

    def partial_fit(self, X):
        opt, cost = self.sess.run((self.optimizer, self.cost), feed_dict={self.x: X})
        return cost

    def generate(self, z_mu):
        return self.sess.run(self.out, feed_dict={self.z: z_mu})


v = VAE(64, 32, 4)
for i in range(8):
    print(v.partial_fit(np.clip(xs[(i % 4) * 16 : (i % 4) * 16 + 16], 0, 1)))
print(v.generate(np.ones((16, 4)))[0, :5])
v.sess.close()
