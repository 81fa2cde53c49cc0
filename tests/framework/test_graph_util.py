import ferroflow as tf
import pytest
from ferroflow import graph_util
from ferroflow._src.framework import graph_io


@pytest.mark.parametrize("use_resource", [False, True])
def test_a_frozen_graph_gives_the_same_values_without_variables(graph, use_resource):
    x = tf.placeholder(tf.float32, [2], "x")
    v = tf.Variable([2.0, 3.0], name="v", use_resource=use_resource)
    tf.identity(x * v, name="y")
    tf.constant(1.0, name="unused")
    with tf.Session() as session:
        session.run(v.initializer)
        session.run(v.assign_add([1.0, 1.0]))
        frozen = graph_util.convert_variables_to_constants(session, graph.as_graph_def(), ["y"])
    names = {node.name: node.op for node in frozen.node}
    assert names["v"] == "Const"
    assert "unused" not in names
    with tf.Graph().as_default(), tf.Session() as session:
        tf.import_graph_def(frozen, name="")
        assert session.run("y:0", {"x:0": [1.0, 1.0]}).tolist() == [3.0, 4.0]


def test_a_sub_graph_keeps_what_its_nodes_need(graph):
    a = tf.constant(1.0, name="a")
    with tf.colocate_with(a):
        tf.constant(2.0, name="b")
    data = graph.as_graph_def()
    assert [n.name for n in graph_util.extract_sub_graph(data, ["b"]).node] == ["a", "b"]
    with pytest.raises(AssertionError, match="c is not in graph"):
        graph_util.extract_sub_graph(data, ["c"])


def test_identities_fall_away_unless_something_waits_for_them(graph):
    a = tf.constant(1.0, name="a")
    b = tf.identity(tf.identity(a, name="i"), name="j")
    with tf.control_dependencies([tf.identity(a, name="k")]):
        tf.add(b, 1.0, name="c")
    cleaned = graph_util.remove_training_nodes(graph.as_graph_def())
    assert {n.name: list(n.input) for n in cleaned.node}["c"][0] == "a"
    assert [n.name for n in cleaned.node if n.op == "Identity"] == ["k"]


@pytest.mark.parametrize("as_text", [True, False])
def test_a_written_graph_can_be_read(graph, tmp_path, as_text):
    tf.constant(1.0, name="a")
    path = graph_io.write_graph(graph, str(tmp_path / "new"), "g.pb", as_text=as_text)
    content = (tmp_path / "new" / "g.pb").read_bytes()
    assert path.endswith("g.pb")
    assert content.startswith(b'node {\n  name: "a"') == as_text
