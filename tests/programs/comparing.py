"""What programs print, compared: the same words, and numbers as near as float32 arithmetic in another order leaves them."""

import re

NUMBER = re.compile(r"[-+]?(?:\d+\.\d*|\.\d+|\d+)(?:[eE][-+]?\d+)?")


def difference(expected: str, found: str, tolerance: float = 1e-4) -> str | None:
    """Returns the first line that differs, or None. Numbers differ when they are further apart than `tolerance`, relatively
    above one and absolutely below it."""
    wanted, given = expected.splitlines(), found.splitlines()
    for number, (want, give) in enumerate(zip(wanted, given), 1):
        if not _same(want, give, tolerance):
            return f"line {number}\nTensorFlow: {want}\nferroflow:  {give}"
    if len(wanted) != len(given):
        return f"{len(given)} lines in place of {len(wanted)}; the last: {(given or [''])[-1]}"
    return None


def _same(want: str, give: str, tolerance: float) -> bool:
    # NumPy pads numbers to one width, which their last digits decide.
    want, give = (re.sub(r" +([\]),])", r"\1", line) for line in (want, give))
    if want == give:
        return True
    if NUMBER.sub("#", want).split() != NUMBER.sub("#", give).split():
        return False
    for one, other in zip(NUMBER.findall(want), NUMBER.findall(give)):
        if one == other:
            continue
        if not any(mark in one + other for mark in ".eE"):  # counts are exact
            return False
        if abs(float(one) - float(other)) > tolerance * max(1.0, abs(float(one))):
            return False
    return True
