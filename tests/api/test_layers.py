"""Who may import whom below `ferroflow`: the table of docs/architecture.md."""

import ast
from pathlib import Path

import ferroflow
import pytest

SOURCE = Path(ferroflow.__file__).parent / "_src"
# Each layer with the layers that it may import besides itself. `framework` may use `proto` and the core alone.
BASE = {"framework", "proto", "platform"}
MAY_IMPORT = {
    "proto": set(),
    "platform": {"framework", "proto"},
    "framework": {"proto"},
    "ops": BASE,
    "data": BASE | {"ops"},
    "summary": BASE | {"ops"},
    "layers": BASE | {"ops"},
    "rnn": BASE | {"ops", "layers"},
    "losses": BASE | {"ops", "layers"},
    "metrics": BASE | {"ops", "layers"},
    "training": BASE | {"ops", "layers", "summary", "data"},
}
LOWER = set(MAY_IMPORT)
MAY_IMPORT["contrib"] = MAY_IMPORT["keras"] = LOWER
MAY_IMPORT["examples"] = LOWER
MAY_IMPORT["shim"] = LOWER | {"contrib", "keras", "examples", "contents"}


def imports(path):
    """The modules of `ferroflow._src` that a file imports, with the line."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            yield name, node.lineno


@pytest.mark.parametrize("layer", sorted(p.name for p in SOURCE.iterdir() if (p / "__init__.py").exists()))
def test_layer_imports_what_stands_below_it(layer):
    assert layer in MAY_IMPORT, f"{layer} is not in the table of docs/architecture.md"
    for path in sorted((SOURCE / layer).rglob("*.py")):
        for name, line in imports(path):
            parts = name.split(".")
            if parts[0] != "ferroflow" or parts[1:2] == ["_core"] or "generated" in path.parts:
                continue
            where = f"{path.relative_to(SOURCE)}:{line}"
            assert parts[1:2] == ["_src"] or layer == "shim", f"{where}: code may not import pages ({name})"
            if parts[1:2] == ["_src"]:
                used = parts[2]
                assert used == layer or used in MAY_IMPORT[layer], (
                    f"{where}: {layer} may not use {used}; see docs/architecture.md"
                )
