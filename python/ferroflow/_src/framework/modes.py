"""What TensorFlow 1.15 lets programs switch: graphs are built first and run afterwards, always."""

import contextlib


def executing_eagerly():
    """Whether ops run as they are called: never."""
    return False


def enable_eager_execution(config=None, device_policy=None, execution_mode=None):
    """Raises NotImplementedError: there is no eager execution."""
    raise NotImplementedError("ferroflow runs graphs: there is no eager execution; see docs/architecture.md")


def disable_eager_execution():
    """Does nothing: graphs are built already."""


def enable_v2_behavior():
    """Raises NotImplementedError: there is no eager execution."""
    enable_eager_execution()


def disable_v2_behavior():
    """Does nothing: TensorFlow 1's behaviour is the only one."""


def enable_control_flow_v2():
    """Does nothing: conditionals and loops are made of TensorFlow 1's ops."""


def disable_control_flow_v2():
    """Does nothing: they are so already."""


def control_flow_v2_enabled():
    """Whether conditionals and loops are functions: never."""
    return False


def enable_tensor_equality():
    """Raises NotImplementedError: `==` compares tensors by identity."""
    raise NotImplementedError("ferroflow compares tensors by identity; use tf.equal")


def disable_tensor_equality():
    """Does nothing: `==` compares tensors by identity."""


def enable_v2_tensorshape():
    """Raises NotImplementedError: dimensions of shapes are `tf.Dimension`."""
    raise NotImplementedError("ferroflow has TensorFlow 1's tf.TensorShape")


def disable_v2_tensorshape():
    """Does nothing: dimensions of shapes are `tf.Dimension`."""


# TensorFlow 1.15 makes those forms of ops that programs of this date can read.
_HORIZON = (2019, 8, 21)
_horizons: list = []


def forward_compatible(year, month, day):
    """Whether forms of ops that came in before this day are made."""
    return (_horizons[-1] if _horizons else _HORIZON) > (year, month, day)


@contextlib.contextmanager
def forward_compatibility_horizon(year, month, day):
    """A block in which `forward_compatible` answers for another day; the ops stay as they are."""
    _horizons.append((year, month, day))
    try:
        yield
    finally:
        _horizons.pop()
