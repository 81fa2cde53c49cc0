"""tf.contrib.slim.model_analyzer: how large a model is."""


def tensor_description(var):
    """Returns the type and shape of a tensor or variable as `(float32 1x8x8x1024)`."""
    return f"({var.dtype.name} {'x'.join(map(str, var.get_shape()))})"


def _num_elements(value):
    return value.get_shape().num_elements() or 0


def _print_heading(text):
    print("---------", text, "---------", sep="\n")


def analyze_ops(graph, print_info=False):
    """Returns how many elements all outputs of a graph's operations have; those of unknown shape count as none.

    Args:
      graph: a `Graph`.
      print_info: whether to print a line for each operation.
    """
    if print_info:
        _print_heading("Operations: name -> (type shapes) [size]")
    total = 0
    for op in graph.get_operations():
        size = sum(map(_num_elements, op.outputs))
        if print_info:
            shapes = ", ".join(tensor_description(output) for output in op.outputs if output.get_shape())
            print(op.name, "\t->", shapes, f"[{size}]")
        total += size
    return total


def analyze_vars(variables, print_info=False):
    """Returns how many elements variables have, and how many bytes.

    Args:
      variables: a list of `Variable`.
      print_info: whether to print a line for each and the sums.
    """
    if print_info:
        _print_heading("Variables: name (type shape) [size]")
    total_size = total_bytes = 0
    for var in variables:
        size = _num_elements(var)
        size_bytes = size * var.dtype.size
        if print_info:
            print(var.name, tensor_description(var), f"[{size}, bytes: {size_bytes}]")
        total_size += size
        total_bytes += size_bytes
    if print_info:
        print(f"Total size of variables: {total_size}")
        print(f"Total bytes of variables: {total_bytes}")
    return total_size, total_bytes
