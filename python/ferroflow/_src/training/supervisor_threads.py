"""The threads of a Supervisor: one writes summaries, one the speed, one checkpoints."""

import time

from ferroflow._src import proto
from ferroflow._src.training.coordinator import LooperThread
from ferroflow._src.training.global_step import global_step as global_step_value
from ferroflow._src.training.log import logger

# The speed is logged this often, for all supervisors of the process.
_LOGGED_SPEEDS = 10
_num_logged = 0


class SVSummaryThread(LooperThread):
    """Runs the summary op again and again and writes what it gives."""

    def __init__(self, sv, sess):
        """Creates the thread of a `Supervisor` for a `Session`."""
        super().__init__(sv.coord, sv.save_summaries_secs)
        self._sv = sv
        self._sess = sess

    def run_loop(self):
        """Writes one summary."""
        sv, step = self._sv, None
        if sv.global_step is None:
            summary = self._sess.run(sv.summary_op)
        else:
            summary, step = self._sess.run([sv.summary_op, sv.global_step])
        if sv.summary_writer:
            logger.info("Recording summary at step %s.", step)
            sv.summary_writer.add_summary(summary, step)


class SVStepCounterThread(LooperThread):
    """Writes how many steps there are in a second."""

    def __init__(self, sv, sess, step_counter=None):
        """Creates the thread of a `Supervisor` for a `Session`; `step_counter` stands for its global step."""
        super().__init__(sv.coord, sv.save_summaries_secs)
        self._sv = sv
        self._sess = sess
        self._last_time = 0.0
        self._last_step = 0
        self._step_counter = sv.global_step if step_counter is None else step_counter
        self._summary_tag = f"{self._step_counter.op.name}/sec"

    def start_loop(self):
        """Remembers where counting begins."""
        self._last_time = time.time()
        self._last_step = global_step_value(self._sess, self._step_counter)

    def run_loop(self):
        """Writes the speed since the last call."""
        global _num_logged
        step, now = global_step_value(self._sess, self._step_counter), time.time()
        steps, seconds = step - self._last_step, now - self._last_time
        self._last_step, self._last_time = step, now
        speed = steps / seconds if seconds > 0.0 else float("inf")
        value = proto.Summary.Value(tag=self._summary_tag, simple_value=speed)
        if self._sv.summary_writer:
            self._sv.summary_writer.add_summary(proto.Summary(value=[value]), step)
        if _num_logged < _LOGGED_SPEEDS:
            _num_logged += 1
            logger.info("%s: %g", self._summary_tag, speed)


class SVTimerCheckpointThread(LooperThread):
    """Saves again and again."""

    def __init__(self, sv, sess):
        """Creates the thread of a `Supervisor` for a `Session`."""
        super().__init__(sv.coord, sv.save_model_secs)
        self._sv = sv
        self._sess = sess

    def run_loop(self):
        """Writes one checkpoint."""
        sv = self._sv
        logger.info("Saving checkpoint to path %s", sv.save_path)
        sv.saver.save(self._sess, sv.save_path, global_step=sv.global_step)
        if sv.summary_writer and sv.global_step is not None:
            log = proto.SessionLog(status=proto.SessionLog.CHECKPOINT, checkpoint_path=sv.save_path)
            sv.summary_writer.add_session_log(log, global_step_value(self._sess, sv.global_step))
