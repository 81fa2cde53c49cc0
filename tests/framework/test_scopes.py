import ferroflow as tf
import pytest


def controls(tensor):
    return [op.name for op in tensor.op.control_inputs]


def test_an_operation_inside_waits_but_not_twice():
    a, b = tf.constant(1, name="a"), tf.constant(2, name="b")
    with tf.control_dependencies([a]):
        c = tf.constant(3, name="c")
        with tf.control_dependencies([a, b]):
            d = tf.constant(4, name="d")
        e = c + c
        with tf.control_dependencies(None):
            f = tf.constant(5, name="f")
    assert [controls(t) for t in (c, d, e, f)] == [["a"], ["a", "b"], [], []]


def test_control_inputs_are_operations_or_tensors():
    tf.constant(1)
    with pytest.raises(TypeError, match="Can not convert a int"), tf.control_dependencies([3]):
        pass


def test_names_of_nested_scopes_join_and_a_slash_reopens():
    with tf.name_scope("a") as a:
        with tf.name_scope("b"):
            inner = tf.constant(1, name="x")
    with tf.name_scope("a"):
        again = tf.constant(1, name="x")
    with tf.name_scope(a):
        same = tf.constant(1, name="y")
    assert [t.op.name for t in (inner, again, same)] == ["a/b/x", "a_1/x", "a/y"]


@pytest.mark.parametrize("name", ["a b", "_a", "-", "a:0"])
def test_names_that_no_scope_can_have_are_refused(name):
    with pytest.raises(ValueError, match="is not a valid scope name"), tf.name_scope(name):
        pass


def test_a_scope_is_left_when_its_body_raises(graph):
    with pytest.raises(KeyError), tf.name_scope("a"):
        raise KeyError
    assert graph.get_name_scope() == ""


def test_colocation_is_written_on_the_node():
    a = tf.constant(1, name="a")
    with tf.colocate_with(a):
        b = tf.constant(2)
    assert b.op.get_attr("_class") == [b"loc:@a"]
    assert b.op.colocation_groups() == [b"loc:@a"]


def test_init_scope_keeps_names_and_drops_control_inputs():
    a = tf.constant(1, name="a")
    with tf.name_scope("s"), tf.control_dependencies([a]), tf.init_scope():
        b = tf.constant(2, name="b")
    assert (b.op.name, controls(b)) == ("s/b", [])
