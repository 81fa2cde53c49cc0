"""tf.logging: the logger named "tensorflow", with TensorFlow 1's levels and its lines on stderr."""

import logging as _logging
import sys as _sys

DEBUG = _logging.DEBUG
INFO = _logging.INFO
WARN = _logging.WARN
ERROR = _logging.ERROR
FATAL = _logging.FATAL

_counts = {}


def _make():
    made = _logging.getLogger("tensorflow")
    made.setLevel(WARN)
    # A program that has configured logging gets our lines its own way.
    if not made.handlers and not _logging.getLogger().handlers:
        handler = _logging.StreamHandler(_Stderr())
        handler.setFormatter(_logging.Formatter(_logging.BASIC_FORMAT))
        made.addHandler(handler)
        made.propagate = False
    return made


class _Stderr:
    """Whatever `sys.stderr` is when a line is written."""

    def write(self, text):
        return _sys.stderr.write(text)

    def flush(self):
        _sys.stderr.flush()


logger = _make()


def get_logger():
    """Returns the logger."""
    return logger


def log(level, msg, *args, **kwargs):
    """Writes `msg % args` at a level."""
    logger.log(level, msg, *args, **kwargs)


def debug(msg, *args, **kwargs):
    """Writes `msg % args` at level DEBUG."""
    logger.debug(msg, *args, **kwargs)


def info(msg, *args, **kwargs):
    """Writes `msg % args` at level INFO."""
    logger.info(msg, *args, **kwargs)


def warn(msg, *args, **kwargs):
    """Writes `msg % args` at level WARN."""
    logger.warning(msg, *args, **kwargs)


def warning(msg, *args, **kwargs):
    """Writes `msg % args` at level WARN."""
    logger.warning(msg, *args, **kwargs)


def error(msg, *args, **kwargs):
    """Writes `msg % args` at level ERROR."""
    logger.error(msg, *args, **kwargs)


def fatal(msg, *args, **kwargs):
    """Writes `msg % args` at level FATAL; the program goes on."""
    logger.critical(msg, *args, **kwargs)


def vlog(level, msg, *args, **kwargs):
    """Writes `msg % args` at a level."""
    logger.log(level, msg, *args, **kwargs)


def TaskLevelStatusMessage(msg):
    """Writes `msg` at level ERROR."""
    error(msg)


def flush():
    """Nothing waits to be written."""


def log_every_n(level, msg, n, *args):
    """Writes every n-th call from one place, beginning with the first."""
    log_if(level, msg, not _calls(msg) % n, *args)


def log_first_n(level, msg, n, *args):
    """Writes the first n calls from one place."""
    log_if(level, msg, _calls(msg) < n, *args)


def log_if(level, msg, condition, *args):
    """Writes when the condition holds."""
    if condition:
        log(level, msg, *args)


def _calls(msg):
    frame = _sys._getframe(2)
    key = (frame.f_code.co_filename, frame.f_lineno, msg)
    _counts[key] = _counts.get(key, -1) + 1
    return _counts[key]


def get_verbosity():
    """Returns the lowest level that is written."""
    return logger.getEffectiveLevel()


def set_verbosity(v):
    """Sets the lowest level that is written."""
    logger.setLevel(v)
