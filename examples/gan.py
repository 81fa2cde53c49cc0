"""A GAN of plain ops: two players, each with its own variables and optimizer, learn a curve's points."""

import argparse

import numpy as np
import tensorflow as tf

NOISE, HIDDEN, BATCH = 4, 32, 64


def real_points(random, count):
    """Points on an arch: what the generator has to imitate."""
    angle = random.uniform(0, np.pi, [count, 1])
    return np.hstack([np.cos(angle), np.sin(angle)]).astype(np.float32)


def dense(inputs, outputs, name):
    size = inputs.get_shape().as_list()[-1]
    with tf.variable_scope(name):
        weights = tf.get_variable(
            "weights", [size, outputs], initializer=tf.random_normal_initializer(stddev=1 / np.sqrt(size))
        )
        biases = tf.get_variable("biases", [outputs], initializer=tf.zeros_initializer())
        return tf.matmul(inputs, weights) + biases


def generator(noise):
    with tf.variable_scope("generator"):
        return dense(tf.nn.relu(dense(noise, HIDDEN, "hidden")), 2, "points")


def discriminator(points, reuse=False):
    """Logits: how real the points look. Both batches meet the same weights."""
    with tf.variable_scope("discriminator", reuse=reuse):
        return dense(tf.nn.leaky_relu(dense(points, HIDDEN, "hidden")), 1, "logit")


def cross_entropy(logits, label):
    labels = tf.fill(tf.shape(logits), label)
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits))


def variables_of(player):
    return tf.get_collection(tf.GraphKeys.TRAINABLE_VARIABLES, scope=player)


def main(steps):
    tf.set_random_seed(2)
    random = np.random.RandomState(2)
    real = tf.placeholder(tf.float32, [None, 2], name="real")
    noise = tf.placeholder(tf.float32, [None, NOISE], name="noise")
    fake = generator(noise)
    real_logits, fake_logits = discriminator(real), discriminator(fake, reuse=True)

    judge_loss = cross_entropy(real_logits, 0.9) + cross_entropy(fake_logits, 0.0)
    maker_loss = cross_entropy(fake_logits, 1.0)
    judge_step = tf.train.AdamOptimizer(0.002, beta1=0.5).minimize(judge_loss, var_list=variables_of("discriminator"))
    maker_step = tf.train.AdamOptimizer(0.002, beta1=0.5).minimize(maker_loss, var_list=variables_of("generator"))

    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for step in range(1, steps + 1):
            feed = {real: real_points(random, BATCH), noise: random.uniform(-1, 1, [BATCH, NOISE])}
            _, judge = sess.run([judge_step, judge_loss], feed)
            _, maker = sess.run([maker_step, maker_loss], {noise: random.uniform(-1, 1, [BATCH, NOISE])})
            if step == 1 or step % (steps // 4) == 0:
                made = sess.run(fake, {noise: random.uniform(-1, 1, [256, NOISE])})
                off = np.abs(np.linalg.norm(made, axis=1) - 1).mean()
                print(
                    "step %4d: discriminator %.3f, generator %.3f, mean distance from the arch %.2f"
                    % (step, judge, maker, off)
                )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=2000)
    main(parser.parse_args().steps)
