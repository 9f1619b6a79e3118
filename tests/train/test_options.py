"""One description for the command line, the check, config.json and its reader."""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass, replace

import numpy as np
import pytest

from minigrad.engine import kinds
from minigrad.layers.options import Configured
from minigrad.layers.options import option as layer_option
from minigrad.train.errors import OptionError
from minigrad.train.options import Options, adapted, add_options, option, option_specs
from minigrad.train.task import RunOptions, Sampling
from minigrad.train.tasks import TASKS
from option_errors import FLAG, POSITIVE, POSITIVE_INTEGER


@dataclass(frozen=True, kw_only=True)
class Walk(Options):
    steps: int = option(10, "how many steps", minimum=1)
    speed: float = option(1.0, "how fast", above=0, maximum=9)
    where: str = option("north", "the direction", choices=("north", "south"))
    guide_name: str | None = option(None, "who leads")


@dataclass(frozen=True, kw_only=True)
class Run(Walk):
    speed: float = adapted(Walk, "speed", 5.0)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"steps": 0}, f"--steps: {POSITIVE_INTEGER}, got 0."),
        ({"steps": -3}, f"--steps: {POSITIVE_INTEGER}, got -3."),
        ({"steps": 2.5}, f"--steps: {POSITIVE_INTEGER}, got 2.5."),
        ({"steps": True}, f"--steps: {POSITIVE_INTEGER}, got True."),
        ({"steps": None}, f"--steps: {POSITIVE_INTEGER}, got None."),
        ({"speed": 0}, f"--speed: {POSITIVE} and up to 9, got 0."),
        ({"speed": float("nan")}, f"--speed: {POSITIVE} and up to 9, got nan."),
        ({"where": "nort"}, "--where: expected one of 'north', 'south', got 'nort'. Did you mean 'north'?"),
        ({"where": 3}, "--where: expected one of 'north', 'south', got 3."),
        ({"guide_name": 3}, "--guide-name: expected a string, got 3."),
    ],
)
def test_a_value_that_is_not_allowed(values, message):
    with pytest.raises(OptionError) as error:
        Walk(**values)
    assert str(error.value) == message


def test_a_whole_number_serves_as_a_number():
    speed = Walk(speed=2).speed
    assert speed == 2.0
    assert type(speed) is float


def test_text_is_read_by_kind_and_checked():
    assert Walk.from_text({"steps": "3", "speed": "2"}) == Walk(steps=3, speed=2.0)
    with pytest.raises(OptionError, match=rf"--steps: {POSITIVE_INTEGER}, got 'x'\."):
        Walk.from_text({"steps": "x"})
    with pytest.raises(OptionError, match=r"got -1\."):
        Walk.from_text({"steps": "-1"})


def test_dict_and_back_is_json():
    walk = Run(steps=3, guide_name="Ada")
    values = json.loads(json.dumps(walk.to_dict()))
    assert list(values) == ["steps", "speed", "where", "guide_name"]
    assert Run.from_dict(values) == walk


def test_an_unknown_name_in_a_file_is_named_with_the_nearest():
    with pytest.raises(OptionError, match=r"config\.json: option: unknown name 'stps'\. Did you mean 'steps'"):
        Walk.from_dict({"stps": 3}, "config.json")


def test_an_adapted_option_keeps_text_and_limits():
    (base,) = (d for d in option_specs(Walk) if d.name == "speed")
    (own,) = (d for d in option_specs(Run) if d.name == "speed")
    assert replace(own, kind=base.kind) == replace(base, default=5.0)
    with pytest.raises(OptionError, match=rf"--speed: {POSITIVE} and up to 9, got 10\."):
        Run(speed=10)


@dataclass(frozen=True, kw_only=True)
class Sounds(Options):
    loud: bool = option(False, "whether to play loudly")
    seed: int | None = option(None, "seed of the notes")


@pytest.mark.parametrize(("text", "value"), [("true", True), ("True", True), ("false", False)])
def test_a_flag(text, value):
    assert Sounds.from_text({"loud": text}) == Sounds(loud=value)
    assert Sounds(loud=value).to_dict() == {"loud": value, "seed": None}


def test_what_is_no_flag():
    for make in (lambda: Sounds.from_text({"loud": "yes"}), lambda: Sounds(loud="yes")):
        with pytest.raises(OptionError, match=rf"^--loud: {FLAG}, got 'yes'\.$"):
            make()


@pytest.mark.parametrize("seed", [-1, 0, 2**128, -(2**128), np.int64(-3)])
def test_any_whole_number_is_a_seed(seed):
    options = Sounds(seed=seed)
    assert (
        Sounds.from_dict(json.loads(json.dumps(options.to_dict()))) == options == Sounds.from_text({"seed": str(seed)})
    )


def test_a_type_that_no_option_has():
    @dataclass(frozen=True, kw_only=True)
    class Steps(Options):
        of: list = option(None, "the steps")  # noqa: RUF009

    with pytest.raises(
        OptionError, match=r"Steps: `of`: expected the type int, float, str or bool, .* got <class 'list'>"
    ):
        Steps()


@pytest.mark.parametrize(
    ("kind", "name", "values"),
    [
        (kinds.whole(1, ceiling=2**128), "steps", [0, -3, 2.5, True, None, "3", np.ones(2), 10**40]),
        (kinds.real(above=0, maximum=9), "speed", [0, 10, float("nan"), float("inf"), True, None, "3", [1]]),
        (kinds.choice("north", "south"), "where", ["nort", "", 3, None, ["north"]]),
        (kinds.optional(kinds.text), "guide_name", [3, True, ["Ada"], b"Ada"]),
    ],
    ids=["whole", "real", "choice", "text"],
)
def test_an_option_of_a_run_says_the_same_as_an_option_of_a_layer(kind, name, values):
    Layer = type("Layer", (Configured,), {name: layer_option(kind)})
    for value in values:
        with pytest.raises(OptionError) as of_run:
            Walk(**{name: value})
        with pytest.raises(OptionError) as of_layer:
            Layer(**{name: value})
        flag = "--" + name.replace("_", "-")
        assert str(of_run.value).removeprefix(flag) == str(of_layer.value).removeprefix(f"Layer: `{name}`")


def test_the_command_line_offers_each_option_once():
    parser = argparse.ArgumentParser()
    add_options(parser, Walk)
    given = vars(parser.parse_args(["--steps", "3", "--guide-name", "Ada"]))
    assert given == {"steps": "3", "guide_name": "Ada", "speed": None, "where": None}
    assert Walk.from_text(given) == Walk(steps=3, guide_name="Ada")
    text = " ".join(parser.format_help().split())
    assert "--guide-name NAME who leads" in text
    assert "--where {north,south} the direction (default: north)" in text


@pytest.mark.parametrize("options", [RunOptions, Sampling, *(task.options_type for task in TASKS.values())])
def test_every_option_of_the_project_has_a_help_text_and_allowed_default(options):
    options()
    for each in option_specs(options):
        assert each.help
        assert each.help[0].islower()
        assert not each.help.endswith(".")
