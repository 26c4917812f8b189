"""The rows of `tests/benchmark.py`, by subject."""
