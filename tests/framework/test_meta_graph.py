import ferroflow as tf
import pytest
from ferroflow._src.framework import meta_graph


def build():
    with tf.name_scope("a"):
        x = tf.placeholder(tf.float32, [], "x")
        v = tf.Variable(2.0, name="v")
        y = tf.cond(x > 0, lambda: x * v, lambda: x, name="choice")
    tf.add_to_collection("outputs", y)
    tf.add_to_collection("numbers", 3)
    tf.add_to_collection("texts", "t")
    return x, v, y


def by_name(graph_def):
    # Import adds a node after its inputs, which in a conditional is not the order in which they were made.
    return {node.name: node for node in graph_def.node}


@pytest.mark.parametrize("as_text", [True, False])
def test_a_graph_written_and_read_runs_as_before(graph, tmp_path, as_text):
    build()
    path = str(tmp_path / "g.meta")
    meta_graph.export_scoped_meta_graph(path, as_text=as_text)
    before = graph.as_graph_def()
    with tf.Graph().as_default() as other:
        variables = meta_graph.import_scoped_meta_graph(path)
        assert by_name(other.as_graph_def()) == by_name(before)
        assert list(variables) == ["a/v:0"]
        assert other.get_collection("numbers") == [3]
        (y,) = tf.get_collection("outputs")
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            assert session.run(y, {"a/x:0": 4.0}) == 8.0
            assert session.run(y, {"a/x:0": -4.0}) == -4.0


def test_a_scope_is_exported_alone_and_imported_below_another():
    with tf.name_scope("rest"):
        tf.constant(1.0)
    build()
    exported, variables = meta_graph.export_scoped_meta_graph(export_scope="a")
    assert list(variables) == ["v:0"]
    assert {node.name.split("/")[0] for node in exported.graph_def.node} >= {"x", "v", "choice"}
    with tf.Graph().as_default():
        found = meta_graph.import_scoped_meta_graph(exported, import_scope="b")
        assert found["v:0"].name == "b/v:0"


def test_an_input_from_outside_the_scope_must_be_given():
    outside = tf.constant(1.0, name="outside")
    with tf.name_scope("a"):
        tf.add_to_collection("y", outside + 1.0)
    exported, _ = meta_graph.export_scoped_meta_graph(export_scope="a")
    with tf.Graph().as_default():
        with pytest.raises(ValueError, match="Graph contains unbound inputs"):
            meta_graph.import_scoped_meta_graph(exported)
        new = {"$unbound_inputs_outside": tf.constant(5.0)}
        meta_graph.import_scoped_meta_graph(exported, input_map=new, import_scope="b")
        with tf.Session() as session:
            assert session.run("b/add:0") == 6.0


def test_a_file_that_is_not_there_or_no_meta_graph_is_an_error(tmp_path):
    with pytest.raises(OSError, match="does not exist"):
        meta_graph.read_meta_graph_file(str(tmp_path / "no.meta"))
    (tmp_path / "bad.meta").write_bytes(b"\xff\xfe nonsense {")
    with pytest.raises(OSError, match="Cannot parse file"):
        meta_graph.read_meta_graph_file(str(tmp_path / "bad.meta"))


def test_ops_used_are_listed_with_their_definitions(graph):
    build()
    exported = meta_graph.create_meta_graph_def(graph=graph)
    names = [op.name for op in exported.meta_info_def.stripped_op_list.op]
    assert names == sorted(names)
    assert {"Switch", "Merge", "VariableV2"} <= set(names)
    assert exported.meta_info_def.tensorflow_version == "1.15.5"
