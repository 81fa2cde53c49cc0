"""tf.test: a test case that compares tensors, with a graph and sessions of its own for each test."""

import contextlib
import os
import re
import shutil
import sys
import tempfile
import threading
import unittest
from unittest import mock as mock

import numpy as np
from absl.testing import absltest

from ferroflow._src.framework import errors, random_seed, stacks
from ferroflow._src.framework.device_spec import DeviceSpec
from ferroflow._src.framework.dtypes import as_dtype
from ferroflow._src.framework.graph import Graph
from ferroflow._src.framework.session import Session
from ferroflow._src.framework.tensor import Tensor
from ferroflow._src.framework.variables import Variable

_SEED = 87654321


class TestCase(absltest.TestCase):
    """Base class of tests.

    Example:

        class SquareTest(tf.test.TestCase):
            def testSquare(self):
                with self.session():
                    self.assertAllEqual(tf.square([2, 3]).eval(), [4, 9])
    """

    def setUp(self):
        """Begins with an empty default graph and a fixed graph seed."""
        super().setUp()
        stacks.reset_default_graph()
        random_seed.set_random_seed(_SEED)
        np.random.seed(_SEED)
        self._folder = None
        self._cached = None

    def tearDown(self):
        """Closes what the test left open."""
        if self._cached is not None:
            self._cached.close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
        super().tearDown()

    def get_temp_dir(self):
        """Returns a folder that lives as long as the test."""
        if self._folder is None:
            self._folder = tempfile.mkdtemp()
        return self._folder

    @contextlib.contextmanager
    def session(self, graph=None, config=None, use_gpu=False, force_gpu=False):
        """A new session on the default graph (or `graph`), as the default one."""
        with Session(graph=graph, config=config) as session:
            yield session

    @contextlib.contextmanager
    def cached_session(self, graph=None, config=None, use_gpu=False, force_gpu=False):
        """The test's session, the same each time, as the default one."""
        if self._cached is None:
            self._cached = Session(graph=graph, config=config)
        with self._cached.graph.as_default(), self._cached.as_default():
            yield self._cached

    test_session = cached_session

    def evaluate(self, tensors):
        """Returns the values of a nest of tensors in the default session."""
        session = stacks.get_default_session()
        if session is None:
            with self.cached_session() as session:
                return session.run(tensors)
        return session.run(tensors)

    def _array(self, value):
        if isinstance(value, (Tensor, Variable)):
            value = self.evaluate(value)
        return np.asarray(value)

    def assertAllEqual(self, a, b, msg=None):
        """Fails unless both have one shape and equal elements (NaN equals NaN)."""
        a, b = self._array(a), self._array(b)
        self.assertEqual(a.shape, b.shape, msg or f"Shape mismatch: expected {a.shape}, got {b.shape}.")
        same = a == b
        if np.issubdtype(a.dtype, np.floating):
            same = np.logical_or(same, np.logical_and(np.isnan(a), np.isnan(b)))
        if not np.all(same):
            where = np.where(np.logical_not(same))
            self.fail(msg or f"not equal where = {where}\nnot equal lhs = {a[where]}\nnot equal rhs = {b[where]}")

    def assertAllClose(self, a, b, rtol=1e-6, atol=1e-6, msg=None):
        """Fails unless both nests have equal structures and elements within `atol + rtol * abs(b)`."""
        if isinstance(a, dict) or isinstance(b, dict):
            self.assertEqual(set(a), set(b), msg)
            for key in a:
                self.assertAllClose(a[key], b[key], rtol, atol, msg)
            return
        try:
            x, y = self._array(a), self._array(b)
            is_array = x.dtype != object and y.dtype != object
        except ValueError:
            is_array = False
        if is_array:
            self.assertEqual(x.shape, y.shape, msg)
            half = x.dtype == np.float16 or y.dtype == np.float16
            np.testing.assert_allclose(x, y, max(rtol, 1e-3 * half), max(atol, 1e-3 * half), err_msg=msg or "")
            return
        self.assertEqual(len(a), len(b), msg)
        for one, other in zip(a, b):
            self.assertAllClose(one, other, rtol, atol, msg)

    def assertAllCloseAccordingToType(
        self,
        a,
        b,
        rtol=1e-6,
        atol=1e-6,
        float_rtol=1e-6,
        float_atol=1e-6,
        half_rtol=1e-3,
        half_atol=1e-3,
        bfloat16_rtol=1e-2,
        bfloat16_atol=1e-2,
        msg=None,
    ):
        """As `assertAllClose`, with at least the tolerance of the narrower type."""
        a, b = self._array(a), self._array(b)
        types = {str(a.dtype), str(b.dtype)}
        for names, wider in [
            (("float32", "complex64"), (float_rtol, float_atol)),
            (("float16",), (half_rtol, half_atol)),
            (("bfloat16",), (bfloat16_rtol, bfloat16_atol)),
        ]:
            if types & set(names):
                rtol, atol = max(rtol, wider[0]), max(atol, wider[1])
        self.assertAllClose(a, b, rtol, atol, msg)

    def assertNotAllEqual(self, a, b, msg=None):
        """Fails when `assertAllEqual` would not."""
        try:
            self.assertAllEqual(a, b)
        except AssertionError:
            return
        self.fail(f"The two values are equal at all elements. {msg or ''}")

    def assertAllGreater(self, a, comparison_target):
        """Fails unless every element is greater than a number."""
        self.assertGreater(np.min(self._array(a)), comparison_target)

    def assertAllGreaterEqual(self, a, comparison_target):
        """Fails unless every element is at least a number."""
        self.assertGreaterEqual(np.min(self._array(a)), comparison_target)

    def assertAllLess(self, a, comparison_target):
        """Fails unless every element is less than a number."""
        self.assertLess(np.max(self._array(a)), comparison_target)

    def assertAllLessEqual(self, a, comparison_target):
        """Fails unless every element is at most a number."""
        self.assertLessEqual(np.max(self._array(a)), comparison_target)

    def assertAllInRange(self, target, lower_bound, upper_bound, open_lower_bound=False, open_upper_bound=False):
        """Fails unless every element lies in a range; `open_` bounds do not belong to it."""
        target = self._array(target)
        if not (np.issubdtype(target.dtype, np.floating) or np.issubdtype(target.dtype, np.integer)):
            raise AssertionError(f"The value of {target} does not have an ordered numeric type")
        below = target <= lower_bound if open_lower_bound else target < lower_bound
        above = target >= upper_bound if open_upper_bound else target > upper_bound
        outside = np.where(below | above | np.isnan(target))
        if outside[0].size:
            edges = "(["[not open_lower_bound], ")]"[not open_upper_bound]
            self.fail(f"Not in {edges[0]}{lower_bound}, {upper_bound}{edges[1]}: {target[outside]} at {outside}")

    def assertAllInSet(self, target, expected_set):
        """Fails unless every element is one of a set."""
        others = set(self._array(target).flatten()) - set(expected_set)
        if others:
            raise AssertionError(f"{len(others)} unique element(s) are not in the set {expected_set}: {sorted(others)}")

    def assertDTypeEqual(self, target, expected_dtype):
        """Fails unless an array or a tensor is of a type."""
        found = target.dtype if hasattr(target, "dtype") else np.asarray(target).dtype
        self.assertEqual(as_dtype(found).base_dtype, as_dtype(expected_dtype).base_dtype)

    def assertDeviceEqual(self, device1, device2, msg=None):
        """Fails unless two device names mean the same."""
        one, other = (DeviceSpec.from_string(d or "").to_string() for d in (device1, device2))
        self.assertEqual(one, other, f"Devices {one} and {other} are not equal. {msg or ''}")

    def assertItemsEqual(self, first, second, msg=None):
        """Fails unless both have the same elements, in whatever order."""
        self.assertCountEqual(first, second, msg)

    def assertDictEqual(self, a, b, msg=None):
        """Fails unless two dicts have equal keys and values."""
        unittest.TestCase.assertDictEqual(self, a, b, msg)

    def assertNotAllClose(self, a, b, **kwargs):
        """Fails when `assertAllClose` would not."""
        try:
            self.assertAllClose(a, b, **kwargs)
        except AssertionError:
            return
        self.fail("The two values are close at all elements")

    def assertNear(self, f1, f2, err, msg=None):
        """Fails unless two numbers differ by at most `err`."""
        self.assertTrue(f1 == f2 or abs(f1 - f2) <= err, msg or f"{f1:f} != {f2:f} +/- {err:f}")

    def assertArrayNear(self, farray1, farray2, err, msg=None):
        """Fails unless the numbers of two lists differ by at most `err`."""
        self.assertEqual(len(farray1), len(farray2), msg)
        for one, other in zip(farray1, farray2):
            self.assertNear(float(one), float(other), err, msg)

    def assertNDArrayNear(self, ndarray1, ndarray2, err, msg=None):
        """Fails unless the distance of two arrays is at most `err`."""
        self.assertLessEqual(np.linalg.norm(self._array(ndarray1) - self._array(ndarray2)), err, msg)

    def assertShapeEqual(self, np_array, tf_tensor, msg=None):
        """Fails unless an array and a tensor have one shape."""
        self.assertAllEqual(np_array.shape, tf_tensor.get_shape().as_list(), msg=msg)

    def assertProtoEquals(self, expected_message_maybe_ascii, message, msg=None):
        """Fails unless a message equals another, or the one that a text says."""
        expected = expected_message_maybe_ascii
        if isinstance(expected, (str, bytes)):
            from google.protobuf import text_format

            expected = text_format.Parse(expected, type(message)())
        self.assertEqual(expected, message, msg)

    def assertProtoEqualsVersion(self, expected, actual, producer=134, min_consumer=0, msg=None):
        """As `assertProtoEquals` for a graph written by this version of TensorFlow."""
        text = f"versions {{ producer: {producer} min_consumer: {min_consumer} }};\n{expected}"
        self.assertProtoEquals(text, actual, msg=msg)

    def checkedThread(self, target, args=None, kwargs=None):
        """Returns a thread whose exceptions fail the test when it is joined."""
        return _CheckedThread(self, target, args or (), kwargs or {})

    @contextlib.contextmanager
    def captureWritesToStream(self, stream):
        """A block whose writes to a stream, from the core too, are caught: `with ... as caught: caught.contents()`."""
        number = stream.fileno()
        stream.flush()
        kept = os.dup(number)
        # It is read after the block too.
        file = tempfile.TemporaryFile()
        os.dup2(file.fileno(), number)
        try:
            yield _Caught(file, stream)
        finally:
            stream.flush()
            os.dup2(kept, number)
            os.close(kept)

    def assertStartsWith(self, actual, expected_start, msg=None):
        """Fails unless a text begins so."""
        self.assertTrue(actual.startswith(expected_start), msg or f"{actual!r} does not start with {expected_start!r}")

    def assertRaisesOpError(self, expected_err_re_or_predicate):
        """A block that must raise an `OpError` which a pattern or function knows."""
        return self.assertRaisesWithPredicateMatch(errors.OpError, expected_err_re_or_predicate)

    @contextlib.contextmanager
    def assertRaisesWithPredicateMatch(self, exception_type, expected_err_re_or_predicate):
        """A block that must raise an exception which a pattern or function knows."""
        known = expected_err_re_or_predicate
        try:
            yield
        except exception_type as error:
            matches = known(error) if callable(known) else re.search(known, str(error))
            self.assertTrue(matches, f"Exception of type {type(error)}: {error} was not expected")
        else:
            self.fail(f"{exception_type.__name__} not raised")


