"""The hooks of tf.train that write files: checkpoints, summaries, the speed, and traces."""

import os

from ferroflow._src import proto
from ferroflow._src.framework import stacks
from ferroflow._src.framework.collections import get_collection
from ferroflow._src.framework.graph_keys import GraphKeys
from ferroflow._src.framework.meta_graph import create_meta_graph_def
from ferroflow._src.framework.timeline import Timeline
from ferroflow._src.platform import gfile
from ferroflow._src.summary.writer import FileWriterCache
from ferroflow._src.training.global_step import get_global_step
from ferroflow._src.training.graph_io import write_graph
from ferroflow._src.training.hook_timer import SecondOrStepTimer
from ferroflow._src.training.hooks import step_read_for
from ferroflow._src.training.log import logger
from ferroflow._src.training.session_run_hook import SessionRunArgs, SessionRunHook


class CheckpointSaverListener:
    """Hears of checkpoints before and after a `CheckpointSaverHook` writes them."""

    def begin(self):
        """Called when the hook begins: the graph may be changed."""

    def before_save(self, session, global_step_value):
        """Called before a checkpoint is written, with the session and the step."""

    def after_save(self, session, global_step_value):
        """Called after a checkpoint was written; a true result asks for the end of the training."""

    def end(self, session, global_step_value):
        """Called at the end, with the session and the last step."""


class CheckpointSaverHook(SessionRunHook):
    """Saves at the start, every so many steps or seconds, and at the end."""

    def __init__(
        self,
        checkpoint_dir,
        save_secs=None,
        save_steps=None,
        saver=None,
        checkpoint_basename="model.ckpt",
        scaffold=None,
        listeners=None,
    ):
        """Creates the hook.

        Args:
          checkpoint_dir: the folder.
          save_secs: seconds from one checkpoint to the next, or
          save_steps: steps from one checkpoint to the next.
          saver: a `Saver`; None for that of the scaffold, or of the graph.
          checkpoint_basename: the file name of checkpoints.
          scaffold: a `Scaffold`, or None.
          listeners: `CheckpointSaverListener` objects.

        Raises:
          ValueError: unless exactly one of the first two is given, or when both a saver and a scaffold are.
        """
        logger.info("Create CheckpointSaverHook.")
        if saver is not None and scaffold is not None:
            raise ValueError("You cannot provide both saver and scaffold.")
        self._saver = saver
        self._checkpoint_dir = checkpoint_dir
        self._save_path = os.path.join(checkpoint_dir, checkpoint_basename)
        self._scaffold = scaffold
        self._timer = SecondOrStepTimer(every_secs=save_secs, every_steps=save_steps)
        self._listeners = listeners or []
        self._steps_per_run = 1

    def _set_steps_per_run(self, steps_per_run):
        self._steps_per_run = steps_per_run

    def begin(self):
        """Finds the step counter and the event file."""
        self._summary_writer = FileWriterCache.get(self._checkpoint_dir)
        self._global_step_tensor = step_read_for("CheckpointSaverHook")
        for listener in self._listeners:
            listener.begin()

    def after_create_session(self, session, coord):
        """Writes the graph and the first checkpoint."""
        step = session.run(self._global_step_tensor)
        graph = stacks.get_default_graph()
        graph_def = graph.as_graph_def(add_shapes=True)
        write_graph(graph_def, self._checkpoint_dir, "graph.pbtxt")
        saver = self._get_saver()
        self._summary_writer.add_graph(graph)
        self._summary_writer.add_meta_graph(
            create_meta_graph_def(graph_def=graph_def, saver_def=saver.saver_def if saver else None)
        )
        self._save(session, step)
        self._timer.update_last_triggered_step(step)

    def before_run(self, run_context):
        """Asks for the step."""
        return SessionRunArgs(self._global_step_tensor)

    def after_run(self, run_context, run_values):
        """Saves when it is time."""
        if self._timer.should_trigger_for_step(run_values.results + self._steps_per_run):
            # The step was read before or after the update: only a second look tells.
            step = run_context.session.run(self._global_step_tensor)
            if self._timer.should_trigger_for_step(step):
                self._timer.update_last_triggered_step(step)
                if self._save(run_context.session, step):
                    run_context.request_stop()

    def end(self, session):
        """Saves the last step, unless it is saved."""
        last_step = session.run(self._global_step_tensor)
        if last_step != self._timer.last_triggered_step():
            self._save(session, last_step)
        for listener in self._listeners:
            listener.end(session, last_step)

    def _save(self, session, step):
        """Saves; returns whether a listener asks for the end."""
        logger.info("Saving checkpoints for %d into %s.", step, self._save_path)
        for listener in self._listeners:
            listener.before_save(session, step)
        self._get_saver().save(session, self._save_path, global_step=step)
        log = proto.SessionLog(status=proto.SessionLog.CHECKPOINT, checkpoint_path=self._save_path)
        self._summary_writer.add_session_log(log, step)
        should_stop = False
        for listener in self._listeners:
            if listener.after_save(session, step):
                logger.info("A CheckpointSaverListener requested that training be stopped. listener: %s", listener)
                should_stop = True
        return should_stop

    def _get_saver(self):
        if self._saver is not None:
            return self._saver
        if self._scaffold is not None:
            return self._scaffold.saver
        found = get_collection(GraphKeys.SAVERS)
        if not found:
            raise RuntimeError(
                f"No items in collection {GraphKeys.SAVERS}. Please add a saver to the collection or provide a saver or "
                "scaffold."
            )
        if len(found) > 1:
            raise RuntimeError(
                f"More than one item in collection {GraphKeys.SAVERS}. Please indicate which one to use by passing it to "
                "the constructor."
            )
        self._saver = found[0]
        return self._saver


