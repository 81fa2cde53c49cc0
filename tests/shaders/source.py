"""Shader text from a file in `shaders/` and its constants: the twin of `src/backend/gpu/source.rs`, line by line.

A directive is a line whose first characters are `//!` and one of these words; any other `//!` line is prose.

    //!default NAME 8         a constant's value when none is given
    //!include lib/math.wgsl  the file's lines, the first time it is asked for
    //!if NAME                lines kept when NAME is given and not 0; also `//!if NAME == 3`
    //!else
    //!for i in 0..TILE       lines repeated, `$i` replaced; bounds are numbers or constants
    //!end                    closes `if` and `for`; both may nest

Each constant stands as `const NAME: u32 = 8u;` before everything else, so array sizes may use it.
"""

import pathlib

SHADERS = pathlib.Path(__file__).parents[2] / "shaders"
DIRECTIVES = ("default", "include", "if", "else", "for", "end")


def expand(name, constants=None, read=None, ending=None):
    """The WGSL of shader `name` (a file in `shaders/` without its ending).

    Args:
      name: file name, `"softmax"`.
      constants: dict of name to a non-negative int.
      read: function from a path under `shaders/` to its text; the default reads the files.
      ending: text in the place of `lib/end.wgsl`.
    Raises:
      ValueError: an unknown name, an open block, a directive that does not read.
    """
    files = read or (lambda path: (SHADERS / path).read_text(encoding="utf-8"))
    read = files if ending is None else lambda path: ending if path == "lib/end.wgsl" else files(path)
    included = set()
    lines = include(f"{name}.wgsl", read, included)
    values = {}
    for line in lines:
        word, rest = directive(line)
        if word == "default":
            key, value = rest.split()
            values.setdefault(key, int(value))
    values.update(constants or {})
    body = block(lines, values)
    head = [f"const {key}: u32 = {value}u;" for key, value in sorted(values.items())]
    return "\n".join(head + body) + "\n"


def expand_text(text, constants=None):
    """The WGSL of a text that is no file of its own."""
    return expand("text", constants, lambda path: text if path == "text.wgsl" else (SHADERS / path).read_text())


def directive(line):
    """The directive's word and the rest of its line, or (None, "")."""
    text = line.strip()
    if not text.startswith("//!"):
        return None, ""
    word, _, rest = text[3:].partition(" ")
    return (word, rest.strip()) if word in DIRECTIVES else (None, "")


def include(path, read, included):
    """The lines of `path` with its includes in place, each file once."""
    included.add(path)
    lines = []
    for line in read(path).splitlines():
        word, rest = directive(line)
        if word != "include":
            lines.append(line)
        elif rest not in included:
            lines.extend(include(rest, read, included))
    return lines


def block(lines, values):
    """The lines with `if` and `for` carried out."""
    out = []
    at = 0
    while at < len(lines):
        word, rest = directive(lines[at])
        if word in ("if", "for"):
            other, end = closing(lines, at)
            if word == "if":
                kept = lines[at + 1 : other] if holds(rest, values) else lines[other + 1 : end]
                out.extend(block(kept, values))
            else:
                out.extend(repeat(lines[at + 1 : end], rest, values))
            at = end
        elif word in ("else", "end"):
            raise ValueError(f"line {lines[at]!r} closes nothing")
        elif word is None:
            out.append(lines[at])
        at += 1
    return out


def closing(lines, start):
    """Where the block opened at `start` has its `else` (or its end) and its end."""
    depth = 0
    other = None
    for at in range(start, len(lines)):
        word, _ = directive(lines[at])
        if word in ("if", "for"):
            depth += 1
        elif word == "else" and depth == 1:
            other = at
        elif word == "end":
            depth -= 1
            if depth == 0:
                return (at if other is None else other), at
    raise ValueError(f"line {lines[start]!r} has no //!end")


def holds(condition, values):
    """Whether `NAME` is given and not 0, or `NAME == 3` is so."""
    words = condition.split()
    if len(words) == 1:
        return values.get(words[0], 0) != 0
    if len(words) == 3 and words[1] == "==":
        return number(words[0], values) == number(words[2], values)
    raise ValueError(f"//!if {condition}: say NAME or NAME == 3")


def repeat(lines, header, values):
    """The lines once for each value of the loop `i in 0..TILE`."""
    name, word, span = header.split()
    low, _, high = span.partition("..")
    if word != "in" or not high:
        raise ValueError(f"//!for {header}: say i in 0..TILE")
    out = []
    for i in range(number(low, values), number(high, values)):
        out.extend(block([line.replace(f"${name}", str(i)) for line in lines], values))
    return out


def number(text, values):
    """A decimal number, or the value of a constant; 0 for a constant that is not given."""
    return int(text) if text.isdigit() else values.get(text, 0)
