"""What is wrong, and how a test says what it is answered."""

from __future__ import annotations

from typing import Any

import pytest

Wrong = tuple[Any, type[Exception], str]
"""What is done, and the error's class and words."""


def assert_answered(wrong: Wrong) -> None:
    act, error, message = wrong
    with pytest.raises(error) as caught:
        act()
    assert str(caught.value) == message
