"""tf.contrib.slim.nets.vgg: the networks of Simonyan and Zisserman (ICLR 2015), layer by layer."""

from ferroflow._src.contrib.framework.arg_scope import arg_scope
from ferroflow._src.contrib.layers.layers import conv2d, dropout, fully_connected, max_pool2d, repeat
from ferroflow._src.contrib.layers.outputs import convert_collection_to_dict
from ferroflow._src.contrib.layers.regularizers import l2_regularizer
from ferroflow._src.framework.initializers import Zeros
from ferroflow._src.framework.variable_scope import variable_scope
from ferroflow._src.ops import activations, array


def vgg_arg_scope(weight_decay=0.0005):
    """Returns the arg_scope of the networks: ReLU, L2 regularization, zero biases, padded convolutions."""
    with arg_scope(
        [conv2d, fully_connected],
        activation_fn=activations.relu,
        weights_regularizer=l2_regularizer(weight_decay),
        biases_initializer=Zeros(),
    ):
        with arg_scope([conv2d], padding="SAME") as scope:
            return scope


def _vgg(depths, end_points_of, collected, inputs, num_classes, is_training, keep_prob, squeezes, scope, name):
    """Five blocks of `depths` convolutions, and three fully connected layers as convolutions."""
    with variable_scope(scope, name, [inputs]) as sc:
        collection = end_points_of(sc) + "_end_points"
        with arg_scope(collected, outputs_collections=collection):
            net = inputs
            for i, (depth, channels) in enumerate(zip(depths, (64, 128, 256, 512, 512), strict=True), 1):
                net = repeat(net, depth, conv2d, channels, [3, 3], scope=f"conv{i}")
                net = max_pool2d(net, [2, 2], scope=f"pool{i}")
            net = conv2d(net, 4096, [7, 7], padding="VALID", scope="fc6")
            net = dropout(net, keep_prob, is_training=is_training, scope="dropout6")
            net = conv2d(net, 4096, [1, 1], scope="fc7")
            net = dropout(net, keep_prob, is_training=is_training, scope="dropout7")
            net = conv2d(net, num_classes, [1, 1], activation_fn=None, normalizer_fn=None, scope="fc8")
            end_points = convert_collection_to_dict(collection)
            if squeezes:
                net = array.squeeze(net, [1, 2], name="fc8/squeezed")
                end_points[sc.name + "/fc8"] = net
            return net, end_points


def vgg_a(inputs, num_classes=1000, is_training=True, dropout_keep_prob=0.5, spatial_squeeze=True, scope="vgg_a"):
    """Makes the network of 11 layers.

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
    return _vgg(
        (1, 1, 2, 2, 2),
        lambda sc: sc.original_name_scope,
        [conv2d, max_pool2d],
        inputs,
        num_classes,
        is_training,
        dropout_keep_prob,
        spatial_squeeze,
        scope,
        "vgg_a",
    )


def vgg_16(inputs, num_classes=1000, is_training=True, dropout_keep_prob=0.5, spatial_squeeze=True, scope="vgg_16"):
    """Makes the network of 16 layers; see `vgg_a`."""
    return _vgg(
        (2, 2, 3, 3, 3),
        lambda sc: sc.original_name_scope,
        [conv2d, fully_connected, max_pool2d],
        inputs,
        num_classes,
        is_training,
        dropout_keep_prob,
        spatial_squeeze,
        scope,
        "vgg_16",
    )


def vgg_19(inputs, num_classes=1000, is_training=True, dropout_keep_prob=0.5, spatial_squeeze=True, scope="vgg_19"):
    """Makes the network of 19 layers; see `vgg_a`."""
    return _vgg(
        (2, 2, 4, 4, 4),
        lambda sc: sc.name,
        [conv2d, fully_connected, max_pool2d],
        inputs,
        num_classes,
        is_training,
        dropout_keep_prob,
        spatial_squeeze,
        scope,
        "vgg_19",
    )


vgg_a.default_image_size = vgg_16.default_image_size = vgg_19.default_image_size = 224
vgg_d, vgg_e = vgg_16, vgg_19
