"""tf.app: the entry point of programs."""

import sys

from absl import app as absl_app

from ferroflow._src.platform import flags as flags


def run(main=None, argv=None):
    """Parses the flags, calls `main(argv)` with what is left of the command line, and ends the program with its result.

    Args:
      main: a function of one argument; None for `main` of the program.
      argv: the command line; None for `sys.argv`.
    """
    main = main or sys.modules["__main__"].main
    absl_app.run(main=main, argv=argv, flags_parser=_parse)


def _parse(argv):
    """Flags that nobody defined are left to the program."""
    return flags.FLAGS(sys.argv if argv is None else argv, known_only=True)
