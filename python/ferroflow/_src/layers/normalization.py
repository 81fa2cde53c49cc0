"""BatchNormalization: by the batch's moments while training, by their moving averages afterwards."""

from ferroflow._src.framework import tensor_util
from ferroflow._src.framework.constant import constant
from ferroflow._src.framework.control_flow import smart_cond
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.initializers import Ones, Zeros
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.scopes import colocate_with, control_dependencies
from ferroflow._src.framework.tensor_like import TensorBase
from ferroflow._src.framework.tensor_shape import TensorShape
from ferroflow._src.framework.variables import Variable, VariableAggregation, VariableSynchronization
from ferroflow._src.layers.base import InputSpec, Layer, get_initializer
from ferroflow._src.ops import activations, array, filling, math, normalization, reductions, shaping, state


def _known(training):
    """The bool that `training` is known to be, or None."""
    if isinstance(training, Variable):
        return None
    if isinstance(training, int):
        return bool(training)
    if not isinstance(training, TensorBase):
        return training
    known = tensor_util.smart_constant_value(training)
    return None if known is None else bool(known)


class BatchNormalization(Layer):
    """Normalizes each channel, then scales and shifts it.

    While training it normalizes by the batch's mean and variance, and its updates move their averages towards them:
    run those of the collection `tf.GraphKeys.UPDATE_OPS` with each step.
    """

    _config = (
        "axis",
        "momentum",
        "epsilon",
        "center",
        "scale",
        "beta_initializer",
        "gamma_initializer",
        "moving_mean_initializer",
        "moving_variance_initializer",
        "beta_regularizer",
        "gamma_regularizer",
        "beta_constraint",
        "gamma_constraint",
    )

    def __init__(
        self,
        axis=-1,
        momentum=0.99,
        epsilon=1e-3,
        center=True,
        scale=True,
        beta_initializer=Zeros(),
        gamma_initializer=Ones(),
        moving_mean_initializer=Zeros(),
        moving_variance_initializer=Ones(),
        beta_regularizer=None,
        gamma_regularizer=None,
        beta_constraint=None,
        gamma_constraint=None,
        renorm=False,
        renorm_clipping=None,
        renorm_momentum=0.99,
        fused=None,
        trainable=True,
        virtual_batch_size=None,
        adjustment=None,
        name=None,
        **kwargs,
    ):
        """Creates the layer.

        Args:
          axis: the dimension of the channels, or a list of dimensions.
          momentum: how much of a moving average stays in each update.
          epsilon: added to the variance.
          center: whether there is a shift `beta`.
          scale: whether there is a factor `gamma`.
          beta_initializer: makes the first value of `beta`.
          gamma_initializer: makes the first value of `gamma`.
          moving_mean_initializer: makes the first value of the mean's average.
          moving_variance_initializer: makes the first value of the variance's average.
          beta_regularizer: a function that makes a loss of `beta`.
          gamma_regularizer: a function that makes a loss of `gamma`.
          beta_constraint: a function that an optimizer applies to `beta` after each update.
          gamma_constraint: the same for `gamma`.
          renorm: whether batches are corrected towards the averages while training (Ioffe, 2017).
          renorm_clipping: 'rmax', 'rmin' and 'dmax', the limits of that correction.
          renorm_momentum: how much of a moving average stays, for the correction.
          fused: whether one op does it where it can: images, normalized by channel; None for True.
          trainable: whether the variables are trained.
          virtual_batch_size: how many examples are normalized together; None for all.
          adjustment: a function of the inputs' shape that makes a random (scale, bias) while training.
          name: the layer's name.
          **kwargs: see `Layer`.

        Raises:
          TypeError: for an axis of another type.
          ValueError: for another key of `renorm_clipping`.
        """
        super().__init__(trainable=trainable, name=name, **kwargs)
        if not isinstance(axis, (list, int)):
            raise TypeError(f"axis must be int or list, type given: {type(axis)}")
        self.axis = list(axis) if isinstance(axis, list) else axis
        self.momentum, self.epsilon, self.center, self.scale = momentum, epsilon, center, scale
        self.beta_initializer = get_initializer(beta_initializer)
        self.gamma_initializer = get_initializer(gamma_initializer)
        self.moving_mean_initializer = get_initializer(moving_mean_initializer)
        self.moving_variance_initializer = get_initializer(moving_variance_initializer)
        self.beta_regularizer, self.gamma_regularizer = beta_regularizer, gamma_regularizer
        self.beta_constraint, self.gamma_constraint = beta_constraint, gamma_constraint
        self.renorm = renorm
        self.virtual_batch_size, self.adjustment = virtual_batch_size, adjustment
        self.fused = True if fused is None else fused
        self.supports_masking = True
        if renorm:
            renorm_clipping = renorm_clipping or {}
            keys = ["rmax", "rmin", "dmax"]
            if set(renorm_clipping) - set(keys):
                raise ValueError(f"renorm_clipping {renorm_clipping} contains keys not in {keys}")
            self.renorm_clipping, self.renorm_momentum = renorm_clipping, renorm_momentum

    def _can_fuse(self):
        return (
            not self.renorm
            and len(self.axis) == 1
            and self.axis[0] in (1, 3)
            and self.virtual_batch_size is None
            and self.adjustment is None
        )

    @property
    def _param_dtype(self):
        return "float32" if self.dtype in ("float16", "bfloat16", None) else self.dtype

    def build(self, input_shape):
        """Makes `gamma`, `beta` and the moving averages.

        Raises:
          ValueError: for an axis out of range, or one whose size is not known.
        """
        shape = TensorShape(input_shape)
        if not shape.ndims:
            raise ValueError("Input has undefined rank:", shape)
        ndims = shape.ndims
        given = [self.axis] if isinstance(self.axis, int) else self.axis
        self.axis = [x + ndims if x < 0 else x for x in given]
        self._check_axes(ndims)
        self.fused = bool(self.fused) and ndims == 4 and self._can_fuse()
        if self.fused:
            self._data_format = "NCHW" if self.axis == [1] else "NHWC"
        sizes = {x: shape.dims[x].value for x in self.axis}
        if None in sizes.values():
            raise ValueError("Input has undefined `axis` dimension. Input shape: ", shape)
        self.input_spec = InputSpec(ndim=ndims, axes=sizes)
        if len(sizes) == 1 and self.virtual_batch_size is None:
            param_shape = tuple(sizes.values())
        else:
            param_shape = [sizes.get(i, 1) for i in range(ndims)]
            if self.virtual_batch_size is not None:
                param_shape.insert(1, 1)
                self.axis = [x + 1 for x in self.axis]
        self._add_parameters(param_shape)
        partitioner = self._scope.partitioner if self._scope else None
        if partitioner:
            self._scope.set_partitioner(None)
        try:
            self._add_averages(param_shape)
        finally:
            if partitioner:
                self._scope.set_partitioner(partitioner)
        self.built = True

    def _check_axes(self, ndims):
        for x in self.axis:
            if not 0 <= x < ndims:
                raise ValueError(f"Invalid axis: {x}")
        if len(self.axis) != len(set(self.axis)):
            raise ValueError(f"Duplicate axis: {self.axis}")
        if self.virtual_batch_size is None:
            return
        if self.virtual_batch_size <= 0:
            raise ValueError(
                "virtual_batch_size must be a positive integer that divides the true batch size of the input Tensor"
            )
        if 0 in self.axis:
            raise ValueError(
                "When using virtual_batch_size, the batch dimension must be 0 and thus axis cannot include 0"
            )
        if self.adjustment is not None:
            raise ValueError("When using virtual_batch_size, adjustment cannot be specified")

    def _add_parameters(self, shape):
        self.gamma = self.beta = None
        if self.scale:
            self.gamma = self.add_weight(
                name="gamma",
                shape=shape,
                dtype=self._param_dtype,
                initializer=self.gamma_initializer,
                regularizer=self.gamma_regularizer,
                constraint=self.gamma_constraint,
                trainable=True,
            )
        elif self.fused:
            self._gamma_const = constant(1.0, dtype=self._param_dtype, shape=shape)
        if self.center:
            self.beta = self.add_weight(
                name="beta",
                shape=shape,
                dtype=self._param_dtype,
                initializer=self.beta_initializer,
                regularizer=self.beta_regularizer,
                constraint=self.beta_constraint,
                trainable=True,
            )
        elif self.fused:
            self._beta_const = constant(0.0, dtype=self._param_dtype, shape=shape)

    def _add_average(self, name, shape, initializer):
        return self.add_weight(
            name=name,
            shape=shape,
            dtype=self._param_dtype,
            initializer=initializer,
            synchronization=VariableSynchronization.ON_READ,
            trainable=False,
            aggregation=VariableAggregation.MEAN,
        )

    def _add_averages(self, shape):
        self.moving_mean = self._add_average("moving_mean", shape, self.moving_mean_initializer)
        self.moving_variance = self._add_average("moving_variance", shape, self.moving_variance_initializer)
        if not self.renorm:
            return

        def stddev_initializer(*args, **kwargs):
            return math.sqrt(self.moving_variance_initializer(*args, **kwargs))

        with colocate_with(self.moving_variance):
            self.moving_stddev = self._add_average("moving_stddev", shape, stddev_initializer)
        with colocate_with(self.moving_mean):
            self.renorm_mean = self._add_average("renorm_mean", shape, self.moving_mean_initializer)
        with colocate_with(self.moving_stddev):
            self.renorm_stddev = self._add_average("renorm_stddev", shape, stddev_initializer)

    def _move(self, variable, value, momentum):
        """One step of a moving average."""
        with name_scope("AssignMovingAvg") as scope, colocate_with(variable):
            decay = convert_to_tensor(1.0 - momentum, name="decay")
            if decay.dtype != variable.dtype.base_dtype:
                decay = math.cast(decay, variable.dtype.base_dtype)
            step = (variable - math.cast(value, variable.dtype)) * decay
            return state.assign_sub(variable, step, name=scope)

    def _set(self, variable, value):
        with name_scope("AssignNewValue") as scope, colocate_with(variable):
            return state.assign(variable, value, name=scope)

    def call(self, inputs, training=False):
        """Returns the normalized inputs; `training` is a bool or a scalar tensor."""
        if self.virtual_batch_size is not None:
            original = [-1, *inputs.shape.as_list()[1:]]
            inputs = array.reshape(inputs, [self.virtual_batch_size, -1, *original[1:]])
        outputs = self._fused(inputs, training) if self.fused else self._composed(inputs, training)
        return outputs if self.virtual_batch_size is None else array.reshape(outputs, original)

    def _fused(self, inputs, training):
        beta = self.beta if self.center else self._beta_const
        gamma = self.gamma if self.scale else self._gamma_const

        def by_batch():
            return normalization.fused_batch_norm(
                inputs, gamma, beta, epsilon=self.epsilon, data_format=self._data_format
            )

        def by_averages():
            return normalization.fused_batch_norm(
                inputs,
                gamma,
                beta,
                mean=self.moving_mean,
                variance=self.moving_variance,
                epsilon=self.epsilon,
                is_training=False,
                data_format=self._data_format,
            )

        output, mean, variance = smart_cond(training, by_batch, by_averages)
        known = _known(training)
        if known is None:
            momentum = smart_cond(training, lambda: self.momentum, lambda: 1.0)
        else:
            momentum = convert_to_tensor(self.momentum)
        if known is None or known:
            self.add_update(lambda: self._move(self.moving_mean, mean, momentum))
            self.add_update(lambda: self._move(self.moving_variance, variance, momentum))
        return output

    def _composed(self, inputs, training):
        ndims = inputs.shape.ndims
        axes = [i for i in range(ndims) if i not in self.axis]
        if self.virtual_batch_size is not None:
            del axes[1]
        wide = [1] * ndims
        wide[self.axis[0]] = inputs.shape.dims[self.axis[0]].value

        def broadcast(v):
            if v is not None and v.shape.ndims != ndims and axes != list(range(ndims - 1)):
                return array.reshape(v, wide)
            return v

        scale, offset = broadcast(self.gamma), broadcast(self.beta)
        if _known(training) is False:
            mean, variance = self.moving_mean, self.moving_variance
        else:
            if self.adjustment:
                scale, offset = self._adjusted(inputs, training, scale, offset)
            keep_dims = self.virtual_batch_size is not None or len(self.axis) > 1
            mean, variance = normalization.moments(math.cast(inputs, self._param_dtype), axes, keep_dims=keep_dims)
            batch_mean, batch_variance = mean, variance
            mean = smart_cond(training, lambda: batch_mean, lambda: convert_to_tensor(self.moving_mean))
            variance = smart_cond(training, lambda: batch_variance, lambda: convert_to_tensor(self.moving_variance))
            new_mean, new_variance = mean, variance
            if self.virtual_batch_size is not None:
                new_mean = reductions.reduce_mean(mean, axis=1, keepdims=True)
                new_variance = reductions.reduce_mean(variance, axis=1, keepdims=True)
            if self.renorm:
                r, d, new_mean, new_variance = self._correction(new_mean, new_variance, training)
                r = broadcast(array.stop_gradient(r, name="renorm_r"))
                d = broadcast(array.stop_gradient(d, name="renorm_d"))
                scale, offset = _composed_transforms(r, d, scale, offset)
            self._add_moving_updates(training, new_mean, new_variance)
        mean = math.cast(mean, inputs.dtype)
        variance = math.cast(variance, inputs.dtype)
        if offset is not None:
            offset = math.cast(offset, inputs.dtype)
        if scale is not None:
            scale = math.cast(scale, inputs.dtype)
        outputs = normalization.batch_normalization(
            inputs, broadcast(mean), broadcast(variance), offset, scale, self.epsilon
        )
        outputs.set_shape(inputs.shape)
        return outputs

    def _adjusted(self, inputs, training, scale, offset):
        factor, bias = self.adjustment(shaping.shape(inputs))
        used = smart_cond(training, lambda: factor, lambda: filling.ones_like(factor))
        shift = smart_cond(training, lambda: bias, lambda: filling.zeros_like(bias))
        return _composed_transforms(used, shift, scale, offset)

    def _add_moving_updates(self, training, mean, variance):
        def move_mean():
            return smart_cond(
                training, lambda: self._move(self.moving_mean, mean, self.momentum), lambda: self.moving_mean
            )

        def moved_variance():
            if not self.renorm:
                return self._move(self.moving_variance, variance, self.momentum)
            stddev = self._move(self.moving_stddev, math.sqrt(variance + self.epsilon), self.momentum)
            return self._set(self.moving_variance, activations.relu(stddev * stddev - self.epsilon))

        def move_variance():
            return smart_cond(training, moved_variance, lambda: self.moving_variance)

        self.add_update(move_mean)
        self.add_update(move_variance)

    def _correction(self, mean, variance, training):
        """The factor and shift of batch renormalization, and the moments once they are updated."""
        stddev = math.sqrt(variance + self.epsilon)
        old_stddev = math.maximum(self.renorm_stddev, math.sqrt(self.epsilon))
        r = stddev / old_stddev
        d = (mean - self.renorm_mean) / old_stddev
        with control_dependencies([r, d]):
            mean = array.identity(mean)
            stddev = array.identity(stddev)
        rmin, rmax, dmax = (self.renorm_clipping.get(key) for key in ("rmin", "rmax", "dmax"))
        if rmin is not None:
            r = math.maximum(r, rmin)
        if rmax is not None:
            r = math.minimum(r, rmax)
        if dmax is not None:
            d = math.maximum(d, -dmax)
            d = math.minimum(d, dmax)
        factor, shift = r, d
        r = smart_cond(training, lambda: factor, lambda: filling.ones_like(factor))
        d = smart_cond(training, lambda: shift, lambda: filling.zeros_like(shift))

        def moved(variable, value):
            value = array.identity(value)
            return smart_cond(
                training,
                lambda: self._move(variable, value, self.renorm_momentum),
                lambda: array.identity(variable),
            )

        with control_dependencies([moved(self.renorm_mean, mean), moved(self.renorm_stddev, stddev)]):
            return r, d, array.identity(mean), array.identity(variance)

    def compute_output_shape(self, input_shape):
        """Returns `input_shape`."""
        return input_shape


def _composed_transforms(scale, offset, then_scale, then_offset):
    """One factor and shift in place of two."""
    if then_scale is not None:
        scale *= then_scale
        offset *= then_scale
    if then_offset is not None:
        offset += then_offset
    return scale, offset
