"""The finder that answers `import tensorflow` and everything below it with ferroflow's own objects.

Public namespaces (`tensorflow.nn`) are ferroflow's modules themselves, so that every object is the same whichever
way it is reached. TensorFlow's inner modules (`tensorflow.python.ops.math_ops`) become modules that look each name
up in the table when it is asked for. What is not there says so, and says whether TensorFlow 1.15 has it.
"""

import importlib
import importlib.machinery
import sys
import types
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ferroflow._src import contents
from ferroflow._src.shim import names

if TYPE_CHECKING:
    from importlib.abc import Loader
else:
    # Finders and loaders are known by their methods; importlib.abc would cost more to import than all of ferroflow.
    Loader = object

ROOT = "tensorflow"
_V1 = "tensorflow.compat.v1"
_INNER = ("python", "contrib", "core", "examples", "tools", "compat")


def install() -> None:
    """Answers `import tensorflow` with ferroflow from now on. An installed TensorFlow is shadowed, with a line on stderr.

    Raises:
      RuntimeError: when a real TensorFlow is imported already.
    """
    if any(isinstance(finder, Finder) for finder in sys.meta_path):
        return
    loaded = sys.modules.get(ROOT)
    if loaded is not None and not isinstance(loaded, Module):
        raise RuntimeError("tensorflow is imported already; call ferroflow.compat.install() before `import tensorflow`")
    shadowed = importlib.machinery.PathFinder.find_spec(ROOT)
    if shadowed is not None and shadowed.origin is not None:
        print(f"ferroflow: answers for tensorflow; the one in {shadowed.origin} is not used here", file=sys.stderr)
    sys.meta_path.insert(0, Finder())
    sys.meta_path.append(Explainer())
    contents.explain = _explain


def uninstall() -> None:
    """Takes the finder and the modules that it made away again."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, (Finder, Explainer))]
    for name in [n for n in sys.modules if n == ROOT or n.startswith(ROOT + ".")]:
        del sys.modules[name]


class Finder:
    """Finds `tensorflow` and the modules below it."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Returns the spec of a module of TensorFlow's; ImportError for one that ferroflow does not have."""
        if fullname != ROOT and not fullname.startswith(ROOT + "."):
            return None
        module = _make(fullname)
        if module is None:
            raise ImportError(_import_message(fullname), name=fullname)
        return importlib.machinery.ModuleSpec(fullname, _Loader(module), origin="ferroflow", is_package=True)


class Explainer:
    """Comes last: says of `from tensorflow.nn import x` that fails whether TensorFlow 1.15 has `x`."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Finds nothing: returns None, or raises the ImportError that explains."""
        top, _, rest = fullname.partition(".")
        parent, _, last = f"{ROOT}.{rest}".rpartition(".")
        if top == "ferroflow" and last in names.table().get(parent, {}):
            raise ImportError(_import_message(f"{parent}.{last}"), name=fullname)
        return None


class _Loader(Loader):
    def __init__(self, module: types.ModuleType):
        self._module = module

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType | None:
        return self._module if isinstance(self._module, Module) else None

    def exec_module(self, module: types.ModuleType) -> None:
        if module is not self._module:  # one of ferroflow's own: put it there as it is
            sys.modules[module.__name__] = self._module


class Module(types.ModuleType):
    """A module of TensorFlow's whose attributes are looked up in ferroflow when they are asked for."""

    def __getattr__(self, name: str) -> Any:
        if name == "__all__":
            return [n for n in self.__dir__() if not n.startswith("_")]
        try:
            found = _attribute(self.__name__, name)
            vars(self).setdefault(name, found)
            return found
        except AttributeError:
            raise AttributeError(_attribute_message(self.__name__, name), name=name, obj=self) from None

    def __dir__(self) -> list[str]:
        own = list(vars(self))
        if self.__name__ == ROOT:
            return sorted({*own, *dir(_ferroflow())})
        known = names.table().get(self.__name__, {})
        inner = vars(_place(self.__name__)) if self.__name__ in names.PLACES else ()
        return sorted({*own, *inner, *(n for n in known if _has(self.__name__, n))})


