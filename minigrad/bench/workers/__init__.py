"""What runs in the processes that are measured: `serve`, and one file for each library.

They are started as scripts, in interpreters that need not have minigrad: but for `with_minigrad` they import nothing
but the standard library and, when told to, the library that they measure.
"""
