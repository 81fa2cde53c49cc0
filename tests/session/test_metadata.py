"""What a run tells of itself: RunMetadata, the timeline, the devices' list."""

import json

import ferroflow as tf
import ferroflow.compat
import numpy as np
import pytest


@pytest.fixture(scope="module", autouse=True)
def tensorflow():
    ferroflow.compat.install()
    yield
    ferroflow.compat.uninstall()


@pytest.fixture
def traced():
    """(metadata, fetched value) of a traced run of two operations."""
    with tf.Graph().as_default(), tf.Session() as session:
        v = tf.Variable(np.ones([4, 5], np.float32), name="v")
        product = tf.matmul(v, tf.ones([5, 3]), name="product")
        session.run(v.initializer)
        options = tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE, output_partition_graphs=True)
        metadata = tf.RunMetadata()
        value = session.run(tf.nn.softmax(product, name="result"), options=options, run_metadata=metadata)
    return metadata, value


def test_traced_run_tells_times_and_memory(traced):
    metadata, value = traced
    assert value.shape == (4, 3)
    (device,) = metadata.step_stats.dev_stats
    assert device.device == "/job:localhost/replica:0/task:0/device:CPU:0"
    nodes = {n.node_name: n for n in device.node_stats}
    product = nodes["product"]
    assert product.timeline_label.startswith("product = MatMul(v/read")
    assert product.all_start_micros > 1e15 and product.all_end_rel_micros >= product.op_end_rel_micros >= 0
    (output,) = product.output
    assert [d.size for d in output.tensor_description.shape.dim] == [4, 3]
    assert output.tensor_description.allocation_description.requested_bytes == 4 * 3 * 4
    assert product.memory[0].allocator_name == "cpu"
    (graph,) = metadata.partition_graphs
    assert {"v", "product", "result"} <= {n.name for n in graph.node}
    assert {n.device for n in graph.node} == {device.device}


def test_run_without_trace_tells_nothing():
    with tf.Graph().as_default(), tf.Session() as session:
        metadata = tf.RunMetadata()
        session.run(tf.constant(1), run_metadata=metadata)
        assert metadata == tf.RunMetadata()


def test_timeline_is_a_chrome_trace(traced):
    from tensorflow.python.client import timeline

    metadata, _ = traced
    events = json.loads(timeline.Timeline(metadata.step_stats).generate_chrome_trace_format(show_memory=True))[
        "traceEvents"
    ]
    processes = [e["args"]["name"] for e in events if e["name"] == "process_name"]
    device = metadata.step_stats.dev_stats[0].device
    assert processes == ["Allocators", f"{device} Compute", f"{device} Tensors"]
    operations = {e["args"]["name"]: e for e in events if e["ph"] == "X"}
    assert operations["product"]["name"] == operations["product"]["args"]["op"] == "MatMul"
    assert operations["product"]["args"]["input0"] == "v/read"
    assert {"ts", "dur", "pid", "tid", "cat"} <= operations["product"].keys()
    assert {e["ph"] for e in events} >= {"M", "X", "N", "O", "D", "C"}
    analysis = timeline.Timeline(metadata.step_stats).analyze_step_stats()
    assert analysis.allocator_maximums["cpu"].num_bytes > 0


def test_operations_that_overlap_lie_in_different_threads():
    from tensorflow.python.client import timeline

    stats = ferroflow._src.proto.StepStats()
    device = stats.dev_stats.add(device="/device:CPU:0")
    for name, start, duration in [("a", 10, 5), ("b", 12, 5), ("c", 16, 1)]:
        node = device.node_stats.add(node_name=name, all_start_micros=start, all_end_rel_micros=duration)
        node.timeline_label = f"{name} = Op({'a' if name == 'c' else ''})"
        node.output.add()
    events = json.loads(timeline.Timeline(stats).generate_chrome_trace_format())["traceEvents"]
    threads = {e["args"]["name"]: e["tid"] for e in events if e["ph"] == "X"}
    assert threads == {"a": 0, "b": 1, "c": 0}


def test_devices_are_listed():
    from tensorflow.python.client import device_lib

    cpu = device_lib.list_local_devices()[0]
    assert (cpu.name, cpu.device_type, cpu.memory_limit) == ("/device:CPU:0", "CPU", 1 << 28)
    assert cpu.HasField("locality")


def test_run_metadata_is_written_once_a_tag(traced, tmp_path):
    with tf.summary.FileWriter(str(tmp_path)) as writer:
        writer.add_run_metadata(traced[0], "step1", 1)
        with pytest.raises(ValueError, match="The provided tag was already used for this event type"):
            writer.add_run_metadata(traced[0], "step1", 2)
    (path,) = tmp_path.iterdir()
    tagged = [e.tagged_run_metadata for e in tf.train.summary_iterator(str(path)) if e.HasField("tagged_run_metadata")]
    assert [t.tag for t in tagged] == ["step1"]
    assert tf.RunMetadata.FromString(tagged[0].run_metadata) == traced[0]


def test_run_in_parts_names_what_was_not_announced():
    with tf.Graph().as_default(), tf.Session() as session:
        x, y = (tf.placeholder(tf.float32, [], name=name) for name in "xy")
        doubled = tf.multiply(x, 2.0, name="doubled")
        total = tf.add(doubled, y, name="total")
        handle = session.partial_run_setup([doubled, total], [x, y])
        assert session.partial_run(handle, doubled, {x: 1.0}) == 2
        for feed, fetch, message in [
            ({x: 1.0}, total, "The feed x:0 has already been fed."),
            ({}, y, "The fetch y:0 was not specified in partial_run_setup."),
        ]:
            with pytest.raises(tf.errors.InvalidArgumentError) as raised:
                session.partial_run(handle, fetch, feed)
            assert raised.value.message == message
        assert session.partial_run(handle, total, {y: 1.0}) == 3
        with pytest.raises(tf.errors.InvalidArgumentError, match="Must run 'setup' before performing partial runs!"):
            session.partial_run(handle, total, {})
        with pytest.raises(tf.errors.InvalidArgumentError, match="Must specify at least one target"):
            session.partial_run_setup([], [])
