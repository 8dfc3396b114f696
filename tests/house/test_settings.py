"""Settings come from three places, are checked as a whole, and every fault is told at once."""

from pathlib import Path

import pytest

from hub.errors import CannotStart
from hub.settings import Settings, load
from hub.settings_seeds import KNOWN_WITHOUT_EFFECT

STRONG = "9f1c5be27a0d4836b1e4c7a2f05d9e83"


def loaded(tmp_path: Path, dotenv: str = "", **variables: str) -> Settings:
    return load_both(tmp_path, dotenv, **variables)[0]


def load_both(tmp_path: Path, dotenv: str = "", **variables: str) -> tuple[Settings, list[str]]:
    path = tmp_path / ".env"
    path.write_text(dotenv, encoding="utf-8")
    return load(variables, path)


def faults(tmp_path: Path, dotenv: str = "", **variables: str) -> str:
    with pytest.raises(CannotStart) as caught:
        load_both(tmp_path, dotenv, **variables)
    return caught.value.sentence


def test_without_any_setting_the_defaults_hold(tmp_path: Path) -> None:
    settings = load({}, tmp_path / "missing")[0]
    assert (settings.host, settings.port, settings.base_domain) == ("127.0.0.1", 8501, "localhost")


def test_the_prefixed_name_wins_over_the_bare_one_and_both_over_the_file(tmp_path: Path) -> None:
    assert loaded(tmp_path, "PORT=1001").port == 1001
    assert loaded(tmp_path, "PORT=1001", PORT="1002").port == 1002
    assert loaded(tmp_path, "PORT=1001", PORT="1002", PODIUM_PORT="1003").port == 1003
    assert loaded(tmp_path, "PODIUM_PORT=1004").port == 1004


def test_an_empty_value_is_no_value(tmp_path: Path) -> None:
    assert loaded(tmp_path, "PORT=\nSECRET_KEY=", PODIUM_HOST="").port == 8501


def test_an_unknown_name_in_the_file_stops_the_start(tmp_path: Path) -> None:
    assert "MAX_USER_PODZ in .env is not a setting" in faults(tmp_path, "MAX_USER_PODZ=2")


def test_an_unknown_name_with_our_prefix_in_the_process_environment_stops_the_start(tmp_path: Path) -> None:
    assert "PODIUM_UNKNOWN in the process environment" in faults(tmp_path, PODIUM_UNKNOWN="1")


def test_other_unknown_names_in_the_process_environment_are_passed_over(tmp_path: Path) -> None:
    assert load_both(tmp_path, HOME="/", UNKNOWN="1", DEBUG="1", SERVER="x")[1] == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PODIUM_SERVICE_HOST", "10.0.0.7"),
        ("PODIUM_SERVICE_PORT", "80"),
        ("PODIUM_SERVICE_PORT_HTTP", "80"),
        ("PODIUM_PORT", "tcp://10.0.0.7:80"),
        ("PODIUM_PORT_80_TCP", "tcp://10.0.0.7:80"),
        ("PODIUM_PORT_80_TCP_PROTO", "tcp"),
        ("PODIUM_PORT_80_TCP_PORT", "80"),
        ("PODIUM_PORT_80_TCP_ADDR", "10.0.0.7"),
        ("PODIUM_HUB_SERVICE_HOST", "10.0.0.8"),
        ("PODIUM_HUB_PORT", "tcp://10.0.0.8:8501"),
    ],
)
def test_what_kubernetes_makes_for_a_service_called_podium_is_passed_over(tmp_path: Path, name: str, value: str) -> None:
    assert loaded(tmp_path, **{name: value}).port == 8501


@pytest.mark.parametrize("name", sorted(KNOWN_WITHOUT_EFFECT))
def test_a_name_of_an_earlier_system_is_named_once_with_its_origin(tmp_path: Path, name: str) -> None:
    settings, notices = load_both(tmp_path, f"{name}=x\nPODIUM_{name}=x", **{f"PODIUM_{name}": "x"})
    assert notices == [f"{name} is known from {KNOWN_WITHOUT_EFFECT[name]}; it has no effect in this version."]
    assert settings == Settings()


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    told = faults(tmp_path, "PORT=many\nNOPE=1\nMAX_MEMORY=4ki\nSECRET_KEY=short", PODIUM_NOPE="1", PODIUM_ROUTING="cookie")
    for name in ("PORT:", "NOPE in .env", "MAX_MEMORY:", "SECRET_KEY:", "PODIUM_NOPE", "ROUTING:"):
        assert name in told


