"""A page in Firefox without a window, driven as by a user: fingers, keys, the mouse.

It speaks Marionette, Firefox's own protocol, over a socket of this machine, so it needs neither a driver nor a package.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from site_browser import firefox

SECONDS = 120
PREFERENCES = {
    "marionette.port": 0,  # a free one
    "dom.w3c_touch_events.enabled": 1,  # always
    "network.dns.disabled": True,
    "datareporting.policy.dataSubmissionEnabled": False,
}
KEYS = {
    "Control": "\ue009", "Shift": "\ue008", "Tab": "\ue004", "Delete": "\ue017", "Home": "\ue011", "End": "\ue010",
    "ArrowUp": "\ue013", "ArrowDown": "\ue015", "ArrowRight": "\ue014", "ArrowLeft": "\ue012", "PageUp": "\ue00e",
}  # fmt: skip


class Page:
    """One tab of Firefox."""

    def __init__(self, wire: socket.socket) -> None:
        self._socket = wire
        self._rest = b""
        self._number = 0
        self._read()  # a greeting
        self.call("WebDriver:NewSession", capabilities={"alwaysMatch": {"webSocketUrl": False}})

    def call(self, command: str, **parameters: Any) -> Any:
        """Return the answer to a command."""
        self._number += 1
        message = json.dumps([0, self._number, command, parameters]).encode()
        self._socket.sendall(b"%d:%s" % (len(message), message))
        _, number, error, result = self._read()
        assert number == self._number
        assert error is None, (command, error)
        return result.get("value") if isinstance(result, dict) else result

    def _read(self) -> Any:
        while b":" not in self._rest:
            self._more()
        length, _, self._rest = self._rest.partition(b":")
        while len(self._rest) < int(length):
            self._more()
        message, self._rest = self._rest[: int(length)], self._rest[int(length) :]
        return json.loads(message)

    def _more(self) -> None:
        part = self._socket.recv(1 << 16)
        assert part, "Firefox has gone"
        self._rest += part

    def open(self, address: str, width: int = 1400, height: int = 900) -> None:
        """Show a page in a frame of a size in pixels: a window of Firefox cannot be as narrow as a phone."""
        self.call("WebDriver:SwitchToFrame", id=None)
        self.call("WebDriver:SetWindowRect", width=max(width, 600) + 40, height=height + 200)
        self.call("WebDriver:Navigate", url=address)
        self.run("document.documentElement.innerHTML = '<body style=\"margin: 0\"></body>'")
        self.run(
            "const frame = document.createElement('iframe'); frame.src = arguments[0];"
            " frame.style = `border: 0; width: ${arguments[1]}px; height: ${arguments[2]}px`;"
            " document.body.append(frame); return new Promise(done => { frame.onload = done; }).then(() => null)",
            address, width, height,
        )  # fmt: skip
        element = self.call("WebDriver:FindElement", using="css selector", value="iframe")
        self.call("WebDriver:SwitchToFrame", element=next(iter(element.values())))

    def run(self, script: str, *arguments: Any) -> Any:
        """Return the result of a function's body, awaited."""
        return self.call("WebDriver:ExecuteScript", script=script, args=list(arguments))

    def see(self, expression: str) -> Any:
        """Return the value of an expression in which the names of the page's scripts are known."""
        return self.run(
            "const script = document.createElement('script');"
            " script.textContent = `window.found = JSON.stringify((() => ${arguments[0]})() ?? null)`;"
            " document.body.append(script); script.remove(); return JSON.parse(window.found)",
            expression,
        )

    def until(self, expression: str) -> None:
        """Wait until an expression is true."""
        until = time.monotonic() + SECONDS
        while not self.see(expression):
            assert time.monotonic() < until, expression
            time.sleep(0.05)

    def point(self, kind: str, selector: str, dx: float = 0, dy: float = 0) -> None:
        """Press the middle of an element by "touch" or "mouse", move by some pixels, and let go."""
        x, y = self.run(
            "const r = document.querySelector(arguments[0]).getBoundingClientRect();"
            " return [r.x + r.width / 2, r.y + r.height / 2]",
            selector,
        )
        moves = [
            {"type": "pointerMove", "duration": 20, "x": round(x + dx * n / 4), "y": round(y + dy * n / 4)}
            for n in range(1, 5)
        ]
        actions = [
            {"type": "pointerMove", "duration": 0, "x": round(x), "y": round(y)},
            {"type": "pointerDown", "button": 0},
            *(moves if dx or dy else []),
            {"type": "pointerUp", "button": 0},
        ]
        pointer = {"type": "pointer", "id": kind, "parameters": {"pointerType": kind}, "actions": actions}
        self.call("WebDriver:PerformActions", actions=[pointer])

    def press(self, *keys: str) -> None:
        """Press keys, the last one while the others are held."""
        codes = [KEYS.get(key, key) for key in keys]
        actions = [{"type": "keyDown", "value": key} for key in codes]
        actions += [{"type": "keyUp", "value": key} for key in reversed(codes)]
        self.call("WebDriver:PerformActions", actions=[{"type": "key", "id": "keys", "actions": actions}])


@contextmanager
def running(folder: Path, **preferences: Any) -> Iterator[Page]:
    """A page of Firefox that ends with the block.

    Args:
        folder: an empty one, for the profile.
        **preferences: of Firefox, dots as `__`.
    """
    path = firefox()
    if path is None:
        pytest.skip("there is no Firefox here; as root: apt-get install firefox-esr")
    wanted = PREFERENCES | {name.replace("__", "."): value for name, value in preferences.items()}
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in wanted.items()]
    (folder / "user.js").write_text("".join(lines), "utf-8")
    command = [path, "--headless", "--no-remote", "--marionette", "--profile", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        with socket.create_connection(("127.0.0.1", _port(folder / "MarionetteActivePort", process)), SECONDS) as wire:
            yield Page(wire)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _port(file: Path, process: subprocess.Popen[bytes]) -> int:
    """Return the port that Firefox writes down when it listens."""
    until = time.monotonic() + SECONDS
    while not (file.is_file() and file.read_text("utf-8").strip()):
        assert process.poll() is None, "Firefox ended at its start"
        assert time.monotonic() < until, "Firefox does not start"
        time.sleep(0.05)
    return int(file.read_text("utf-8"))
