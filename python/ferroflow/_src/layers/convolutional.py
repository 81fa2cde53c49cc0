"""Convolutional layers: Conv1D to Conv3D, their transposes, and separable ones."""

from ferroflow._src.framework.initializers import Zeros
from ferroflow._src.framework.tensor_shape import TensorShape
from ferroflow._src.layers.base import InputSpec, Layer, get_activation, get_initializer
from ferroflow._src.layers.sizes import (
    conv_output_length,
    data_format_name,
    deconv_output_length,
    normalize_data_format,
    normalize_padding,
    normalize_tuple,
)
from ferroflow._src.ops import array, conv, convolution, nn, shaping


def _channels(layer, input_shape):
    """Returns the axis of the channels and how many there are."""
    axis = 1 if layer.data_format == "channels_first" else -1
    size = TensorShape(input_shape).dims[axis].value
    if size is None:
        raise ValueError("The channel dimension of the inputs should be defined. Found `None`.")
    return axis, int(size)


class _Conv(Layer):
    """What all convolutional layers share."""

    _rank = 2

    _config = (
        "filters",
        "kernel_size",
        "strides",
        "padding",
        "data_format",
        "dilation_rate",
        "activation",
        "use_bias",
        "kernel_initializer",
        "bias_initializer",
        "kernel_regularizer",
        "bias_regularizer",
        "activity_regularizer",
        "kernel_constraint",
        "bias_constraint",
    )

    def __init__(
        self,
        filters,
        kernel_size,
        strides=1,
        padding="valid",
        data_format="channels_last",
        dilation_rate=1,
        activation=None,
        use_bias=True,
        kernel_initializer=None,
        bias_initializer=Zeros(),
        kernel_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        trainable=True,
        name=None,
        **kwargs,
    ):
        """Creates the layer.

        Args:
          filters: the number of output channels.
          kernel_size: an integer, or one a spatial dimension.
          strides: an integer, or one a spatial dimension.
          padding: 'valid' or 'same'; 'causal' for `Conv1D`.
          data_format: 'channels_last' or 'channels_first'.
          dilation_rate: an integer, or one a spatial dimension.
          activation: a function, or its name; None for none.
          use_bias: whether there is a bias.
          kernel_initializer: makes the kernel's first value; None for the scope's.
          bias_initializer: makes the bias's first value.
          kernel_regularizer: a function that makes a loss of the kernel.
          bias_regularizer: a function that makes a loss of the bias.
          activity_regularizer: a function that makes a loss of the output.
          kernel_constraint: a function that an optimizer applies to the kernel after each update.
          bias_constraint: the same for the bias.
          trainable: whether the variables are trained.
          name: the layer's name.
          **kwargs: see `Layer`.

        Raises:
          ValueError: for sizes, paddings or formats that make no sense.
        """
        super().__init__(trainable=trainable, name=name, activity_regularizer=activity_regularizer, **kwargs)
        rank = self.rank = self._rank
        self.filters = filters
        self.kernel_size = normalize_tuple(kernel_size, rank, "kernel_size")
        self.strides = normalize_tuple(strides, rank, "strides")
        self.padding = normalize_padding(padding)
        if self.padding == "causal" and rank != 1:
            raise ValueError("Causal padding is only supported for `Conv1D`and ``SeparableConv1D`.")
        self.data_format = normalize_data_format(data_format)
        self.dilation_rate = normalize_tuple(dilation_rate, rank, "dilation_rate")
        self.activation = get_activation(activation)
        self.use_bias = use_bias
        self.kernel_initializer = get_initializer(kernel_initializer)
        self.bias_initializer = get_initializer(bias_initializer)
        self.kernel_regularizer, self.bias_regularizer = kernel_regularizer, bias_regularizer
        self.kernel_constraint, self.bias_constraint = kernel_constraint, bias_constraint
        self.input_spec = InputSpec(ndim=rank + 2)

    def _add_kernel(self, shape):
        self.kernel = self.add_weight(
            name="kernel",
            shape=shape,
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
            trainable=True,
            dtype=self.dtype,
        )

    def _add_bias(self):
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(self.filters,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
                trainable=True,
                dtype=self.dtype,
            )

    def build(self, input_shape):
        """Makes `kernel` [*kernel_size, channels, filters] and `bias` [filters].

        Raises:
          ValueError: when the number of channels is not known.
        """
        shape = TensorShape(input_shape)
        axis, channels = _channels(self, shape)
        self._add_kernel((*self.kernel_size, channels, self.filters))
        self._add_bias()
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={axis: channels})
        padding = "valid" if self.padding == "causal" else self.padding
        self._convolution_op = convolution.Convolution(
            shape,
            filter_shape=self.kernel.shape,
            dilation_rate=self.dilation_rate,
            strides=self.strides,
            padding=padding if isinstance(padding, (list, tuple)) else padding.upper(),
            data_format=data_format_name(self.data_format, self.rank + 2),
        )
        self.built = True

    def call(self, inputs):
        """Returns the convolution."""
        if self.padding == "causal":
            inputs = array.pad(inputs, self._causal_padding())
        outputs = self._convolution_op(inputs, self.kernel)
        if self.use_bias:
            if self.data_format == "channels_last":
                outputs = nn.bias_add(outputs, self.bias, data_format="NHWC")
            elif self.rank == 1:
                outputs += array.reshape(self.bias, (1, self.filters, 1))
            else:
                outputs = nn.bias_add(outputs, self.bias, data_format="NCHW")
        return outputs if self.activation is None else self.activation(outputs)

    def _causal_padding(self):
        left = self.dilation_rate[0] * (self.kernel_size[0] - 1)
        if self.data_format == "channels_last":
            return [[0, 0], [left, 0], [0, 0]]
        return [[0, 0], [0, 0], [left, 0]]

    def compute_output_shape(self, input_shape):
        """Returns the output's shape."""
        sizes = TensorShape(input_shape).as_list()
        is_last = self.data_format == "channels_last"
        space = [
            conv_output_length(size, kernel, self.padding, stride, rate)
            for size, kernel, stride, rate in zip(
                sizes[1:-1] if is_last else sizes[2:], self.kernel_size, self.strides, self.dilation_rate, strict=True
            )
        ]
        return TensorShape([sizes[0], *space, self.filters] if is_last else [sizes[0], self.filters, *space])


