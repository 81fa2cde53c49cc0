"""Who may use whom, and what `import ferroflow` costs and loads."""

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


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(
    "statement", ["import ferroflow", "import ferroflow.compat; ferroflow.compat.install(); import tensorflow as tf"]
)
def test_importing_loads_contents_alone(statement):
    loaded = run(
        f"import sys; before = set(sys.modules); {statement}; print(*sorted(set(sys.modules) - before))"
    ).split()
    assert [
        name for name in loaded if name.split(".")[0] in ("google", "absl", "rich", "numpy", "logging", "inspect")
    ] == []
    assert [name for name in loaded if name.startswith(("ferroflow._src.", "ferroflow._core"))] in (
        ["ferroflow._src.contents"],
        ["ferroflow._src.contents", "ferroflow._src.shim", "ferroflow._src.shim.finder", "ferroflow._src.shim.names"],
    )


def test_first_use_loads_no_protobuf():
    code = "import sys, ferroflow as tf; tf.Session().run(tf.constant(1) + 1); print([m for m in sys.modules if m[:6] == 'google'])"
    assert run(code) == "[]\n"


def test_importing_costs_less_than_sixty_milliseconds_more_than_numpy():
    code = "import time, numpy; start = time.process_time(); import ferroflow; print(time.process_time() - start)"
    assert min(float(run(code)) for _ in range(5)) < 0.060


def test_pages_find_their_names_when_asked():
    code = """
import builtins, pickle, sys, types
import ferroflow as tf
import ferroflow.nn
assert isinstance(builtins.__import__, types.BuiltinFunctionType)
assert {"constant", "nn", "GraphDef", "bool", "train"} <= set(dir(tf))
assert "relu" in dir(tf.nn) and "relu" not in vars(tf.nn)
assert tf.nn.relu is tf.nn.relu and "relu" in vars(tf.nn)
assert tf.nn is ferroflow.nn is sys.modules["ferroflow.nn"]
assert pickle.loads(pickle.dumps(tf.constant)) is tf.constant
assert not hasattr(tf, "no_such_name") and not hasattr(tf.nn, "no_such_name")
import ferroflow.compat
ferroflow.compat.install()
assert not hasattr(tf, "no_such_name") and not hasattr(tf, "TPUEstimator") and not hasattr(tf.contrib, "no_such_name")
names = {}
exec("from ferroflow import *", names)
assert names["bool"] is tf.bool and names["GraphDef"] is tf.GraphDef and names["nn"] is tf.nn
"""
    run(code)


def test_masks_and_variables_work_whatever_is_asked_for_first():
    run("from ferroflow.train import Saver; import ferroflow as tf; tf.get_default_graph(); tf.get_variable('v', [1])")
    run("import ferroflow as tf; x = tf.placeholder(tf.float32, [3]); x[x > 0.0]")
