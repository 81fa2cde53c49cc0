import pytest

from . import source

FILES = {
    "one.wgsl": "// prose\n//!default N 2\n//!include lib/a.wgsl\n//!include lib/b.wgsl\nfn main() {}\n",
    "lib/a.wgsl": "//!include lib/b.wgsl\nfn a() {}",
    "lib/b.wgsl": "fn b() {}",
}


def lines(text, constants=None):
    return source.expand("x", constants, {"x.wgsl": text}.__getitem__).splitlines()


def test_an_include_comes_once_and_before_its_user():
    text = source.expand("one", {"M": 3}, FILES.__getitem__)
    assert text == "const M: u32 = 3u;\nconst N: u32 = 2u;\n// prose\nfn b() {}\nfn a() {}\nfn main() {}\n"


def test_a_constant_given_goes_before_its_default():
    assert lines("//!default N 2", {"N": 5}) == ["const N: u32 = 5u;"]


@pytest.mark.parametrize(("constants", "kept"), [({}, ["b"]), ({"A": 0}, ["b"]), ({"A": 1}, ["a"])])
def test_if_keeps_one_side(constants, kept):
    assert lines("//!if A\na\n//!else\nb\n//!end", constants)[len(constants) :] == kept


def test_if_compares_with_a_number():
    text = "//!if A == 3\na\n//!end\nc"
    assert lines(text, {"A": 3})[1:] == ["a", "c"]
    assert lines(text, {"A": 2})[1:] == ["c"]


def test_loops_nest_and_take_constants_as_bounds():
    text = "//!for i in 0..N\n//!for j in $i..2\nx$i$j\n//!end\n//!end"
    assert lines(text, {"N": 2})[1:] == ["x00", "x01", "x11"]


def test_a_branch_not_taken_is_not_read():
    assert lines("//!if A\n//!for i in bad\n//!end\n//!end\nb") == ["b"]


def test_other_comments_are_prose():
    assert lines("//! What it computes.\n//!note") == ["//! What it computes.", "//!note"]


@pytest.mark.parametrize("text", ["//!if A", "//!end", "//!else", "//!if A < 3\n//!end", "//!for i 0..2\n//!end"])
def test_what_does_not_read_is_refused(text):
    with pytest.raises(ValueError):
        lines(text, {"A": 1})
