"""Code of the measured processes: `serve`, and one file for each library.

The files are started as scripts, in interpreters that may lack minigrad. Except for `with_minigrad`, they import only
the standard library and, on request, the library that they measure.
"""
