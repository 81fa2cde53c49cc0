"""Losses in contrib's manner: predictions come first."""
