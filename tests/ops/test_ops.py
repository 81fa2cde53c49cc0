"""Each op of the table: its values, its shapes, its gradient, and its node in a file."""

import contextlib
import pathlib

import ferroflow as tf
import numpy as np
import pytest
from ferroflow._src.framework.apply import apply_op

from . import building, cases

RECORDED = np.load(pathlib.Path(__file__).parent / "values.npz")
ROWS = [pytest.param(c, id=c.label) for c in cases.CASES if f"{c.label}:0" in RECORDED]


def _lacks_kernel(error):
    return isinstance(error, tf.errors.UnimplementedError) and "kernel" in str(error)


def _lacks_gradient(error):
    is_refused = isinstance(error, tf.errors.UnimplementedError) and "gradient" in str(error)
    return is_refused or (isinstance(error, LookupError) and "No gradient defined" in str(error))


@contextlib.contextmanager
def _expected_gaps():
    """What the core says by name that it lacks is an expected failure, and nothing else is."""
    try:
        yield
    except (tf.errors.UnimplementedError, LookupError) as error:
        if not _lacks_kernel(error) and not _lacks_gradient(error):
            raise
        pytest.xfail(str(error).splitlines()[0])


def _apply(op, inputs, attrs):
    return apply_op(op, *inputs, **attrs)


def _run(case):
    with tf.Graph().as_default() as graph:
        inputs, outputs, feeds = building.build(tf, _apply, case)
        with tf.Session() as session:
            return graph, inputs, outputs, session.run(outputs, feeds)


@pytest.mark.parametrize("case", ROWS)
def test_op_run_gives_tensorflows_values(case):
    with _expected_gaps():
        _, _, outputs, values = _run(case)
    for i, value in enumerate(values):
        wanted = RECORDED[f"{case.label}:{i}"]
        value = np.asarray(value)
        if value.dtype.kind in "OS":  # arrays of strings hold objects, one string is bytes
            assert value.astype(bytes).tolist() == wanted.tolist()
            continue
        assert value.dtype == wanted.dtype
        assert value.shape == wanted.shape
        if i == 0 or not _has_unset_vectors(case):
            np.testing.assert_allclose(value, wanted, rtol=case.tolerance, atol=case.tolerance)
        assert outputs[i].shape.is_compatible_with(value.shape), f"inferred {outputs[i].shape}, made {value.shape}"


def _has_unset_vectors(case):
    """Whether the row asks a decomposition for values alone: TensorFlow then leaves the vectors' memory as it was."""
    return not (case.attrs.get("compute_uv", True) and case.attrs.get("compute_v", True))


def _numeric(run, feeds, x, weights):
    """The derivative of the weighted sum of outputs for each element of `x`, by differences."""
    base, step = feeds[x], 2e-3
    slope = np.zeros(base.shape)
    for at in np.ndindex(*base.shape):
        sums = []
        for sign in (1, -1):
            moved = base.copy()
            moved[at] += sign * step
            value = run({**feeds, x: moved})
            sums.append(float(np.sum(value.astype(np.float64) * weights)))
        slope[at] = (sums[0] - sums[1]) / (2 * step)
    return slope


def _first_of_floats(case):
    """The number of the first output that holds floats, or None."""
    for i in range(8):
        recorded = RECORDED.get(f"{case.label}:{i}")
        if recorded is None or recorded.dtype.kind == "f":
            return None if recorded is None else i
    return None


WITH_GRADIENT = [pytest.param(c, id=c.label) for c in cases.CASES if c.gradient and _first_of_floats(c) is not None]


@pytest.mark.parametrize("case", WITH_GRADIENT)
def test_gradient_of_op_agrees_with_differences(case):
    with tf.Graph().as_default():
        inputs, outputs, feeds = building.build(tf, _apply, case)
        xs = [x for x in feeds if x.dtype in (tf.float32, tf.float64)]
        if not xs:
            return
        at = _first_of_floats(case)
        y = outputs[at]
        weights = cases.floats(*RECORDED[f"{case.label}:{at}"].shape, low=0.5, high=1.5, seed=9)
        with _expected_gaps(), tf.Session() as session:
            gradients = tf.gradients(y, xs, grad_ys=tf.constant(weights, y.dtype))
            for x, gradient in zip(xs, gradients, strict=True):
                if gradient is None:
                    continue
                found = session.run(tf.convert_to_tensor(gradient), feeds)
                wanted = _numeric(lambda f: session.run(y, f), feeds, x, weights)
                np.testing.assert_allclose(found, wanted, rtol=3e-2, atol=2e-2)


@pytest.mark.parametrize("case", ROWS)
def test_graph_of_op_exported_and_imported_is_the_same(case):
    with tf.Graph().as_default() as graph:
        building.build(tf, _apply, case)
        exported = graph.as_graph_def(add_shapes=True)
    with tf.Graph().as_default() as again:
        tf.import_graph_def(exported, name="")
        assert again.as_graph_def(add_shapes=True) == exported
