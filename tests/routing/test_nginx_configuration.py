"""The rendered configuration, read as NGINX reads it: no location may forget what all must have."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hub.errors import CannotStart
from hub.routing import headers
from hub.routing.nginx import NginxOptions, render
from hub.settings import Settings

ALLOWED = {
    *headers.REQUEST,
    "host",
    "connection",
    "upgrade",
    "cookie",
    "authorization",
    "content-length",
    "sec-websocket-key",
    "sec-websocket-version",
    "sec-websocket-protocol",
    "sec-websocket-extensions",
    "x-forwarded-for",
    "x-podium-address",
    "x-podium-assertion",
    "x-podium-cluster",
    "x-podium-environment",
    "x-podium-host",
    "x-podium-proxy",
    "x-podium-target",
    "x-podium-trouble",
}
ACCEL = {"X-Accel-Redirect", "X-Accel-Expires", "X-Accel-Limit-Rate", "X-Accel-Buffering", "X-Accel-Charset"}
_TOKEN = re.compile(r"#[^\n]*|'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"|[{};]|[^\s{};]+", re.DOTALL)


@dataclass
class Block:
    """A directive with what it holds."""

    words: list[str]
    directives: list["Block"] = field(default_factory=list)

    def all(self, name: str) -> list["Block"]:
        return [directive for directive in self.directives if directive.words[0] == name]

    def walk(self) -> Iterator["Block"]:
        for directive in self.directives:
            yield directive
            yield from directive.walk()


def _parse(text: str) -> Block:
    root = Block(["main"])
    stack, words = [root], list[str]()
    for token in _TOKEN.findall(text):
        if token.startswith("#"):
            continue
        if token == "}":
            stack.pop()
        elif token in "{;":
            block = Block(words)
            stack[-1].directives.append(block)
            words = []
            if token == "{":
                stack.append(block)
        else:
            words.append(token.strip("\"'"))
    assert stack == [root]
    return root


@pytest.fixture(params=["host", "path"])
def configuration(request: pytest.FixtureRequest, tmp_path: Path) -> Block:
    settings = Settings.model_validate({"routing": request.param, "port": 8501})
    return _parse(render(NginxOptions(settings, tmp_path, ("127.0.0.1:8500",), ("127.0.0.1:8501",), "c" * 40)))


def _proxied(configuration: Block) -> list[Block]:
    found = [block for block in configuration.walk() if block.words[0] == "location" and block.all("proxy_pass")]
    assert len(found) >= 6
    return found


@pytest.mark.case("A3-10")
@pytest.mark.case("A3-6")
def test_every_proxied_location_passes_only_the_allowed_request_headers(configuration: Block) -> None:
    for location in _proxied(configuration):
        assert [block.words[1] for block in location.all("proxy_pass_request_headers")] == ["off"], location.words
        names = [block.words[1].lower() for block in location.all("proxy_set_header")]
        assert set(names) <= ALLOWED, location.words
        assert len(names) == len(set(names)), location.words
        assert "host" in names, location.words


@pytest.mark.case("A5-6")
def test_every_location_with_foreign_answers_ignores_accel_headers(configuration: Block) -> None:
    for location in _proxied(configuration):
        if location.words[1:] == ["=", "/_podium_authorize"]:
            continue
        ignored = {word for block in location.all("proxy_ignore_headers") for word in block.words[1:]}
        assert ignored >= ACCEL, location.words


@pytest.mark.case("A3-8")
def test_what_is_asked_keyed_and_routed_is_one_variable(configuration: Block) -> None:
    for location in _proxied(configuration):
        if location.words[1:] == ["=", "/_podium_authorize"]:
            named = {block.words[1]: block.words[2] for block in location.all("proxy_set_header")}
            assert named["X-Podium-Environment"] == "$podium_slug"
            assert location.all("proxy_cache_key")[0].words[1] == "$host|$podium_slug|$podium_token"
            assert "internal" in [block.words[0] for block in location.directives]
        if location.words[1] == "@environment":
            assert location.all("proxy_pass")[0].words[1] == "http://$podium_upstream"


def test_every_server_checks_targets_before_anything_else(configuration: Block) -> None:
    servers = [block for block in configuration.walk() if block.words[0] == "server" and block.all("listen")]
    for server in servers:
        conditions = [block for block in server.directives if block.words[0] in {"if", "location"}]
        assert conditions[0].words == ["if", "($podium_bad)"]
        assert conditions[0].all("return")[0].words == ["return", "400"]


def test_only_the_door_and_what_asks_permission_reach_an_environment(configuration: Block) -> None:
    for location in (block for block in configuration.walk() if block.words[0] == "location"):
        if location.all("try_files"):
            assert location.all("auth_request")[0].words[1] == "/_podium_authorize"
            assert location.all("try_files")[0].words[-1] == "@environment"


def test_the_log_holds_no_query_and_no_header(configuration: Block) -> None:
    formats = [block for block in configuration.walk() if block.words[0] == "log_format"]
    text = " ".join(formats[0].words)
    assert not re.search(r"\$(http_|request\b|request_uri|args|query_string|cookie)", text)


@pytest.mark.parametrize("hostile", ["a; return 200", "a\nb", 'a"b', "a{b", "a'b", "a$b", ""])
def test_a_value_that_nginx_could_misread_is_refused(tmp_path: Path, hostile: str) -> None:
    settings = Settings.model_validate({"port": 8501})
    with pytest.raises(CannotStart):
        render(NginxOptions(settings, tmp_path, ("127.0.0.1:8500",), ("127.0.0.1:8501",), hostile))
    with pytest.raises(CannotStart):
        render(NginxOptions(settings, tmp_path, ("127.0.0.1:8500",), (hostile,), "c" * 40))
