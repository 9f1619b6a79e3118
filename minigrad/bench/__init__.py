"""``python -m minigrad bench``: minigrad compared with PyTorch and TensorFlow, on this machine.

`command` reads the command line, `sections` defines the measurements, `models` the whole models among them,
`contenders` the libraries that are compared, `harness` the measurement in turn, `figures` the statistics, `report` the
tables. `workers` holds the code that runs in the other processes.
"""
