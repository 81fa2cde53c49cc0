"""tf.set_random_seed, and the pair of seeds that a random op gets."""

from ferroflow._src.framework import stacks

DEFAULT_GRAPH_SEED = 87654321
_LARGEST = 2**31 - 1


def get_seed(op_seed):
    """Returns the two seeds of a random op that is about to be made.

    Without a graph seed and an op seed both are None: each run of the program is different. With a graph seed alone
    the op's is the number of operations made so far; with an op seed alone the graph's is a fixed one.

    Args:
      op_seed: an int, or None.
    """
    graph = stacks.get_default_graph()
    if graph.seed is not None:
        if op_seed is None:
            op_seed = graph._last_id
        seeds = graph.seed % _LARGEST, op_seed % _LARGEST
    elif op_seed is not None:
        seeds = DEFAULT_GRAPH_SEED, op_seed % _LARGEST
    else:
        return None, None
    # Two zeros would mean: take a random seed.
    return (0, _LARGEST) if seeds == (0, 0) else seeds


def set_random_seed(seed):
    """Sets the graph seed of the default graph: an int, or None."""
    stacks.get_default_graph().seed = seed
