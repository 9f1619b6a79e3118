"""The other end of `torch_worker`: PyTorch as a contender, in the interpreter that has it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

WORKER = Path(__file__).with_name("torch_worker.py")


class FailedError(Exception):
    """Failure of PyTorch to run the requested model."""


class TorchProcess:
    """A process that runs `torch_worker`; a context manager that ends it.

    Args:
        python: an interpreter.
        device: "cuda" or "cpu".

    Attributes:
        found: PyTorch's version, or nothing.
        missing: why it cannot take part, or nothing.
    """

    path = ""

    def __init__(self, python: str, device: str) -> None:
        self.name = "cuDNN" if device == "cuda" else "PyTorch"
        self._process = subprocess.Popen(
            [python, str(WORKER), device], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        try:
            answer = self._answer()
        except FailedError as error:
            answer = {"missing": str(error)}
        self.found, self.missing = answer.get("found", ""), answer.get("missing", "")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._process.kill()
        self._process.communicate()

    def seconds(self, request: Sequence[Any], repeats: int) -> float:
        """Return the seconds of one run, of this number in a row.

        Raises:
            FailedError: PyTorch failed, or its process has ended.
        """
        try:
            print(json.dumps([*request, repeats]), file=self._process.stdin, flush=True)
        except BrokenPipeError:
            raise FailedError("its process has ended") from None
        answer = self._answer()
        if "failed" in answer:
            raise FailedError(answer["failed"])
        return float(answer["seconds"])

    def _answer(self) -> dict[str, Any]:
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise FailedError(f"its process has ended (exit status {self._process.wait()})")
        answer: dict[str, Any] = json.loads(line)
        return answer
