"""`import tensorflow` for programs that are not ours to edit: the finder, its table of names, and `ferroflow run`."""
