"""The model that mnist_train.py and mnist_eval.py share: one hidden layer, with weights made by get_variable in scopes."""

import tensorflow as tf

HIDDEN = 500
CLASSES = 10


def weights(shape, regularizer):
    made = tf.get_variable("weights", shape, initializer=tf.truncated_normal_initializer(stddev=0.1))
    if regularizer is not None:
        tf.add_to_collection("losses", regularizer(made))
    return made


def inference(images, regularizer=None):
    """Logits [batch, 10] of images [batch, pixels]."""
    pixels = images.get_shape().as_list()[1]
    with tf.variable_scope("layer1"):
        biases = tf.get_variable("biases", [HIDDEN], initializer=tf.constant_initializer(0.0))
        hidden = tf.nn.relu(tf.matmul(images, weights([pixels, HIDDEN], regularizer)) + biases)
    with tf.variable_scope("layer2"):
        biases = tf.get_variable("biases", [CLASSES], initializer=tf.constant_initializer(0.0))
        return tf.matmul(hidden, weights([HIDDEN, CLASSES], regularizer)) + biases