@pytest.mark.parametrize(
    "secret", ["secret", "changeme", "podium", "a" * 64, "abc" * 20, STRONG[:31], "your-generated-secret-key-goes-right-here"]
)
def test_a_weak_secret_is_refused(tmp_path: Path, secret: str) -> None:
    assert "openssl rand -hex 32" in faults(tmp_path, f"SECRET_KEY={secret}")


def test_a_strong_secret_is_taken(tmp_path: Path) -> None:
    assert loaded(tmp_path, f"SECRET_KEY={STRONG}").secret_key == STRONG


def test_a_short_metrics_token_is_refused(tmp_path: Path) -> None:
    assert "METRICS_TOKEN" in faults(tmp_path, "METRICS_TOKEN=short")


def test_the_database_may_be_named_in_parts_with_any_password(tmp_path: Path) -> None:
    parts = "DB_ENGINE=postgresql\nDB_HOST=db.example.org\nDB_NAME=podium\nDB_USERNAME=hub\nDB_PASS='p@ss/w:rd#%${HOME}'"
    settings = loaded(tmp_path, parts)
    assert settings.database == "postgresql+psycopg://hub:p%40ss%2Fw%3Ard%23%25%24%7BHOME%7D@db.example.org:5432/podium"


def test_the_database_url_wins_over_the_parts(tmp_path: Path) -> None:
    settings = loaded(tmp_path, "DB_HOST=parts\nDATABASE_URL=postgresql://whole/podium")
    assert settings.database == "postgresql+psycopg://whole/podium"


def test_a_database_of_another_kind_is_refused(tmp_path: Path) -> None:
    assert "DATABASE_URL: must begin with" in faults(tmp_path, "DATABASE_URL=mysql://somewhere/podium")


@pytest.mark.parametrize("name", ["https://podium.org", "podium.org:8501", "Podium.org", "a b", "-a", "x" * 254, "a/b"])
def test_a_domain_that_is_no_host_name_is_refused(tmp_path: Path, name: str) -> None:
    assert "BASE_DOMAIN: must be a host name" in faults(tmp_path, f"BASE_DOMAIN={name}")


@pytest.mark.parametrize("url", ["podium.org", "ftp://podium.org", "https://podium.org/hub", "https://me@podium.org"])
def test_a_public_address_with_more_or_less_than_a_host_is_refused(tmp_path: Path, url: str) -> None:
    assert "PUBLIC_URL: must be an address" in faults(tmp_path, f"PUBLIC_URL={url}")


def test_an_ip_address_has_no_names_below_it_so_it_needs_path_routing(tmp_path: Path) -> None:
    assert "ROUTING=path" in faults(tmp_path, "BASE_DOMAIN=10.0.0.7")
    assert loaded(tmp_path, "BASE_DOMAIN=10.0.0.7\nROUTING=path").root_url == "http://10.0.0.7:8501"


@pytest.mark.parametrize(
    ("dotenv", "url", "secure"),
    [
        ("", "http://localhost:8501", True),
        ("PORT=80", "http://localhost", True),
        ("BASE_DOMAIN=podium.example.org", "http://podium.example.org:8501", False),
        ("BASE_DOMAIN=podium.example.org\nTLS_ENABLED=true", "https://podium.example.org", True),
        ("PUBLIC_URL=https://podium.example.org/", "https://podium.example.org", True),
        ("PUBLIC_URL=http://localhost:9000", "http://localhost:9000", True),
        ("PUBLIC_URL=http://podium.example.org", "http://podium.example.org", False),
    ],
)
def test_the_public_address_decides_whether_cookies_are_secure(tmp_path: Path, dotenv: str, url: str, *, secure: bool) -> None:
    settings = loaded(tmp_path, dotenv)
    assert (settings.root_url, settings.secure_cookies) == (url, secure)


def test_a_file_that_is_no_text_stops_the_start_with_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_bytes(b"PORT=\xff\xfe")
    with pytest.raises(CannotStart, match="cannot be read as text"):
        load({}, path)
