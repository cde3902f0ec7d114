"""Finds what is wrong in case folders: one module for each thing that is looked at. See `evals.validate`."""
