"""The tasks of the papers as generators of sequences, and the tables' rows as data."""
