"""A convolutional autoencoder with noisy inputs; writes a picture of inputs, noisy inputs and reconstructions."""

import argparse
import os
import tempfile

import numpy as np
import tensorflow as tf

SIZE = 28


def pictures(random, count):
    """Rings and bars in 0..1, as [count, 28, 28, 1]: made here, so that nothing has to be loaded."""
    rows, columns = np.mgrid[:SIZE, :SIZE].astype(np.float32)
    made = np.zeros([count, SIZE, SIZE, 1], np.float32)
    for i in range(count):
        y, x = random.uniform(9, 19, 2)
        if i % 2:
            made[i, ..., 0] = np.exp(-((np.hypot(rows - y, columns - x) - random.uniform(3, 7)) ** 2) / 2)
        else:
            slope = random.uniform(-1, 1)
            made[i, ..., 0] = np.exp(-((rows - y - slope * (columns - x)) ** 2) / (2 + 2 * slope**2))
    return made


def model(noisy):
    """Three convolutions down to 4x4x8, three resizings and convolutions up again: logits as large as the input."""
    with tf.variable_scope("encoder"):
        code = noisy
        for channels in (16, 8, 8):
            code = tf.layers.conv2d(code, channels, 3, padding="same", activation=tf.nn.relu)
            code = tf.layers.max_pooling2d(code, 2, 2, padding="same")
    with tf.variable_scope("decoder"):
        out = code
        for size, channels in ((7, 8), (14, 8), (28, 16)):
            out = tf.image.resize_nearest_neighbor(out, (size, size))
            out = tf.layers.conv2d(out, channels, 3, padding="same", activation=tf.nn.relu)
        return tf.layers.conv2d(out, 1, 3, padding="same", activation=None, name="logits")


def write_picture(sess, path, columns):
    """Lays lists of pictures out as rows of one PNG."""
    grid = np.vstack([np.hstack(list(images[..., 0])) for images in columns])
    pixels = (np.clip(grid, 0, 1) * 255).astype(np.uint8)[..., np.newaxis]
    with tf.gfile.GFile(path, "wb") as file:
        file.write(sess.run(tf.image.encode_png(pixels)))
    return pixels.shape


def main(steps, folder):
    tf.set_random_seed(3)
    random = np.random.RandomState(3)
    data = pictures(random, 256)
    images = tf.placeholder(tf.float32, [None, SIZE, SIZE, 1], name="images")
    targets = tf.placeholder(tf.float32, [None, SIZE, SIZE, 1], name="targets")
    logits = model(images)
    decoded = tf.sigmoid(logits, name="decoded")
    loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=targets, logits=logits))
    train = tf.train.AdamOptimizer(0.003).minimize(loss)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for step in range(1, steps + 1):
            batch = data[random.randint(0, len(data), 32)]
            noisy = np.clip(batch + 0.3 * random.randn(*batch.shape), 0, 1)
            _, value = sess.run([train, loss], {images: noisy, targets: batch})
            if step == 1 or step % (steps // 4) == 0:
                print("step %3d: loss %.4f" % (step, value))
        shown = data[:10]
        noisy = np.clip(shown + 0.3 * random.randn(*shown.shape), 0, 1)
        path = os.path.join(folder, "reconstructions.png")
        shape = write_picture(sess, path, [shown, noisy, sess.run(decoded, {images: noisy})])
        print("wrote %s, %d x %d pixels" % (os.path.basename(path), shape[1], shape[0]))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--folder", default=None, help="where the picture goes")
    arguments = parser.parse_args()
    main(arguments.steps, arguments.folder or tempfile.mkdtemp())
