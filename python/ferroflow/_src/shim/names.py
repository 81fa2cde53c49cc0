"""The table of names: where the parts of TensorFlow 1.15's inner modules are found in ferroflow.

`generated/names.txt` says which public name each attribute of each module is. `PLACES` adds what no public name
covers: whole modules of ours that answer for one of TensorFlow's.
"""

import functools
import os

PLACES = {
    "tensorflow.examples.tutorials.mnist.input_data": "ferroflow._src.examples.input_data",
    "tensorflow.examples.tutorials.mnist.mnist": "ferroflow._src.examples.mnist",
    "tensorflow.contrib.learn.python.learn.datasets.mnist": "ferroflow._src.examples.input_data",
    "tensorflow.contrib.learn.python.learn.datasets.base": "ferroflow._src.examples.input_data",
    "tensorflow.app.flags": "ferroflow._src.platform.flags",
    "tensorflow.python.client.device_lib": "ferroflow._src.framework.device_lib",
    "tensorflow.python.client.timeline": "ferroflow._src.framework.timeline",
    "tensorflow.python.platform.flags": "ferroflow._src.platform.flags",
    "tensorflow.python.platform.app": "ferroflow._src.platform.app",
    "tensorflow.python.platform.tf_logging": "ferroflow._src.platform.tf_logging",
    "tensorflow.python.platform.gfile": "ferroflow._src.platform.gfile",
    "tensorflow.io.gfile": "ferroflow._src.platform.files",
    "tensorflow.python.lib.io.file_io": "ferroflow._src.platform.file_io",
    "tensorflow.python.platform.resource_loader": "ferroflow._src.platform.resource_loader",
    "tensorflow.python.platform.sysconfig": "ferroflow._src.platform.sysconfig",
    "tensorflow.python.platform.googletest": "ferroflow._src.platform.test",
    "tensorflow.python.platform.test": "ferroflow._src.platform.test",
    "tensorflow.python.framework.meta_graph": "ferroflow._src.framework.meta_graph",
    "tensorflow.python.training.checkpoint_management": "ferroflow._src.training.checkpoint_management",
    "tensorflow.python.training.checkpoint_utils": "ferroflow._src.training.checkpoint_utils",
    "tensorflow.python.training.basic_loops": "ferroflow._src.training.basic_loops",
    "tensorflow.python.training.basic_session_run_hooks": "ferroflow._src.training.basic_session_run_hooks",
    "tensorflow.python.training.coordinator": "ferroflow._src.training.coordinator",
    "tensorflow.python.training.monitored_session": "ferroflow._src.training.monitored_session",
    "tensorflow.python.training.queue_runner": "ferroflow._src.training.queue_runner",
    "tensorflow.python.training.queue_runner_impl": "ferroflow._src.training.queue_runner",
    "tensorflow.python.training.server_lib": "ferroflow._src.training.server",
    "tensorflow.python.training.session_manager": "ferroflow._src.training.session_manager",
    "tensorflow.python.training.session_run_hook": "ferroflow._src.training.session_run_hook",
    "tensorflow.python.training.supervisor": "ferroflow._src.training.supervisor",
    "tensorflow.python.training.training_util": "ferroflow._src.training.global_step",
    "tensorflow.python.training.saver": "ferroflow._src.training.saver",
    "tensorflow.python.training.saving.saveable_object": "ferroflow._src.training.saveables",
    "tensorflow.python.training.saving.saveable_object_util": "ferroflow._src.training.saveables",
    "tensorflow.python.training.warm_starting_util": "ferroflow._src.training.warm_starting",
    "tensorflow.python.util.compat": "ferroflow._src.framework.text",
    "tensorflow.python.client.session": "ferroflow._src.framework.session",
    "tensorflow.python.framework.device": "ferroflow._src.framework.device_spec",
    "tensorflow.python.framework.graph_io": "ferroflow._src.framework.graph_io",
    "tensorflow.python.ops.resource_variable_ops": "ferroflow._src.framework.resource_variables",
    "tensorflow.python.ops.gradient_checker": "ferroflow._src.platform.gradient_checker",
    "tensorflow.python.training.device_setter": "ferroflow._src.training.device_setter",
    "tensorflow.python.training.moving_averages": "ferroflow._src.training.moving_averages",
    "tensorflow.python.training.slot_creator": "ferroflow._src.training.slot_creator",
    "tensorflow.python.lib.io.tf_record": "ferroflow._src.platform.record_io",
    "tensorflow.python.util.deprecation": "ferroflow._src.platform.deprecation",
    "tensorflow.python.util.tf_export": "ferroflow._src.platform.deprecation",
    "tensorflow.python.util.tf_decorator": "ferroflow._src.platform.deprecation",
    "tensorflow.python.util.tf_inspect": "inspect",
    "tensorflow.python.tools.freeze_graph": "ferroflow._src.training.freeze_graph",
    "tensorflow.python.tools.inspect_checkpoint": "ferroflow._src.training.inspect_checkpoint",
    "tensorflow.contrib.framework.python.ops": "ferroflow.contrib.framework",
    "tensorflow.contrib.framework.python.ops.variables": "ferroflow.contrib.framework",
    "tensorflow.contrib.framework.python.ops.arg_scope": "ferroflow.contrib.framework",
    "tensorflow.contrib.layers.python.layers": "ferroflow.contrib.layers",
    "tensorflow.contrib.layers.python.layers.layers": "ferroflow.contrib.layers",
    "tensorflow.contrib.layers.python.layers.initializers": "ferroflow.contrib.layers",
    "tensorflow.contrib.layers.python.layers.regularizers": "ferroflow.contrib.layers",
    "tensorflow.contrib.layers.python.layers.utils": "ferroflow.contrib.slim.utils",
    "tensorflow.contrib.slim.python.slim.nets": "ferroflow.contrib.slim.nets",
    "tensorflow.contrib.slim.python.slim.nets.alexnet": "ferroflow.contrib.slim.nets.alexnet",
    "tensorflow.contrib.slim.python.slim.nets.resnet_utils": "ferroflow.contrib.slim.nets.resnet_utils",
    "tensorflow.contrib.slim.python.slim.nets.resnet_v1": "ferroflow.contrib.slim.nets.resnet_v1",
    "tensorflow.contrib.slim.python.slim.nets.resnet_v2": "ferroflow.contrib.slim.nets.resnet_v2",
    "tensorflow.contrib.slim.python.slim.nets.vgg": "ferroflow.contrib.slim.nets.vgg",
    "tensorflow.contrib.slim.python.slim.learning": "ferroflow.contrib.slim.learning",
    "tensorflow.contrib.slim.python.slim.model_analyzer": "ferroflow.contrib.slim.model_analyzer",
}
"""TensorFlow's module: the module of ours that answers for it (besides what the generated table says of it)."""

_TABLE = os.path.join(os.path.dirname(__file__), "generated", "names.txt")


@functools.cache
def table() -> dict[str, dict[str, str]]:
    """Returns {module of TensorFlow: {attribute: public path without `tf.`}}."""
    found: dict[str, dict[str, str]] = {}
    module: dict[str, str] = {}
    with open(_TABLE, encoding="utf-8") as file:
        lines = file.read().splitlines()
    for line in lines:
        if line.startswith("tensorflow"):
            module = found.setdefault(line, {})
        elif line.startswith("  "):
            space, _, names = line.strip().partition(": ")
            prefix = "" if space == "tf" else space + "."
            for entry in names.split():
                here, _, there = entry.partition("=")
                module[here] = prefix + (there or here)
    return found


@functools.cache
def packages() -> frozenset[str]:
    """Returns the names of all modules of TensorFlow's that hold modules which the table or `PLACES` knows."""
    return frozenset(
        ".".join(parts[:end])
        for parts in (name.split(".") for name in [*table(), *PLACES])
        for end in range(1, len(parts))
    )
