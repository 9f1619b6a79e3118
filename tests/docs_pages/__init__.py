"""The tables of `docs/` that are computed. ``(cd tests && python -m docs_pages)`` writes them anew."""
