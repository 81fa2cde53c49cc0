"""No test leaves a default session to the next: programs of notes open InteractiveSessions and never close them."""

import pytest
from ferroflow._src.framework import stacks


@pytest.fixture(autouse=True)
def no_session_is_left():
    depth = len(stacks.session_stack.items)
    yield
    del stacks.session_stack.items[depth:]
