"""Benchmarks that are run by hand; `minigrad.bench` has the one for users."""
