"""Tries to break the promise of exactly once and in order: `python -m bench.torture --help`."""
