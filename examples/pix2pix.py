"""pix2pix on small pictures: encoder, decoder with skips, shared discriminator, averaged losses, two optimizers."""

import sys

import numpy as np
import tensorflow as tf

SIZE, EPSILON, L1_WEIGHT = 16, 1e-12, 100.0
SMALL, NEAR_ONE = tf.random_normal_initializer(0, 0.02), tf.random_normal_initializer(1, 0.02)


def pairs(random, count):
    """Outlines of boxes, and the same boxes filled: [count, SIZE, SIZE, 1] each, in -1..1."""
    outlines, filled = -np.ones([2, count, SIZE, SIZE, 1], np.float32)
    for i in range(count):
        top, left = random.randint(0, SIZE - 7, 2)
        high, wide = random.randint(4, 8, 2)
        filled[i, top : top + high, left : left + wide] = 1
        outlines[i, top : top + high, left : left + wide] = 1
        outlines[i, top + 1 : top + high - 1, left + 1 : left + wide - 1] = -1
    return outlines, filled


def down(inputs, channels, stride=2):
    return tf.layers.conv2d(inputs, channels, 4, stride, "same", kernel_initializer=SMALL)


def up(inputs, channels):
    return tf.layers.conv2d_transpose(inputs, channels, 4, 2, "same", kernel_initializer=SMALL)


def norm(inputs):
    return tf.layers.batch_normalization(inputs, momentum=0.1, epsilon=1e-5, training=True, gamma_initializer=NEAR_ONE)


def generator(inputs):
    with tf.variable_scope("encoder_1"):
        layers = [down(inputs, 16)]
    for number, channels in [(2, 32), (3, 64)]:
        with tf.variable_scope("encoder_%d" % number):
            layers.append(norm(down(tf.nn.leaky_relu(layers[-1]), channels)))
    last = layers[-1]
    for number, (channels, keep) in enumerate([(32, 0.5), (16, 1.0)]):
        with tf.variable_scope("decoder_%d" % (3 - number)):
            last = norm(up(tf.nn.relu(last), channels))
            last = tf.concat([tf.nn.dropout(last, keep_prob=keep), layers[1 - number]], axis=3)
    with tf.variable_scope("decoder_1"):
        return tf.tanh(up(tf.nn.relu(last), 1))


def discriminator(inputs, targets):
    last = tf.concat([inputs, targets], axis=3)
    for number, (channels, stride) in enumerate([(16, 2), (32, 1), (1, 1)]):
        with tf.variable_scope("layer_%d" % (number + 1)):
            last = down(last if number == 0 else tf.nn.leaky_relu(last), channels, stride)
            last = norm(last) if number == 1 else last
    return tf.sigmoid(last)


def adam():
    return tf.train.AdamOptimizer(0.002, 0.5)


def create_model(inputs, targets):
    with tf.variable_scope("generator"):
        outputs = generator(inputs)
    with tf.variable_scope("discriminator"):
        real = discriminator(inputs, targets)
    with tf.variable_scope("discriminator", reuse=True):
        fake = discriminator(inputs, outputs)
    judge_loss = tf.reduce_mean(-(tf.log(real + EPSILON) + tf.log(1 - fake + EPSILON)))
    gan_loss = tf.reduce_mean(-tf.log(fake + EPSILON))
    l1_loss = tf.reduce_mean(tf.abs(targets - outputs))
    judge_step = adam().minimize(judge_loss, var_list=tf.trainable_variables("discriminator"))
    with tf.control_dependencies([judge_step]):  # the generator answers the discriminator as it is after its step
        maker_loss = gan_loss + L1_WEIGHT * l1_loss
        maker_step = adam().minimize(maker_loss, var_list=tf.trainable_variables("generator"))
    averages = tf.train.ExponentialMovingAverage(decay=0.9)
    follow = averages.apply([judge_loss, gan_loss, l1_loss])
    step = tf.train.get_or_create_global_step()
    train = tf.group(follow, maker_step, tf.assign_add(step, 1))
    return train, [step] + [averages.average(loss) for loss in (judge_loss, gan_loss, l1_loss)]


def main(steps):
    tf.set_random_seed(4)
    outlines, filled = pairs(np.random.RandomState(4), 32)
    inputs, targets = (tf.placeholder(tf.float32, [None, SIZE, SIZE, 1], name) for name in ("inputs", "targets"))
    train, shown = create_model(inputs, targets)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for i in range(steps):
            at = i % 4 * 8
            sess.run(train, {inputs: outlines[at : at + 8], targets: filled[at : at + 8]})
            if i == 0 or (i + 1) % (steps // 4) == 0:
                print("step %3d: discriminator %.3f, GAN %.3f, L1 %.3f" % tuple(sess.run(shown)))


if __name__ == "__main__":
    main(steps=int(sys.argv[1]) if len(sys.argv) > 1 else 120)