class _CheckedThread:
    """A thread of a test."""

    def __init__(self, case, target, args, kwargs):
        self._case = case
        self._error = None

        def run():
            try:
                target(*args, **kwargs)
            except Exception as error:
                self._error = error

        self._thread = threading.Thread(target=run)

    def start(self):
        self._thread.start()

    def join(self):
        """Waits for the end, and fails the test with what the thread raised."""
        self._thread.join()
        if self._error is not None:
            self._case.fail(f"Error in checkedThread: {self._error}")

    def is_alive(self):
        return self._thread.is_alive()


class _Caught:
    """What was written to a stream."""

    def __init__(self, file, stream):
        self._file = file
        self._stream = stream

    def contents(self):
        self._stream.flush()
        self._file.seek(0)
        return self._file.read().decode()


class StubOutForTesting:
    """Puts other things in the place of attributes, and takes them away again at the end."""

    def __init__(self):
        self._kept = []

    def __enter__(self):
        return self

    def __exit__(self, unused_exc_type, unused_exc_value, unused_tb):
        self.CleanUp()

    def CleanUp(self):
        """Undoes all of it."""
        self.UnsetAll()

    def Set(self, parent, child_name, new_child):
        """Sets an attribute of an object, a class or a module."""
        self._kept.append((parent, child_name, vars(parent).get(child_name, getattr(parent, child_name))))
        setattr(parent, child_name, new_child)

    def UnsetAll(self):
        """Undoes all of it, the last change first."""
        while self._kept:
            setattr(*self._kept.pop())

    SmartUnsetAll = UnsetAll

    def SmartSet(self, obj, attr_name, new_attr):
        """Sets an attribute of an object, a class or a module."""
        self.Set(obj, attr_name, new_attr)