def _make(fullname: str) -> types.ModuleType | None:
    """The module that answers for `fullname`, None if there is none."""
    if fullname == ROOT:
        return Module(fullname, _ferroflow().__doc__)
    if fullname == _V1 or fullname.startswith(_V1 + "."):
        return _page("ferroflow.compat.v1" + fullname.removeprefix(_V1)) or _make(ROOT + fullname.removeprefix(_V1))
    if fullname.rsplit(".", 1)[-1].endswith("_pb2"):
        return _messages(fullname)
    area = fullname.split(".")[1]
    if area not in ("python", "core", "examples", "tools"):
        page = _page("ferroflow" + fullname.removeprefix(ROOT))
        if page is not None:
            if fullname in names.packages() and not hasattr(page, "__path__"):
                page.__path__ = []  # there are modules below it, which the finder makes
            return page
    if fullname in names.PLACES or any(_has(fullname, name) for name in names.table().get(fullname, ())):
        return Module(fullname)
    if area == "core" and fullname.count(".") < 3:
        return Module(fullname)
    if fullname in names.packages() and (area != "contrib" or any(p.startswith(fullname + ".") for p in names.PLACES)):
        return Module(fullname)
    return None


def _messages(fullname: str) -> types.ModuleType | None:
    from ferroflow._src import proto

    try:
        return proto.pb2_module(fullname)
    except ModuleNotFoundError:
        return None


def _page(name: str) -> types.ModuleType | None:
    """One of ferroflow's public modules, None if there is no such."""
    parent, _, last = name.rpartition(".")
    try:
        found = getattr(importlib.import_module(parent), last, None)
        return found if isinstance(found, types.ModuleType) else importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and name.startswith(error.name):
            return None
        raise


def _ferroflow() -> types.ModuleType:
    return importlib.import_module("ferroflow")


def _place(module: str) -> types.ModuleType:
    return importlib.import_module(names.PLACES[module])


def _attribute(module: str, name: str) -> Any:
    """What `module.name` is in ferroflow; AttributeError if it is not there."""
    if module == ROOT:
        if name in _INNER and not hasattr(_ferroflow(), name):
            return _submodule(module, name)
        return getattr(_ferroflow(), name)
    if module in names.PLACES and hasattr(_place(module), name):
        return getattr(_place(module), name)
    path = names.table().get(module, {}).get(name)
    if path is None:
        return _submodule(module, name)
    found: Any = _ferroflow()
    for part in path.split("."):
        found = getattr(found, part)
    return found


def _submodule(module: str, name: str) -> types.ModuleType:
    if name.startswith("__"):
        raise AttributeError(name)
    try:
        return importlib.import_module(f"{module}.{name}")
    except ImportError as error:
        raise AttributeError(name) from error


def _has(module: str, name: str) -> bool:
    try:
        _attribute(module, name)
    except AttributeError:
        return False
    return True


def _explain(page: str, name: str) -> str:
    """What a page of ferroflow's says of an absent name: whether TensorFlow 1.15 has it."""
    return _attribute_message(ROOT + page.removeprefix("ferroflow"), name)


def _attribute_message(module: str, name: str) -> str:
    if name in names.table().get(module, {}):
        return f"{module}.{name} is part of TensorFlow 1.15 but not of ferroflow yet"
    return f"module {module!r} has no attribute {name!r}"


def _import_message(fullname: str) -> str:
    parent, _, last = fullname.rpartition(".")
    if last in names.table().get(parent, {}):
        return f"cannot import {last!r} from {parent!r}: it is part of TensorFlow 1.15 but not of ferroflow yet"
    if fullname in names.table() or fullname in names.packages():
        return f"{fullname} is a module of TensorFlow 1.15, but ferroflow has none of it yet"
    return f"ferroflow has no {fullname!r} (asked for in place of TensorFlow's)"
