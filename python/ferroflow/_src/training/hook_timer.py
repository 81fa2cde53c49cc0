"""tf.train.SecondOrStepTimer: when a hook does its work again."""

import time


class HookTimer:
    """Decides at which steps a hook works."""

    def reset(self):
        """Forgets when it last did."""

    def should_trigger_for_step(self, step):
        """Returns whether it works at a step."""
        raise NotImplementedError

    def update_last_triggered_step(self, step):
        """Notes that it worked at a step; returns (seconds, steps) since the time before, or (None, None)."""
        raise NotImplementedError

    def last_triggered_step(self):
        """Returns the last step at which it worked, or None."""
        raise NotImplementedError


class SecondOrStepTimer(HookTimer):
    """Works every so many seconds or every so many steps, and at the first step it hears of."""

    def __init__(self, every_secs=None, every_steps=None):
        """Creates the timer.

        Args:
          every_secs: seconds from one time to the next, or
          every_steps: steps from one time to the next.

        Raises:
          ValueError: unless exactly one is given.
        """
        self.reset()
        self._every_secs = every_secs
        self._every_steps = every_steps
        if every_secs is None and every_steps is None:
            raise ValueError("Either every_secs or every_steps should be provided.")
        if every_secs is not None and every_steps is not None:
            raise ValueError("Can not provide both every_secs and every_steps.")

    def reset(self):
        """Forgets when it last worked."""
        self._last_triggered_step = None
        self._last_triggered_time = None

    def should_trigger_for_step(self, step):
        """Returns whether it works at a step; never twice at one."""
        last = self._last_triggered_step
        if last is None:
            return True
        if last == step:
            return False
        if self._every_secs is not None:
            return time.time() >= self._last_triggered_time + self._every_secs
        return bool(step >= last + self._every_steps)

    def update_last_triggered_step(self, step):
        """Notes that it worked at a step; returns (seconds, steps) since the time before, or (None, None)."""
        now, elapsed = time.time(), (None, None)
        if self._last_triggered_time is not None:
            elapsed = now - self._last_triggered_time, step - self._last_triggered_step
        self._last_triggered_time, self._last_triggered_step = now, step
        return elapsed

    def last_triggered_step(self):
        """Returns the last step at which it worked, or None."""
        return self._last_triggered_step


class NeverTriggerTimer(HookTimer):
    """Never works."""

    def should_trigger_for_step(self, step):
        """Returns False."""
        return False

    def update_last_triggered_step(self, step):
        """Returns (None, None)."""
        return (None, None)

    def last_triggered_step(self):
        """Returns None."""
        return
