"""One shader run through wgpu-py (another wgpu than the crate's own), with what a kernel must not touch fenced in.

The device has WebGPU's default limits, so a shader that needs more than 8 bindings, 16 KiB of workgroup memory or 256
invocations fails here, whatever the adapter could do.
"""

import dataclasses
import os
import struct

import numpy as np
import wgpu
from hypothesis import settings

from . import source

# How many shapes each test draws; the first run of a shader compiles it, so no deadline.
cases = settings(deadline=None, max_examples=25)
# The same for shaders of many constants, whose pipelines take long to make.
few_cases = settings(deadline=None, max_examples=6)
# Behind each buffer's last whole 16 bytes: all bits set, a NaN as a float and -1 as an int.
FENCE_BYTES = 256
FENCE = 0xFF
IMMEDIATE_BYTES = 128
RANK = {"DiscreteGPU": 0, "IntegratedGPU": 1, "VirtualGPU": 2, "Unknown": 3, "CPU": 4}
LIMITS = {
    "max-immediate-size": IMMEDIATE_BYTES,
    "max-storage-buffers-per-shader-stage": 8,
    "max-compute-workgroup-storage-size": 16384,
    "max-compute-invocations-per-workgroup": 256,
    "max-compute-workgroup-size-x": 256,
    "max-compute-workgroup-size-y": 256,
    "max-compute-workgroup-size-z": 64,
    "max-compute-workgroups-per-dimension": 65535,
}


def find_adapter():
    """The adapter to test on, or None: real before software, only software when FERROFLOW_GPU=software."""
    adapters = [a for a in wgpu.gpu.enumerate_adapters_sync() if a.info["backend_type"] != "OpenGL"]
    adapters = [a for a in adapters if "immediates" in a.features]
    if os.environ.get("FERROFLOW_GPU") == "software":
        adapters = [a for a in adapters if a.info["adapter_type"] == "CPU"]
    return min(adapters, key=lambda a: RANK.get(a.info["adapter_type"], 3), default=None)


@dataclasses.dataclass(frozen=True)
class Out:
    """A buffer that the shader writes: handed over full of the fence's bytes, and read back."""

    shape: tuple
    dtype: object = np.float32


@dataclasses.dataclass(frozen=True)
class InOut:
    """A buffer that the shader reads and writes; read back."""

    array: np.ndarray


class Gpu:
    """A device and the pipelines made on it so far."""

    def __init__(self, adapter):
        self.name = f"{adapter.info['device']} ({adapter.info['backend_type']})"
        self.device = adapter.request_device_sync(required_features=["immediates"], required_limits=LIMITS)
        self.pipelines = {}

    def run(self, shader, constants, buffers, params, groups, ending=None):
        """Runs one dispatch.

        Args:
          shader: name of a file in `shaders/`, without its ending; or a text of several lines.
          constants: dict of the shader's constants.
          buffers: arrays (read only: a changed one fails), `Out`s and `InOut`s, in the order of the bindings.
          params: the words after `zero` and `flag`; a float goes as float32's bits, an int as its low 32 bits.
          groups: workgroups, an int or up to three of them.
          ending: text in the place of `lib/end.wgsl`.
        Returns:
          The contents of the `Out`s and `InOut`s, in order.
        """
        pipeline = self.pipeline(shader, constants, len(buffers), ending)
        device_buffers = [self.upload(b) for b in buffers]
        entries = [
            {"binding": i, "resource": {"buffer": b, "offset": 0, "size": b.size}} for i, b in enumerate(device_buffers)
        ]
        group = self.device.create_bind_group(layout=pipeline.get_bind_group_layout(0), entries=entries)
        groups = tuple(np.atleast_1d(groups).tolist())
        encoder = self.device.create_command_encoder()
        compute = encoder.begin_compute_pass()
        compute.set_pipeline(pipeline)
        compute.set_bind_group(0, group)
        compute.set_immediates(0, words(params), 0, IMMEDIATE_BYTES)
        compute.dispatch_workgroups(*(groups + (1, 1))[:3])
        compute.end()
        self.device.queue.submit([encoder.finish()])
        results = []
        for place, (given, buffer) in enumerate(zip(buffers, device_buffers, strict=True)):
            got = self.download(given, buffer, f"{shader[:40]}: binding {place}")
            if isinstance(given, (Out, InOut)):
                results.append(got)
            else:
                assert got.tobytes() == given.tobytes(), f"{shader[:40]}: binding {place} is an input and was changed"
        return results

    def pipeline(self, shader, constants, bindings, ending=None):
        key = (shader, tuple(sorted(constants.items())), bindings, ending)
        if key not in self.pipelines:
            entries = [
                {"binding": i, "visibility": wgpu.ShaderStage.COMPUTE, "buffer": {"type": "storage"}}
                for i in range(bindings)
            ]
            layout = self.device.create_pipeline_layout(
                bind_group_layouts=[self.device.create_bind_group_layout(entries=entries)],
                immediate_size=IMMEDIATE_BYTES,
            )
            is_text = "\n" in shader
            code = source.expand_text(shader, constants) if is_text else source.expand(shader, constants, ending=ending)
            module = self.device.create_shader_module(code=code, label="text" if is_text else shader)
            compute = {"module": module, "entry_point": "main"}
            self.pipelines[key] = self.device.create_compute_pipeline(layout=layout, compute=compute)
        return self.pipelines[key]

    def upload(self, given):
        if isinstance(given, Out):
            data = bytes([FENCE]) * num_bytes(given)
        else:
            data = (given.array if isinstance(given, InOut) else given).tobytes()
        data = data.ljust(padded(len(data)) + FENCE_BYTES, bytes([FENCE]))
        usage = wgpu.BufferUsage.STORAGE | wgpu.BufferUsage.COPY_SRC
        return self.device.create_buffer_with_data(data=data, usage=usage)

    def download(self, given, buffer, what):
        data = bytes(self.device.queue.read_buffer(buffer))
        array = given.array if isinstance(given, InOut) else given
        size = num_bytes(array)
        fence = np.frombuffer(data[padded(size) :], np.uint8)
        assert (fence == FENCE).all(), f"{what}: written past its end, first at byte {padded(size) + fence.argmin()}"
        return np.frombuffer(data[:size], array.dtype).reshape(array.shape)


def num_bytes(array):
    return int(np.prod(array.shape, dtype=np.int64)) * np.dtype(array.dtype).itemsize


def padded(size):
    """A buffer's bytes on the device: whole vec4s, and never none."""
    return max(16, (size + 15) // 16 * 16)


def words(params):
    """The block of immediates: `zero` and `flag`, the parameters, zeros to the end."""
    packed = [struct.pack("<II", 0, 0)]
    for value in params:
        is_float = isinstance(value, (float, np.floating))
        packed.append(struct.pack("<f", value) if is_float else struct.pack("<I", int(value) & 0xFFFFFFFF))
    data = b"".join(packed)
    assert len(data) <= IMMEDIATE_BYTES, "more than 128 bytes of parameters"
    return data.ljust(IMMEDIATE_BYTES, b"\0")


def groups_of(groups):
    """So many workgroups over x and y, as `lib/index.wgsl` numbers them."""
    return min(groups, 65535), max(1, -(-groups // 65535))


def groups_1d(invocations):
    """The workgroups of 256 for so many invocations."""
    return groups_of(-(-invocations // 256))
