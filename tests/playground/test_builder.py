"""The page's file: complete, without references to other files, with minigrad's numbers, colours and words."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from html_pages import Reader
from minigrad.engine.errors import MinigradError
from minigrad.playground import builder
from minigrad.playground.experiments import EXPERIMENTS
from minigrad.playground.networks import Network
from minigrad.plot import style
from minigrad.recurrent import LSTM


@pytest.fixture(scope="module")
def reader(page: str) -> Reader:
    return Reader(page)


@pytest.fixture(scope="module")
def data(page: str) -> dict:
    (text,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page)
    return json.loads(text)


def test_nothing_comes_from_elsewhere(page: str, reader: Reader) -> None:
    assert reader.foreign() == []
    assert "://" not in page
    assert not re.search(r"@import|url\((?!#)|\bimport\b *[('\"{*]|fetch\(|XMLHttpRequest|WebSocket|sendBeacon", page)
    policy = next(meta["content"] for meta in reader.all("meta") if "http-equiv" in meta)
    assert policy.startswith("default-src 'none';")
    assert "http" not in policy


def test_it_is_one_small_file_in_one_language(page: str, reader: Reader) -> None:
    assert page.startswith("<!DOCTYPE html>\n")
    assert page.isprintable() or not {c for c in page if not c.isprintable()} - {"\n"}
    assert reader.all("html") == [{"lang": "en"}]
    assert len(reader.all("h1")) == 1
    assert len(page.encode()) < 150_000
    assert "{{" not in re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)


def test_it_is_the_same_each_time(page: str) -> None:
    assert builder.playground() == page


def test_labels_lead_to_what_is_there(reader: Reader) -> None:
    ids = [a["id"] for _, a in reader.seen if "id" in a]
    assert len(ids) == len(set(ids))
    wanted = {
        word
        for _, a in reader.seen
        for k in ("aria-labelledby", "aria-describedby")
        for word in (a.get(k) or "").split()
    }
    assert wanted <= set(ids)


def test_its_weights_are_minigrads(data: dict, nets: dict[str, Network]) -> None:
    assert [net["key"] for net in data["networks"]] == list(nets)
    for net in data["networks"]:
        for letter, weight in zip("WUb", nets[net["key"]].weights, strict=True):
            np.testing.assert_array_equal(net[letter], weight)


def test_its_numbers_are_those_that_trace_sees(data: dict, nets: dict[str, Network]) -> None:
    seen = builder.traced(nets["trained"])
    np.testing.assert_array_equal(data["expected"]["f"], seen.f[:, 0])
    np.testing.assert_array_equal(data["expected"]["ledger.c.carousel"], seen.ledger["c"]["carousel"][:, 0])
    assert len(data["expected"]) == 4 + 1 + 5 + 4 + 5  # gates, a, states and what arrives, dz, ledger
    assert {len(rows) for rows in data["expected"].values()} == {8}
    assert EXPERIMENTS[0].network == data["networks"][0]["key"]
    assert not EXPERIMENTS[0].held


def test_its_colours_are_those_of_the_pictures(page: str, data: dict) -> None:
    colours = {"i": style.BLUE, "f": style.VERMILION, "g": style.PURPLE, "o": style.GREEN, "carousel": style.BLACK}
    assert {k: data["looks"][k]["colour"] for k in colours} == colours
    assert f"--f: light-dark({style.VERMILION}, " in page
    dashes = [data["looks"][k]["dashes"] for k in "ifgo"]
    assert len(set(dashes)) == 4
    assert all(re.fullmatch(r"[\d ]*", each) for each in dashes)


def test_its_equations_are_the_sources(reader: Reader) -> None:
    words = re.sub(r"\s+", " ", "".join(reader.words))
    lines = [line.strip() for line in (LSTM.__doc__ or "").splitlines()[1:] if line.strip()]
    assert len(lines) >= 15
    for line in lines:
        assert re.sub(r"\s+", " ", line).replace("`", "") in words


def test_a_page_without_a_place_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    read = builder._read
    monkeypatch.setattr(builder, "_read", lambda name: read(name).replace("{{equations}}", ""))
    with pytest.raises(MinigradError, match=r"no place for equations: expected \{\{equations\}\} in it"):
        builder.playground()


def test_data_cannot_end_its_element() -> None:
    assert builder._json({"text": "</script>"}) == '{"text":"<\\/script>"}'
