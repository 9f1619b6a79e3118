"""The laboratory: tables of published papers, run again row by row."""
