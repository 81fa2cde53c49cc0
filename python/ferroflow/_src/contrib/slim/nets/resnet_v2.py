"""tf.contrib.slim.nets.resnet_v2: residual networks with normalization before convolutions (He et al., ECCV 2016)."""

from ferroflow._src.contrib.framework.arg_scope import add_arg_scope, arg_scope
from ferroflow._src.contrib.layers.arguments import last_dimension
from ferroflow._src.contrib.layers.batch_normalization import batch_norm
from ferroflow._src.contrib.layers.layers import conv2d
from ferroflow._src.contrib.layers.outputs import collect_named_outputs
from ferroflow._src.contrib.slim.nets import resnet_utils
from ferroflow._src.contrib.slim.nets.resnet_utils import resnet_arg_scope as resnet_arg_scope
from ferroflow._src.framework.variable_scope import variable_scope
from ferroflow._src.ops import activations


@add_arg_scope
def bottleneck(inputs, depth, depth_bottleneck, stride, rate=1, outputs_collections=None, scope=None):
    """Makes a unit of three convolutions beside a shortcut, after batch normalization and ReLU.

    Args:
      inputs: a `Tensor` [batch, height, width, channels].
      depth: how many channels it makes.
      depth_bottleneck: how many there are within.
      stride: an int.
      rate: an int, the dilation.
      outputs_collections: where the output is collected.
      scope: the variable scope.
    """
    with variable_scope(scope, "bottleneck_v2", [inputs]) as sc:
        plain = {"normalizer_fn": None, "activation_fn": None}
        depth_in = last_dimension(inputs.get_shape(), min_rank=4)
        before = batch_norm(inputs, activation_fn=activations.relu, scope="preact")
        if depth == depth_in:
            shortcut = resnet_utils.subsample(inputs, stride, "shortcut")
        else:
            shortcut = conv2d(before, depth, [1, 1], stride=stride, scope="shortcut", **plain)
        residual = conv2d(before, depth_bottleneck, [1, 1], stride=1, scope="conv1")
        residual = resnet_utils.conv2d_same(residual, depth_bottleneck, 3, stride, rate=rate, scope="conv2")
        residual = conv2d(residual, depth, [1, 1], stride=1, scope="conv3", **plain)
        return collect_named_outputs(outputs_collections, sc.name, shortcut + residual)


def _root(net):
    with arg_scope([conv2d], activation_fn=None, normalizer_fn=None):
        return resnet_utils.conv2d_same(net, 64, 7, stride=2, scope="conv1")


_KIND = resnet_utils.Kind(
    "resnet_v2",
    bottleneck,
    _root,
    lambda net: batch_norm(net, activation_fn=activations.relu, scope="postnorm"),
)


def resnet_v2(
    inputs,
    blocks,
    num_classes=None,
    is_training=True,
    global_pool=True,
    output_stride=None,
    include_root_block=True,
    reuse=None,
    scope=None,
):
    """Makes a network of `blocks`; see `resnet_utils.network`."""
    return resnet_utils.network(
        _KIND,
        inputs,
        blocks,
        num_classes,
        is_training,
        global_pool,
        output_stride,
        include_root_block,
        reuse,
        scope,
    )


resnet_v2.default_image_size = 224


def resnet_v2_block(scope, base_depth, num_units, stride):
    """Returns a `Block` of `num_units` units, the last of which has the stride."""
    return resnet_utils.bottleneck_block(bottleneck, scope, base_depth, num_units, stride)


def resnet_v2_50(
    inputs,
    num_classes=None,
    is_training=True,
    global_pool=True,
    output_stride=None,
    reuse=None,
    scope="resnet_v2_50",
):
    """Makes the network of 50 layers; see `resnet_utils.network`."""
    blocks = resnet_utils.standard_blocks(resnet_v2_block, (3, 4, 6, 3))
    return resnet_v2(inputs, blocks, num_classes, is_training, global_pool, output_stride, reuse=reuse, scope=scope)


def resnet_v2_101(
    inputs,
    num_classes=None,
    is_training=True,
    global_pool=True,
    output_stride=None,
    reuse=None,
    scope="resnet_v2_101",
):
    """Makes the network of 101 layers; see `resnet_utils.network`."""
    blocks = resnet_utils.standard_blocks(resnet_v2_block, (3, 4, 23, 3))
    return resnet_v2(inputs, blocks, num_classes, is_training, global_pool, output_stride, reuse=reuse, scope=scope)


def resnet_v2_152(
    inputs,
    num_classes=None,
    is_training=True,
    global_pool=True,
    output_stride=None,
    reuse=None,
    scope="resnet_v2_152",
):
    """Makes the network of 152 layers; see `resnet_utils.network`."""
    blocks = resnet_utils.standard_blocks(resnet_v2_block, (3, 8, 36, 3))
    return resnet_v2(inputs, blocks, num_classes, is_training, global_pool, output_stride, reuse=reuse, scope=scope)


def resnet_v2_200(
    inputs,
    num_classes=None,
    is_training=True,
    global_pool=True,
    output_stride=None,
    reuse=None,
    scope="resnet_v2_200",
):
    """Makes the network of 200 layers; see `resnet_utils.network`."""
    blocks = resnet_utils.standard_blocks(resnet_v2_block, (3, 24, 36, 3))
    return resnet_v2(inputs, blocks, num_classes, is_training, global_pool, output_stride, reuse=reuse, scope=scope)
