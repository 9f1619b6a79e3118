"""Generator of the site's pages: docs/ with the output of its code, the lessons, the docstrings, the source."""
