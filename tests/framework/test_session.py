import collections
import threading

import ferroflow as tf
import numpy as np
import pytest


@pytest.fixture
def session(graph):
    with tf.Session(graph=graph) as made:
        yield made


def test_results_have_the_form_of_the_fetches(session):
    pair = collections.namedtuple("pair", "a b")
    x, y, op = tf.constant(1.0), tf.constant([2.0, 3.0]), tf.no_op()
    found = session.run({"p": pair(x, [y, op]), "t": (x,), "n": "Const:0"})
    assert found["p"].a == 1.0
    assert found["p"].b[0].tolist() == [2.0, 3.0]
    assert found["p"].b[1] is None
    assert found["t"] == (1.0,)
    assert found["n"] == 1.0
    assert isinstance(found["n"], np.float32)
    assert session.run([]) == []


@pytest.mark.parametrize(
    ("fetch", "error", "message"),
    [
        (None, TypeError, "Fetch argument None has invalid type"),
        (3, TypeError, "Can not convert a int into a Tensor or Operation"),
        ("nothing:0", ValueError, "cannot be interpreted as a Tensor"),
        ([[None]], TypeError, "has invalid type"),
    ],
)
def test_wrong_fetches_say_what_is_wrong(session, fetch, error, message):
    tf.constant(1)
    with pytest.raises(error, match=message):
        session.run(fetch)


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        ([1, 2], ValueError, r"Cannot feed value of shape \(2,\) for Tensor 'x:0', which has shape '\(\?, 3\)'"),
        ([["a", "b", "c"]], ValueError, "could not convert string to float"),
        (None, ValueError, "Cannot feed value of shape"),
    ],
)
def test_wrong_feeds_say_what_is_wrong(session, value, error, message):
    x = tf.placeholder(tf.float32, [None, 3], "x")
    with pytest.raises(error, match=message):
        session.run(x, {x: value})


def test_a_tensor_cannot_be_fed_as_a_value(session):
    x = tf.placeholder(tf.float32, name="x")
    with pytest.raises(TypeError, match="The value of a feed cannot be a tf.Tensor object"):
        session.run(x, {x: tf.constant(1.0)})
    with pytest.raises(TypeError, match="Cannot interpret feed_dict key as Tensor"):
        session.run(x, {"nothing:0": 1.0})


def test_an_int_that_does_not_fit_is_refused(session):
    x = tf.placeholder(tf.int8, [])
    with pytest.raises(TypeError, match="is not compatible with Tensor type"):
        session.run(x, {x: 1000})


def test_what_is_not_fed_is_named_with_the_line_that_made_it(session):
    x = tf.placeholder(tf.float32, [2], "missing")
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        session.run(x + 1.0)
    message = caught.value.message
    assert message.startswith("You must feed a value for placeholder tensor 'missing' with dtype float and shape [2]")
    assert f"[[node missing (defined at {__file__}:" in message
    assert "Original stack trace for 'missing':" in message
    assert 'x = tf.placeholder(tf.float32, [2], "missing")' in message
    assert caught.value.op is x.op
    assert caught.value.error_code == tf.errors.INVALID_ARGUMENT


def test_a_fed_fetch_is_what_was_fed(session):
    x = tf.constant(1.0)
    assert session.run([x, x + 1.0], {x: 5.0}) == [5.0, 6.0]


def test_feeds_may_be_named_and_nested(session):
    x, y = tf.placeholder(tf.float32, name="x"), tf.placeholder(tf.float32, name="y")
    assert session.run(x + y, {"x:0": 1.0, y: 2.0}) == 3.0
    assert session.run(x + y, {(x, y): (3.0, 4.0)}) == 7.0


def test_sparse_tensors_are_fed_and_fetched_whole(session):
    sparse = tf.sparse_placeholder(tf.float32)
    value = tf.SparseTensorValue([[0, 1]], [2.0], [3, 3])
    found = session.run(sparse, {sparse: value})
    assert isinstance(found, tf.SparseTensorValue)
    assert found.dense_shape.tolist() == [3, 3]


def test_a_closed_session_runs_nothing(graph):
    session = tf.Session(graph=graph)
    tf.constant(1)
    session.close()
    with pytest.raises(RuntimeError, match="Attempted to use a closed Session"):
        session.run("Const:0")


def test_an_empty_graph_has_nothing_to_run(session):
    with pytest.raises(RuntimeError, match="The Session graph is empty"):
        session.run([])


def test_other_graphs_tensors_are_refused(session):
    tf.constant(1)
    with tf.Graph().as_default():
        other = tf.constant(1, name="other")
    with pytest.raises(ValueError, match="is not an element of this graph"):
        session.run(other)
    with pytest.raises(TypeError, match="is not an element of this graph"):
        session.run("Const:0", {other: 1})


def test_eval_and_run_need_a_session_of_the_graph():
    x = tf.constant(1)
    with pytest.raises(ValueError, match="No default session is registered"):
        x.eval()
    with pytest.raises(ValueError, match=r"Cannot execute operation using `run\(\)`"):
        x.op.run()
    with (
        tf.Session(graph=tf.Graph()) as other,
        pytest.raises(ValueError, match="is different from the session's graph"),
    ):
        x.eval(session=other)


def test_sessions_nest_and_do_not_reenter(graph):
    tf.constant(1)
    with tf.Session() as session:
        assert tf.get_default_session() is session
        with pytest.raises(RuntimeError, match="not re-entrant"):
            session.__enter__()
    assert tf.get_default_session() is None


def test_an_interactive_session_is_the_default_until_it_is_closed():
    x = tf.constant(2)
    session = tf.InteractiveSession()
    try:
        assert x.eval() == 2
    finally:
        session.close()
    assert tf.get_default_session() is None


def test_arguments_of_other_kinds_are_type_errors():
    with pytest.raises(TypeError, match="graph must be a tf.Graph"):
        tf.Session(graph=3)
    with pytest.raises(TypeError, match="config must be a tf.ConfigProto"):
        tf.Session(config=3)
    with pytest.raises(TypeError, match=r'Did you do "Session\(config\)"'):
        tf.Session(tf.ConfigProto())


def test_a_callable_takes_feeds_in_order(session):
    x, y = tf.placeholder(tf.float32), tf.placeholder(tf.float32)
    call = session.make_callable([x - y], feed_list=[x, y])
    assert call(3.0, 1.0) == [2.0]
    assert session.make_callable(tf.constant(4))() == 4
    assert session.make_callable(tf.no_op())() is None


def test_threads_share_a_session(session):
    v = tf.Variable(0.0, use_resource=True)
    add = v.assign_add(1.0).op
    session.run(v.initializer)

    def work():
        for _ in range(50):
            session.run(add)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert session.run(v) == 200.0
