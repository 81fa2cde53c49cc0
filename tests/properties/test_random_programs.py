"""Programs drawn at random against NumPy: whatever is pruned, folded, deduplicated, fused or recycled, values stay."""

import ferroflow as tf
import numpy as np
from hypothesis import HealthCheck, given, settings, strategies as st

SETTINGS = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))

SHAPES = [(), (1,), (3,), (2, 3), (2, 1), (4, 2, 3), (17,)]

UNARY = {
    "negative": (tf.negative, np.negative),
    "abs": (tf.abs, np.abs),
    "square": (tf.square, np.square),
    "tanh": (tf.tanh, np.tanh),
    "relu": (tf.nn.relu, lambda x: np.maximum(x, 0)),
    "sigmoid": (tf.sigmoid, lambda x: 1 / (1 + np.exp(-x))),
    "sum": (tf.reduce_sum, np.sum),
    "mean": (lambda x: tf.reduce_mean(x, -1) if x.shape.ndims else tf.identity(x), lambda x: np.mean(x, -1) if x.ndim else x),
    "max": (lambda x: tf.reduce_max(x, 0) if x.shape.ndims else tf.identity(x), lambda x: np.max(x, 0) if x.ndim else x),
    "transpose": (tf.transpose, np.transpose),
    "first": (lambda x: x[0] if x.shape.ndims else tf.identity(x), lambda x: x[0] if x.ndim else x),
    "flat": (lambda x: tf.reshape(x, [-1]), lambda x: np.reshape(x, [-1])),
    "identity": (tf.identity, lambda x: x),
    "doubled": (lambda x: tf.concat([x, x], 0) if x.shape.ndims else tf.identity(x), lambda x: np.concatenate([x, x]) if x.ndim else x),
}

BINARY = {
    "add": (tf.add, np.add),
    "subtract": (tf.subtract, np.subtract),
    "multiply": (tf.multiply, np.multiply),
    "maximum": (tf.maximum, np.maximum),
    "where": (lambda x, y: tf.where(x > y, x, y), None),
}


@st.composite
def programs(draw):
    """Leaves (kind, shape, seed), then steps (name, operands), then what is fetched and what is fed on the way."""
    leaves = draw(
        st.lists(
            st.tuples(
                st.sampled_from(["constant", "placeholder", "vague", "reference", "resource"]),
                st.sampled_from(SHAPES),
                st.integers(0, 99),
            ),
            min_size=1,
            max_size=4,
        )
    )
    count, steps = len(leaves), []
    for _ in range(draw(st.integers(1, 14))):
        name = draw(st.sampled_from([*UNARY, *BINARY]))
        operands = draw(st.lists(st.integers(0, count - 1), min_size=2, max_size=2))
        steps.append((name, operands))
        count += 1
    fetched = draw(st.lists(st.integers(0, count - 1), min_size=1, max_size=5))
    fed = draw(st.lists(st.integers(len(leaves), count - 1), max_size=2))
    return leaves, steps, fetched, fed


def _broadcasts(x, y):
    try:
        np.broadcast_shapes(x.shape, y.shape)
    except ValueError:
        return False
    return True


def _build(leaves, steps):
    """Tensors, the values NumPy has for them, and the feeds of the placeholders."""
    tensors, values, feeds = [], [], {}
    for kind, shape, seed in leaves:
        value = np.random.RandomState(seed).uniform(-2, 2, shape)
        if kind == "constant":
            tensor = tf.constant(value)
        elif kind in ("placeholder", "vague"):
            tensor = tf.placeholder(tf.float64, shape if kind == "placeholder" else [None] * len(shape))
            feeds[tensor] = value
        else:
            tensor = tf.Variable(value, use_resource=kind == "resource").value()
        tensors.append(tensor)
        values.append(value)
    for name, (i, j) in steps:
        x, y = values[i], values[j]
        if name in UNARY:
            build, compute = UNARY[name]
            tensors.append(build(tensors[i]))
            values.append(np.asarray(compute(x)))
            continue
        build, compute = BINARY[name]
        if name == "where":
            j = j if x.shape == y.shape else i
            tensors.append(build(tensors[i], tensors[j]))
            values.append(np.where(x > values[j], x, values[j]))
            continue
        j = j if _broadcasts(x, y) else i
        tensors.append(build(tensors[i], tensors[j]))
        values.append(np.asarray(compute(x, values[j])))
    return tensors, values, feeds


