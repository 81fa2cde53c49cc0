"""Runs a script, a module or a line of code as `python` does: same argv, `__main__`, sys.path, tracebacks and exit codes."""

import importlib.machinery
import os
import pkgutil
import sys
import types
from collections.abc import Callable, Sequence
from typing import NoReturn


def run_script(path: str, arguments: Sequence[str]) -> None:
    """Runs a file, a folder or zip with a `__main__.py`, or standard input (`-`)."""
    if path == "-":
        _prepare([path, *arguments], "")
        _execute(lambda: (_compile(sys.stdin.read(), "<stdin>"), _main_module("<stdin>", None)))
        return
    if not os.path.exists(path):
        _refuse(f"can't open file {os.path.abspath(path)!r}: [Errno 2] No such file or directory")
    if os.path.isdir(path) or _is_zip(path):
        _prepare([path, *arguments], path)
        _main_module(None, None)
        _execute_module("__main__", False)
        return
    _prepare([path, *arguments], os.path.dirname(os.path.realpath(path)))
    full = os.path.abspath(path)
    loader = importlib.machinery.SourceFileLoader("__main__", full)
    _execute(lambda: (_read(full), _main_module(full, loader)))


def run_module(name: str, arguments: Sequence[str]) -> None:
    """Runs a module as `python -m` does."""
    _prepare(["-m", *arguments], os.getcwd())
    _main_module(None, None)
    _execute_module(name, True)


def run_code(source: str, arguments: Sequence[str]) -> None:
    """Runs a line of code as `python -c` does."""
    _prepare(["-c", *arguments], "")
    _execute(lambda: (_compile(source, "<string>"), _main_module(None, None)))


def _prepare(argv: list[str], first: str) -> None:
    sys.argv[:] = argv
    # Python put the folder of the `ferroflow` command first, or the current one (`python -m ferroflow`).
    if not sys.flags.safe_path:
        sys.path[0] = first


def _main_module(file: str | None, loader: importlib.machinery.SourceFileLoader | None) -> types.ModuleType:
    """A fresh `__main__`, with what python sets in it."""
    main = types.ModuleType("__main__")
    main.__loader__ = loader
    if file is not None:
        main.__file__ = file
        main.__dict__["__cached__"] = None
    sys.modules["__main__"] = main
    return main


def _read(path: str) -> types.CodeType:
    with open(path, "rb") as file:
        code = pkgutil.read_code(file)
        if code is not None:  # a .pyc
            return code
    with open(path, "rb") as file:
        return _compile(file.read(), path)


def _compile(source: str | bytes, file: str) -> types.CodeType:
    return compile(source, file, "exec", dont_inherit=True)


def _is_zip(path: str) -> bool:
    import zipimport

    try:
        zipimport.zipimporter(path)
    except zipimport.ZipImportError:
        return False
    return True


def _execute(prepare: Callable[[], tuple[types.CodeType, types.ModuleType]]) -> None:
    try:
        code, main = prepare()
        exec(code, main.__dict__)  # noqa: S102
    except SystemExit:
        raise
    except BaseException:
        _hide_own_frames()
        raise


def _execute_module(name: str, alter_argv: bool) -> None:
    import runpy

    try:
        # What python itself calls for -m, and for a folder or zip: sets argv[0], __spec__ and __package__.
        runpy._run_module_as_main(name, alter_argv)  # type: ignore[attr-defined]
    except SystemExit:
        raise
    except BaseException:
        _hide_own_frames()
        raise


def _hide_own_frames() -> None:
    """Lets the interpreter show the program's frames alone when it reports the exception that ends the program.

    The report itself, the exit code and what an interrupt does stay Python's: only the hook sees a shorter traceback.
    """
    hook = sys.excepthook

    def show(kind, error, trace):
        while trace is not None and not _is_own(trace):
            trace = trace.tb_next
        while trace is not None and _is_own(trace):
            trace = trace.tb_next
        error.__traceback__ = trace
        hook(kind, error, trace)

    sys.excepthook = show


def _is_own(trace: types.TracebackType) -> bool:
    return trace.tb_frame.f_code.co_filename == _is_own.__code__.co_filename


def _refuse(message: str) -> NoReturn:
    print(f"ferroflow run: {message}", file=sys.stderr)
    raise SystemExit(2)
