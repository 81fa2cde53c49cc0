import ferroflow as tf
import pytest

KINDS = [False, True]


@pytest.fixture
def session(graph):
    with tf.Session(graph=graph) as made:
        yield made


@pytest.mark.parametrize("use_resource", KINDS)
def test_a_variable_keeps_what_was_assigned(session, use_resource):
    v = tf.Variable([1.0, 2.0], name="v", use_resource=use_resource)
    session.run(v.initializer)
    session.run(v.assign_add([1.0, 1.0]))
    session.run(v.assign_sub([0.5, 0.5]))
    assert session.run(v).tolist() == [1.5, 2.5]
    v.load([7.0, 8.0], session)
    assert v.eval(session).tolist() == [7.0, 8.0]
    assert session.run(v.assign([3.0, 3.0])).tolist() == [3.0, 3.0]


@pytest.mark.parametrize("use_resource", KINDS)
def test_variables_go_to_collections_unless_told(use_resource):
    a = tf.Variable(1.0, use_resource=use_resource)
    b = tf.Variable(1.0, trainable=False, use_resource=use_resource)
    c = tf.Variable(1.0, collections=["mine"], use_resource=use_resource)
    assert tf.global_variables() == [a, b]
    assert tf.trainable_variables() == [a, c]
    assert tf.get_collection("mine") == [c]


def test_a_reference_variable_is_variable_assign_and_read(graph):
    tf.Variable(1.0, name="v")
    kinds = [(op.name, op.type) for op in graph.get_operations()]
    assert kinds == [("v/initial_value", "Const"), ("v", "VariableV2"), ("v/Assign", "Assign"), ("v/read", "Identity")]


def test_an_initial_value_from_another_variable_uses_its_initial_value(session):
    a = tf.Variable(3.0, name="a")
    b = tf.Variable(a * 2.0, name="b")
    session.run(tf.global_variables_initializer())
    assert session.run([a, b]) == [3.0, 6.0]


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: tf.Variable(), ValueError, "initial_value must be specified"),
        (lambda: tf.Variable(1, collections="x"), ValueError, "must be a list, tuple, or set"),
        (lambda: tf.Variable(tf.placeholder(tf.float32)), ValueError, "must have a shape specified"),
        (lambda: tf.Variable(1, constraint=3), ValueError, "must be a callable"),
        (lambda: list(tf.Variable([1])), TypeError, "not iterable"),
        (lambda: tf.Variable([1.0]).assign([1.0, 2.0]), ValueError, "Dimension 0 in both shapes must be equal"),
        (lambda: tf.Variable(1.0).assign("a"), TypeError, "Expected float32 passed to parameter 'value'"),
    ],
)
def test_wrong_arguments_say_what_is_wrong(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_an_initial_value_from_inside_a_cond_is_refused():
    def branch():
        return tf.Variable(tf.constant(1.0) + 1.0)

    with pytest.raises(ValueError, match="from inside a control-flow construct"):
        tf.cond(tf.constant(True), branch, lambda: tf.constant(1.0))


@pytest.mark.parametrize("use_resource", KINDS)
def test_a_variable_without_a_value_fails_with_its_name(session, use_resource):
    v = tf.Variable(1.0, name="v", use_resource=use_resource)
    with pytest.raises(tf.errors.FailedPreconditionError, match="uninitialized"):
        session.run(v + 1.0)
    assert not session.run(tf.is_variable_initialized(v))
    assert session.run(tf.report_uninitialized_variables()).tolist() == [b"v"]


@pytest.mark.parametrize("use_resource", KINDS)
def test_a_proto_makes_the_variable_again(graph, use_resource):
    from ferroflow._src.framework.resource_variables import variable_from_proto

    v = tf.Variable([1.0], name="v", use_resource=use_resource, trainable=False)
    again = variable_from_proto(v.to_proto())
    assert (again.name, again.trainable, again.initializer) == (v.name, False, v.initializer)
    assert repr(again) == repr(v)


def test_operators_use_the_value(session):
    v = tf.Variable(2.0)
    session.run(v.initializer)
    assert session.run([v + 1.0, 1.0 - v, -v, v * v, v / 4.0]) == [3.0, -1.0, -2.0, 4.0, 0.5]


def test_a_creator_may_change_how_variables_are_made():
    def creator(following, **kwargs):
        kwargs["name"] = "other"
        return following(**kwargs)

    with tf.variable_creator_scope(creator):
        assert tf.Variable(1.0, name="v").name == "other:0"


@pytest.mark.parametrize("use_resource", KINDS)
def test_rows_are_gathered_from_both_kinds(session, use_resource):
    v = tf.Variable([[1.0], [2.0], [3.0]], use_resource=use_resource)
    session.run(v.initializer)
    assert session.run(tf.gather(v, [2, 0])).tolist() == [[3.0], [1.0]]
    assert hasattr(v, "sparse_read") == use_resource
