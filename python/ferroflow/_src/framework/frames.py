"""Where a program made each node: taken at every op, so it must cost next to nothing.

What is kept of a stack is a tuple (code, instruction, code, instruction, ...), innermost first, of the frames outside
this package; line numbers are looked up when an error is shown. Code objects hold no variables, so nothing lives
longer for it.
"""

import linecache
import os
import sys

_HERE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))) + os.sep
_LIMIT = 24
_own: dict = {}


def is_own(code):
    """Whether the code is this package's: such frames say nothing to the author of a program."""
    known = _own.get(code)
    if known is None:
        known = _own[code] = code.co_filename.startswith((_HERE, "<frozen importlib", "<__array_function__"))
    return known


def take(depth=1):
    """Returns the stack of the caller's caller (or `depth` further out), as few as `_LIMIT` frames."""
    frame = sys._getframe(depth)
    found = []
    while frame is not None:
        code = frame.f_code
        own = _own.get(code)
        if own is None:
            own = is_own(code)
        if not own:
            found.append(code)
            found.append(frame.f_lasti)
            if len(found) >= 2 * _LIMIT:
                break
        frame = frame.f_back
    return tuple(found)


def _line(code, instruction):
    for start, end, line in code.co_lines():
        if start <= instruction < end and line is not None:
            return line
    return code.co_firstlineno


def entries(stack):
    """Returns [(file name, line, function, text of the line)], outermost first, as `traceback.extract_stack` does."""
    found = []
    for i in range(0, len(stack or ()), 2):
        code = stack[i]
        line = _line(code, stack[i + 1])
        found.append((code.co_filename, line, code.co_name, linecache.getline(code.co_filename, line).strip()))
    found.reverse()
    return found


def definition(stack):
    """Returns `file.py:12` of the innermost frame, or an empty string."""
    return f"{stack[0].co_filename}:{_line(stack[0], stack[1])}" if stack else ""


def formatted(stack):
    """Returns the stack as Python prints one: two lines a frame."""
    lines = []
    for file, line, function, text in entries(stack):
        lines.append(f"  File {file!r}, line {line}, in {function}".replace("'", '"', 2))
        if text:
            lines.append(f"    {text}")
    return "\n".join(lines)
