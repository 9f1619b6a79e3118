"""Code of the measured processes: `serve`, and one file for each library.

The files are started as scripts, in interpreters that may lack minigrad. They import only the standard library and, on
request, the library that they measure. The exceptions run in minigrad's own process: `with_minigrad`,
`models_minigrad`, and for its profile `recording` and `profiling`.
"""
