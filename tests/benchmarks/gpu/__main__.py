"""Run the GPU baseline from any folder, whether minigrad is installed or not."""

import signal
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
# A folder that is run as a script comes first on the path; its modules are imported by their full names instead.
sys.path[:] = [path for path in sys.path if Path(path).resolve() != Path(__file__).parent.resolve()]
sys.path[:0] = [str(ROOT), str(ROOT / "backends"), str(ROOT / "tests")]

from benchmarks.gpu.command import main  # noqa: E402

if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # `timeout` ends the running part's process too
    sys.exit(main(sys.argv[1:]))
