"""Recurrent networks: cells, wrappers around them, and the loops that run them over time."""
