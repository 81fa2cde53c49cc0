"""tf.train.SessionManager: sessions that begin with a model's checkpoint, or else with its initial values."""

import time

import numpy as np

from ferroflow._src.framework import stacks
from ferroflow._src.framework.errors import DeadlineExceededError, FailedPreconditionError
from ferroflow._src.framework.session import Session
from ferroflow._src.training import checkpoint_management
from ferroflow._src.training.log import logger


class SessionManager:
    """Makes sessions whose model is ready: restored from the newest checkpoint, or initialized.

    Example:
      manager = tf.train.SessionManager(ready_op=tf.report_uninitialized_variables())
      with manager.prepare_session("", init_op, saver, checkpoint_dir) as sess:
          sess.run(train_op)
    """

    def __init__(
        self,
        local_init_op=None,
        ready_op=None,
        ready_for_local_init_op=None,
        graph=None,
        recovery_wait_secs=30,
        local_init_run_options=None,
    ):
        """Creates a manager.

        Args:
          local_init_op: an operation that runs in each new session once the model is there.
          ready_op: a string vector that is empty when the model is ready, or None.
          ready_for_local_init_op: a string vector that is empty when `local_init_op` may run, or None.
          graph: a `Graph`; None for the default one.
          recovery_wait_secs: seconds between two looks whether a model is ready.
          local_init_run_options: `RunOptions` for `local_init_op`.

        Raises:
          ValueError: for `ready_for_local_init_op` without `local_init_op`.
        """
        if ready_for_local_init_op is not None and local_init_op is None:
            raise ValueError(
                "If you pass a ready_for_local_init_op you must also pass a local_init_op , ready_for_local_init_op "
                f"[{ready_for_local_init_op}]"
            )
        self._local_init_op = local_init_op
        self._ready_op = ready_op
        self._ready_for_local_init_op = ready_for_local_init_op
        self._graph = stacks.get_default_graph() if graph is None else graph
        self._recovery_wait_secs = recovery_wait_secs
        self._target = None
        self._local_init_run_options = local_init_run_options

    def _restore_checkpoint(
        self,
        master,
        saver=None,
        checkpoint_dir=None,
        checkpoint_filename_with_path=None,
        wait_for_checkpoint=False,
        max_wait_secs=7200,
        config=None,
    ):
        """Returns a new session and whether a checkpoint was restored into it."""
        self._target = master
        sess = Session(master, graph=self._graph, config=config)
        if checkpoint_dir and checkpoint_filename_with_path:
            raise ValueError("Can not provide both checkpoint_dir and checkpoint_filename_with_path.")
        if not saver or not (checkpoint_dir or checkpoint_filename_with_path):
            return sess, False
        if checkpoint_filename_with_path:
            saver.restore(sess, checkpoint_filename_with_path)
            return sess, True
        waited_secs = 0
        state = checkpoint_management.get_checkpoint_state(checkpoint_dir)
        while not state or not state.model_checkpoint_path:
            if not wait_for_checkpoint or waited_secs >= max_wait_secs:
                return sess, False
            logger.info("Waiting for checkpoint to be available.")
            time.sleep(self._recovery_wait_secs)
            waited_secs += self._recovery_wait_secs
            state = checkpoint_management.get_checkpoint_state(checkpoint_dir)
        saver.restore(sess, state.model_checkpoint_path)
        saver.recover_last_checkpoints(state.all_model_checkpoint_paths)
        return sess, True

    def prepare_session(
        self,
        master,
        init_op=None,
        saver=None,
        checkpoint_dir=None,
        checkpoint_filename_with_path=None,
        wait_for_checkpoint=False,
        max_wait_secs=7200,
        config=None,
        init_feed_dict=None,
        init_fn=None,
    ):
        """Returns a new session with a model that is ready.

        The model is restored when there is a checkpoint; else `init_op` and then `init_fn` make it. The local
        initializer runs in both cases.

        Args:
          master: the target of the session.
          init_op: an operation, or None.
          saver: a `Saver`; None restores nothing.
          checkpoint_dir: the folder of the checkpoints; the newest is restored.
          checkpoint_filename_with_path: a checkpoint to restore instead.
          wait_for_checkpoint: whether to wait for the first checkpoint.
          max_wait_secs: how long.
          config: a `ConfigProto`, or None.
          init_feed_dict: fed to `init_op`.
          init_fn: a function of the session, or None.

        Raises:
          RuntimeError: when nothing can make the model, or it is not ready afterwards.
          ValueError: when both a folder and a checkpoint are given.
        """
        sess, is_restored = self._restore_checkpoint(
            master,
            saver,
            checkpoint_dir=checkpoint_dir,
            checkpoint_filename_with_path=checkpoint_filename_with_path,
            wait_for_checkpoint=wait_for_checkpoint,
            max_wait_secs=max_wait_secs,
            config=config,
        )
        if not is_restored:
            if init_op is None and not init_fn and self._local_init_op is None:
                raise RuntimeError("Model is not initialized and no init_op or init_fn or local_init_op was given")
            if init_op is not None:
                sess.run(init_op, feed_dict=init_feed_dict)
            if init_fn:
                init_fn(sess)
        is_ready, reason = self._try_run_local_init_op(sess)
        if not is_ready:
            raise RuntimeError(
                "Init operations did not make model ready for local_init.  "
                f"Init op: {_name(init_op)}, init fn: {init_fn}, error: {reason}"
            )
        is_ready, reason = self._model_ready(sess)
        if not is_ready:
            raise RuntimeError(
                f"Init operations did not make model ready.  Init op: {_name(init_op)}, init fn: {init_fn}, "
                f"local_init_op: {self._local_init_op}, error: {reason}"
            )
        return sess

    def recover_session(
        self,
        master,
        saver=None,
        checkpoint_dir=None,
        checkpoint_filename_with_path=None,
        wait_for_checkpoint=False,
        max_wait_secs=7200,
        config=None,
    ):
        """Returns a new session, restored if there is a checkpoint; nothing is initialized otherwise.

        The arguments are those of `prepare_session`.

        Returns:
          (session, whether a checkpoint made the model ready).

        Raises:
          ValueError: when both a folder and a checkpoint are given.
        """
        sess, is_restored = self._restore_checkpoint(
            master,
            saver,
            checkpoint_dir=checkpoint_dir,
            checkpoint_filename_with_path=checkpoint_filename_with_path,
            wait_for_checkpoint=wait_for_checkpoint,
            max_wait_secs=max_wait_secs,
            config=config,
        )
        is_local_ready, reason = self._try_run_local_init_op(sess)
        if not is_restored:
            return sess, False
        source = checkpoint_dir or checkpoint_filename_with_path
        if not is_local_ready:
            logger.info("Restoring model from %s did not make model ready for local init: %s", source, reason)
            return sess, False
        is_ready, reason = self._model_ready(sess)
        if not is_ready:
            logger.info("Restoring model from %s did not make model ready: %s", source, reason)
            return sess, False
        logger.info("Restored model from %s", source)
        return sess, True

    def wait_for_session(self, master, config=None, max_wait_secs=float("Inf")):
        """Returns a session once somebody else has made the model ready.

        Args:
          master: the target of the session.
          config: a `ConfigProto`, or None.
          max_wait_secs: how long to wait; None for no limit.

        Raises:
          tf.errors.DeadlineExceededError: when it is not ready by then.
        """
        self._target = master
        limit = float("Inf") if max_wait_secs is None else max_wait_secs
        end = time.time() + limit
        while True:
            sess = Session(master, graph=self._graph, config=config)
            reason = None
            is_local_ready, local_reason = self._try_run_local_init_op(sess)
            if is_local_ready:
                is_ready, reason = self._model_ready(sess)
                if is_ready:
                    return sess
            sess.close()
            if max(0, end - time.time()) < self._recovery_wait_secs:
                raise DeadlineExceededError(
                    None, None, "Session was not ready after waiting %d secs." % (max_wait_secs,)
                )
            logger.info("Waiting for model to be ready.  Ready_for_local_init_op:  %s, ready: %s", local_reason, reason)
            time.sleep(self._recovery_wait_secs)

    def _model_ready(self, sess):
        return is_ready(self._ready_op, sess, "Model not ready")

    def _model_ready_for_local_init(self, sess):
        return is_ready(self._ready_for_local_init_op, sess, "Model not ready for local init")

    def _try_run_local_init_op(self, sess):
        """Runs the local initializer when it may run; returns whether, and why not."""
        if self._local_init_op is None:
            return True, None
        may_run, reason = self._model_ready_for_local_init(sess)
        if not may_run:
            return False, reason
        logger.info("Running local_init_op.")
        sess.run(self._local_init_op, options=self._local_init_run_options)
        logger.info("Done running local_init_op.")
        return True, None


def _name(thing):
    if thing is None:
        return "None"
    return thing.name if hasattr(thing, "name") else f"<no name for {type(thing)}>"


def is_ready(op, sess, message):
    """Returns whether an op that names what is missing names nothing, and else what it names."""
    if op is None:
        return True, None
    try:
        missing = sess.run(op)
    except FailedPreconditionError as error:
        if "uninitialized" not in str(error):
            logger.warning("%s : error [%s]", message, error)
            raise
        return False, str(error)
    # Older programs give an operation, or a vector of int32.
    if missing is None or missing.dtype == np.int32 or missing.size == 0:
        return True, None
    return False, "Variables not initialized: " + ", ".join(name.decode("utf-8") for name in missing)