class Conv1D(_Conv):
    """A convolution of sequences [batch, length, channels]."""

    _rank = 1


class Conv2D(_Conv):
    """A convolution of images [batch, height, width, channels]."""

    def __init__(
        self,
        filters,
        kernel_size,
        strides=(1, 1),
        padding="valid",
        data_format="channels_last",
        dilation_rate=(1, 1),
        activation=None,
        use_bias=True,
        kernel_initializer=None,
        bias_initializer=Zeros(),
        kernel_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        trainable=True,
        name=None,
        **kwargs,
    ):
        super().__init__(
            filters,
            kernel_size,
            strides,
            padding,
            data_format,
            dilation_rate,
            activation,
            use_bias,
            kernel_initializer,
            bias_initializer,
            kernel_regularizer,
            bias_regularizer,
            activity_regularizer,
            kernel_constraint,
            bias_constraint,
            trainable,
            name,
            **kwargs,
        )


class Conv3D(_Conv):
    """A convolution of volumes [batch, depth, height, width, channels]."""

    _rank = 3

    def __init__(
        self,
        filters,
        kernel_size,
        strides=(1, 1, 1),
        padding="valid",
        data_format="channels_last",
        dilation_rate=(1, 1, 1),
        activation=None,
        use_bias=True,
        kernel_initializer=None,
        bias_initializer=Zeros(),
        kernel_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        trainable=True,
        name=None,
        **kwargs,
    ):
        super().__init__(
            filters,
            kernel_size,
            strides,
            padding,
            data_format,
            dilation_rate,
            activation,
            use_bias,
            kernel_initializer,
            bias_initializer,
            kernel_regularizer,
            bias_regularizer,
            activity_regularizer,
            kernel_constraint,
            bias_constraint,
            trainable,
            name,
            **kwargs,
        )


