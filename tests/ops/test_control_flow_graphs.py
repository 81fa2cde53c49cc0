"""Conditionals, loops and arrays make TensorFlow's nodes, gradients included, and its numbers."""

import json
import lzma
import pathlib

import ferroflow as tf
import numpy as np
import pytest

from . import control_flow_programs, graphs

with lzma.open(pathlib.Path(__file__).parent / "control_flow.json.xz", "rt") as file:
    RECORDED = json.load(file)


@pytest.mark.parametrize("label", RECORDED)
def test_program_makes_tensorflows_nodes_and_numbers(label):
    graphs.check(tf, np, control_flow_programs.PROGRAMS[label], RECORDED[label])


def test_every_program_is_recorded():
    assert set(RECORDED) == set(control_flow_programs.PROGRAMS)
