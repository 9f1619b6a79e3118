"""python -m minigrad sample."""

from __future__ import annotations

from functools import partial

import pytest

from option_errors import NUMBER_FROM_0, POSITIVE_INTEGER
from run_errors import NO_FOLDER, TEXT_ONLY


@pytest.fixture
def sample(command):
    return partial(command, "sample")


def test_text_is_written_with_the_seed(sample):
    code, out, _ = sample("text", "--length", 40, "--prompt", "the fox", "--temperature", 1)
    assert code == 0
    assert out.startswith("the fox")
    assert len(out) == len("the fox") + 40 + 1
    again = sample("text", "--length", 40, "--prompt", "the fox", "--temperature", 1, "--seed", 0)
    other = sample("text", "--length", 40, "--prompt", "the fox", "--temperature", 1, "--seed", 1)
    assert again[1] == out != other[1]


def test_examples_of_other_tasks(sample):
    code, out, _ = sample("adding", "--length", 5)
    assert code == 0
    assert out.count("the model outputs") == 5


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ([], "the following arguments are required: RUN"),
        (["none"], f"none: {NO_FOLDER}."),
        (["text", "--prompt", "Ärger"], "got 'Ä'. The vocabulary is: "),
        (["text", "--temperature", "-1"], f"--temperature: {NUMBER_FROM_0}, got -1.0."),
        (["text", "--length", "0"], f"--length: {POSITIVE_INTEGER}, got 0."),
        (["text", "--prompt"], "--prompt: expected one argument."),
        (["adding", "--prompt", "a"], f"--prompt: {TEXT_ONLY}"),
        (["text", "--lenght", "3"], "Did you mean '--length'?"),
    ],
)
def test_mistakes_are_answered_in_a_sentence(sample, words, part):
    code, out, err = sample(*words)
    assert code == 2
    assert out == ""
    assert err.startswith("minigrad: ")
    assert part in err
    assert err.count("\n") == 1
