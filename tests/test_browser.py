"""Without a browser, the tests that need one say why they are skipped, or install it."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import browser


@pytest.fixture(autouse=True)
def _without(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As if there were none, and root asked for one."""
    monkeypatch.setattr(browser, "_found", lambda: None)
    monkeypatch.setattr(browser.os, "geteuid", lambda: 0, raising=False)
    monkeypatch.setattr(browser.shutil, "which", lambda name: f"/usr/bin/{name}")
    browser.chromium.cache_clear()
    yield
    browser.chromium.cache_clear()


def answered(monkeypatch: pytest.MonkeyPatch, code: int) -> list[str]:
    """Commands that ran, each answered by a code."""
    ran: list[str] = []

    def run(command: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
        ran.append(" ".join(command))
        return subprocess.CompletedProcess(command, code, "", "E: Unable to locate package chromium")

    monkeypatch.setattr(browser, "_run", run)
    return ran


def test_without_apt(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(browser.shutil, "which", lambda name: None)
    with pytest.raises(pytest.skip.Exception, match="no Chromium here, and no apt-get to install it with"):
        browser.run_in_browser("<head></head>", "", tmp_path)


def test_without_the_right_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ran = answered(monkeypatch, 0)
    monkeypatch.setattr(browser.os, "geteuid", lambda: 1000, raising=False)
    with pytest.raises(pytest.skip.Exception, match="as root: apt-get install chromium"):
        browser.run_in_browser("<head></head>", "", tmp_path)
    assert ran == []


def test_where_it_cannot_be_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ran = answered(monkeypatch, 100)
    with pytest.raises(pytest.skip.Exception, match="could not install it: E: Unable to locate package"):
        browser.run_in_browser("<head></head>", "", tmp_path)
    assert [line for line in ran if "install" not in line] == ["apt-get update"]
    assert ran[0].endswith("install -y --no-install-recommends chromium")


def test_it_is_installed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    ran = answered(monkeypatch, 0)
    monkeypatch.setattr(browser, "_found", lambda: "/usr/bin/chromium" if ran else None)
    assert browser.chromium()[0] == "/usr/bin/chromium"
    assert browser.chromium()[0] == "/usr/bin/chromium"
    assert len(ran) == 1


def test_another_worker_waits_until_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    first_is_at_it, ran = threading.Event(), []

    def run(command: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
        ran.append(command)
        first_is_at_it.set()
        time.sleep(0.2)
        installed.set()
        return subprocess.CompletedProcess(command, 0, "", "")

    installed = threading.Event()
    monkeypatch.setattr(browser, "_run", run)
    monkeypatch.setattr(browser, "_found", lambda: "/usr/bin/chromium" if installed.is_set() else None)
    with ThreadPoolExecutor() as pool:
        first = pool.submit(browser.chromium.__wrapped__)
        first_is_at_it.wait()
        assert pool.submit(browser.chromium.__wrapped__).result()[0] == first.result()[0] == "/usr/bin/chromium"
    assert len(ran) == 1


def test_an_error_of_the_page_is_one_of_the_test(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    said = '<pre id="found">{"errors": ["Uncaught ReferenceError: a"]}</pre>'
    monkeypatch.setattr(browser, "_found", lambda: "chromium")
    monkeypatch.setattr(browser, "_run", lambda command: subprocess.CompletedProcess(command, 0, said, ""))
    with pytest.raises(AssertionError, match="ReferenceError: a"):
        browser.run_in_browser("<head></head><body></body>", "return a;", tmp_path)