class _ConvTranspose(_Conv):
    """What the transposed layers share."""

    def build(self, input_shape):
        """Makes `kernel` [*kernel_size, filters, channels] and `bias` [filters].

        Raises:
          ValueError: when the rank is another, or the number of channels not known.
        """
        shape = TensorShape(input_shape)
        if shape.ndims != self.rank + 2:
            raise ValueError(f"Inputs should have rank {self.rank + 2}. Received input shape: {shape}")
        axis, channels = _channels(self, shape)
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={axis: channels})
        self._add_kernel((*self.kernel_size, self.filters, channels))
        self._add_bias()
        self.built = True

    def _space(self):
        """The axes of the spatial dimensions, and that of the channels."""
        if self.data_format == "channels_first":
            return list(range(2, self.rank + 2)), 1
        return list(range(1, self.rank + 1)), self.rank + 1

    def _lengths(self, sizes):
        return [
            deconv_output_length(size, kernel, self.padding, None, stride, rate)
            for size, kernel, stride, rate in zip(
                sizes, self.kernel_size, self.strides, self.dilation_rate, strict=True
            )
        ]

    def compute_output_shape(self, input_shape):
        """Returns the output's shape."""
        sizes = TensorShape(input_shape).as_list()
        axes, channels = self._space()
        for axis, length in zip(axes, self._lengths([sizes[axis] for axis in axes]), strict=True):
            sizes[axis] = length
        sizes[channels] = self.filters
        return TensorShape(sizes)

    def _output_shape(self, inputs):
        shape = shaping.shape(inputs)
        axes, _ = self._space()
        batch = shape[0]
        lengths = self._lengths([shape[axis] for axis in axes])
        if self.data_format == "channels_first":
            return array.stack((batch, self.filters, *lengths))
        return array.stack((batch, *lengths, self.filters))

    def _finish(self, outputs):
        return outputs if self.activation is None else self.activation(outputs)


class Conv2DTranspose(_ConvTranspose):
    """The transpose of `Conv2D`, often called deconvolution."""

    def __init__(
        self,
        filters,
        kernel_size,
        strides=(1, 1),
        padding="valid",
        data_format="channels_last",
        activation=None,
        use_bias=True,
        kernel_initializer=None,
        bias_initializer=Zeros(),
        kernel_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        trainable=True,
        name=None,
        **kwargs,
    ):
        super().__init__(
            filters,
            kernel_size,
            strides,
            padding,
            data_format,
            1,
            activation,
            use_bias,
            kernel_initializer,
            bias_initializer,
            kernel_regularizer,
            bias_regularizer,
            activity_regularizer,
            kernel_constraint,
            bias_constraint,
            trainable,
            name,
            **kwargs,
        )

    def call(self, inputs):
        """Returns the transposed convolution."""
        shape = self._output_shape(inputs)
        format_name, given = data_format_name(self.data_format, 4), inputs
        is_first = format_name == "NCHW"
        if is_first:
            # The CPU convolves channels last, as TensorFlow's backend of this layer has it.
            inputs = array.transpose(inputs, (0, 2, 3, 1))
            shape = array.stack([shape[0], shape[2], shape[3], shape[1]])
        else:
            shape[0]  # a node that TensorFlow makes and never uses: it counts for the seeds of later ops
        outputs = conv.conv2d_transpose(
            inputs, self.kernel, shape, (1, *self.strides, 1), padding=self.padding.upper(), data_format="NHWC"
        )
        if is_first:
            outputs = array.transpose(outputs, (0, 3, 1, 2))
        inputs = given
        outputs.set_shape(self.compute_output_shape(inputs.shape))
        if self.use_bias:
            outputs = nn.bias_add(outputs, self.bias, data_format=format_name)
        return self._finish(outputs)


