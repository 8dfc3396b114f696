"""Ids that name people's things."""

import pytest

from hub.clock import new_id


@pytest.mark.case("A2-10")
def test_an_id_has_128_random_bits() -> None:
    """Of 100,000 ids any two are different in every part of them that has 64 bits."""
    ids = [new_id() for _ in range(100_000)]
    assert {len(one) for one in ids} == {32}
    for part in (slice(0, 16), slice(8, 24), slice(16, 32)):
        assert len({int(one[part], 16) for one in ids}) == len(ids)
