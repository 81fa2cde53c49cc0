"""Training in contrib's manner."""