def _again(leaves, steps, given_values):
    """What NumPy has when some steps' results are given."""
    tensors = []
    for _, shape, seed in leaves:
        tensors.append(np.random.RandomState(seed).uniform(-2, 2, shape))
    for at, (name, (i, j)) in enumerate(steps, len(leaves)):
        x, y = tensors[i], tensors[j]
        if at in given_values:
            made = given_values[at]
        elif name in UNARY:
            made = np.asarray(UNARY[name][1](x))
        elif name == "where":
            y = y if x.shape == y.shape else x
            made = np.where(x > y, x, y)
        else:
            made = np.asarray(BINARY[name][1](x, y if _broadcasts(x, y) else x))
        tensors.append(made)
    return tensors


@SETTINGS
@given(programs())
def test_a_program_computes_what_numpy_computes(program):
    leaves, steps, fetched, fed = program
    with tf.Graph().as_default(), tf.Session() as session:
        tensors, values, feeds = _build(leaves, steps)
        session.run(tf.global_variables_initializer())
        for _ in range(2):  # the second run takes the plan and the buffers of the first
            for got, at in zip(session.run([tensors[at] for at in fetched], feeds), fetched, strict=True):
                np.testing.assert_allclose(got, values[at], rtol=1e-9, atol=1e-12)
                assert tensors[at].shape.is_compatible_with(values[at].shape)
        # A value fed for a result on the way holds for all that use it.
        given_values = {at: values[at] * 0.5 + 1 for at in fed}
        wanted = _again(leaves, steps, given_values)
        feeds.update({tensors[at]: value for at, value in given_values.items()})
        for got, at in zip(session.run([tensors[at] for at in fetched], feeds), fetched, strict=True):
            np.testing.assert_allclose(got, wanted[at], rtol=1e-9, atol=1e-12)


@SETTINGS
@given(programs())
def test_a_program_written_and_read_is_the_same_program(program):
    leaves, steps, fetched, _ = program
    leaves = [("constant" if kind in ("reference", "resource") else kind, *rest) for kind, *rest in leaves]
    with tf.Graph().as_default() as graph:
        tensors, values, feeds = _build(leaves, steps)
    written = graph.as_graph_def()
    with tf.Graph().as_default() as copy, tf.Session() as session:
        tf.import_graph_def(written, name="")
        assert copy.as_graph_def().SerializeToString() == written.SerializeToString()
        got = session.run([tensors[at].name for at in fetched], {t.name: value for t, value in feeds.items()})
    for value, at in zip(got, fetched, strict=True):
        np.testing.assert_allclose(value, values[at], rtol=1e-9, atol=1e-12)


@SETTINGS
@given(programs())
def test_gradients_are_those_of_differences(program):
    leaves, steps, _, _ = program
    smooth = [s if s[0] not in ("abs", "relu", "max", "maximum", "where", "square") else ("tanh", s[1]) for s in steps]
    with tf.Graph().as_default(), tf.Session() as session:
        tensors, _, feeds = _build(leaves, smooth)
        session.run(tf.global_variables_initializer())
        y = tf.reduce_sum(tf.tanh(tensors[-1]))
        gradients = tf.gradients(y, tensors[: len(leaves)])
        for x, gradient in zip(tensors, gradients, strict=False):
            if gradient is None:
                continue
            at = session.run(x, feeds)
            got = session.run(gradient, feeds)
            assert got.shape == at.shape
            direction = np.random.RandomState(1).uniform(-1, 1, at.shape)
            step = 1e-5
            up, down = (session.run(y, {**feeds, x: at + sign * step * direction}) for sign in (1, -1))
            np.testing.assert_allclose(np.sum(got * direction), (up - down) / (2 * step), rtol=1e-3, atol=1e-6)
