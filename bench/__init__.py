"""Measurements: `python -m bench` gives ratios, `python -m bench.torture` tries to break the promises."""
