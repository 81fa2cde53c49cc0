"""Public names and signatures are TensorFlow 1.15's, but for those that the two lists name."""

import ferroflow as tf
import pytest
from signatures import LISTS, recorded, survey


@pytest.fixture(scope="module")
def found():
    missing, different = survey()
    return {"missing": missing, "different": {f"{name}: {how}" for name, how in different.items()}}


@pytest.mark.parametrize("which", sorted(LISTS))
def test_list_says_what_is(found, which):
    listed = recorded(which)
    assert listed == sorted(listed), f"{LISTS[which].name} is not in order"
    now_worse, now_better = found[which] - set(listed), set(listed) - found[which]
    assert not now_worse, (
        f"{which}, but not so recorded; a name was lost or a signature changed: {sorted(now_worse)[:20]}"
    )
    assert not now_better, (
        f"no longer {which}: take it from {LISTS[which].name} (python tests/api/signatures.py): {sorted(now_better)[:20]}"
    )


def test_raw_ops_take_tensorflows_keywords():
    with tf.Graph().as_default():
        x = tf.zeros([2, 3])
        assert tf.raw_ops.Mean(input=x, axis=0, keep_dims=True).shape == [1, 3]
        assert tf.raw_ops.Select(condition=x > 0, x=x, y=x).op.type == "Select"
        with pytest.raises(TypeError):
            tf.raw_ops.Mean(x, 0)