class Conv3DTranspose(_ConvTranspose):
    """The transpose of `Conv3D`."""

    _rank = 3

    def __init__(
        self,
        filters,
        kernel_size,
        strides=(1, 1, 1),
        padding="valid",
        data_format="channels_last",
        activation=None,
        use_bias=True,
        kernel_initializer=None,
        bias_initializer=Zeros(),
        kernel_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        trainable=True,
        name=None,
        **kwargs,
    ):
        super().__init__(
            filters,
            kernel_size,
            strides,
            padding,
            data_format,
            1,
            activation,
            use_bias,
            kernel_initializer,
            bias_initializer,
            kernel_regularizer,
            bias_regularizer,
            activity_regularizer,
            kernel_constraint,
            bias_constraint,
            trainable,
            name,
            **kwargs,
        )

    def call(self, inputs):
        """Returns the transposed convolution."""
        shape = self._output_shape(inputs)
        format_name = data_format_name(self.data_format, 5)
        is_first = format_name == "NCDHW"
        outputs = conv.conv3d_transpose(
            inputs,
            self.kernel,
            shape,
            (1, 1, *self.strides) if is_first else (1, *self.strides, 1),
            data_format=format_name,
            padding=self.padding.upper(),
        )
        outputs.set_shape(self.compute_output_shape(inputs.shape))
        if self.use_bias:
            outputs = self._biased(outputs, is_first)
        return self._finish(outputs)

    def _biased(self, outputs, is_first):
        if not is_first:
            return nn.bias_add(outputs, self.bias, data_format="NHWC")
        # BiasAdd knows four dimensions: depth and height are one for it.
        sizes = outputs.shape.as_list()
        merged = None if None in sizes[2:4] else sizes[2] * sizes[3]
        flat = array.reshape(outputs, [sizes[0] or -1, sizes[1], merged, sizes[4]])
        return array.reshape(nn.bias_add(flat, self.bias, data_format="NCHW"), sizes)


class _SeparableConv(_Conv):
    """A convolution of each channel by itself, then of the channels of each point."""

    def __init__(
        self,
        filters,
        kernel_size,
        strides=1,
        padding="valid",
        data_format="channels_last",
        dilation_rate=1,
        depth_multiplier=1,
        activation=None,
        use_bias=True,
        depthwise_initializer=None,
        pointwise_initializer=None,
        bias_initializer=Zeros(),
        depthwise_regularizer=None,
        pointwise_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        depthwise_constraint=None,
        pointwise_constraint=None,
        bias_constraint=None,
        trainable=True,
        name=None,
        **kwargs,
    ):
        """Creates the layer.

        Args:
          filters: the number of output channels.
          kernel_size: an integer, or one a spatial dimension.
          strides: an integer, or one a spatial dimension.
          padding: 'valid' or 'same'.
          data_format: 'channels_last' or 'channels_first'.
          dilation_rate: an integer, or one a spatial dimension.
          depth_multiplier: how many channels the first part makes of each.
          activation: a function, or its name; None for none.
          use_bias: whether there is a bias.
          depthwise_initializer: makes the first kernel's first value; None for the scope's.
          pointwise_initializer: makes the second kernel's first value; None for the scope's.
          bias_initializer: makes the bias's first value.
          depthwise_regularizer: a function that makes a loss of the first kernel.
          pointwise_regularizer: a function that makes a loss of the second kernel.
          bias_regularizer: a function that makes a loss of the bias.
          activity_regularizer: a function that makes a loss of the output.
          depthwise_constraint: a function that an optimizer applies to the first kernel after each update.
          pointwise_constraint: the same for the second kernel.
          bias_constraint: the same for the bias.
          trainable: whether the variables are trained.
          name: the layer's name.
          **kwargs: see `Layer`.
        """
        super().__init__(
            filters,
            kernel_size,
            strides=strides,
            padding=padding,
            data_format=data_format,
            dilation_rate=dilation_rate,
            activation=activation,
            use_bias=use_bias,
            bias_initializer=bias_initializer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            bias_constraint=bias_constraint,
            trainable=trainable,
            name=name,
            **kwargs,
        )
        self.depth_multiplier = depth_multiplier
        self.depthwise_initializer = get_initializer(depthwise_initializer)
        self.pointwise_initializer = get_initializer(pointwise_initializer)
        self.depthwise_regularizer, self.pointwise_regularizer = depthwise_regularizer, pointwise_regularizer
        self.depthwise_constraint, self.pointwise_constraint = depthwise_constraint, pointwise_constraint

    def build(self, input_shape):
        """Makes `depthwise_kernel`, `pointwise_kernel` and `bias`.

        Raises:
          ValueError: when the number of channels is not known.
        """
        axis, channels = _channels(self, input_shape)
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={axis: channels})
        self.depthwise_kernel = self.add_weight(
            name="depthwise_kernel",
            shape=(*self.kernel_size, channels, self.depth_multiplier),
            initializer=self.depthwise_initializer,
            regularizer=self.depthwise_regularizer,
            constraint=self.depthwise_constraint,
            trainable=True,
            dtype=self.dtype,
        )
        self.pointwise_kernel = self.add_weight(
            name="pointwise_kernel",
            shape=(*((1,) * self.rank), self.depth_multiplier * channels, self.filters),
            initializer=self.pointwise_initializer,
            regularizer=self.pointwise_regularizer,
            constraint=self.pointwise_constraint,
            trainable=True,
            dtype=self.dtype,
        )
        self._add_bias()
        self.built = True

    def _separable(self, inputs, depthwise, pointwise, strides, rate):
        format_name = data_format_name(self.data_format, 4)
        padding = "valid" if self.padding == "causal" else self.padding
        outputs = convolution.separable_conv2d(
            inputs,
            depthwise,
            pointwise,
            strides=(1, *strides, 1) if format_name == "NHWC" else (1, 1, *strides),
            padding=padding.upper(),
            rate=rate,
            data_format=format_name,
        )
        return nn.bias_add(outputs, self.bias, data_format=format_name) if self.use_bias else outputs


