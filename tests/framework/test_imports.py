"""Who may use whom, and what `import ferroflow` costs."""

import re
import subprocess
import sys
from pathlib import Path

import ferroflow
import pytest

FRAMEWORK = Path(ferroflow.__file__).parent / "_src" / "framework"
ALLOWED = ("ferroflow._src.framework", "ferroflow._src.proto", "ferroflow._core")


@pytest.mark.parametrize("path", sorted(FRAMEWORK.glob("*.py")), ids=lambda p: p.stem)
def test_the_framework_uses_itself_the_core_and_messages_alone(path):
    for line in path.read_text().splitlines():
        found = re.match(r"\s*(?:from|import) (ferroflow\S*)(?: import (.*))?", line)
        if found:
            module, names = found.groups()
            whole = [f"{module}.{name.split(' ')[0]}" for name in (names or "").strip("()").split(", ") if name]
            used = whole if module in ("ferroflow", "ferroflow._src") else [module]
            assert all(name.startswith(ALLOWED) for name in used), line


def test_every_module_is_named_in_the_contents():
    contents = (FRAMEWORK / "__init__.py").read_text()
    missing = [p.stem for p in FRAMEWORK.glob("*.py") if not re.search(rf"\b{p.stem}\b", contents)]
    assert missing == ["__init__"]


def test_importing_loads_no_protobuf():
    code = "import sys, ferroflow; print([m for m in sys.modules if m.split('.')[0] in ('google', 'absl', 'rich')])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
