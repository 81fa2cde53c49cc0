"""Each example, run by `ferroflow run`, prints what TensorFlow 1.15 prints (answers/, written by record.py)."""

import os
import subprocess
import sys

import catalogue
import comparing
import pytest

ANSWERS = os.path.join(catalogue.HERE, "answers")
LONGEST = 100  # lines


def run(script, arguments, folder):
    return subprocess.run(
        [sys.executable, "-m", "ferroflow", "run", script, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
    )


def examples():
    for name, script, arguments in catalogue.examples():
        yield pytest.param(name, script, arguments, id=name)


@pytest.mark.parametrize("name, script, arguments", list(examples()))
def test_example_prints_what_tensorflow_prints(name, script, arguments, tmp_path):
    done = run(script, arguments, tmp_path)
    assert done.returncode == 0, done.stderr
    with open(os.path.join(ANSWERS, name + ".txt"), encoding="utf-8") as file:
        assert comparing.difference(file.read(), done.stdout) is None


def test_autoencoder_writes_a_picture_of_inputs_and_reconstructions(tmp_path):
    _, script, _ = next(entry for entry in catalogue.examples() if entry[0] == "autoencoder")
    done = run(script, ["--steps", "8", "--folder", str(tmp_path)], tmp_path)
    assert done.returncode == 0, done.stderr
    header = (tmp_path / "reconstructions.png").read_bytes()[:24]
    assert header[:8] == b"\x89PNG\r\n\x1a\n"
    assert (int.from_bytes(header[16:20], "big"), int.from_bytes(header[20:24], "big")) == (280, 84)


def test_examples_are_short_and_listed():
    with open(os.path.join(catalogue.EXAMPLES, "README.md"), encoding="utf-8") as file:
        listed = file.read()
    for name in [name for name, _, _ in catalogue.examples()] + sorted(catalogue.OTHERS - {"mnist_inference"}):
        with open(os.path.join(catalogue.EXAMPLES, name + ".py"), encoding="utf-8") as file:
            assert len(file.readlines()) <= LONGEST, name
        assert name + ".py" in listed, name
