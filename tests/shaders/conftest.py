"""The device that shaders are tested on; a line in the summary says which one, or that there is none."""

import pytest

try:
    from . import witness

    missing = None
except ImportError as error:  # wgpu-py is one of the test dependencies; the shaders are then only parsed
    missing = str(error)

found = {}


def device():
    if not found:
        adapter = witness.find_adapter() if missing is None else None
        found["gpu"] = adapter and witness.Gpu(adapter)
    return found["gpu"]


@pytest.fixture(scope="session")
def gpu():
    """A `witness.Gpu`; its `run` executes one shader."""
    if device() is None:
        pytest.skip(missing or "no adapter with immediates")
    return device()


def pytest_terminal_summary(terminalreporter):
    if not found:
        return
    if found["gpu"] is None:
        reason = missing or "no Vulkan, Metal or DX12 adapter was found"
        terminalreporter.write_line(f"SHADERS NOT RUN: {reason}", red=True, bold=True)
    else:
        terminalreporter.write_line(f"shaders ran on {found['gpu'].name}")
