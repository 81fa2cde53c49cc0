"""Wrong programs fail as in TensorFlow 1.15: class and message of what is raised, recorded in golden.json.

`differences.txt` lists where we say something else: where the message names Python's or NumPy's own words,
where TensorFlow's is wrong, and what is yet to be done. `python tests/errors/test_errors.py` writes it anew.
"""

import json
from pathlib import Path

import ferroflow.compat
import numpy as np
import pytest
from harness import run

HERE = Path(__file__).parent
GOLDEN = json.loads((HERE / "golden.json").read_text(encoding="utf-8"))
DIFFERENCES = HERE / "differences.txt"
HEAD = (
    "# Where an error differs from TensorFlow's: file, snippet, number of the t(), what we say. Made by test_errors.py."
)


def survey(name):
    """The differences of one file of snippets, a line each."""
    ferroflow.compat.install()
    try:
        import tensorflow as tf

        ours = run(tf, np, (HERE / "snippets" / name).read_text(encoding="utf-8"))
    finally:
        ferroflow.compat.uninstall()
    found = []
    for snippet, (theirs, own) in enumerate(zip(GOLDEN[name], ours, strict=True)):
        for i in range(max(len(theirs), len(own))):
            said = own[i] if i < len(own) else "nothing"
            if i >= len(theirs) or theirs[i] != said:
                found.append(f"{name} {snippet} {i}: {said!r}")
    return found


@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_errors_are_tensorflows(name):
    lines = DIFFERENCES.read_text(encoding="utf-8").splitlines()
    recorded = {line.split(":")[0] for line in lines}
    assert [line for line in survey(name) if line.split(":")[0] not in recorded] == [], "new differences"


if __name__ == "__main__":
    every = [line for name in sorted(GOLDEN) for line in survey(name)]
    DIFFERENCES.write_text("\n".join([HEAD, *every]) + "\n", encoding="utf-8")
    print(len(every))
