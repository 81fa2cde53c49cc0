"""tf.train.basic_train_loop: one step after the other until a supervisor stops."""

from ferroflow._src.framework.errors import AbortedError


def basic_train_loop(supervisor, train_step_fn, args=None, kwargs=None, master=""):
    """Calls a function again and again in a supervisor's session, until it should stop.

    A session that was aborted is made anew.

    Args:
      supervisor: a `Supervisor`.
      train_step_fn: called with the session, `args` and `kwargs`.
      args: a list, or None.
      kwargs: a dict, or None.
      master: the target of the session.
    """
    while True:
        try:
            with supervisor.managed_session(master) as sess:
                while not supervisor.should_stop():
                    train_step_fn(sess, *(args or ()), **(kwargs or {}))
            return
        except AbortedError:
            pass
