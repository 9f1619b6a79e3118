"""Pages run in a real browser, headless Chromium, each with a script at its end that returns a result."""

from __future__ import annotations

import functools
import html
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run", "--disable-dev-shm-usage", "--host-resolver-rules=MAP * ~NOTFOUND",
)  # fmt: skip
INSTALL = ("apt-get", "-o", "DPkg::Lock::Timeout=300", "install", "-y", "--no-install-recommends", "chromium")

CATCH = "<script>const errors = []; addEventListener('error', event => errors.push(event.message));</script>"
REPORT = """
<pre id="found"></pre>
<script>
try {{
  const found = (() => {{ {script} }})();
  document.getElementById("found").textContent = JSON.stringify({{ found, errors }});
}} catch (error) {{
  document.getElementById("found").textContent = JSON.stringify({{ errors: [...errors, error.stack] }});
}}
</script>
"""


@functools.cache
def chromium() -> tuple[str | None, str]:
    """Return the browser, installed if that is allowed here; or None and the reason."""
    if (found := _found()) is not None:
        return found, ""
    if not shutil.which("apt-get"):
        return None, "there is no Chromium here, and no apt-get to install it with"
    if os.geteuid() != 0:
        return None, "there is no Chromium here; as root: apt-get install chromium"
    with _one_at_a_time():
        said = "" if _found() else _install()
    return _found(), f"there is no Chromium here, and apt-get could not install it: {said.strip()[-200:]}"


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Make other workers of pytest-xdist wait: of two simultaneous `apt-get update`, one fails."""
    import fcntl  # not on Windows, which has no apt-get either

    with open(__file__, "rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _install() -> str:
    """Install Chromium; return what apt-get wrote to standard error."""
    done = _run(INSTALL)
    if done.returncode:  # a fresh image has no lists of packages
        _run(("apt-get", "update"))
        done = _run(INSTALL)
    return done.stderr


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    return subprocess.run(
        command, capture_output=True, text=True, encoding="utf-8", check=False, env=environment, timeout=600
    )


def _found() -> str | None:
    return next((path for path in map(shutil.which, NAMES) if path), None)


def run_in_browser(page: str, script: str, folder: Path, width: int = 1400, height: int = 1600) -> Any:
    """Open a page and return the result of a JavaScript function body, which runs at its end.

    Args:
        page: HTML.
        script: statements; `return` ends them.
        folder: an empty one, for the page and the browser's profile.
        width: of the window, in pixels.
        height: of the window, in pixels.
    """
    browser, reason = chromium()
    if browser is None:
        pytest.skip(reason)
    file = folder / "page.html"
    shown = page.replace("<head>", f"<head>{CATCH}", 1).replace("</body>", REPORT.format(script=script) + "</body>", 1)
    assert shown.count(CATCH) == 1
    file.write_text(shown, "utf-8")
    profile = f"--user-data-dir={folder / 'profile'}"
    command = [browser, *QUIET, profile, f"--window-size={width},{height}", "--dump-dom", file.as_uri()]
    process = _run(command)
    text = re.search(r'<pre id="found">(.*?)</pre>', process.stdout, re.DOTALL)
    assert text, f"the browser ended with {process.returncode}: {process.stderr[-2000:]}"
    answer = json.loads(html.unescape(text[1]))
    assert not answer["errors"], answer["errors"]
    return answer["found"]
