"""The devices of this machine, as `tensorflow.python.client.device_lib` lists them."""

from ferroflow import _core
from ferroflow._src import proto


def list_local_devices(session_config=None):
    """Returns a `DeviceAttributes` message for each device that a session of this process has.

    Args:
      session_config: a `ConfigProto`, or None.
    """
    config = None if session_config is None else session_config.SerializeToString()
    session = _core.Session(_core.Graph(), config)
    found = []
    for name, device_type, memory_limit, incarnation in session.devices():
        device = proto.DeviceAttributes(
            name=name[name.index("/device:") :],
            device_type=device_type,
            memory_limit=memory_limit,
            incarnation=incarnation,
        )
        device.locality.SetInParent()
        found.append(device)
    session.close()
    return found


__all__ = ["list_local_devices"]
