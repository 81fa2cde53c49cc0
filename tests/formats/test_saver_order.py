"""What a save leaves when it is interrupted: the state file names whole checkpoints only."""

import os

import ferroflow as tf
import pytest
from ferroflow._src.training import checkpoint_management


def _session():
    tf.get_variable("v", initializer=1.0)
    session = tf.Session()
    session.run(tf.global_variables_initializer())
    return session


@pytest.mark.parametrize("step", ["export_meta_graph", "write_state"])
def test_a_save_that_is_interrupted_leaves_the_checkpoint_before_it(tmp_path, monkeypatch, step):
    with tf.Graph().as_default(), _session() as session:
        saver = tf.train.Saver(max_to_keep=1)
        first = saver.save(session, str(tmp_path / "m"), global_step=1)

        def interrupt(*_args, **_kwargs):
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(saver if step == "export_meta_graph" else checkpoint_management, step, interrupt)
            with pytest.raises(KeyboardInterrupt):
                saver.save(session, str(tmp_path / "m"), global_step=2)
        assert tf.train.latest_checkpoint(str(tmp_path)) == first
        assert os.path.exists(first + ".meta")
        saver.restore(session, first)
        second = saver.save(session, str(tmp_path / "m"), global_step=2)
        assert tf.train.latest_checkpoint(str(tmp_path)) == second
        assert not os.path.exists(first + ".index")
