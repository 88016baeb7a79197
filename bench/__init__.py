"""Benchmarks: what is claimed of speed, freshness and crash safety, measured.

Each prints a table for people and writes `bench/results/<name>.json`. `make bench` runs all.
"""
