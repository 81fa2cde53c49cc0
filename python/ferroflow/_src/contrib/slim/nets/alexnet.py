"""tf.contrib.slim.nets.alexnet: the network of Krizhevsky et al., in the form of "One weird trick" (2014)."""

from ferroflow._src.contrib.framework.arg_scope import arg_scope
from ferroflow._src.contrib.layers.layers import conv2d, dropout, fully_connected, max_pool2d
from ferroflow._src.contrib.layers.outputs import convert_collection_to_dict
from ferroflow._src.contrib.layers.regularizers import l2_regularizer
from ferroflow._src.framework.initializers import Constant, TruncatedNormal, Zeros
from ferroflow._src.framework.variable_scope import variable_scope
from ferroflow._src.ops import activations, array


def trunc_normal(stddev):
    """Returns the initializer of the last layers: a truncated normal distribution around zero."""
    return TruncatedNormal(0.0, stddev)


def alexnet_v2_arg_scope(weight_decay=0.0005):
    """Returns the arg_scope of the network: ReLU, L2 regularization, biases of 0.1, padded convolutions."""
    with arg_scope(
        [conv2d, fully_connected],
        activation_fn=activations.relu,
        biases_initializer=Constant(0.1),
        weights_regularizer=l2_regularizer(weight_decay),
    ):
        with arg_scope([conv2d], padding="SAME"), arg_scope([max_pool2d], padding="VALID") as scope:
            return scope


def alexnet_v2(
    inputs, num_classes=1000, is_training=True, dropout_keep_prob=0.5, spatial_squeeze=True, scope="alexnet_v2"
):
    """Makes the network.

    Args:
      inputs: images [batch, 224, 224, channels].
      num_classes: how many classes.
      is_training: whether to drop out, a bool or scalar `Tensor`.
      dropout_keep_prob: how much is kept.
      spatial_squeeze: whether logits are [batch, classes]; else [batch, 1, 1, classes] (or more, for larger images).
      scope: the variable scope.

    Returns:
      (logits, a dict of all layers' outputs).
    """
    with variable_scope(scope, "alexnet_v2", [inputs]) as sc:
        collection = sc.original_name_scope + "_end_points"
        with arg_scope([conv2d, fully_connected, max_pool2d], outputs_collections=[collection]):
            net = conv2d(inputs, 64, [11, 11], 4, padding="VALID", scope="conv1")
            net = max_pool2d(net, [3, 3], 2, scope="pool1")
            net = conv2d(net, 192, [5, 5], scope="conv2")
            net = max_pool2d(net, [3, 3], 2, scope="pool2")
            net = conv2d(net, 384, [3, 3], scope="conv3")
            net = conv2d(net, 384, [3, 3], scope="conv4")
            net = conv2d(net, 256, [3, 3], scope="conv5")
            net = max_pool2d(net, [3, 3], 2, scope="pool5")
            with arg_scope([conv2d], weights_initializer=trunc_normal(0.005), biases_initializer=Constant(0.1)):
                net = conv2d(net, 4096, [5, 5], padding="VALID", scope="fc6")
                net = dropout(net, dropout_keep_prob, is_training=is_training, scope="dropout6")
                net = conv2d(net, 4096, [1, 1], scope="fc7")
                net = dropout(net, dropout_keep_prob, is_training=is_training, scope="dropout7")
                net = conv2d(
                    net,
                    num_classes,
                    [1, 1],
                    activation_fn=None,
                    normalizer_fn=None,
                    biases_initializer=Zeros(),
                    scope="fc8",
                )
            end_points = convert_collection_to_dict(collection)
            if spatial_squeeze:
                net = array.squeeze(net, [1, 2], name="fc8/squeezed")
                end_points[sc.name + "/fc8"] = net
            return net, end_points


alexnet_v2.default_image_size = 224
