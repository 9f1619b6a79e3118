"""PyTorch as a contender, where it is installed."""

from __future__ import annotations

import pytest

from minigrad.bench.workers.with_torch import Contender

torch = pytest.importorskip("torch")


@pytest.mark.parametrize("variant", ["lstm", "cell"])
def test_it_runs(variant):
    it = Contender(variant, 1)
    assert it.versions == {"torch": torch.__version__, "kernels": torch.backends.cpu.get_cpu_capability()}
    it.lstm(2, 3, 4, 5)()
    it.step(2, 3, 5, 2, 4)()
    it.finish()


def test_both_ways_give_the_same_numbers():
    one, other = Contender("lstm", 1), Contender("cell", 1)
    lstm, cell = one._recurrent(4, 5), other._recurrent(4, 5)
    cell.load_state_dict({name.removesuffix("_l0"): w for name, w in lstm.state_dict().items()})
    x = torch.randn(3, 2, 4)
    torch.testing.assert_close(one._sequence(lstm, x), other._sequence(cell, x))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_without_a_gpu_the_third_way_is_missing():
    with pytest.raises(ImportError, match="finds no CUDA device"):
        Contender("cuda", 1)
