"""Computed tables of the pages in docs/; ``python -m docs tables`` writes them again."""
