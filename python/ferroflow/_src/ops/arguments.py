"""Arguments that TensorFlow has renamed: programs may use either name."""


def renamed(new_name, new, old_name, old):
    """Returns the value of an argument that has a new and an old name.

    Args:
      new_name: the new name.
      new: what was given by it; None for nothing.
      old_name: the old name.
      old: what was given by it; None for nothing.

    Raises:
      ValueError: when both were given.
    """
    if old is None:
        return new
    if new is not None:
        raise ValueError(f"Cannot specify both '{old_name}' and '{new_name}'")
    return old


def reduction(axis, keepdims, reduction_indices, keep_dims):
    """Returns (axis, keepdims) of a reduction that knows their older names too."""
    return renamed("axis", axis, "reduction_indices", reduction_indices), bool(
        renamed("keepdims", keepdims, "keep_dims", keep_dims)
    )
