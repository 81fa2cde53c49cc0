"""Distributions: laws of random numbers with samples, densities and divergences."""
