"""`ferroflow devices`: the GPUs of this machine, why one is not used, and whether they compute what the CPU does."""

import importlib
import json
import sys
from typing import Any

from ferroflow import _core

HINT = """\
No GPU is used; programs run on the CPU. On Linux a GPU needs its maker's Vulkan driver (`vulkaninfo --summary` shows it);
FERROFLOW_GPU=software takes Mesa's software Vulkan, for tests."""


def show(as_json: bool, tries: bool) -> int:
    """Writes what was found to stdout. Returns 0, or 1 when a device that was tried computes something else."""
    adapters = _core.gpu_adapters()
    is_right = True
    if tries:
        for adapter in adapters:
            if adapter["number"] is not None:
                adapter["test"] = _try(adapter["number"])
                is_right &= adapter["test"] == "ok"
    if as_json:
        print(json.dumps({"built_in": _core.has_gpu_support(), "adapters": adapters}, indent=2))
        return 0 if is_right else 1
    if not _core.has_gpu_support():
        print("This build has no GPU support: it was made without the cargo feature `gpu`.")
        return 0
    for adapter in adapters:
        print(_describe(adapter))
    if all(adapter["number"] is None for adapter in adapters):
        print(HINT, file=sys.stderr)
    return 0 if is_right else 1


def _describe(adapter: dict[str, Any]) -> str:
    number = adapter["number"]
    name = "(not used)" if number is None else f"/device:GPU:{number}"
    lines = [
        f"{name}  {adapter['name']}",
        f"    {adapter['kind']}, {adapter['interface']}, driver {adapter['driver'] or 'unknown'}",
        f"    buffers of {adapter['max_buffer_bytes'] >> 20} MiB, {adapter['bindings']} bindings, "
        f"{adapter['workgroup_bytes'] >> 10} KiB of workgroup memory",
    ]
    if adapter["why_not"]:
        lines.append(f"    not used: {adapter['why_not']}")
    if "test" in adapter:
        lines.append(f"    test: {adapter['test']}")
    return "\n".join(lines)


def _try(number: int) -> str:
    """A few operations on the device beside the CPU: "ok", or what is wrong."""
    import numpy as np

    tf: Any = importlib.import_module("ferroflow")  # its names come when they are asked for
    graph = tf.Graph()
    with graph.as_default():
        x = tf.placeholder(tf.float32, [None, 64])
        results = []
        for device in (f"/device:GPU:{number}", "/device:CPU:0"):
            with tf.device(device):
                y = tf.tanh(tf.matmul(x, x, transpose_b=True) * 0.1) + tf.exp(-tf.reduce_sum(x, 1))
                results.append(tf.nn.softmax(y))
    values = np.random.RandomState(0).uniform(-1, 1, [48, 64]).astype(np.float32)
    try:
        with tf.Session(graph=graph, config=tf.ConfigProto(allow_soft_placement=True)) as session:
            on_gpu, on_cpu = session.run(results, {x: values})
    except tf.errors.OpError as error:
        return f"failed: {error.message}"
    off = float(np.max(np.abs(on_gpu - on_cpu)))
    return "ok" if off < 1e-5 else f"differs from the CPU by {off:.3g}"
