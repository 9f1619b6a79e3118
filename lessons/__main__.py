"""`python -m lessons`: builds, checks and times the lessons."""

import sys

from lessons.builder.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
