"""No test leaves a default session to the next: programs of notes open InteractiveSessions and never close them."""

import os

import pytest
from ferroflow._src.framework import stacks
from hypothesis import settings

# A commit fails for everybody or for nobody: the examples of properties are the same in each run. To look further:
# FERROFLOW_TEST_RANDOM=1.
settings.register_profile("same", derandomize=True)
if "FERROFLOW_TEST_RANDOM" not in os.environ:
    settings.load_profile("same")


@pytest.fixture(autouse=True)
def no_session_is_left():
    depth = len(stacks.session_stack.items)
    yield
    del stacks.session_stack.items[depth:]
