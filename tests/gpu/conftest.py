"""Tests that need a GPU. Without one they are skipped, and the summary says so loudly."""

import pytest
from ferroflow import _core

_NO_GPU = "NO GPU: no adapter is used (FERROFLOW_GPU=software takes Mesa's), or the build has no GPU support"


def _has_gpu() -> bool:
    return any(adapter["number"] is not None for adapter in _core.gpu_adapters())


def pytest_collection_modifyitems(items):
    if not _has_gpu():
        for item in items:
            if "tests/gpu" in str(item.path).replace("\\", "/"):
                item.add_marker(pytest.mark.skip(reason=_NO_GPU))


def pytest_terminal_summary(terminalreporter):
    if not _has_gpu():
        terminalreporter.section("the tests of the GPU DID NOT RUN", sep="!", red=True)
        terminalreporter.line(_NO_GPU)
