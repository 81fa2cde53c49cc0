"""The two-layer network for MNIST of TensorFlow's tutorials, as `tensorflow.examples.tutorials.mnist.mnist`."""

import math

from ferroflow._src.framework.dtypes import int32, int64
from ferroflow._src.framework.fills import truncated_normal, zeros
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.operators import cast, matmul
from ferroflow._src.framework.variables import Variable
from ferroflow._src.losses.losses import sparse_softmax_cross_entropy
from ferroflow._src.ops.activations import relu
from ferroflow._src.ops.nn import in_top_k
from ferroflow._src.ops.reductions import reduce_sum
from ferroflow._src.summary import summary_ops
from ferroflow._src.training.gradient_descent import GradientDescentOptimizer

NUM_CLASSES = 10
IMAGE_SIZE = 28
IMAGE_PIXELS = IMAGE_SIZE * IMAGE_SIZE


def _layer(inputs, num_inputs, num_outputs):
    deviation = 1.0 / math.sqrt(float(num_inputs))
    weights = Variable(truncated_normal([num_inputs, num_outputs], stddev=deviation), name="weights")
    biases = Variable(zeros([num_outputs]), name="biases")
    return matmul(inputs, weights) + biases


def inference(images, hidden1_units, hidden2_units):
    """Builds the network.

    Args:
      images: floats, [batch, IMAGE_PIXELS].
      hidden1_units: the width of the first layer.
      hidden2_units: the width of the second layer.

    Returns:
      The logits, [batch, NUM_CLASSES].
    """
    with name_scope("hidden1"):
        hidden1 = relu(_layer(images, IMAGE_PIXELS, hidden1_units))
    with name_scope("hidden2"):
        hidden2 = relu(_layer(hidden1, hidden1_units, hidden2_units))
    with name_scope("softmax_linear"):
        return _layer(hidden2, hidden2_units, NUM_CLASSES)


def loss(logits, labels):
    """Returns the mean cross entropy of logits and labels ([batch], ints)."""
    labels = cast(labels, int64, name="ToInt64")
    return sparse_softmax_cross_entropy(labels=labels, logits=logits)


def training(loss, learning_rate):
    """Returns the operation of one step of gradient descent; the loss becomes a summary."""
    summary_ops.scalar("loss", loss)
    optimizer = GradientDescentOptimizer(learning_rate)
    global_step = Variable(0, name="global_step", trainable=False)
    return optimizer.minimize(loss, global_step=global_step)


def evaluation(logits, labels):
    """Returns how many labels ([batch], ints) the logits tell right."""
    correct = in_top_k(logits, labels, 1)
    return reduce_sum(cast(correct, int32))
