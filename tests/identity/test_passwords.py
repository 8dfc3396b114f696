"""What a new password must be, how it is kept, and what a check costs."""

import pytest

from hub.errors import Invalid
from hub.identity import authenticator, passwords
from hub.identity.passwords import check, hash_new
from tests.identity.conftest import PASSWORD

NAMES = ("grace", "Grace Hopper")


@pytest.mark.case("A8-16")
def test_a_password_is_kept_as_bcrypt_of_cost_twelve_and_checked_against_it() -> None:
    kept = hash_new(PASSWORD, *NAMES)
    assert kept.startswith("$2b$12$")
    assert check(PASSWORD, kept)
    assert not check(PASSWORD + "!", kept)


@pytest.mark.parametrize("short", ["", "a", "nine char"])
def test_a_short_password_is_refused(short: str) -> None:
    with pytest.raises(Invalid, match="too short"):
        hash_new(short)


@pytest.mark.parametrize("long", ["x1" * 37, "ü" * 37, "several words " * 1000])
def test_a_password_of_which_bcrypt_would_ignore_the_end_is_refused(long: str) -> None:
    with pytest.raises(Invalid, match="too long"):
        hash_new(long)


@pytest.mark.parametrize(
    "common",
    [
        "1234567890", "0987654321", "qwertyuiop", "Password123!", "p@ssw0rd2026", "letmeinletmein", "aaaaaaaaaaaaaaaa",
        "abcdefghijkl", "PodiumPodium1", "2026Streamlit", "correcthorsebatterystaple", "Administrator1",
    ],
)  # fmt: skip
def test_what_strangers_try_first_is_refused(common: str) -> None:
    with pytest.raises(Invalid, match="strangers try"):
        hash_new(common, *NAMES)


@pytest.mark.parametrize("own", ["grace-2026-xyz", "i am Hopper, hello", "GRACE HOPPER rules"])
def test_a_password_with_the_own_name_in_it_is_refused(own: str) -> None:
    with pytest.raises(Invalid, match="your name"):
        hash_new(own, *NAMES)


def test_a_password_with_a_nul_is_refused_because_bcrypt_would_stop_there() -> None:
    with pytest.raises(Invalid, match="no keyboard"):
        hash_new("seven quiet\0herons")


def test_the_same_word_from_another_keyboard_is_the_same_password() -> None:
    composed, decomposed = "sieben stille R\u00e4ume", "sieben stille Ra\u0308ume"
    assert check(decomposed, hash_new(composed))


@pytest.mark.parametrize("odd", ["", "\0", "\ud800" * 20, "x" * 10_000_000, "a\0b"])
def test_a_check_survives_whatever_is_typed(odd: str) -> None:
    assert not check(odd, None)
    assert not check(odd, hash_new(PASSWORD))


@pytest.mark.case("A8-17")
@pytest.mark.parametrize(("typed", "name"), [(PASSWORD, "known"), ("wrong", "known"), ("wrong", ""), ("x" * 500, "known")])
def test_every_check_costs_one_bcrypt_whether_the_name_exists_or_not(
    monkeypatch: pytest.MonkeyPatch, typed: str, name: str
) -> None:
    passwords.warm()
    kept = hash_new(PASSWORD) if name else None
    costs: list[str] = []
    original = authenticator.matches

    def counted(password: str, password_hash: str) -> bool:
        costs.append(password_hash[:7])
        return original(password, password_hash)

    monkeypatch.setattr(authenticator, "matches", counted)
    check(typed, kept)
    assert costs == ["$2b$12$"]
