"""The commands of `python -m minigrad`, one file each."""
