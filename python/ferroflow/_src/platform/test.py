"""tf.test: a test case that compares tensors, with a graph and sessions of its own for each test."""

import contextlib
import os
import re
import shutil
import tempfile
import unittest
from unittest import mock as mock

import numpy as np

from ferroflow._src.framework import errors, random_seed, stacks
from ferroflow._src.framework.graph import Graph
from ferroflow._src.framework.session import Session
from ferroflow._src.framework.tensor import Tensor
from ferroflow._src.framework.variables import Variable

_SEED = 87654321


class TestCase(unittest.TestCase):
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

    def assertAllCloseAccordingToType(self, a, b, rtol=1e-6, atol=1e-6, msg=None, **kwargs):
        """As `assertAllClose`, wider for narrow types."""
        self.assertAllClose(a, b, rtol, atol, msg)

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
