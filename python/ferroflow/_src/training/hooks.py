"""The hooks of tf.train that look at a run, stop it, or add to it."""

import time

import numpy as np

from ferroflow._src.framework import dtypes, stacks
from ferroflow._src.framework.errors import OutOfRangeError
from ferroflow._src.framework.graph_keys import GraphKeys
from ferroflow._src.framework.initializers import ones_initializer
from ferroflow._src.framework.variable_scope import AUTO_REUSE, get_variable, variable_scope
from ferroflow._src.training.global_step import get_global_step, get_or_create_global_step_read
from ferroflow._src.training.hook_timer import NeverTriggerTimer, SecondOrStepTimer
from ferroflow._src.training.log import logger
from ferroflow._src.training.session_run_hook import SessionRunArgs, SessionRunHook

# Seconds between two looks at the step while a worker waits.
_LOOK_EVERY_SECS = 0.5


def step_read_for(hook_name):
    """Returns the tensor in which a hook reads the step.

    Raises:
      RuntimeError: when the graph has no step counter.
    """
    read = get_or_create_global_step_read()
    if read is None:
        raise RuntimeError(f"Global step should be created to use {hook_name}.")
    return read


class LoggingTensorHook(SessionRunHook):
    """Logs the values of tensors at level INFO."""

    def __init__(self, tensors, every_n_iter=None, every_n_secs=None, at_end=False, formatter=None):
        """Creates the hook.

        Args:
          tensors: {tag: tensor or its name}, or a list of tensors or names.
          every_n_iter: runs from one line to the next, or
          every_n_secs: seconds from one line to the next.
          at_end: whether there is a line at the end.
          formatter: a function of {tag: value} that returns the line; None for `tag = value` with commas.

        Raises:
          ValueError: when it is not said how often, or said twice.
        """
        only_at_end = at_end and every_n_iter is None and every_n_secs is None
        if not only_at_end and (every_n_iter is None) == (every_n_secs is None):
            raise ValueError("either at_end and/or exactly one of every_n_iter and every_n_secs must be provided.")
        if every_n_iter is not None and every_n_iter <= 0:
            raise ValueError(f"invalid every_n_iter={every_n_iter}.")
        if isinstance(tensors, dict):
            self._tag_order = sorted(tensors)
        else:
            self._tag_order = tensors
            tensors = {item: item for item in tensors}
        self._tensors = tensors
        self._formatter = formatter
        if only_at_end:
            self._timer = NeverTriggerTimer()
        else:
            self._timer = SecondOrStepTimer(every_secs=every_n_secs, every_steps=every_n_iter)
        self._log_at_end = at_end

    def begin(self):
        """Finds the tensors."""
        self._timer.reset()
        self._iter_count = 0
        self._current_tensors = {tag: _tensor_of(tensor) for tag, tensor in self._tensors.items()}

    def before_run(self, run_context):
        """Asks for the tensors when it is time."""
        self._should_trigger = self._timer.should_trigger_for_step(self._iter_count)
        return SessionRunArgs(self._current_tensors) if self._should_trigger else None

    def _log_tensors(self, values):
        elapsed_secs, _ = self._timer.update_last_triggered_step(self._iter_count)
        with np.printoptions(suppress=True):
            if self._formatter:
                logger.info(self._formatter(values))
                return
            # str() shows a float32 in its own digits; format() would show those of a double.
            line = ", ".join(f"{tag} = {values[tag]!s}" for tag in self._tag_order)
            if elapsed_secs is None:
                logger.info("%s", line)
            else:
                logger.info("%s (%.3f sec)", line, elapsed_secs)

    def after_run(self, run_context, run_values):
        """Logs them."""
        if self._should_trigger:
            self._log_tensors(run_values.results)
        self._iter_count += 1

    def end(self, session):
        """Logs them once more, if that was asked for."""
        if self._log_at_end:
            self._log_tensors(session.run(self._current_tensors))


