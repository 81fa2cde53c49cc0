import ferroflow as tf
import pytest


def get(name="w", shape=(2,), **kwargs):
    return tf.get_variable(name, shape, **kwargs)


def test_names_join_scopes_and_reuse_finds_the_variable():
    with tf.variable_scope("a") as scope:
        w = get()
    with tf.variable_scope(scope, reuse=True):
        assert get() is w
    with tf.variable_scope("a", reuse=tf.AUTO_REUSE):
        assert get() is w
        assert get("b").name == "a/b:0"
    assert w.name == "a/w:0"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: get(), "Variable w already exists, disallowed"),
        (lambda: _reused("nothing"), "Variable nothing does not exist"),
        (lambda: _reused(shape=[3]), r"specified shape \(3,\) and found shape \(2,\)"),
        (lambda: _reused(dtype=tf.int32), "specified dtype int32 and found dtype float32_ref"),
        (lambda: get("q", [2], initializer=3.0), "If initializer is a constant, do not specify shape"),
        (lambda: get("q", None), "The initializer passed is not valid"),
        (lambda: tf.get_variable("q", dtype=tf.int32, initializer=1.5), "don't match"),
    ],
)
def test_variables_that_cannot_be_had_say_why(make, message):
    get()
    with pytest.raises(ValueError, match=message):
        make()


def _reused(name="w", **kwargs):
    with tf.variable_scope(tf.get_variable_scope(), reuse=True):
        return get(name, **kwargs)


def test_an_existing_variable_names_the_line_that_made_it():
    get()
    with pytest.raises(ValueError, match=r"(?s)Originally defined at:.*test_variable_scope\.py") as caught:
        get()
    assert "return tf.get_variable(name, shape, **kwargs)" in str(caught.value)


def test_defaults_of_a_scope_reach_inner_scopes():
    with tf.variable_scope("a", initializer=tf.ones_initializer(), dtype=tf.float64, use_resource=True):
        with tf.variable_scope("b"):
            w = get()
    assert w.dtype is tf.float64
    assert w.initial_value.op.type == "Const"
    assert type(w).__name__ == "ResourceVariable"


def test_regularizers_add_to_the_losses_once(graph):
    with tf.variable_scope("a", regularizer=lambda w: w[0] * 2.0, reuse=tf.AUTO_REUSE):
        get()
        get()
    (loss,) = graph.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES)
    assert loss.op.name.startswith("a/w/Regularizer/")


def test_a_custom_getter_stands_before_the_outer_one():
    calls = []

    def getter(label):
        def get(getter, name, *args, **kwargs):
            calls.append(label)
            return getter(name, *args, **kwargs)

        return get

    with tf.variable_scope("a", custom_getter=getter("outer")):
        with tf.variable_scope("b", custom_getter=getter("inner")):
            get()
    assert calls == ["inner", "outer"]


def test_default_names_are_made_unique():
    names = []
    for _ in range(3):
        with tf.variable_scope(None, "block") as scope:
            names.append((scope.name, scope.original_name_scope))
    assert names == [("block", "block/"), ("block_1", "block_1/"), ("block_2", "block_2/")]


def test_reopening_a_scope_leaves_the_outer_one_for_variables_but_not_for_ops(graph):
    with tf.variable_scope("a") as a:
        pass
    with tf.variable_scope("b"), tf.variable_scope(a):
        assert get().name == "a/w:0"
        assert graph.get_name_scope() == "b/a"


def test_parts_of_a_partitioned_variable_are_found_again():
    with tf.variable_scope("p", partitioner=tf.fixed_size_partitioner(3)):
        v = get("v", [7, 2])
    assert [part.shape.as_list() for part in v] == [[3, 2], [2, 2], [2, 2]]
    assert [part.name for part in v][0] == "p/v/part_0:0"
    assert v._get_variable_list()[1]._get_save_slice_info().spec == "7 2 3,2:0,2"
    with tf.variable_scope("p", reuse=True, partitioner=tf.fixed_size_partitioner(3)):
        assert get("v", [7, 2]) is v


def test_a_template_makes_its_variables_once():
    layer = tf.make_template("layer", lambda x: x * get("w", []))
    one, two = layer(tf.constant(1.0)), layer(tf.constant(2.0))
    assert [v.name for v in layer.trainable_variables] == ["layer/w:0"]
    assert (one.op.name, two.op.name) == ("layer/mul", "layer_1/mul")


def test_scopes_must_be_left_in_order():
    with pytest.raises(TypeError, match="If default_name is None then name_or_scope is required"):
        tf.variable_scope(None)
    with pytest.raises(ValueError, match="reuse parameter must be"):
        tf.variable_scope("a", reuse="yes")
