"""TensorFlow 1.15's public names and signatures, and how ferroflow's compare with them.

`api.json.gz` holds facts taken from TensorFlow 1.15.5: {name: its kind and signature}. What is not (yet) as there is
recorded in `missing.txt` and `different.txt`. Both lists are exact: a name that is lost fails the test, and a name that
is gained must leave its list. `python tests/api/signatures.py` writes them anew.
"""

import ast
import gzip
import inspect
import json
import operator
from pathlib import Path

import ferroflow as tf

HERE = Path(__file__).parent
SYMBOLS = json.loads(gzip.decompress((HERE / "api.json.gz").read_bytes()))["symbols"]
LISTS = {"missing": HERE / "missing.txt", "different": HERE / "different.txt"}
_ABSENT = object()


def find(name):
    """What ferroflow calls `tf.name`, or None."""
    try:
        return operator.attrgetter(name)(tf)
    except (AttributeError, ImportError, NotImplementedError):
        return None


def parameters(function):
    """The parameters of a function as the facts write them, without `self`; None where Python cannot tell."""
    try:
        found = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    return [p for p in found if p.name not in ("self", "cls")]


def value_of(source):
    """The value that a default is written as; `_ABSENT` for what is no literal and no public name."""
    try:
        return ast.literal_eval(source)
    except (ValueError, SyntaxError):
        found = find(source.removeprefix("tf.")) if source.startswith("tf.") else None
        return _ABSENT if found is None else found


def same_default(wanted, is_value):
    value = value_of(wanted)
    if value is _ABSENT or is_value is value:
        return True
    try:
        return bool(value == is_value) or list(value) == list(is_value)
    except (TypeError, ValueError):
        return False


def difference(entry, function):
    """What is not as TensorFlow has it, in a few words; None if nothing is."""
    found = parameters(function)
    if found is None:
        return None
    wanted = [a for a in entry.get("args", []) if a[0] not in ("self", "cls")]
    if "varargs" in entry and "varkw" in entry:
        return None  # TensorFlow's own hands everything on
    plain = [p for p in found if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    takes_all = any(p.kind == p.VAR_KEYWORD for p in found) and any(p.kind == p.VAR_POSITIONAL for p in found)
    if takes_all and not plain:
        return None  # hands everything on
    names, theirs = [p.name for p in plain], [a[0] for a in wanted]
    if names != theirs:
        return f"({', '.join(names)}) for ({', '.join(theirs)})"
    for p, a in zip(plain, wanted, strict=True):
        if (p.default is p.empty) != (len(a) == 1):
            return f"{p.name} {'needs' if p.default is p.empty else 'has'} a value"
        if len(a) == 2 and not same_default(a[1], p.default):
            return f"{p.name}={p.default!r} for {a[1]}"
    return None


def survey():
    """({names that are missing}, {name: how its signature differs})."""
    missing, different = set(), {}
    for name, entry in SYMBOLS.items():
        found = find(name)
        if found is None and entry.get("value") != "None":
            missing.add(name)
            continue
        if entry["kind"] == "function":
            how = difference(entry, found)
            if how:
                different[name] = how
        elif entry["kind"] == "class":
            for method, signature in entry.get("methods", {}).items():
                if method.startswith("__") and method not in ("__init__", "__call__"):
                    continue  # called by Python, by position
                own = getattr(found, method, None)
                if own is None:
                    missing.add(f"{name}.{method}")
                    continue
                how = difference(signature, own)
                if how:
                    different[f"{name}.{method}"] = how
            for member in (*entry.get("properties", ()), *entry.get("constants", ()), *entry.get("members", ())):
                if not hasattr(found, member):
                    missing.add(f"{name}.{member}")
    return missing, different


def recorded(which):
    lines = LISTS[which].read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def write():
    missing, different = survey()
    heads = {
        "missing": "# Public names of TensorFlow 1.15 that ferroflow does not have. Made by signatures.py, and exact.",
        "different": "# Signatures that are not TensorFlow 1.15's. Made by signatures.py, and exact.",
    }
    found = {"missing": sorted(missing), "different": [f"{name}: {how}" for name, how in sorted(different.items())]}
    for which, path in LISTS.items():
        path.write_text("\n".join([heads[which], *found[which]]) + "\n", encoding="utf-8")
        print(f"{which}: {len(found[which])}")


if __name__ == "__main__":
    write()