def _tensor_of(named):
    """The tensor of the default graph that a tensor or a name stands for."""
    graph = stacks.get_default_graph()
    if not isinstance(named, str):
        if not hasattr(named, "graph") or named.graph is not graph:
            raise ValueError(f"Passed {named} should have graph attribute that is equal to current graph {graph}.")
        return named
    if ":" in named:
        return graph.as_graph_element(named)
    found = graph.as_graph_element(named + ":0")
    if len(found.op.outputs) > 1:
        raise ValueError(f"Name {named} is ambiguous, as this `Operation` has multiple outputs (at least 2).")
    return found


def _check_steps(num_steps, last_step):
    if num_steps is None and last_step is None:
        raise ValueError("One of num_steps or last_step must be specified.")
    if num_steps is not None and last_step is not None:
        raise ValueError("Only one of num_steps or last_step can be specified.")


class StopAtStepHook(SessionRunHook):
    """Asks for the end after so many steps, or at a step."""

    def __init__(self, num_steps=None, last_step=None):
        """Creates the hook.

        Args:
          num_steps: how many steps to make from where the session starts, or
          last_step: the step after which it ends.

        Raises:
          ValueError: unless exactly one is given.
        """
        _check_steps(num_steps, last_step)
        self._num_steps = num_steps
        self._last_step = last_step

    def begin(self):
        """Finds the step counter."""
        self._global_step_tensor = step_read_for("StopAtStepHook")

    def after_create_session(self, session, coord):
        """Finds the last step."""
        if self._last_step is None:
            self._last_step = session.run(self._global_step_tensor) + self._num_steps

    def before_run(self, run_context):
        """Asks for the step."""
        return SessionRunArgs(self._global_step_tensor)

    def after_run(self, run_context, run_values):
        """Asks for the end when the step was the last."""
        # The step was read before or after the update: only a second look tells.
        if run_values.results + 1 >= self._last_step:
            if run_context.session.run(self._global_step_tensor) >= self._last_step:
                run_context.request_stop()


def get_or_create_steps_per_run_variable():
    """Returns the variable `hooks/steps_per_run`: how many steps one run makes.

    Raises:
      RuntimeError: when there are several.
    """
    key = "hooks_steps_per_run"
    found = stacks.get_default_graph().get_collection(key)
    if len(found) > 1:
        raise RuntimeError("Multiple steps_per_run_var in collection.")
    if found:
        return found[0]
    with variable_scope("hooks", reuse=AUTO_REUSE):
        return get_variable(
            "steps_per_run",
            initializer=ones_initializer(),
            shape=[],
            dtype=dtypes.int32,
            trainable=False,
            collections=[key, GraphKeys.LOCAL_VARIABLES],
            use_resource=True,
        )


class MultiStepStopAtStepHook(SessionRunHook):
    """Asks for the end at a step when one run makes several steps, and shortens the last run."""

    def __init__(self, num_steps=None, last_step=None, steps_per_run=1):
        """Creates the hook; see `StopAtStepHook`. `steps_per_run` is how many steps a run makes.

        Raises:
          ValueError: unless exactly one of the first two is given, or for less than one step.
        """
        _check_steps(num_steps, last_step)
        if steps_per_run is None or steps_per_run < 1:
            raise ValueError("steps_per_run should be greater than 0")
        self._num_steps = num_steps
        self._last_step = last_step
        self._steps_per_run_initial_value = steps_per_run

    def begin(self):
        """Finds the step counter."""
        self._global_step_tensor = get_global_step()
        if self._global_step_tensor is None:
            raise RuntimeError("Global step should be created to use StopAtStepHook.")
        self._steps_per_run_variable = get_or_create_steps_per_run_variable()

    def _update(self, step, session):
        steps = min(self._last_step - step, self._steps_per_run_initial_value)
        self._steps_per_run_variable.load(steps, session=session)

    def after_create_session(self, session, coord):
        """Finds the last step."""
        step = session.run(self._global_step_tensor)
        if self._last_step is None:
            self._last_step = step + self._num_steps
        self._update(step, session)

    def after_run(self, run_context, run_values):
        """Asks for the end, or says how many steps the next run makes."""
        step = run_context.session.run(self._global_step_tensor)
        if step >= self._last_step:
            run_context.request_stop()
        else:
            self._update(step, run_context.session)


