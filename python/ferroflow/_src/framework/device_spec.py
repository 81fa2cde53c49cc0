"""tf.DeviceSpec: a device's name in parts."""

from ferroflow import _core


def _part(name, kind):
    """A property that is None or of one kind."""
    field = "_" + name

    def read(spec):
        return getattr(spec, field)

    def write(spec, value):
        setattr(spec, field, None if value is None else kind(value))

    return property(read, write)


class DeviceSpec:
    """A device's name, or what is known of it: job, replica, task, device type and device number."""

    def __init__(self, job=None, replica=None, task=None, device_type=None, device_index=None):
        """Creates a name.

        Args:
          job: a string.
          replica: an int.
          task: an int.
          device_type: "CPU", "GPU" and so on.
          device_index: an int.
        """
        self.job = job
        self.replica = replica
        self.task = task
        self.device_type = device_type
        self.device_index = device_index

    job = _part("job", str)
    replica = _part("replica", int)
    task = _part("task", int)
    device_index = _part("device_index", int)

    @property
    def device_type(self):
        return self._device_type

    @device_type.setter
    def device_type(self, device_type):
        # The two oldest are always written in capitals.
        upper = device_type.upper() if device_type else device_type
        self._device_type = upper if upper in ("CPU", "GPU") else device_type

    def _parts(self):
        return self.job, self.replica, self.task, self.device_type, self.device_index

    def parse_from_string(self, spec):
        """Takes the parts of a name such as "/job:ps/device:GPU:0"; returns self.

        Raises:
          ValueError: when it is no such name.
        """
        self.__init__()
        _core.canonical_device(spec)
        for part in spec.split("/"):
            fields = part.split(":")
            key = fields[0].lower()
            if key == "job":
                self.job = fields[1]
            elif key in ("replica", "task"):
                setattr(self, key, int(fields[1]))
            elif key in ("cpu", "gpu"):
                self.device_type = fields[0]
                if len(fields) > 1 and fields[1] != "*":
                    self.device_index = int(fields[1])
            elif key == "device":
                self.device_type = None if fields[1] == "*" else fields[1]
                if len(fields) > 2 and fields[2] != "*":
                    self.device_index = int(fields[2])
        return self

    @classmethod
    def from_string(cls, spec):
        """Returns the `DeviceSpec` of a name."""
        return cls().parse_from_string(spec)

    def merge_from(self, dev):
        """Takes the parts that `dev` has."""
        for name in ("job", "replica", "task", "device_type", "device_index"):
            value = getattr(dev, name)
            if value is not None:
                setattr(self, name, value)

    def make_merged_spec(self, dev):
        """Returns a new name with the parts of `dev` over these."""
        merged = DeviceSpec(*self._parts())
        merged.merge_from(dev)
        return merged

    def replace(self, **kwargs):
        """Returns a new name with other parts."""
        names = ("job", "replica", "task", "device_type", "device_index")
        return DeviceSpec(**{**dict(zip(names, self._parts(), strict=True)), **kwargs})

    def to_string(self):
        """Returns the name as text."""
        text = "" if self.job is None else f"/job:{self.job}"
        for name in ("replica", "task"):
            value = getattr(self, name)
            if value is not None:
                text += f"/{name}:{value}"
        if self.device_type is not None:
            index = "*" if self.device_index is None else self.device_index
            text += f"/device:{self.device_type}:{index}"
        return text

    def __eq__(self, other):
        return isinstance(other, DeviceSpec) and self._parts() == other._parts()

    def __hash__(self):
        return hash(self._parts())


def merge_device(spec):
    """Returns a device function: an operation's own device over `spec`."""
    text = spec.to_string() if hasattr(spec, "to_string") else spec or ""
    _core.canonical_device(text)

    def merged(op):
        return _core.merge_device(text, op.device)

    return merged