def assert_equal_graph_def(actual, expected, checkpoint_v2=False, hash_table_shared_name=False):
    """Compares two `GraphDef`s node by node, in whatever order.

    Raises:
      AssertionError: when they differ.
      TypeError: when one is something else.
    """
    for graph, name in ((actual, "actual"), (expected, "expected")):
        if type(graph).__name__ != "GraphDef":
            raise TypeError(f"Expected tf.GraphDef for {name}, got {type(graph).__name__}")
    one, other = ({node.name: node for node in graph.node} for graph in (actual, expected))
    lost, more = sorted(other.keys() - one.keys()), sorted(one.keys() - other.keys())
    if lost or more:
        raise AssertionError(f"Graphs differ: nodes {lost} are missing, nodes {more} are not expected")
    for name, node in one.items():
        if node != other[name]:
            raise AssertionError(f"Graphs differ at node {name}:\n{node}\nexpected:\n{other[name]}")


def test_src_dir_path(relative_path):
    """Returns a path below the folder that the program was started from."""
    return os.path.join(os.environ.get("TEST_SRCDIR", os.path.dirname(os.path.abspath(sys.argv[0]))), relative_path)


# No test, whatever its name says to those who collect them.
test_src_dir_path.__test__ = False


def main(argv=None):
    """Runs the tests of the program."""
    unittest.main(argv=argv)


def get_temp_dir():
    """Returns a folder for the files of tests."""
    return os.environ.get("TEST_TMPDIR") or tempfile.gettempdir()


def is_gpu_available(cuda_only=False, min_cuda_compute_capability=None):
    """Whether a GPU is there."""
    return bool(gpu_device_name())


def gpu_device_name():
    """Returns the name of a GPU device, or ''."""
    with Graph().as_default(), Session() as session:
        return next((d.name for d in session.list_devices() if d.device_type == "GPU"), "")


def is_built_with_cuda():
    """Whether the library is built with CUDA: it is not."""
    return False


def is_built_with_rocm():
    """Whether the library is built with ROCm: it is not."""
    return False


def is_built_with_gpu_support():
    """Whether the library is built with a GPU backend."""
    return False