class StepCounterHook(SessionRunHook):
    """Logs and writes how many steps there are in a second."""

    # How often it warns of a step that stands still, for all hooks of the process.
    _warnings_left = 5

    def __init__(self, every_n_steps=100, every_n_secs=None, output_dir=None, summary_writer=None):
        """Creates the hook.

        Args:
          every_n_steps: steps from one figure to the next, or
          every_n_secs: seconds from one figure to the next.
          output_dir: the folder of the event file, or
          summary_writer: a `FileWriter`.

        Raises:
          ValueError: unless exactly one of the first two is given.
        """
        if (every_n_steps is None) == (every_n_secs is None):
            raise ValueError("exactly one of every_n_steps and every_n_secs should be provided.")
        self._timer = SecondOrStepTimer(every_steps=every_n_steps, every_secs=every_n_secs)
        self._summary_writer = summary_writer
        self._output_dir = output_dir
        self._last_global_step = None
        self._steps_per_run = 1

    def _set_steps_per_run(self, steps_per_run):
        self._steps_per_run = steps_per_run

    def begin(self):
        """Finds the step counter and the event file."""
        if self._summary_writer is None and self._output_dir:
            self._summary_writer = FileWriterCache.get(self._output_dir)
        self._global_step_tensor = step_read_for("StepCounterHook")
        self._summary_tag = get_global_step().op.name + "/sec"

    def before_run(self, run_context):
        """Asks for the step."""
        return SessionRunArgs(self._global_step_tensor)

    def _log_and_record(self, elapsed_steps, elapsed_time, global_step):
        speed = elapsed_steps / elapsed_time
        if self._summary_writer is not None:
            value = proto.Summary.Value(tag=self._summary_tag, simple_value=speed)
            self._summary_writer.add_summary(proto.Summary(value=[value]), global_step)
        logger.info("%s: %g", self._summary_tag, speed)

    def after_run(self, run_context, run_values):
        """Writes the speed when it is time."""
        stale_step = run_values.results
        if self._timer.should_trigger_for_step(stale_step + self._steps_per_run):
            step = run_context.session.run(self._global_step_tensor)
            if self._timer.should_trigger_for_step(step):
                seconds, steps = self._timer.update_last_triggered_step(step)
                if seconds is not None:
                    self._log_and_record(steps, seconds, step)
        if stale_step == self._last_global_step and StepCounterHook._warnings_left:
            StepCounterHook._warnings_left -= 1
            logger.warning(
                "It seems that global step (tf.train.get_global_step) has not been increased. Current value (could be "
                "stable): %s vs previous value: %s. You could increase the global step by passing "
                "tf.train.get_global_step() to Optimizer.apply_gradients or Optimizer.minimize.",
                stale_step,
                self._last_global_step,
            )
        self._last_global_step = stale_step


