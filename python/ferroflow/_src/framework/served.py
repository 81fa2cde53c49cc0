"""What the servers of this process hold: sessions of one target and graph have one state, as those of a cluster do."""

import threading
import weakref

_lock = threading.Lock()
_targets = {}  # target -> {graph: core session}


def serve(target):
    """From now on sessions with that target share what they hold."""
    with _lock:
        _targets.setdefault(target, weakref.WeakKeyDictionary())


def stop_serving(target):
    """The server is gone, and what it held."""
    with _lock:
        _targets.pop(target, None)


def forget(target):
    """Forgets what a server holds; sessions that are open find nothing."""
    with _lock:
        held = _targets.get(target)
        if held is None:
            return
        _targets[target] = weakref.WeakKeyDictionary()
    for session in list(held.values()):
        session.close()


def core_session(target, graph, make):
    """Returns (core session, whether it is shared): that of the target and graph, or what `make` makes."""
    with _lock:
        held = _targets.get(target)
        if held is None:
            return make(), False
        found = held.get(graph)
        if found is None:
            found = held[graph] = make()
        return found, True
