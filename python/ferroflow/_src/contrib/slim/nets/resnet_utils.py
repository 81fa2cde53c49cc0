"""tf.contrib.slim.nets.resnet_utils: what residual networks of both kinds are made of."""

import collections

from ferroflow._src.contrib.framework.arg_scope import add_arg_scope, arg_scope
from ferroflow._src.contrib.layers.batch_normalization import batch_norm
from ferroflow._src.contrib.layers.initializers import variance_scaling_initializer
from ferroflow._src.contrib.layers.layers import conv2d, max_pool2d, softmax
from ferroflow._src.contrib.layers.outputs import collect_named_outputs, convert_collection_to_dict
from ferroflow._src.contrib.layers.regularizers import l2_regularizer
from ferroflow._src.framework.graph_keys import GraphKeys
from ferroflow._src.framework.variable_scope import variable_scope
from ferroflow._src.ops import activations, array, reductions


class Block(collections.namedtuple("Block", ["scope", "unit_fn", "args"])):
    """Units of one scope: `unit_fn` is called with each dict of `args`."""


def subsample(inputs, factor, scope=None):
    """Takes every `factor`th row and column."""
    return inputs if factor == 1 else max_pool2d(inputs, [1, 1], stride=factor, scope=scope)


def conv2d_same(inputs, num_outputs, kernel_size, stride, rate=1, scope=None):
    """Convolves with the padding that does not depend on the size of the images.

    Args:
      inputs: images [batch, height, width, channels].
      num_outputs: how many channels to make.
      kernel_size: an int.
      stride: an int.
      rate: an int, the dilation.
      scope: the variable scope.
    """
    if stride == 1:
        return conv2d(inputs, num_outputs, kernel_size, stride=1, rate=rate, padding="SAME", scope=scope)
    total = (kernel_size - 1) * rate
    before = total // 2
    edges = [before, total - before]
    inputs = array.pad(inputs, [[0, 0], edges, edges, [0, 0]])
    return conv2d(inputs, num_outputs, kernel_size, stride=stride, rate=rate, padding="VALID", scope=scope)


@add_arg_scope
def stack_blocks_dense(net, blocks, output_stride=None, outputs_collections=None):
    """Makes blocks one after another; from `output_stride` on, dilation takes the place of strides.

    Args:
      net: a `Tensor` [batch, height, width, channels].
      blocks: a list of `Block`.
      output_stride: how many pixels of the input one of the output stands for; None for as many as come out.
      outputs_collections: where the blocks' outputs are collected.

    Raises:
      ValueError: when the strides do not reach `output_stride`.
    """
    unreached = ValueError("The target output_stride cannot be reached.")
    stride = rate = 1
    for block in blocks:
        with variable_scope(block.scope, "block", [net]) as sc:
            for i, unit in enumerate(block.args, 1):
                if output_stride is not None and stride > output_stride:
                    raise unreached
                with variable_scope(f"unit_{i}", values=[net]):
                    if output_stride is not None and stride == output_stride:
                        net = block.unit_fn(net, rate=rate, **{**unit, "stride": 1})
                        rate *= unit.get("stride", 1)
                    else:
                        net = block.unit_fn(net, rate=1, **unit)
                        stride *= unit.get("stride", 1)
            net = collect_named_outputs(outputs_collections, sc.name, net)
    if output_stride is not None and stride != output_stride:
        raise unreached
    return net


def resnet_arg_scope(weight_decay=0.0001, batch_norm_decay=0.997, batch_norm_epsilon=1e-5, batch_norm_scale=True):
    """Returns the arg_scope of residual networks: batch normalization, ReLU, L2 regularization.

    Args:
      weight_decay: the factor of the regularization.
      batch_norm_decay: how slowly the moving averages forget.
      batch_norm_epsilon: added to variances.
      batch_norm_scale: whether there is a gain.
    """
    options = {
        "decay": batch_norm_decay,
        "epsilon": batch_norm_epsilon,
        "scale": batch_norm_scale,
        "updates_collections": GraphKeys.UPDATE_OPS,
    }
    with arg_scope(
        [conv2d],
        weights_regularizer=l2_regularizer(weight_decay),
        weights_initializer=variance_scaling_initializer(),
        activation_fn=activations.relu,
        normalizer_fn=batch_norm,
        normalizer_params=options,
    ):
        with arg_scope([batch_norm], **options), arg_scope([max_pool2d], padding="SAME") as scope:
            return scope


def bottleneck_block(unit_fn, scope, base_depth, num_units, stride):
    """Returns a `Block` of units whose last one has the stride."""
    sizes = {"depth": base_depth * 4, "depth_bottleneck": base_depth}
    return Block(scope, unit_fn, [{**sizes, "stride": 1}] * (num_units - 1) + [{**sizes, "stride": stride}])


def standard_blocks(make_block, num_units):
    """Returns the four blocks of the networks for ImageNet."""
    parts = zip((64, 128, 256, 512), num_units, (2, 2, 2, 1), strict=True)
    return [
        make_block(f"block{i}", base_depth=depth, num_units=count, stride=stride)
        for i, (depth, count, stride) in enumerate(parts, 1)
    ]


def network(
    kind, inputs, blocks, num_classes, is_training, global_pool, output_stride, include_root_block, reuse, scope
):
    """Makes a residual network.

    Args:
      kind: its `name`, its unit (`bottleneck`), `root`, which makes the first convolution, and `end`, for what follows
        the blocks.
      inputs: images [batch, height, width, channels].
      blocks: a list of `Block`.
      num_classes: how many classes; None for no logits.
      is_training: whether batches are normalized by their own moments.
      global_pool: whether to average over each image.
      output_stride: as for `stack_blocks_dense`, of the whole network.
      include_root_block: whether to begin with a convolution and pooling.
      reuse: of the variable scope.
      scope: the variable scope.

    Returns:
      (the output, a dict of all layers' outputs).
    """
    with variable_scope(scope, kind.name, [inputs], reuse=reuse) as sc:
        collection = sc.original_name_scope + "_end_points"
        with (
            arg_scope([conv2d, kind.bottleneck, stack_blocks_dense], outputs_collections=collection),
            arg_scope([batch_norm], is_training=is_training),
        ):
            net = inputs
            if include_root_block:
                if output_stride is not None:
                    if output_stride % 4 != 0:
                        raise ValueError("The output_stride needs to be a multiple of 4.")
                    output_stride /= 4
                net = max_pool2d(kind.root(net), [3, 3], stride=2, scope="pool1")
            net = kind.end(stack_blocks_dense(net, blocks, output_stride))
            if global_pool:
                net = reductions.reduce_mean(net, [1, 2], name="pool5", keepdims=True)
            if num_classes is not None:
                net = conv2d(net, num_classes, [1, 1], activation_fn=None, normalizer_fn=None, scope="logits")
            end_points = convert_collection_to_dict(collection)
            if num_classes is not None:
                end_points["predictions"] = softmax(net, scope="predictions")
            return net, end_points


Kind = collections.namedtuple("Kind", ["name", "bottleneck", "root", "end"])
"""What differs between the two kinds of networks; see `network`."""
