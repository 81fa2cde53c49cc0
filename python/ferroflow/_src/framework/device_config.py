"""tf.config: what programs ask and set of devices, threads and the optimizer, outside of any session.

As in TensorFlow 1.15, a session in graph mode goes by its `ConfigProto` alone; what is set here is kept and told again.
"""

import collections

from ferroflow import _core

PhysicalDevice = collections.namedtuple("PhysicalDevice", ("name", "device_type"))
LogicalDevice = collections.namedtuple("LogicalDevice", ("name", "device_type"))
VirtualDeviceConfiguration = collections.namedtuple("VirtualDeviceConfiguration", ("memory_limit",), defaults=(None,))

_settings = {
    "soft_placement": False,
    "log_placement": False,
    "jit": False,
    "policy": "silent",
    "synchronous": True,
    "inter_op": 0,
    "intra_op": 0,
}
_optimizer_options = {"disable_model_pruning": False, "disable_meta_optimizer": False}
_memory_growth = {}
_virtual = {}
_visible = {}


def list_logical_devices(device_type=None):
    """Returns the devices that a session has, as (name, device_type).

    Args:
      device_type: "CPU" or "GPU"; None for all.
    """
    session = _core.Session(_core.Graph())
    found = [LogicalDevice(name, kind) for name, kind, *_ in session.devices()]
    session.close()
    return [device for device in found if device_type in (None, device.device_type)]


def list_physical_devices(device_type=None):
    """Returns the devices of this machine, as (name, device_type).

    Args:
      device_type: "CPU" or "GPU"; None for all.
    """
    return [
        PhysicalDevice("/physical_device" + device.name[device.name.rindex("/device:") + 7 :], device.device_type)
        for device in list_logical_devices(device_type)
    ]


def experimental_list_devices():
    """Returns the names of the devices that a session has."""
    return [device.name for device in list_logical_devices()]


def get_visible_devices(device_type=None):
    """Returns the devices that `set_visible_devices` left, all of them if it was not called."""
    found = [d for d in list_physical_devices() if d in _visible.get(d.device_type, [d])]
    return [device for device in found if device_type in (None, device.device_type)]


def set_visible_devices(devices, device_type=None):
    """Says which devices there are to be.

    Args:
      devices: a `PhysicalDevice` or a list of them.
      device_type: the type that is meant; None for all.

    Raises:
      ValueError: for a device that is not there.
    """
    devices = [devices] if isinstance(devices, PhysicalDevice) else list(devices)
    known = list_physical_devices()
    for device in devices:
        if device not in known:
            raise ValueError(f"Unrecognized device: {device!r}")
        if device_type is not None and device.device_type != device_type:
            raise ValueError(f"Unrecognized device: {device!r}")
    for kind in [device_type] if device_type is not None else {d.device_type for d in known}:
        _visible[kind] = [device for device in devices if device.device_type == kind]


def _gpu(device, what):
    if device not in list_physical_devices():
        raise ValueError(f"Unrecognized device: {device!r}")
    if device.device_type != "GPU":
        raise ValueError(f"Cannot set {what} on non-GPU devices")


def get_memory_growth(device):
    """Returns whether a GPU's memory is taken as it is needed; KeyError for what is no GPU."""
    if device.device_type != "GPU":
        raise KeyError(device)
    return _memory_growth.get(device, False)


def set_memory_growth(device, enable):
    """Says whether a GPU's memory is taken as it is needed; ValueError for what is no GPU."""
    _gpu(device, "memory growth")
    _memory_growth[device] = bool(enable)


def get_virtual_device_configuration(device):
    """Returns the `VirtualDeviceConfiguration`s that were set for a device, or None."""
    return _virtual.get(device)


def set_virtual_device_configuration(device, virtual_devices):
    """Says in how many parts a device is to be seen.

    Raises:
      ValueError: for a device that is not there.
    """
    if device not in list_physical_devices():
        raise ValueError(f"Unrecognized device: {device!r}")
    _virtual[device] = list(virtual_devices)


def get_soft_device_placement():
    """Returns what `set_soft_device_placement` set."""
    return _settings["soft_placement"]


def set_soft_device_placement(enabled):
    """Says whether an operation may run elsewhere than it asks for."""
    _settings["soft_placement"] = enabled


def get_log_device_placement():
    """Returns what `set_log_device_placement` set."""
    return _settings["log_placement"]


def set_log_device_placement(enabled):
    """Says whether it is told where operations run."""
    _settings["log_placement"] = enabled


def get_device_policy():
    """Returns what happens when an operation's inputs lie on another device: "silent" and so on."""
    return _settings["policy"]


def set_device_policy(device_policy):
    """Sets what happens when an operation's inputs lie on another device.

    Raises:
      ValueError: for another word than "silent", "silent_for_int32", "explicit", "warn" and None.
    """
    if device_policy not in ("silent", "silent_for_int32", "explicit", "warn", None):
        raise ValueError(f"Not a valid device policy: {device_policy!r}")
    _settings["policy"] = device_policy or "silent"


def get_synchronous_execution():
    """Returns what `set_synchronous_execution` set."""
    return _settings["synchronous"]


def set_synchronous_execution(enable):
    """Says whether each operation is waited for."""
    _settings["synchronous"] = enable


def get_jit():
    """Returns what `set_jit` set."""
    return _settings["jit"]


def set_jit(enabled):
    """Says whether graphs are to be compiled."""
    _settings["jit"] = enabled


def get_experimental_options():
    """Returns the optimizer's options as a dict."""
    return dict(_optimizer_options)


def set_experimental_options(options):
    """Sets options of the optimizer, a dict."""
    _optimizer_options.update(options)


def get_inter_op_parallelism_threads():
    """Returns how many threads run operations; 0 for as many as there are processors."""
    return _settings["inter_op"]


def set_inter_op_parallelism_threads(num_threads):
    """Sets how many threads run operations."""
    _settings["inter_op"] = num_threads


def get_intra_op_parallelism_threads():
    """Returns how many threads work on one operation; 0 for as many as there are processors."""
    return _settings["intra_op"]


def set_intra_op_parallelism_threads(num_threads):
    """Sets how many threads work on one operation."""
    _settings["intra_op"] = num_threads
