"""A page in a running browser, driven as by a user: touches, keys, window sizes, colour schemes, pictures.

It speaks the Chrome DevTools Protocol over two pipes, so it needs neither a port nor a package.
"""

from __future__ import annotations

import base64
import itertools
import json
import os
import select
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from browser import QUIET, chromium

KEYS = {
    "ArrowUp": 38, "ArrowDown": 40, "ArrowRight": 39, "ArrowLeft": 37, "Tab": 9, "Delete": 46, "Home": 36, "End": 35,
    "Enter": 13, "Escape": 27, "PageUp": 33,
}  # fmt: skip
CONTROL, SHIFT = 2, 8
SECONDS = 60


class Page:
    """One tab of a browser."""

    def __init__(self, commands: int, answers: int) -> None:
        self._commands, self._answers, self._rest = commands, answers, b""
        self._numbers, self._session = itertools.count(1), ""
        self.errors: list[str] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.call("Page.enable")
        self.call("Runtime.enable")

    def call(self, method: str, **parameters: Any) -> Any:
        """Return the answer to a command of the protocol."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("method") == "Runtime.exceptionThrown":
                self.errors.append(json.dumps(answer["params"]["exceptionDetails"])[:500])
            if answer.get("id") == number:
                assert "error" not in answer, (method, answer["error"])
                return answer["result"]

    def _read(self) -> dict[str, Any]:
        until = time.monotonic() + SECONDS
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._answers], [], [], max(0.0, until - time.monotonic()))
            assert ready, "the browser does not answer"
            self._rest += os.read(self._answers, 1 << 20)
        message, _, self._rest = self._rest.partition(b"\0")
        found: dict[str, Any] = json.loads(message)
        return found

    def open(self, address: str, width: int = 1400, height: int = 900, touch: bool = False) -> None:
        """Show a page in a window of a size in pixels."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=touch)
        self.call("Emulation.setTouchEmulationEnabled", enabled=touch, maxTouchPoints=1)
        self.call("Page.navigate", url="about:blank")  # another # alone would not load the page again
        self.call("Page.navigate", url=address)
        self.until("document.readyState === 'complete' && location.href !== 'about:blank'")
        self.run("new Promise(done => requestAnimationFrame(() => setTimeout(done, 30)))")

    def media(self, **features: str) -> None:
        """Set media features, such as prefers_color_scheme="dark"."""
        named = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
        self.call("Emulation.setEmulatedMedia", features=named)

    def run(self, expression: str) -> Any:
        """Return the value of a JavaScript expression, awaited."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def until(self, expression: str) -> None:
        """Wait until a JavaScript expression is true."""
        until = time.monotonic() + SECONDS
        while not self.run(expression):
            assert time.monotonic() < until, expression
            time.sleep(0.02)

    def centre(self, selector: str) -> tuple[float, float]:
        """Return the middle of an element in the window, in pixels."""
        x, y = self.run(
            f"(() => {{ const r = document.querySelector({json.dumps(selector)}).getBoundingClientRect();"
            " return [r.x + r.width / 2, r.y + r.height / 2]; })()"
        )
        return x, y

    def touch(self, selector: str, dx: float = 0, dy: float = 0) -> None:
        """Touch the middle of an element, move the finger, and lift it."""
        x, y = self.centre(selector)
        places = [(x + dx * n / 4, y + dy * n / 4) for n in range(1, 5)] if dx or dy else []
        for kind, (at_x, at_y) in [("touchStart", (x, y)), *(("touchMove", place) for place in places)]:
            self.call("Input.dispatchTouchEvent", type=kind, touchPoints=[{"x": at_x, "y": at_y}])
        self.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])

    def drag(self, selector: str, dx: float, dy: float) -> None:
        """Drag the middle of an element with the mouse."""
        x, y = self.centre(selector)
        for kind, place in (
            ("mousePressed", (x, y)),
            ("mouseMoved", (x + dx, y + dy)),
            ("mouseReleased", (x + dx, y + dy)),
        ):
            self.call(
                "Input.dispatchMouseEvent", type=kind, x=place[0], y=place[1], button="left", buttons=1, clickCount=1
            )

    def click(self, selector: str) -> None:
        """Click an element through the page's own method."""
        self.run(f"document.querySelector({json.dumps(selector)}).click()")

    def press(self, key: str, modifiers: int = 0) -> None:
        """Press and release a key."""
        code = KEYS.get(key) or ord(key.upper())
        for kind in ("rawKeyDown", "keyUp"):
            self.call(
                "Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, modifiers=modifiers
            )

    def picture(self, file: Path) -> None:
        """Write what the window shows as a PNG file."""
        file.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))


@contextmanager
def running(folder: Path) -> Iterator[Page]:
    """A page of a browser that ends with the block.

    Args:
        folder: an empty one, for the browser's profile.
    """
    browser, reason = chromium()
    if browser is None:
        pytest.skip(reason)
    (read_commands, commands), (answers, write_answers) = os.pipe(), os.pipe()
    # The browser reads commands from descriptor 3 and writes answers into 4.
    joined = f'exec "$0" "$@" 3< /dev/fd/{read_commands} 4> /dev/fd/{write_answers}'
    options = [*QUIET, "--remote-debugging-pipe", f"--user-data-dir={folder / 'profile'}"]
    process = subprocess.Popen(
        ["/bin/sh", "-c", joined, browser, *options],
        pass_fds=(read_commands, write_answers), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(read_commands)
    os.close(write_answers)
    try:
        page = Page(commands, answers)
        yield page
        page.call("Browser.close")
    finally:
        process.kill()
        process.wait()
        os.close(commands)
        os.close(answers)
