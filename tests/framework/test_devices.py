"""Where operations run: devices' names, placement and its log. What is compared with was seen in TensorFlow 1.15.5."""

import ferroflow as tf
import pytest

CPU = "/job:localhost/replica:0/task:0/device:CPU:0"


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("/cpu:0", "/device:CPU:0"),
        ("cpu", "/device:CPU:*"),
        ("/Gpu:2", "/device:GPU:2"),
        ("/device:gpu:2", "/device:GPU:2"),
        ("/device:foo:1", "/device:foo:1"),
        ("/job:a//task:1", "/job:a/task:1"),
        ("/job:", "/job:"),
        ("/cpu:-1", "/device:CPU:-1"),
        (None, ""),
    ],
)
def test_names_are_written_in_full(graph, short, long):
    with tf.device(short):
        assert tf.no_op().device == long


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("bad device", "Unknown attribute: 'bad device' in 'bad device'"),
        ("/tpu:0", "Unknown attribute: 'tpu' in '/tpu:0'"),
        ("/device:CPU", "Unknown attribute: 'device' in '/device:CPU'"),
        ("/cpu:a", "invalid literal for int() with base 10: 'a'"),
        ("/cpu:0/gpu:1", "Cannot specify multiple device types: /cpu:0/gpu:1"),
    ],
)
def test_what_is_no_name_is_refused(graph, name, message):
    with pytest.raises(ValueError) as raised, tf.device(name):
        pass
    assert str(raised.value) == message


def test_what_a_function_says_is_taken_as_it_is_and_then_covered_by_outer_blocks(graph):
    with tf.device(lambda op: "/gpu:3"):
        assert tf.no_op().device == "/gpu:3"
    with tf.device("/job:a"), tf.device(lambda op: "/gpu:3"):
        assert tf.no_op().device == "/job:a/device:GPU:3"
    with tf.device(lambda op: None), pytest.raises(TypeError, match="Expected binary or unicode string, got None"):
        tf.no_op()


def test_absent_device_fails_every_run_of_its_graph(graph):
    with tf.device("/gpu:0"):
        tf.add(tf.constant(1.0), 2.0, name="there")
    here = tf.constant(1.0)
    with tf.Session() as session, pytest.raises(tf.errors.InvalidArgumentError) as raised:
        session.run(here)
    message = str(raised.value)
    assert message.startswith("Cannot assign a device for operation there: node there (defined at ")
    assert "test_devices.py" in message
    assert f"was explicitly assigned to /device:GPU:0 but available devices are [ {CPU} ]. Make sure" in message
    assert raised.value.op.name == "there"
    with tf.Session(config=tf.ConfigProto(allow_soft_placement=True)) as session:
        assert session.run(here) == 1


@pytest.mark.parametrize("device", ["/job:worker/task:1", "/replica:3"])
def test_soft_placement_leaves_the_machine_as_it_is(graph, device):
    with tf.device(device):
        x = tf.constant(1.0)
    with tf.Session(config=tf.ConfigProto(allow_soft_placement=True)) as session:
        with pytest.raises(tf.errors.InvalidArgumentError, match="explicitly assigned to " + device):
            session.run(x)


def test_device_count_makes_devices(graph):
    with tf.device("/cpu:1"):
        x = tf.constant(1.0)
    with tf.Session(config=tf.ConfigProto(device_count={"CPU": 2})) as session:
        assert [d.name for d in session.list_devices()] == [CPU, CPU[:-1] + "1"]
        assert session.run(x) == 1
    with pytest.raises(tf.errors.NotFoundError, match="No CPU devices are available in this process"):
        tf.Session(config=tf.ConfigProto(device_count={"CPU": 0}))


def test_placement_is_logged_once_a_growth_of_the_graph(graph, capsys, monkeypatch):
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "0")
    a = tf.constant([1.0], name="a")
    b = tf.add(a, a, name="b")
    session = tf.Session(config=tf.ConfigProto(log_device_placement=True))
    assert capsys.readouterr().out == "Device mapping: no known devices.\n"
    session.run(b)
    logged = capsys.readouterr()
    assert logged.out == f"b: (Add): {CPU}\na: (Const): {CPU}\n"
    assert logged.err.splitlines()[0].endswith(f"] b: (Add): {CPU}")
    session.run(a)
    assert capsys.readouterr() == ("", "")


def test_replica_device_setter_deals_variables_out(graph):
    with tf.device(tf.train.replica_device_setter(ps_tasks=2, worker_device="/job:worker/task:7")):
        variables = [tf.Variable(1.0) for _ in range(3)]
        constant = tf.constant(1)
    assert [v.device for v in variables] == ["/job:ps/task:0", "/job:ps/task:1", "/job:ps/task:0"]
    assert constant.device == "/job:worker/task:7"
    cluster = {"ps": ["a:1"], "worker": ["b:1"]}
    with tf.device(tf.train.replica_device_setter(cluster=cluster)):
        assert tf.Variable(1.0).device == "/job:ps/task:0"
    assert tf.train.replica_device_setter() is None
    with pytest.raises(TypeError, match="ps_strategy must be callable"):
        tf.train.replica_device_setter(ps_tasks=1, ps_strategy=3)
