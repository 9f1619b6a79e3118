"""``python -m minigrad bench``: minigrad beside PyTorch and TensorFlow, on the machine at hand.

`command` reads the words, `sections` says what is measured, `contenders` who takes part, `harness` how it is done
fairly, `figures` how times become numbers, `report` how they are told. What runs in the other processes is in
`workers`.
"""
