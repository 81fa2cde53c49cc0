import ferroflow as tf
import pytest


def test_the_same_handle_is_the_same_object(graph):
    a = tf.constant(1, name="a")
    assert graph.get_tensor_by_name("a:0") is a
    assert graph.get_operation_by_name("a") is a.op
    assert a.op.outputs[0] is a


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("a", ValueError, "refers to an Operation, not a Tensor"),
        ("b", ValueError, r"looks like an \(invalid\) Operation name"),
        ("a:1", KeyError, "exists but only has 1 outputs"),
        ("b:0", KeyError, "does not exist in the graph"),
        ("a:x", ValueError, "not a valid one"),
        (3, TypeError, "Tensor names are strings"),
    ],
)
def test_wrong_tensor_names_say_what_is_wrong(graph, name, error, message):
    tf.constant(1, name="a")
    with pytest.raises(error, match=message):
        graph.get_tensor_by_name(name)


def test_names_are_made_unique_without_regard_to_case(graph):
    assert [graph.unique_name(n) for n in ("a", "a", "A", "a_1")] == ["a", "a_1", "A_2", "a_1_1"]


def test_a_finalized_graph_takes_nothing_more(graph):
    tf.constant(1)
    graph.finalize()
    for change in (lambda: tf.constant(1), lambda: graph.add_to_collection("x", 1)):
        with pytest.raises(RuntimeError, match="Graph is finalized and cannot be modified"):
            change()


def test_tensors_of_two_graphs_do_not_mix():
    a = tf.constant(1.0)
    with tf.Graph().as_default():
        b = tf.constant(2.0, name="b")
    with pytest.raises(ValueError, match=r"must be from the same graph as Tensor\(.Const:0."):
        a + b


def test_collections_can_be_asked_for_a_scope(graph):
    with tf.name_scope("one"):
        a = tf.constant(1)
    b = tf.constant(2)
    graph.add_to_collections(["x", "y"], a)
    graph.add_to_collection("x", b)
    assert graph.get_collection("x", "one") == [a]
    assert graph.get_collection("x") == [a, b]
    assert sorted(graph.get_all_collection_keys()) == ["x", "y"]
    graph.get_collection_ref("x").append("more")
    assert len(graph.get_collection("x")) == 3


def test_an_operation_remembers_the_line_that_made_it():
    op = tf.constant(1, name="here").op
    file, _, function, text = op.traceback[-1]
    assert file == __file__
    assert function == "test_an_operation_remembers_the_line_that_made_it"
    assert 'name="here"' in text


def test_a_graph_def_made_and_imported_is_the_same(graph):
    x = tf.placeholder(tf.float32, [None, 2], "x")
    with tf.name_scope("s"):
        (x + 1.0) * 2.0
    data = graph.as_graph_def()
    with tf.Graph().as_default() as other:
        tf.import_graph_def(data, name="")
    assert other.as_graph_def().SerializeToString(deterministic=True) == data.SerializeToString(deterministic=True)


def test_reset_default_graph_is_not_for_nested_graphs():
    with pytest.raises(AssertionError, match="nested graphs"):
        tf.reset_default_graph()


def test_get_attr_gives_types_bytes_and_messages():
    op = tf.placeholder(tf.float32, [None, 2], "x").op
    assert op.get_attr("dtype") is tf.float32
    assert [d.size for d in op.get_attr("shape").dim] == [-1, 2]
    assert tf.make_ndarray(tf.constant([1, 2]).op.get_attr("value")).tolist() == [1, 2]
    with pytest.raises(ValueError, match="has no attr named 'nothing'"):
        op.get_attr("nothing")


def test_device_functions_see_each_new_operation(graph):
    seen = []

    def place(op):
        seen.append(op.name)
        return "/cpu:0" if op.type == "Const" else ""

    with tf.device(place):
        a = tf.constant(1, name="a")
        b = tf.no_op(name="b")
    assert seen == ["a", "b"]
    assert (a.device, b.device) == ("/cpu:0", "")  # as the function wrote it


def test_inner_devices_cover_outer_ones_part_by_part():
    with tf.device("/job:ps"):
        with tf.device("/gpu:1"):
            a = tf.constant(1)
        with tf.device(None):
            b = tf.constant(1)
    assert (a.device, b.device) == ("/job:ps/device:GPU:1", "")
