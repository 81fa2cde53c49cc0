"""What pieces of TensorFlow 1 code print and build, against TensorFlow 1.15.5's answers (`snippets.py`)."""

import importlib.util
import math
import os
import re

import ferroflow as tf
import ferroflow.compat
import numpy as np
import pytest

_FOLDER = os.path.dirname(os.path.abspath(__file__))
_SPEC = importlib.util.spec_from_file_location("recorded_snippets", os.path.join(_FOLDER, "snippets.py"))
snippets = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(snippets)

_NUMBER = re.compile(r"-?\d+\.?\d*(?:e[+-]?\d+)?")


def _cases():
    names = [name for name in sorted(os.listdir(_FOLDER)) if name.endswith(".txt")]
    return [pytest.param(name, *piece, id=f"{name[:-4]}: {piece[0]}") for name in names for piece in snippets.pieces(name)]


def _is_same(got, want):
    """Texts are equal but for the last digits of numbers and the spaces beside them."""
    got, want = (re.sub(r" +(?=[\]),])", "", text) for text in (got, want))
    if _NUMBER.sub("#", got).split() != _NUMBER.sub("#", want).split():
        return False
    pairs = zip(_NUMBER.findall(got), _NUMBER.findall(want), strict=True)
    return all(math.isclose(float(a), float(b), rel_tol=1e-5, abs_tol=1e-6) for a, b in pairs)


@pytest.fixture(autouse=True)
def shim():
    ferroflow.compat.install()
    yield
    ferroflow.compat.uninstall()


@pytest.mark.parametrize(("name", "title", "code"), _cases())
def test_a_piece_prints_and_builds_what_it_does_in_tensorflow(name, title, code):
    want = snippets.answers_of(name)[title]
    with np.printoptions(legacy="1.25"):
        got = snippets.run(tf, np, code, title)
    want = {key: [snippets.tidy(line) for line in lines] for key, lines in want.items()}
    for key in ("printed", "nodes"):
        wrong = [(g, w) for g, w in zip(got[key], want[key], strict=False) if not _is_same(g, w)]
        assert not wrong, f"{key}: got {wrong[0][0]!r}\nbut TensorFlow {wrong[0][1]!r}"
        assert len(got[key]) == len(want[key]), key
