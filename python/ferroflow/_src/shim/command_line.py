"""The `ferroflow` command: results on stdout, all else on stderr; exit code 2 for a usage that it does not understand."""

import os
import sys
from collections.abc import Sequence

USAGE = """\
usage: ferroflow run SCRIPT [ARGS...]       runs a TensorFlow 1 program, unmodified
       ferroflow run -m MODULE [ARGS...]    the same for a module, as `python -m`
       ferroflow run -c CODE [ARGS...]      the same for a line of code, as `python -c`
       ferroflow explain SCRIPT [ARGS...]   runs it as well, and shows the plan of each signature on stderr
       ferroflow devices [--test] [--json]  lists the GPUs of this machine, and why one is not used; tries them
       ferroflow --version

`import tensorflow` in the program, and everything below it, is answered by ferroflow. Arguments after SCRIPT belong
to the program; the exit code is the program's own. Environment variables: see docs/debugging.md."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit code; `run` may leave with the program's own SystemExit."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    match arguments:
        case ["run", *rest]:
            return _run(rest)
        case ["explain", *rest]:
            os.environ["FERROFLOW_EXPLAIN"] = "1"
            return _run(rest)
        case ["devices", *rest] if set(rest) <= {"--test", "--json"}:
            from ferroflow._src.shim import devices

            return devices.show(as_json="--json" in rest, tries="--test" in rest)
        case ["--version" | "-V"]:
            print("ferroflow", version())
            return 0
        case ["-h" | "--help"]:
            print(USAGE)
            return 0
    return _usage(f"unknown command {arguments[0]!r}" if arguments else "a command is missing")


def version() -> str:
    """The version of the installed package."""
    from importlib import metadata

    return metadata.version("ferroflow")


def _run(arguments: list[str]) -> int:
    from ferroflow._src.shim import finder, run

    match arguments:
        case ["-h" | "--help", *_]:
            print(USAGE)
            return 0
        case ["-m" | "-c"]:
            return _usage(f"run {arguments[0]}: an argument is missing")
        case ["-m", name, *rest]:
            start, target = run.run_module, name
        case ["-c", code, *rest]:
            start, target = run.run_code, code
        case ["--", script, *rest] | [script, *rest] if script == "-" or not script.startswith("-"):
            start, target = run.run_script, script
        case []:
            return _usage("run: a script is missing")
        case _:
            return _usage(f"run: unknown option {arguments[0]!r}")
    finder.install()
    start(target, rest)
    return 0


def _usage(problem: str) -> int:
    print(f"ferroflow: {problem}\n{USAGE}", file=sys.stderr)
    return 2
