import ferroflow as tf
import pytest


def test_a_group_waits_for_all_on_each_device(graph):
    a = tf.constant(1, name="a")
    with tf.device("/gpu:0"):
        b = tf.constant(2, name="b")
    tf.group(a, [b], name="g")
    facts = {op.name: (op.device, [c.name for c in op.control_inputs]) for op in graph.get_operations()}
    assert facts["g/NoOp"] == ("", ["a"])
    assert facts["g/NoOp_1"] == ("/device:GPU:0", ["b"])
    assert facts["g"] == ("", ["g/NoOp", "g/NoOp_1"])


def test_cond_sends_outer_tensors_through_switches(graph):
    x, p = tf.constant(1.0, name="x"), tf.constant(True, name="p")
    result = tf.cond(p, lambda: x + 1.0, lambda: x)
    assert [i.op.name for i in result.op.inputs] == ["cond/Switch_1", "cond/add"]
    assert graph.get_operation_by_name("cond/add/Switch").type == "Switch"
    assert len(graph.get_collection(tf.GraphKeys.COND_CONTEXT)) == 2


def test_nothing_inside_a_cond_can_be_fetched(graph):
    inside = []

    def branch():
        inside.append(tf.constant(1, name="inside"))
        return inside[0] + 1

    tf.cond(tf.constant(True), branch, lambda: tf.constant(0))
    assert not graph.is_fetchable(inside[0])
    with tf.Session() as session, pytest.raises(ValueError, match="has been marked as not fetchable"):
        session.run(inside[0])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda p: tf.cond(True, lambda: 1, lambda: 2), TypeError, "pred must not be a Python bool"),
        (lambda p: tf.cond(p, lambda: 1), TypeError, "false_fn argument required"),
        (lambda p: tf.cond(p, lambda: 1, 3), TypeError, "false_fn must be callable"),
        (lambda p: tf.cond(p, lambda: 1, lambda: None), ValueError, "false_fn must have a return value"),
        (lambda p: tf.cond(p, lambda: 1, lambda: 1.0), ValueError, "must have the same type: int32, float32"),
        (lambda p: tf.cond(p, lambda: [1, 2], lambda: 1), ValueError, "same nested structure"),
        (lambda p: tf.while_loop(lambda i: p, lambda i: i, []), ValueError, "No loop variables"),
        (lambda p: tf.while_loop(3, lambda i: i, [1]), TypeError, "cond must be callable"),
        (lambda p: tf.case([(True, lambda: 1)]), TypeError, "pred must be a Tensor"),
        (lambda p: tf.tuple([None]), ValueError, "Must have at least one Tensor"),
        (lambda p: tf.group(3), TypeError, "Expected tf.group"),
    ],
)
def test_wrong_arguments_say_what_is_wrong(call, error, message):
    with pytest.raises(error, match=message):
        call(tf.constant(True))


def test_a_shape_that_changes_in_a_loop_needs_an_invariant():
    start = tf.placeholder(tf.float32, [1])
    grown = tf.placeholder(tf.float32, [2])
    with pytest.raises(ValueError, match="enters the loop with shape"):
        tf.while_loop(lambda x: True, lambda x: grown, [start])
    free = tf.TensorShape([None])
    last = tf.while_loop(lambda x: tf.constant(True), lambda x: grown, [start], [free])
    assert last.shape.as_list() == [None]


def test_a_loop_is_enter_merge_switch_identity_next_exit(graph):
    tf.while_loop(lambda i: i < 10, lambda i: i + 1, [tf.constant(0, name="zero")])
    kinds = [op.type for op in graph.get_operations() if op.type != "Const"]
    assert kinds == ["Enter", "Merge", "Less", "LoopCond", "Switch", "Identity", "AddV2", "NextIteration", "Exit"]
    assert graph.get_operation_by_name("while/Enter").get_attr("frame_name") == b"while/while_context"


def test_contexts_are_written_and_read(graph):
    x = tf.constant(1.0, name="x")
    tf.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, tf.cond(i > 1, lambda: y + x, lambda: y)), [0, x])
    for kind in (tf.GraphKeys.WHILE_CONTEXT,):
        (context,) = graph.get_collection(kind)
        message = context.to_proto()
        assert message.context_name == "while/while_context"
        assert len(message.nested_contexts) == 2
        with tf.Graph().as_default():
            tf.import_graph_def(graph.as_graph_def(), name="")
            again = type(context).from_proto(message)
            assert again.to_proto().SerializeToString(deterministic=True) == message.SerializeToString(
                deterministic=True
            )


def test_switch_case_chooses_by_number():
    # TensorFlow 1.15.5's answers.
    index = tf.placeholder(tf.int32, [])
    weight = tf.Variable(2.0)
    chosen = tf.switch_case(index, {0: lambda: weight * 1.0, 1: lambda: weight * weight, 2: lambda: tf.constant(7.0)})
    other = tf.switch_case(index, [lambda: 1, lambda: 2], default=lambda: -1)
    gradient = tf.gradients(chosen, weight)[0]
    with tf.Session() as sess:
        sess.run(weight.initializer)
        got = [sess.run([chosen, other], {index: i}) for i in (0, 1, 2, 3, -1)]
        assert got == [[2.0, 1], [4.0, 2], [7.0, -1], [7.0, -1], [7.0, -1]]
        assert [sess.run(gradient, {index: i}) for i in (0, 1, 2)] == [1.0, 4.0, 0.0]


@pytest.mark.parametrize(
    ("functions", "error"),
    [([], ValueError), (3, TypeError), ([3], TypeError), ({1: int}, ValueError), ({"a": int}, TypeError)],
)
def test_switch_case_wants_functions_by_number(functions, error):
    with pytest.raises(error):
        tf.switch_case(tf.constant(0), functions)
