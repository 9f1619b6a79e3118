"""Ctrl-C while ``python -m minigrad`` is still importing: one line and exit status 130, no traceback.

Most of that time goes into ``import minigrad``, which Python does before it runs ``minigrad/__main__.py``. So this
module is the first that the package imports. In every other program it does nothing.
"""

import os
import sys

INTERRUPTED = 130  # 128 and the number of SIGINT


def leave(number: int = 0, frame: object = None) -> None:
    """End the process at once: an exception could be caught, or wrapped in another one, by what is being imported."""
    os.write(2, b"minigrad: interrupted.\n")
    os._exit(INTERRUPTED)


def is_program() -> bool:
    """True in ``python -m minigrad`` while Python looks for ``minigrad.__main__``: ``sys.argv[0]`` is "-m" then."""
    return sys.argv[:1] == ["-m"] and sys.orig_argv[-len(sys.argv)] in ("minigrad", "-mminigrad")


if is_program():
    try:
        import signal

        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # not where it is ignored, as by nohup
            signal.signal(signal.SIGINT, leave)
    except KeyboardInterrupt:
        leave()
