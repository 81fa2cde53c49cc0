"""Prints what a checkpoint holds, as `tensorflow.python.tools.inspect_checkpoint`."""

import re

from ferroflow._src.framework.errors import OpError
from ferroflow._src.training.checkpoint_utils import new_checkpoint_reader


def print_tensors_in_checkpoint_file(
    file_name, tensor_name, all_tensors, all_tensor_names=False, count_exclude_pattern=""
):
    """Prints tensors of a checkpoint, and how many numbers it holds.

    Args:
      file_name: the checkpoint's prefix.
      tensor_name: the tensor to print; None or empty for names and shapes of all.
      all_tensors: whether to print all names and values.
      all_tensor_names: whether to print all names.
      count_exclude_pattern: a pattern of names that are not counted.
    """
    try:
        reader = new_checkpoint_reader(file_name)
        shapes = reader.get_variable_to_shape_map()
        if all_tensors or all_tensor_names:
            for key in sorted(shapes):
                print("tensor_name: ", key)
                if all_tensors:
                    print(reader.get_tensor(key))
        elif not tensor_name:
            print(reader.debug_string().decode("utf-8"))
        else:
            print("tensor_name: ", tensor_name)
            print(reader.get_tensor(tensor_name))
        print(f"# Total number of params: {_count(shapes, count_exclude_pattern)}")
    except (OpError, ValueError) as error:
        print(error)
        if re.search(r"\.(index|meta|data-\d+-of-\d+)$", file_name):
            print(f"A checkpoint goes by its prefix: try {re.sub(r'[.][^.]*$', '', file_name)}")


def _count(shapes, count_exclude_pattern):
    total = 0
    for name, shape in shapes.items():
        if count_exclude_pattern and re.match(count_exclude_pattern, name):
            continue
        number = 1
        for size in shape:
            number *= size
        total += number
    return total
