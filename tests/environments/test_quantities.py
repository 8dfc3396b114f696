"""Amounts as people read them."""

import pytest

from hub.clusters.quantities import parse_bytes, show_bytes, show_limit


@pytest.mark.parametrize(
    ("amount", "words"),
    [(0, "0 bytes"), (999, "999 bytes"), (4 * 2**30, "4.3 GB"), (256 * 2**20, "268 MB"), (-(10**9), "-1.0 GB")],
)
def test_bytes_are_shown_in_decimal_units(amount: int, words: str) -> None:
    assert show_bytes(amount) == words


@pytest.mark.parametrize("amount", [0, 7, 999, 256 * 2**20, 4 * 2**30, 16 * 2**30, 64 * 2**30, 3 * 10**12 - 1])
def test_a_limit_is_never_shown_larger_than_it_is(amount: int) -> None:
    shown = show_limit(amount).replace(" bytes", "").replace(" ", "").replace("kB", "k").removesuffix("B")
    assert 0.9 * amount <= parse_bytes(shown) <= amount