class NanLossDuringTrainingError(RuntimeError):
    """The loss became NaN."""

    def __str__(self):
        return "NaN loss during training."


class NanTensorHook(SessionRunHook):
    """Ends the training when the loss is NaN."""

    def __init__(self, loss_tensor, fail_on_nan_loss=True):
        """Creates the hook.

        Args:
          loss_tensor: a scalar `Tensor`.
          fail_on_nan_loss: whether to raise `NanLossDuringTrainingError`, rather than ask for the end.
        """
        self._loss_tensor = loss_tensor
        self._fail_on_nan_loss = fail_on_nan_loss

    def before_run(self, run_context):
        """Asks for the loss."""
        return SessionRunArgs(self._loss_tensor)

    def after_run(self, run_context, run_values):
        """Looks at it."""
        if np.isnan(run_values.results):
            message = "Model diverged with loss = NaN."
            if self._fail_on_nan_loss:
                logger.error(message)
                raise NanLossDuringTrainingError
            logger.warning(message)
            run_context.request_stop()


class GlobalStepWaiterHook(SessionRunHook):
    """Lets a worker wait until others have made some steps."""

    def __init__(self, wait_until_step):
        """Creates the hook; the first run waits for the step `wait_until_step`."""
        self._wait_until_step = wait_until_step

    def begin(self):
        """Finds the step counter."""
        self._worker_is_started = False
        self._global_step_tensor = step_read_for("_GlobalStepWaiterHook")

    def before_run(self, run_context):
        """Waits."""
        if self._worker_is_started:
            return
        if self._wait_until_step > 0:
            logger.info("Waiting for global step %d before starting training.", self._wait_until_step)
            last_logged = 0
            while (step := run_context.session.run(self._global_step_tensor)) < self._wait_until_step:
                if step - last_logged > 1000:
                    last_logged = step
                    logger.info(
                        "Waiting for global step %d before starting training. Current step is %d.",
                        self._wait_until_step,
                        step,
                    )
                time.sleep(_LOOK_EVERY_SECS)
        self._worker_is_started = True


class FinalOpsHook(SessionRunHook):
    """Runs operations at the end and keeps what they give."""

    def __init__(self, final_ops, final_ops_feed_dict=None):
        """Creates the hook.

        Args:
          final_ops: what is fetched, as `tf.Session.run` takes it.
          final_ops_feed_dict: what is fed.
        """
        self._final_ops = final_ops
        self._final_ops_feed_dict = final_ops_feed_dict
        self._final_ops_values = None

    @property
    def final_ops_values(self):
        """What they gave; None before the end."""
        return self._final_ops_values

    def end(self, session):
        """Runs them."""
        if self._final_ops is None:
            return
        try:
            self._final_ops_values = session.run(self._final_ops, feed_dict=self._final_ops_feed_dict)
        except (OutOfRangeError, StopIteration):
            logger.warning(
                "The operations of a FinalOpsHook reached the end of the input: they read another batch, but should only "
                "read variables, as the value_op of a metric does (and not its update_op)."
            )
            raise


class FeedFnHook(SessionRunHook):
    """Feeds each run."""

    def __init__(self, feed_fn):
        """Creates the hook; `feed_fn()` returns a `feed_dict`."""
        self.feed_fn = feed_fn

    def before_run(self, run_context):
        """Feeds."""
        return SessionRunArgs(fetches=None, feed_dict=self.feed_fn())
