"""Every case of the oracle: what TensorFlow 1.15.5 made of a program, ferroflow must make of it, node by node.

The recorded answers lie packed in golden.tar.xz; `README.md` says how they are made. A case that belongs to a later
issue is expected to fail, strictly: when it begins to pass, its line in `expected_failures.txt` must go.
"""

import os
import pathlib
import re
import subprocess
import sys
import tarfile

import pytest

HERE = pathlib.Path(__file__).parent
TIMEOUT_S = 300


def _cases():
    names = []
    for path in sorted((HERE / "cases").glob("*.py")):
        for function in re.findall(r"^def case_(\w+)\(", path.read_text(), re.MULTILINE):
            names.append(f"{path.stem}.{function}")
    return names


def _expected_failures():
    lines = (HERE / "expected_failures.txt").read_text().splitlines()
    return dict(line.split(None, 1) for line in lines if line and not line.startswith("#"))


def _parameters():
    reasons = _expected_failures()
    unknown = sorted(set(reasons) - set(_cases()))
    assert not unknown, f"expected_failures.txt names cases that are not there: {unknown}"
    for name in _cases():
        marks = [pytest.mark.xfail(strict=True, reason=reasons[name])] if name in reasons else []
        yield pytest.param(name, marks=marks)


@pytest.fixture(scope="session")
def golden(tmp_path_factory):
    folder = tmp_path_factory.mktemp("golden")
    with tarfile.open(HERE / "golden.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    return folder / "golden"


@pytest.mark.parametrize("case", list(_parameters()))
def test_case_gives_what_tensorflow_gave(case, golden):
    command = [sys.executable, str(HERE / "oracle.py"), "check", str(HERE / "cases"), str(golden)]
    run = subprocess.run(
        [*command, "--module", "ferroflow", "--only", case],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]
    assert f"PASS {case}" in run.stdout, run.stdout[-2000:]
