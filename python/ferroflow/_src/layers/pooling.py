"""Pooling layers: the greatest or the mean of each window."""

from ferroflow._src.framework.tensor_shape import TensorShape
from ferroflow._src.layers.base import InputSpec, Layer
from ferroflow._src.layers.sizes import (
    conv_output_length,
    data_format_name,
    normalize_data_format,
    normalize_padding,
    normalize_tuple,
)
from ferroflow._src.ops import array, pool


class _Pooling(Layer):
    """What all pooling layers share."""

    _rank = 2
    _pool = staticmethod(pool.max_pool)

    _config = (
        "pool_size",
        "strides",
        "padding",
        "data_format",
    )

    def __init__(self, pool_size, strides, padding="valid", data_format="channels_last", name=None, **kwargs):
        """Creates the layer.

        Args:
          pool_size: an integer, or one a spatial dimension: the window's size.
          strides: an integer, or one a spatial dimension.
          padding: 'valid' or 'same'.
          data_format: 'channels_last' or 'channels_first'.
          name: the layer's name.
          **kwargs: see `Layer`.

        Raises:
          ValueError: for sizes, paddings or formats that make no sense.
        """
        if strides is None:
            raise ValueError("Argument `strides` must not be None.")
        super().__init__(name=name, **kwargs)
        self.pool_size = normalize_tuple(pool_size, self._rank, "pool_size")
        self.strides = normalize_tuple(strides, self._rank, "strides")
        self.padding = normalize_padding(padding)
        self.data_format = normalize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self._rank + 2)

    def _pooled(self, inputs, size, strides, data_format):
        is_first = data_format.startswith("NC")
        return self._pool(
            inputs,
            ksize=(1, 1, *size) if is_first else (1, *size, 1),
            strides=(1, 1, *strides) if is_first else (1, *strides, 1),
            padding=self.padding.upper(),
            data_format=data_format,
        )

    def call(self, inputs):
        """Returns the pooled inputs."""
        return self._pooled(inputs, self.pool_size, self.strides, data_format_name(self.data_format, self._rank + 2))

    def compute_output_shape(self, input_shape):
        """Returns the output's shape."""
        sizes = TensorShape(input_shape).as_list()
        first = 2 if self.data_format == "channels_first" else 1
        for i, (size, stride) in enumerate(zip(self.pool_size, self.strides, strict=True)):
            sizes[first + i] = conv_output_length(sizes[first + i], size, self.padding, stride)
        return TensorShape(sizes)


class _Pooling1D(_Pooling):
    _rank = 1

    def call(self, inputs):
        """Returns the pooled inputs."""
        axis = 2 if self.data_format == "channels_last" else 3
        inputs = array.expand_dims(inputs, axis)
        # The CPU pools channels last, as TensorFlow's backend of these layers has it.
        is_first = self.data_format == "channels_first"
        if is_first:
            inputs = array.transpose(inputs, (0, 2, 3, 1))
        outputs = self._pooled(inputs, (*self.pool_size, 1), (*self.strides, 1), "NHWC")
        if is_first:
            outputs = array.transpose(outputs, (0, 3, 1, 2))
        return array.squeeze(outputs, axis)


class MaxPooling1D(_Pooling1D):
    """The greatest of each window of sequences [batch, length, channels]."""


class AveragePooling1D(_Pooling1D):
    """The mean of each window of sequences [batch, length, channels]."""

    _pool = staticmethod(pool.avg_pool)


class MaxPooling2D(_Pooling):
    """The greatest of each window of images [batch, height, width, channels]."""


class AveragePooling2D(_Pooling):
    """The mean of each window of images [batch, height, width, channels]."""

    _pool = staticmethod(pool.avg_pool)


class _Pooling3D(_Pooling):
    _rank = 3

    def call(self, inputs):
        """Returns the pooled inputs."""
        is_first = self.data_format == "channels_first"
        if is_first:
            inputs = array.transpose(inputs, (0, 2, 3, 4, 1))
        outputs = self._pool(
            inputs, ksize=(1, *self.pool_size, 1), strides=(1, *self.strides, 1), padding=self.padding.upper()
        )
        return array.transpose(outputs, (0, 4, 1, 2, 3)) if is_first else outputs


class MaxPooling3D(_Pooling3D):
    """The greatest of each window of volumes [batch, depth, height, width, channels]."""

    _pool = staticmethod(pool.max_pool3d)


class AveragePooling3D(_Pooling3D):
    """The mean of each window of volumes [batch, depth, height, width, channels]."""

    _pool = staticmethod(pool.avg_pool3d)