class SeparableConv1D(_SeparableConv):
    """A separable convolution of sequences [batch, length, channels]."""

    _rank = 1

    def call(self, inputs):
        """Returns the convolution."""
        if self.padding == "causal":
            inputs = array.pad(inputs, self._causal_padding())
        axis = 1 if self.data_format == "channels_last" else 2
        inputs = array.expand_dims(inputs, axis)
        depthwise = array.expand_dims(self.depthwise_kernel, 0)
        pointwise = array.expand_dims(self.pointwise_kernel, 0)
        outputs = self._separable(inputs, depthwise, pointwise, self.strides * 2, (1, *self.dilation_rate))
        outputs = array.squeeze(outputs, [axis])
        return outputs if self.activation is None else self.activation(outputs)


class SeparableConv2D(_SeparableConv):
    """A separable convolution of images [batch, height, width, channels]."""

    def __init__(
        self,
        filters,
        kernel_size,
        strides=(1, 1),
        padding="valid",
        data_format="channels_last",
        dilation_rate=(1, 1),
        depth_multiplier=1,
        activation=None,
        use_bias=True,
        depthwise_initializer=None,
        pointwise_initializer=None,
        bias_initializer=Zeros(),
        depthwise_regularizer=None,
        pointwise_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        depthwise_constraint=None,
        pointwise_constraint=None,
        bias_constraint=None,
        trainable=True,
        name=None,
        **kwargs,
    ):
        super().__init__(
            filters,
            kernel_size,
            strides,
            padding,
            data_format,
            dilation_rate,
            depth_multiplier,
            activation,
            use_bias,
            depthwise_initializer,
            pointwise_initializer,
            bias_initializer,
            depthwise_regularizer,
            pointwise_regularizer,
            bias_regularizer,
            activity_regularizer,
            depthwise_constraint,
            pointwise_constraint,
            bias_constraint,
            trainable,
            name,
            **kwargs,
        )

    def call(self, inputs):
        """Returns the convolution."""
        outputs = self._separable(
            inputs, self.depthwise_kernel, self.pointwise_kernel, self.strides, self.dilation_rate
        )
        return outputs if self.activation is None else self.activation(outputs)
