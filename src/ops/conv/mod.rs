//! Convolutions of images and volumes, their gradients, and those of single channels.

use super::Op;

mod depthwise;
mod gpu;
mod gradients;
mod kernels;
mod shapes;
mod volumes;

use kernels::Part;

pub(super) const OPS: &[Op] = &[
    Op::new("Conv2D", "input: T, filter: T -> output: T")
        .attr("T: {float16, bfloat16, float32, float64}")
        .attr("strides: list(int)")
        .attr("use_cudnn_on_gpu: bool = true")
        .attr("padding: {'SAME', 'VALID', 'EXPLICIT'}")
        .attr("explicit_paddings: list(int) = []")
        .attr("data_format: {'NHWC', 'NCHW'} = 'NHWC'")
        .attr("dilations: list(int) = [1, 1, 1, 1]")
        .shape(|c| shapes::forward(c, 2))
        .grad(gradients::conv2d)
        .kernel(|c| kernels::run(c, Part::Forward, 2))
        .gpu(|c| gpu::conv2d(c, Part::Forward))
        .ends(),
    Op::new(
        "Conv2DBackpropInput",
        "input_sizes: int32, filter: T, out_backprop: T -> output: T",
    )
    .attr("T: {float16, bfloat16, float32, float64}")
    .attr("strides: list(int)")
    .attr("use_cudnn_on_gpu: bool = true")
    .attr("padding: {'SAME', 'VALID', 'EXPLICIT'}")
    .attr("explicit_paddings: list(int) = []")
    .attr("data_format: {'NHWC', 'NCHW'} = 'NHWC'")
    .attr("dilations: list(int) = [1, 1, 1, 1]")
    .shape(|c| shapes::of_sizes(c, 0, 4))
    .grad(|g| gradients::of_backprop_input(g, gradients::CONV_2D))
    .kernel(|c| kernels::run(c, Part::Input, 2))
    .gpu(|c| gpu::conv2d(c, Part::Input))
    .ends()
    .on_host(&[0]),
    Op::new(
        "Conv2DBackpropFilter",
        "input: T, filter_sizes: int32, out_backprop: T -> output: T",
    )
    .attr("T: {float16, bfloat16, float32, float64}")
    .attr("strides: list(int)")
    .attr("use_cudnn_on_gpu: bool = true")
    .attr("padding: {'SAME', 'VALID', 'EXPLICIT'}")
    .attr("explicit_paddings: list(int) = []")
    .attr("data_format: {'NHWC', 'NCHW'} = 'NHWC'")
    .attr("dilations: list(int) = [1, 1, 1, 1]")
    .shape(|c| shapes::of_sizes(c, 1, 4))
    .grad(|g| gradients::of_backprop_filter(g, gradients::CONV_2D))
    .kernel(|c| kernels::run(c, Part::Filter, 2))
    .gpu(|c| gpu::conv2d(c, Part::Filter))
    .ends()
    .on_host(&[1]),
    Op::new("DepthwiseConv2dNative", "input: T, filter: T -> output: T")
        .attr("T: {float16, bfloat16, float32, float64}")
        .attr("strides: list(int)")
        .attr("padding: {'SAME', 'VALID'}")
        .attr("data_format: {'NHWC', 'NCHW'} = 'NHWC'")
        .attr("dilations: list(int) = [1, 1, 1, 1]")
        .shape(shapes::depthwise)
        .grad(|g| gradients::of_forward(g, gradients::DEPTHWISE))
        .kernel(|c| depthwise::run(c, Part::Forward))
        .gpu(|c| gpu::depthwise(c, Part::Forward))
        .ends(),
    Op::new(
        "DepthwiseConv2dNativeBackpropInput",
        "input_sizes: int32, filter: T, out_backprop: T -> output: T",
    )
    .attr("T: {float16, bfloat16, float32, float64}")
    .attr("strides: list(int)")
    .attr("padding: {'SAME', 'VALID'}")
    .attr("data_format: {'NHWC', 'NCHW'} = 'NHWC'")
    .attr("dilations: list(int) = [1, 1, 1, 1]")
    .shape(|c| shapes::of_sizes(c, 0, 4))
    .grad(|g| gradients::of_backprop_input(g, gradients::DEPTHWISE))
    .kernel(|c| depthwise::run(c, Part::Input))
    .gpu(|c| gpu::depthwise(c, Part::Input))
    .ends()
    .on_host(&[0]),
    Op::new(
        "DepthwiseConv2dNativeBackpropFilter",
        "input: T, filter_sizes: int32, out_backprop: T -> output: T",
    )
    .attr("T: {float16, bfloat16, float32, float64}")
    .attr("strides: list(int)")
    .attr("padding: {'SAME', 'VALID'}")
    .attr("data_format: {'NHWC', 'NCHW'} = 'NHWC'")
    .attr("dilations: list(int) = [1, 1, 1, 1]")
    .shape(|c| shapes::of_sizes(c, 1, 4))
    .grad(|g| gradients::of_backprop_filter(g, gradients::DEPTHWISE))
    .kernel(|c| depthwise::run(c, Part::Filter))
    .gpu(|c| gpu::depthwise(c, Part::Filter))
    .ends()
    .on_host(&[1]),
    Op::new("Conv3D", "input: T, filter: T -> output: T")
        .attr("T: {float16, bfloat16, float32, float64}")
        .attr("strides: list(int) >= 5")
        .attr("padding: {'SAME', 'VALID'}")
        .attr("data_format: {'NDHWC', 'NCDHW'} = 'NDHWC'")
        .attr("dilations: list(int) = [1, 1, 1, 1, 1]")
        .shape(|c| shapes::forward(c, 3))
        .grad(|g| gradients::of_forward(g, gradients::CONV_3D))
        .kernel(|c| kernels::run(c, Part::Forward, 3))
        .gpu(|c| volumes::conv3d(c, Part::Forward)),
    Op::new(
        "Conv3DBackpropInputV2",
        "input_sizes: Tshape, filter: T, out_backprop: T -> output: T",
    )
    .attr("T: {float16, bfloat16, float32, float64}")
    .attr("strides: list(int) >= 5")
    .attr("padding: {'SAME', 'VALID'}")
    .attr("data_format: {'NDHWC', 'NCDHW'} = 'NDHWC'")
    .attr("dilations: list(int) = [1, 1, 1, 1, 1]")
    .attr("Tshape: {int32, int64} = DT_INT32")
    .shape(|c| shapes::of_sizes(c, 0, 5))
    .grad(|g| gradients::of_backprop_input(g, gradients::CONV_3D))
    .kernel(|c| kernels::run(c, Part::Input, 3))
    .gpu(|c| volumes::conv3d(c, Part::Input))
    .on_host(&[0]),
    Op::new(
        "Conv3DBackpropFilterV2",
        "input: T, filter_sizes: int32, out_backprop: T -> output: T",
    )
    .attr("T: {float16, bfloat16, float32, float64}")
    .attr("strides: list(int) >= 5")
    .attr("padding: {'SAME', 'VALID'}")
    .attr("data_format: {'NDHWC', 'NCDHW'} = 'NDHWC'")
    .attr("dilations: list(int) = [1, 1, 1, 1, 1]")
    .shape(|c| shapes::of_sizes(c, 1, 5))
    .grad(|g| gradients::of_backprop_filter(g, gradients::CONV_3D))
    .kernel(|c| kernels::run(c, Part::Filter, 3))
    .gpu(|c| volumes::conv3d(c, Part::Filter))
    .on_host(&[1]),
    Op::new(
        "Conv3DBackpropInput",
        "input: T, filter: T, out_backprop: T -> output: T",
    )
    .attr("T: {float16, float32, float64}")
    .attr("strides: list(int) >= 5")
    .attr("padding: {'SAME', 'VALID'}")
    .attr("dilations: list(int) = [1, 1, 1, 1, 1]")
    .shape(|c| shapes::as_input(c, 0))
    .kernel(|c| kernels::run(c, Part::Input, 3)),
    Op::new(
        "Conv3DBackpropFilter",
        "input: T, filter: T, out_backprop: T -> output: T",
    )
    .attr("T: {float16, float32, float64}")
    .attr("strides: list(int) >= 5")
    .attr("padding: {'SAME', 'VALID'}")
    .attr("dilations: list(int) = [1, 1, 1, 1, 1]")
    .shape(|c| shapes::as_input(c, 1))
    .kernel(|c| kernels::run(c, Part::Filter, 3)),
];
