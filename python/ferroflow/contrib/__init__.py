"""tf.contrib: the parts of it that programs use."""

import importlib as _importlib

_PAGES = frozenset({"framework", "layers", "losses", "metrics", "rnn", "seq2seq", "slim", "training", "util", "data"})


def __getattr__(name):
    if name in _PAGES:
        try:
            return _importlib.import_module(f"ferroflow.contrib.{name}")
        except ModuleNotFoundError as error:
            if error.name != f"ferroflow.contrib.{name}":
                raise
    raise AttributeError(f"module 'ferroflow.contrib' has no attribute {name!r}")
