"""Writes names.txt: where TensorFlow 1.15's modules publish what `tf` publishes. Run it with TensorFlow 1.15's interpreter.

usage: python build.py > names.txt
"""

import os
import sys
import types
import warnings

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
warnings.filterwarnings("ignore")

import tensorflow as tf  # noqa: E402

ROOTS = ("tensorflow.python.", "tensorflow.contrib.", "tensorflow.tools.")
PRIVATE = ("contrib", "python", "core", "tools", "examples", "compiler", "lite")
PLAIN = (int, float, str, bytes, bool, type(None), tuple, list, dict)
NOISE = ("absolute_import", "division", "print_function", "tf_export", "keras_export", "estimator_export")
HEADER = """\
# Where TensorFlow 1.15.5's modules hold what its public API holds; made by build.py, not by hand.
# A module, then one line for each public namespace: the names that the module shares with it
# (`here=there` where the module calls it otherwise; namespace `tf` is the root)."""


def real(module):
    return getattr(module, "_tfmw_wrapped_module", module)


def is_public(module):
    return any(part in real(module).__name__ for part in ("_api.v1.", "keras.api", "estimator._api"))


def pages():
    """Yields (prefix, module) of the public namespaces, the root first."""
    queue, seen = [("", tf)], set()
    while queue:
        prefix, module = queue.pop(0)
        yield prefix, module
        for name in dir(module):
            path, value = prefix + name, getattr(module, name, None)
            if name.startswith("_") or path in PRIVATE or path.startswith("compat.v") or id(value) in seen:
                continue
            if isinstance(value, types.ModuleType) and is_public(value):
                seen.add(id(value))
                queue.append((path + ".", value))


def contrib_pages():
    tf.contrib.layers  # noqa: B018  (loads it)
    for name in sorted(dir(tf.contrib)):
        module = getattr(tf.contrib, name)
        if not name.startswith("_") and isinstance(module, types.ModuleType):
            yield "contrib.%s." % name, module


def members(module):
    for name in sorted(dir(module)):
        value = getattr(module, name, None)
        if not name.startswith("_") and name not in NOISE and not isinstance(value, types.ModuleType):
            yield name, value


def rank(path, name):
    return path.startswith("contrib"), path.split(".")[-1] != name, len(path), path


def shared(name, module, public):
    """{attribute: public path} of one inner module."""
    found = {}
    for attribute, value in vars(real(module)).items():
        if attribute.startswith("_") or attribute.startswith("deprecated") or attribute in NOISE or isinstance(value, PLAIN):
            continue
        paths = [p for p in public.get(id(value), ()) if not p.startswith("raw_ops.")]
        if ".contrib." not in name:
            paths = [p for p in paths if not p.startswith("contrib.") or getattr(value, "__module__", None) == name]
        if paths:
            found[attribute] = min(paths, key=lambda p: rank(p, attribute))
    for names, constant in getattr(module, "_tf_api_constants_v1", ()):
        found.setdefault(constant, min(names, key=len))
    return found


def show(name, found):
    spaces = {}
    for attribute, path in found.items():
        space, _, last = path.rpartition(".")
        spaces.setdefault(space or "tf", []).append(attribute if attribute == last else "%s=%s" % (attribute, last))
    print(name)
    for space in sorted(spaces):
        print("  %s: %s" % (space, " ".join(sorted(spaces[space]))))


def main():
    public = {}
    print(HEADER)
    for prefix, module in list(pages()) + list(contrib_pages()):
        for name, value in members(module):
            if not isinstance(value, PLAIN):
                public.setdefault(id(value), []).append(prefix + name)
        if not prefix.startswith("contrib"):
            show(("tensorflow." + prefix)[:-1], {name: prefix + name for name, _ in members(module)})
    for name, module in sorted(sys.modules.items()):
        inner = name.startswith(ROOTS) and not (name.startswith("tensorflow.contrib.") and name.count(".") == 2)
        if not inner or module is None or name.endswith("_pb2") or "api." in name or ".quantization" in name:
            continue
        found = shared(name, module, public)
        if found:
            show(name, found)


if __name__ == "__main__":
    main()
