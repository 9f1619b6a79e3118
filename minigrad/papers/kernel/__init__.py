"""The compiled trainer: online learning of one small net by truncated RTRL, or by BPTT for the full gradient.

`printing` prints a net's constants and the lines of its equations; `loops` has the sums, updates and stops, whose text
follows the printed one in a module; `build` compiles it with Numba, or runs it as Python where there is no Numba.
"""
