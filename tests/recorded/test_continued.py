"""Training goes on from a checkpoint of TensorFlow 1.15.5 as it does there (`continued/make.py`), and from our own."""

import importlib.util
import json
import os

import ferroflow as tf
import numpy as np

_FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "continued")
_SPEC = importlib.util.spec_from_file_location("continued_make", os.path.join(_FOLDER, "make.py"))
make = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(make)

with open(os.path.join(_FOLDER, "losses.json")) as _file:
    LOSSES = json.load(_file)


def test_training_goes_on_from_a_checkpoint_of_tensorflow():
    np.testing.assert_allclose(make.go_on(tf, _FOLDER), LOSSES, rtol=1e-4)


def test_training_from_the_beginning_follows_tensorflow_and_goes_on_from_its_own_checkpoint(tmp_path):
    np.testing.assert_allclose(make.first(tf, str(tmp_path)), LOSSES, rtol=1e-4)
    np.testing.assert_allclose(make.go_on(tf, str(tmp_path)), LOSSES, rtol=1e-4)


def test_the_checkpoint_is_the_one_that_tensorflow_writes(tmp_path):
    make.first(tf, str(tmp_path))
    ours, theirs = (tf.train.load_checkpoint(os.path.join(folder, "model-5")) for folder in (tmp_path, _FOLDER))
    assert ours.get_variable_to_shape_map() == theirs.get_variable_to_shape_map()
    assert ours.get_variable_to_dtype_map() == theirs.get_variable_to_dtype_map()
    for name in theirs.get_variable_to_shape_map():
        np.testing.assert_allclose(ours.get_tensor(name), theirs.get_tensor(name), rtol=1e-3, atol=1e-5, err_msg=name)
