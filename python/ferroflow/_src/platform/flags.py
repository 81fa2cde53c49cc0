"""tf.flags (tf.app.flags): absl's flags, which are parsed when one is first asked for."""

import sys as _sys

from absl import flags as _absl
from absl.flags import *  # noqa: F403  (absl's whole interface is part of TensorFlow's)
from absl.flags import (
    DEFINE_alias as DEFINE_alias,
)

# A flag is that of the module which calls the functions below: --help and errors name it.
_absl.disclaim_key_flags()

# What TensorFlow calls some arguments.
_OLD_NAMES = {"flag_name": "name", "default_value": "default", "docstring": "help"}


class _Values:
    """The values of all flags. The command line is parsed at the first use; flags that nobody defined do not matter."""

    def __init__(self, values):
        self.__dict__["__wrapped"] = values

    def __getattribute__(self, name):
        if name in ("__dict__", "__setattr__"):
            return super().__getattribute__(name)
        return self.__dict__["__wrapped"].__getattribute__(name)

    def __getattr__(self, name):
        values = self.__dict__["__wrapped"]
        if not values.is_parsed():
            values(_sys.argv, known_only=True)
        return values.__getattr__(name)

    def __setattr__(self, name, value):
        self.__dict__["__wrapped"].__setattr__(name, value)

    def __delattr__(self, name):
        self.__dict__["__wrapped"].__delattr__(name)

    def __dir__(self):
        return self.__dict__["__wrapped"].__dir__()

    def __getitem__(self, name):
        return self.__dict__["__wrapped"][name]

    def __setitem__(self, name, flag):
        self.__dict__["__wrapped"][name] = flag

    def __contains__(self, name):
        return name in self.__dict__["__wrapped"]

    def __iter__(self):
        return iter(self.__dict__["__wrapped"])

    def __len__(self):
        return len(self.__dict__["__wrapped"])

    def __call__(self, *args, **kwargs):
        return self.__dict__["__wrapped"](*args, **kwargs)


FLAGS = _Values(_absl.FLAGS)


def _with_old_names(define):
    def wrapped(*args, **kwargs):
        for old, new in _OLD_NAMES.items():
            if old in kwargs:
                kwargs[new] = kwargs.pop(old)
        if len(args) + len({"default", "help"} & set(kwargs)) == 2 and "help" not in kwargs:
            kwargs["help"] = ""
        return define(*args, **kwargs)

    wrapped.__name__ = define.__name__
    wrapped.__doc__ = define.__doc__
    return wrapped


DEFINE_string = _with_old_names(_absl.DEFINE_string)
DEFINE_boolean = _with_old_names(_absl.DEFINE_boolean)
DEFINE_bool = DEFINE_boolean
DEFINE_float = _with_old_names(_absl.DEFINE_float)
DEFINE_integer = _with_old_names(_absl.DEFINE_integer)


def mark_flag_as_required(flag_name):
    """Makes the program end with a message when this flag is not given."""
    _absl.mark_flag_as_required(flag_name)
