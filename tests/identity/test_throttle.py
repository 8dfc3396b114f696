"""Guessing becomes slow, and nobody can lock anybody else out."""

import pytest

from hub.errors import Refused
from hub.identity import throttle
from hub.identity.throttle import FREE_FOR_ADDRESS, FREE_FOR_NAME, LONGEST_WAIT, Throttle, network_of


class Clock:
    """Time that passes only when a test says so."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def guard(clock: Clock) -> Throttle:
    return Throttle(clock)


def fail(guard: Throttle, times: int, name: str = "grace", address: str = "192.0.2.1") -> None:
    for _ in range(times):
        guard.admit(name, address, "stranger's browser")


@pytest.mark.case("A8-18")
def test_after_the_free_tries_each_further_one_waits_twice_as_long(guard: Throttle, clock: Clock) -> None:
    fail(guard, FREE_FOR_NAME)
    for seconds in (1, 2, 4, 8, 16, 32, 60, 60):
        clock.seconds += seconds - 0.5
        with pytest.raises(Refused, match="Wait 1 second, then try again"):
            fail(guard, 1)
        clock.seconds += 0.6
        fail(guard, 1)


@pytest.mark.case("A8-18")
def test_a_stranger_elsewhere_never_delays_a_person(guard: Throttle, clock: Clock) -> None:
    for _ in range(200):
        fail(guard, 1)
        clock.seconds += LONGEST_WAIT
    guard.admit("grace", "198.51.100.7", "her browser")


@pytest.mark.case("A8-18")
def test_a_stranger_at_the_same_address_never_delays_a_browser_that_was_logged_in_before(guard: Throttle) -> None:
    guard.admit("grace", "192.0.2.1", "her browser")
    guard.succeeded("grace", "192.0.2.1", "her browser")
    fail(guard, FREE_FOR_NAME)
    with pytest.raises(Refused):
        fail(guard, 1)
    guard.admit("grace", "192.0.2.1", "her browser")


def test_a_thief_of_a_known_browser_is_slowed_down_too(guard: Throttle) -> None:
    guard.succeeded("grace", "192.0.2.1", "her browser")
    for _ in range(FREE_FOR_NAME):
        guard.admit("grace", "192.0.2.1", "her browser")
    with pytest.raises(Refused):
        guard.admit("grace", "198.51.100.7", "her browser")


def test_one_address_that_tries_many_names_is_slowed_down(guard: Throttle) -> None:
    for number in range(FREE_FOR_ADDRESS):
        fail(guard, 1, name=f"person{number}")
    with pytest.raises(Refused):
        fail(guard, 1, name="another")


def test_success_takes_the_try_back(guard: Throttle) -> None:
    for number in range(FREE_FOR_ADDRESS * 3):
        guard.admit(f"person{number}", "192.0.2.1", f"browser {number}")
        guard.succeeded(f"person{number}", "192.0.2.1", f"browser {number}")


def test_an_hour_later_all_is_forgotten(guard: Throttle, clock: Clock) -> None:
    fail(guard, FREE_FOR_NAME)
    clock.seconds += throttle.FORGET_AFTER + 1
    fail(guard, FREE_FOR_NAME)


def test_memory_is_bounded_and_who_tries_most_is_not_dropped(guard: Throttle) -> None:
    for number in range(throttle.REMEMBERED + 100):
        fail(guard, 1, name=str(number), address=f"2001:db8:{number:x}::1")
    assert len(guard._counts) == throttle.REMEMBERED


def test_a_household_counts_as_one_however_many_addresses_it_has() -> None:
    assert network_of("2001:db8:1:2::1") == network_of("2001:db8:1:2:ffff::9") == "2001:db8:1:2::/64"
    assert network_of("192.0.2.1") == "192.0.2.1"
    assert network_of("nonsense" * 100) == ("nonsense" * 100)[:64]
