"""tf.config: what it answers was seen in TensorFlow 1.15.5."""

import ferroflow as tf
import pytest


def test_devices_are_told_and_hidden():
    (cpu,) = tf.config.experimental.list_physical_devices("CPU")
    assert repr(cpu) == "PhysicalDevice(name='/physical_device:CPU:0', device_type='CPU')"
    (logical,) = tf.config.experimental.list_logical_devices("CPU")
    assert logical.name == "/job:localhost/replica:0/task:0/device:CPU:0"
    assert logical.name in tf.config.experimental_list_devices()
    tf.config.experimental.set_visible_devices([], "GPU")
    assert tf.config.experimental.get_visible_devices("GPU") == []
    assert tf.config.experimental.get_visible_devices("CPU") == [cpu]
    with pytest.raises(ValueError, match="Cannot set memory growth on non-GPU devices"):
        tf.config.experimental.set_memory_growth(cpu, True)
    with pytest.raises(KeyError):
        tf.config.experimental.get_memory_growth(cpu)
    with pytest.raises(ValueError, match="Unrecognized device"):
        tf.config.experimental.set_visible_devices(cpu._replace(name="/physical_device:CPU:7"))


@pytest.mark.parametrize(
    ("page", "name", "default", "new"),
    [
        (tf.config, "soft_device_placement", False, True),
        (tf.config.optimizer, "jit", False, True),
        (tf.config.threading, "inter_op_parallelism_threads", 0, 3),
        (tf.config.threading, "intra_op_parallelism_threads", 0, 3),
        (tf.config.experimental, "device_policy", "silent", "warn"),
        (tf.config.experimental, "synchronous_execution", True, False),
        (tf.debugging, "log_device_placement", False, True),
    ],
)
def test_setting_is_told_again(page, name, default, new):
    read, write = getattr(page, "get_" + name), getattr(page, "set_" + name)
    assert read() == default
    write(new)
    assert read() == new
    write(default)


def test_optimizer_options_are_added():
    tf.config.optimizer.set_experimental_options({"constant_folding": True})
    assert tf.config.optimizer.get_experimental_options() == {
        "constant_folding": True,
        "disable_model_pruning": False,
        "disable_meta_optimizer": False,
    }


def test_a_fetch_that_worked_may_be_forbidden_later(graph):
    x = tf.constant(1.0, name="x")
    with tf.Session() as session:
        assert session.run(x) == 1
        graph.prevent_fetching(x.op)
        with pytest.raises(ValueError, match="has been marked as not fetchable"):
            session.run(x)
