"""tf.flags: a flag belongs to the module that defines it."""

import types

import ferroflow as tf
import pytest


def test_a_flag_is_of_the_module_that_calls():
    module = types.ModuleType("some_program")
    code = "tf.app.flags.DEFINE_integer('a_flag_of_a_test', 3, 'N')"
    exec(code, vars(module) | {"tf": tf, "__name__": "some_program"})
    with pytest.raises(tf.app.flags.DuplicateFlagError) as raised:
        exec(code, vars(module) | {"tf": tf, "__name__": "some_program"})
    del tf.app.flags.FLAGS.a_flag_of_a_test
    assert "ferroflow" not in str(raised.value).replace(__file__, "")
