"""The course: sources of the lessons, the notebooks made from them, and the command that makes them."""
