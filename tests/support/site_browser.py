"""A built site in a browser, Chromium or Firefox: a script that opens its pages in a frame and measures them."""

from __future__ import annotations

import functools
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import browser

HARNESS = "/harness.html"
ANSWER = "/answer"
PAGE = """<!doctype html><title>harness</title><body style="margin: 0"><script>
const frame = document.createElement("iframe");
document.body.append(frame);
const scheme = { light: ["default", 1], dark: ["slate", 2] };

// Opens a page in the frame, with its fonts and pictures, at a width in pixels, in the light or the dark scheme.
async function open_page(address, width, name = "light") {
  const [value, index] = scheme[name];
  const color = { media: `(prefers-color-scheme: ${name})`, scheme: value, primary: "indigo" };
  localStorage.setItem("/.__palette", JSON.stringify({ index, color }));
  frame.style = `border: 0; width: ${width}px; height: 900px`;
  await new Promise(done => { frame.onload = done; frame.src = "/" + address; });
  await frame.contentDocument.fonts.ready;
  await new Promise(done => setTimeout(done, 50));
  return frame.contentDocument;
}

(async () => {
  let answer;
  try {
    answer = { found: await (async () => { SCRIPT })() };
  } catch (error) {
    answer = { error: String(error.stack) };
  }
  await fetch("/answer", { method: "POST", body: JSON.stringify(answer) });
})();
</script>"""
FIREFOX = ("firefox-esr", "firefox")


@functools.cache
def firefox() -> str | None:
    """Return the path of Firefox, installed if that is allowed here, or None."""
    if _found() is None and shutil.which("apt-get") and os.geteuid() == 0:
        with browser._one_at_a_time():
            browser._run((*browser.INSTALL[:-1], "firefox-esr"))
    return _found()


def _found() -> str | None:
    return next((path for path in map(shutil.which, FIREFOX) if path), None)


def command(name: str, profile: Path) -> list[str]:
    """Return the command that starts a browser without a window, or skip the test."""
    if name == "chromium":
        path, reason = browser.chromium()
        if path is None:
            pytest.skip(reason)
        quiet = [option for option in browser.QUIET if not option.startswith("--host-resolver-rules")]
        rules = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
        window = ("--window-size=1500,1000", "--remote-debugging-port=0")
        return [path, *quiet, rules, *window, f"--user-data-dir={profile}"]
    path = firefox()
    if path is None:
        pytest.skip("there is no Firefox here; as root: apt-get install firefox-esr")
    profile.mkdir(exist_ok=True)
    (profile / "user.js").write_text('user_pref("network.dns.disabled", true);\n', "utf-8")  # 127.0.0.1 needs none
    return [path, "--headless", "--no-remote", "--width", "1500", "--height", "1000", "--profile", str(profile)]


class Server(ThreadingHTTPServer):
    """A server that is silent about pages that the browser leaves before they are complete."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def run_on_site(name: str, site: Path, script: str, profile: Path, seconds: float = 500) -> Any:
    """Return the result of a script, the body of an asynchronous function, that runs next to the pages of a site.

    Args:
        name: "chromium" or "firefox".
        site: the folder that is served.
        script: JavaScript; `open_page(address, width, scheme)` returns the document of a page.
        profile: an empty folder.
        seconds: the longest time.
    """
    answers: queue.Queue[Any] = queue.Queue()
    server = Server(("127.0.0.1", 0), functools.partial(_handler(script, answers), directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    started = [*command(name, profile), f"http://127.0.0.1:{server.server_port}{HARNESS}"]
    process = subprocess.Popen(started, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        answer = answers.get(timeout=seconds)
    except queue.Empty:
        raise AssertionError(f"{name} did not answer within {seconds} seconds") from None
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        server.shutdown()
        server.server_close()
    assert "error" not in answer, answer["error"]
    return answer["found"]


def _handler(script: str, answers: queue.Queue[Any]) -> type[SimpleHTTPRequestHandler]:
    """Return a handler of requests that serves the pages and the harness, and takes the answer."""

    class Handler(SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == HARNESS:
                self._send(PAGE.replace("SCRIPT", script).encode())
            else:
                super().do_GET()

        def do_POST(self) -> None:
            answers.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self._send(b"")

        def _send(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    return Handler
