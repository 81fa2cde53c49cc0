import ferroflow as tf
import numpy as np
import pytest
from ferroflow._src.framework.apply import apply_op


def test_constants_are_named_after_the_argument():
    sum_ = apply_op("AddV2", tf.constant(1.0, name="a"), 2.0)
    assert [t.name for t in sum_.op.inputs] == ["a:0", "AddV2/y:0"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: apply_op("AddV2", tf.constant(1), 1.5), "Expected int32 passed to parameter 'y' of op 'AddV2'"),
        (
            lambda: apply_op("AddV2", tf.constant(1), tf.constant(1.5)),
            "Input 'y' of 'AddV2' Op has type float32 that does not match type int32 of argument 'x'.",
        ),
        (lambda: apply_op("LogicalNot", tf.constant(1)), "expected type of bool"),
        (lambda: apply_op("AddN", [tf.constant(1), tf.constant(1.0)]), r"have types \[int32, float32\]"),
        (lambda: apply_op("AddN", tf.constant(1)), "Expected list for 'inputs' argument"),
        (lambda: apply_op("AddV2", tf.constant(1)), "No argument for input y"),
        (lambda: apply_op("AddV2", 1, 2, nothing=3), "unexpected keyword arguments: nothing"),
        (lambda: apply_op("MatMul", [[1.0]], [[1.0]], transpose_a=3), "Expected bool for argument 'transpose_a' not 3"),
        (lambda: apply_op("Assign", tf.constant(1), 2), "requires that input 'ref' be a mutable tensor"),
        (lambda: apply_op("Sqrt", tf.constant(1)), "not in list of allowed values"),
    ],
)
def test_types_that_do_not_fit_are_type_errors(make, message):
    with pytest.raises(TypeError, match=message):
        make()


def test_an_op_that_is_unknown_is_named():
    with pytest.raises(RuntimeError, match="Unrecognized Op name Nothing"):
        apply_op("Nothing")


def test_an_empty_list_is_too_short():
    with pytest.raises(ValueError, match="shorter than minimum length 1"):
        apply_op("AddN", [])


def test_the_name_of_a_call_that_failed_stays_taken():
    with pytest.raises(TypeError):
        apply_op("AddV2", tf.constant(1), tf.constant(1.0), name="a")
    assert apply_op("AddV2", tf.constant(1), 1, name="a").op.name == "a_1"


def test_several_outputs_have_names():
    found = apply_op("Unique", np.array([1, 1, 2]))
    assert found._fields == ("y", "idx")
    assert found.idx.dtype is tf.int32


def test_an_op_without_outputs_is_the_operation():
    assert apply_op("NoOp", name="n").name == "n"


def test_a_slash_at_the_end_means_exactly_this_name():
    with tf.name_scope("s") as scope:
        assert apply_op("NoOp", name=scope).name == "s"
