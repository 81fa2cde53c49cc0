"""How a contents page stays cheap: its `from … import x as x` lines only note where `x` is, until somebody asks for it.

    from ferroflow._src import contents as _contents

    _contents.begin(__name__)
    from ferroflow._src.ops.activations import softsign as softsign
    _contents.end(__name__)

Between `begin` and `end` such a line loads nothing. `end` gives the page a `__getattr__` that loads what was noted and
keeps it as a plain attribute, and a `__dir__` that lists it all. Readers, editors and type checkers see plain imports.
A name that is no line of the page may be a page below it (`ferroflow.nn`), which is loaded likewise.
"""

import builtins
import importlib
import os
import sys
import threading
from typing import Any

# Modules that tell the framework of themselves when they are loaded: how graphs, variables and masks are made. They
# come with the first thing that any page gives out.
_REGISTRARS = (
    "ferroflow._src.framework.graph",
    "ferroflow._src.framework.variable_scope",
    "ferroflow._src.ops.indexing",
)

_lock = threading.RLock()
_open: dict[str, dict[str, Any]] = {}  # the globals of the pages that are being read
_plain_import = builtins.__import__
_registered = False


class Noted:
    """Where a name of a page is found."""

    __slots__ = ("attribute", "module")

    def __init__(self, module: str, attribute: str):
        self.module = module
        self.attribute = attribute

    def load(self) -> Any:
        """Loads and returns what was noted: an attribute of a module, or a module in a package."""
        module = importlib.import_module(self.module)
        try:
            return getattr(module, self.attribute)
        except AttributeError:
            if not hasattr(module, "__path__"):
                raise
            return importlib.import_module(f"{self.module}.{self.attribute}")


class _Notes:
    """Stands for a module in `from module import name`: each name becomes a note."""

    def __init__(self, module: str):
        self._module = module

    def __getattr__(self, name: str) -> Noted:
        return Noted(self._module, name)


def begin(page: str) -> None:
    """Lets the `from ferroflow… import` lines of the module called `page`, which is being run, load nothing from here on."""
    with _lock:
        if not _open:
            global _plain_import
            _plain_import = builtins.__import__
            builtins.__import__ = _import
        _open[page] = vars(sys.modules[page])


def end(page: str) -> None:
    """Ends what `begin` began; the page finds its names when they are asked for."""
    with _lock:
        names = _open.pop(page)
        if not _open and builtins.__import__ is _import:
            builtins.__import__ = _plain_import
    noted = {name: value for name, value in names.items() if isinstance(value, Noted)}
    for name in noted:
        del names[name]

    def __getattr__(name: str) -> Any:
        if name in noted:
            if not name.startswith("__"):
                _register()
            found = names[name] = noted[name].load()
            return found
        if name == "__all__":
            return [listed for listed in __dir__() if not listed.startswith("_")]
        if not name.startswith("_") and "__path__" in names:
            try:
                return importlib.import_module(f"{page}.{name}")
            except ImportError as error:  # the shim's finder explains what is missing, but here it is asked for as a name
                if error.name != f"{page}.{name}":
                    raise
        raise AttributeError(explain(page, name), name=name, obj=sys.modules[page])

    def __dir__() -> list[str]:
        return sorted({*(name for name in names if name not in ("__getattr__", "__dir__")), *noted, *_pages_in(names)})

    names["__getattr__"], names["__dir__"] = __getattr__, __dir__


def explain(page: str, name: str) -> str:
    """Returns what the AttributeError for a missing name says; the shim puts one that knows TensorFlow's names in its place."""
    return f"module {page!r} has no attribute {name!r}"


def _import(name, globals=None, locals=None, fromlist=(), level=0):  # the signature of builtins.__import__
    if fromlist and name.startswith("ferroflow") and "*" not in fromlist and globals is not None:
        if _open.get(globals.get("__name__")) is globals:
            return _Notes(name)
    return _plain_import(name, globals, locals, fromlist, level)


def _register() -> None:
    global _registered
    if not _registered:
        with _lock:
            for module in _REGISTRARS:
                importlib.import_module(module)
            _registered = True


def _pages_in(names: dict[str, Any]) -> set[str]:
    """The public modules and packages in the folder of a package."""
    found = set()
    for folder in names.get("__path__", ()):
        for entry in os.scandir(folder):
            stem, kind = os.path.splitext(entry.name)
            if (kind == ".py" or entry.is_dir()) and not stem.startswith("_"):
                found.add(stem)
    return found
