"""Wrong calls, each with the error that it must raise."""

from __future__ import annotations

from typing import Any

import pytest

Wrong = tuple[Any, type[Exception], str]
"""A call, and the class and the whole message of the error."""


def assert_answered(wrong: Wrong) -> None:
    act, error, message = wrong
    with pytest.raises(error) as caught:
        act()
    assert str(caught.value) == message