class SummarySaverHook(SessionRunHook):
    """Writes summaries every so many steps or seconds, and at the first step."""

    def __init__(
        self, save_steps=None, save_secs=None, output_dir=None, summary_writer=None, scaffold=None, summary_op=None
    ):
        """Creates the hook.

        Args:
          save_steps: steps from one summary to the next, or
          save_secs: seconds from one summary to the next.
          output_dir: the folder of the event file, or
          summary_writer: a `FileWriter`.
          scaffold: a `Scaffold` whose summary is written, or
          summary_op: a serialized `Summary`, or a list of them.

        Raises:
          ValueError: unless exactly one of each pair is given.
        """
        if (scaffold is None) == (summary_op is None):
            raise ValueError("Exactly one of scaffold or summary_op must be provided.")
        self._summary_op = summary_op
        self._summary_writer = summary_writer
        self._output_dir = output_dir
        self._scaffold = scaffold
        self._timer = SecondOrStepTimer(every_secs=save_secs, every_steps=save_steps)

    def begin(self):
        """Finds the step counter and the event file."""
        if self._summary_writer is None and self._output_dir:
            self._summary_writer = FileWriterCache.get(self._output_dir)
        self._next_step = None
        self._global_step_tensor = step_read_for("SummarySaverHook")

    def before_run(self, run_context):
        """Asks for the step, and for the summary when it is time."""
        self._request_summary = self._next_step is None or self._timer.should_trigger_for_step(self._next_step)
        requests = {"global_step": self._global_step_tensor}
        if self._request_summary and (summaries := self._summaries()) is not None:
            requests["summary"] = summaries
        return SessionRunArgs(requests)

    def after_run(self, run_context, run_values):
        """Writes it."""
        if not self._summary_writer:
            return
        step = run_values.results["global_step"] + 1
        if self._request_summary:
            step = run_context.session.run(self._global_step_tensor)
        if self._next_step is None:
            self._summary_writer.add_session_log(proto.SessionLog(status=proto.SessionLog.START), step)
        if self._request_summary:
            self._timer.update_last_triggered_step(step)
            for summary in run_values.results.get("summary", ()):
                self._summary_writer.add_summary(summary, step)
        self._next_step = step + 1

    def end(self, session=None):
        """Writes what waits to the file."""
        if self._summary_writer:
            self._summary_writer.flush()

    def _summaries(self):
        found = self._scaffold.summary_op if self._summary_op is None else self._summary_op
        return found if found is None or isinstance(found, list) else [found]


class ProfilerHook(SessionRunHook):
    """Writes traces of runs: `timeline-STEP.json`, for chrome://tracing, and into the event file."""

    def __init__(self, save_steps=None, save_secs=None, output_dir="", show_dataflow=True, show_memory=False):
        """Creates the hook.

        Args:
          save_steps: steps from one trace to the next, or
          save_secs: seconds from one trace to the next.
          output_dir: the folder.
          show_dataflow: whether the trace shows which operation feeds which.
          show_memory: whether it shows memory.
        """
        self._output_file = os.path.join(output_dir, "timeline-{}.json")
        self._file_writer = FileWriterCache.get(output_dir)
        self._show_dataflow = show_dataflow
        self._show_memory = show_memory
        self._timer = SecondOrStepTimer(every_secs=save_secs, every_steps=save_steps)

    def begin(self):
        """Finds the step counter."""
        self._next_step = None
        self._global_step_tensor = step_read_for("ProfilerHook")

    def before_run(self, run_context):
        """Asks for the step, and for a trace when it is time."""
        self._request_summary = self._next_step is not None and self._timer.should_trigger_for_step(self._next_step)
        options = None
        if self._request_summary:
            options = proto.RunOptions(trace_level=proto.RunOptions.FULL_TRACE)
        return SessionRunArgs({"global_step": self._global_step_tensor}, options=options)

    def after_run(self, run_context, run_values):
        """Writes it."""
        stale_step = run_values.results["global_step"]
        if self._next_step is None:
            # The first run is slower than the others: no trace of it.
            self._timer.update_last_triggered_step(stale_step)
        step = stale_step + 1
        if self._request_summary:
            step = run_context.session.run(self._global_step_tensor)
            self._timer.update_last_triggered_step(step)
            self._save(step, self._output_file.format(step), run_values.run_metadata.step_stats)
            self._file_writer.add_run_metadata(run_values.run_metadata, f"step_{step}")
        self._next_step = step + 1

    def _save(self, step, path, step_stats):
        logger.info("Saving timeline for %d into '%s'.", step, path)
        trace = Timeline(step_stats)
        with gfile.Open(path, "w") as file:
            file.write(
                trace.generate_chrome_trace_format(show_dataflow=self._show_dataflow, show_memory=self._show_memory)
            )
