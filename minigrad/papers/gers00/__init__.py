"""Gers, Schmidhuber and Cummins, 2000, "Learning to Forget": the continual embedded Reber grammar, Table 2."""
