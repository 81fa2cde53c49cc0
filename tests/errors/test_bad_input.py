"""Bad input ends in an exception that names the node and the user's line; never in death, a hang or a wrong value."""

import inspect
import time

import ferroflow as tf
import numpy as np
import pytest


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as made:
        yield made


def line():
    """The caller's line in this file."""
    return inspect.currentframe().f_back.f_lineno


def test_failed_run_names_the_node_its_line_and_where_its_inputs_come_from():
    wanted = tf.placeholder(tf.int32, name="wanted")
    place = line() - 1
    tf.gather(tf.constant([1.0, 2.0]), wanted, name="boom")
    made = line() - 1
    with tf.Session() as session, pytest.raises(tf.errors.InvalidArgumentError) as raised:
        session.run("boom:0", {wanted: [0, 7]})
    error = raised.value
    message = str(error)
    assert message.startswith("indices[1] = 7 is not in [0, 2)\n\t [[node boom (defined at ")
    assert f"test_bad_input.py:{made}) ]]" in message
    assert f"wanted (defined at {__file__}:{place})" in message.replace("\\", "/")
    assert "Original stack trace for 'boom':" in message
    assert f'File "{__file__}", line {made}' in message
    assert (error.op.name, error.op.type, error.error_code) == ("boom", "GatherV2", tf.errors.INVALID_ARGUMENT)
    assert error.node_def.name == "boom"


def test_run_that_failed_leaves_the_session_as_it_was():
    v = tf.Variable(1.0)
    x = tf.placeholder(tf.float32, [None])
    checked = tf.check_numerics(x, "not a number")
    with tf.control_dependencies([checked]):
        update = v.assign_add(1.0)
    with tf.Session() as session:
        session.run(v.initializer)
        with pytest.raises(tf.errors.InvalidArgumentError, match="not a number : Tensor had NaN values"):
            session.run(update, {x: [np.nan]})
        assert session.run(v) == 1
        assert session.run(update, {x: [1.0]}) == 2


def test_closed_session_runs_nothing():
    x = tf.constant(1.0)
    session = tf.Session()
    session.run(x)
    run = session.make_callable(x)
    session.close()
    session.close()
    for call in (lambda: session.run(x), run, lambda: session.partial_run_setup([x])):
        with pytest.raises(RuntimeError, match="Attempted to use a closed Session"):
            call()


def test_chain_of_ten_thousand_nodes_is_built_run_and_differentiated():
    start = time.process_time()
    x = tf.placeholder(tf.float32, [])
    y = x
    for _ in range(10_000):
        y = y + 1.0
    (slope,) = tf.gradients(y, x)
    with tf.Session() as session:
        assert session.run([y, slope], {x: 0.0}) == [10_000, 1]
    data = tf.get_default_graph().as_graph_def().SerializeToString()
    with tf.Graph().as_default():
        (again,) = tf.import_graph_def(tf.GraphDef.FromString(data), return_elements=[y.name], name="")
        with tf.Session() as session:
            assert session.run(again, {"Placeholder:0": 1.0}) == 10_001
    assert time.process_time() - start < 60


def test_graph_def_with_a_cycle_or_an_unknown_op_is_refused(graph):
    cyclic = tf.GraphDef()
    for name, source in ("ab", "ba"):
        node = cyclic.node.add(name=name, op="Identity", input=[source])
        node.attr["T"].type = tf.float32.as_datatype_enum
    with pytest.raises(ValueError, match="2 nodes in a cycle"):
        tf.import_graph_def(cyclic)
    unknown = tf.GraphDef()
    unknown.node.add(name="what", op="NoSuchOp")
    with pytest.raises(tf.errors.NotFoundError, match="Op type not registered 'NoSuchOp'"):
        tf.import_graph_def(unknown)
    assert graph.get_operations() == []


def flips(path):
    """Writes the file with one bit of each byte changed in turn, and cut before each byte; yields what was done."""
    whole = path.read_bytes()
    try:
        for at in range(len(whole)):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << at % 8]) + whole[at + 1 :])
            yield f"bit {at % 8} of byte {at}"
            path.write_bytes(whole[:at])
            yield f"cut to {at} bytes"
    finally:
        path.write_bytes(whole)


@pytest.mark.parametrize("part", ["index", "data-00000-of-00001"])
def test_spoilt_checkpoint_never_gives_a_wrong_value(tmp_path, part):
    value = np.arange(6, dtype=np.float32)
    v = tf.Variable(value, name="v")
    prefix = str(tmp_path / "model")
    saver = tf.train.Saver()
    with tf.Session() as session:
        session.run(v.initializer)
        saver.save(session, prefix, write_meta_graph=False)
        wrong = []
        for what in flips(tmp_path / f"model.{part}"):
            try:
                found = tf.train.NewCheckpointReader(prefix).get_tensor("v")
            except (tf.errors.OpError, ValueError):
                continue
            if found.dtype != value.dtype or not np.array_equal(found, value):
                wrong.append(what)
        assert wrong == []
        saver.restore(session, prefix)
        assert np.array_equal(session.run(v), value)


def test_uninitialized_variables_are_named():
    v = tf.Variable(1.0, name="weights")
    doubled = tf.multiply(v, 2.0, name="doubled")
    with tf.Session() as session:
        with pytest.raises(tf.errors.FailedPreconditionError, match="Attempting to use uninitialized value weights"):
            session.run(doubled)
        with pytest.raises(
            tf.errors.FailedPreconditionError, match=r"value weights\n\t \[\[{{node _retval_weights_0_0}}\]\]"
        ):
            session.run(v)
        assert list(session.run(tf.report_uninitialized_variables())) == [b"weights"]
