"""Makes the pages of the site: of docs/ with what its code prints, of the lessons, of the docstrings, of the source."""
