"""Preference optimisation beside its recipes: what is minimised, and how it is reported."""
