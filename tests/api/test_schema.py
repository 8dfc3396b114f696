"""The schema tells the truth: every operation, with inputs that a machine thought of, and every route of the app."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.routing import BaseRoute, Mount, Route

from hub.api import ROOT
from hub.api.app import create_api
from hub.identity.roles import Role
from hub.services import Services
from tests.api.conftest import calling, token_of
from tests.identity.conftest import Hub, register, served

CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_headers_conformance,
    response_schema_conformance,
]  # fmt: skip
EXAMPLES = 15
OUTSIDE_THE_SCHEMA = {"/openapi.json"}
DESCRIBED = create_api(Services.__new__(Services)).openapi()
_found = [found.ok() for found in schemathesis.openapi.from_dict(DESCRIBED).get_all_operations() if isinstance(found, Ok)]
OPERATIONS: dict[str, Any] = {operation.label: operation for operation in _found}


@pytest.fixture(scope="module")
def own_hub(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """What a machine thinks of is for a hub of its own."""
    with served(tmp_path_factory.mktemp("schema"), sqlite_template, max_user_pods=5) as one:
        register(one.identity, "root", Role.ADMINISTRATOR)
        yield one


@pytest.fixture(scope="module")
def headers(own_hub: Hub) -> dict[str, str]:
    return {"host": f"localhost:{own_hub.port}", "authorization": f"Bearer {token_of(own_hub, 'root')}"}


@pytest.mark.parametrize("label", sorted(OPERATIONS))
def test_every_operation_answers_as_the_schema_says(own_hub: Hub, headers: dict[str, str], label: str) -> None:
    base = f"http://127.0.0.1:{own_hub.port}{ROOT}"

    @settings(max_examples=EXAMPLES, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(case=OPERATIONS[label].as_strategy())
    def answers(case: Any) -> None:
        case.call_and_validate(base_url=base, headers=headers, checks=CHECKS, timeout=30)

    answers()


def test_every_route_is_in_the_schema_or_on_a_short_list() -> None:
    routes = set(paths_of(create_api(Services.__new__(Services)).routes))
    assert routes - set(DESCRIBED["paths"]) == OUTSIDE_THE_SCHEMA
    assert len(OPERATIONS) > 25


def paths_of(routes: list[BaseRoute]) -> Iterator[str]:
    for route in routes:
        if isinstance(route, Mount):
            yield from paths_of(list(route.routes))
        elif isinstance(route, Route) or hasattr(route, "path"):
            yield str(route.path)


def test_every_operation_has_words_an_example_and_its_refusals() -> None:
    for path, operations in DESCRIBED["paths"].items():
        for method, operation in operations.items():
            assert operation["description"], (method, path)
            assert {"401", "403", "422"} <= set(operation["responses"]), (method, path)
            if "requestBody" in operation:
                name = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
                fields = DESCRIBED["components"]["schemas"][name]["properties"].values()
                assert any("examples" in field for field in fields) or name == "RoleChange", name


@pytest.mark.parametrize(("path", "status"), [("/", 404), ("/nothing", 404), ("/me/", 404), ("/users//", 400)])
def test_an_address_without_anything_is_a_problem_and_no_page(own_hub: Hub, path: str, status: int) -> None:
    with calling(own_hub, None) as stranger:
        assert stranger.get(path).status_code == status


def test_the_schema_and_its_pages_come_from_the_hub_itself(own_hub: Hub) -> None:
    with own_hub.client() as client:
        page = client.get("/docs")
        assert page.status_code == 200
        for asset in ("/docs/assets/swagger-ui.css", "/docs/assets/swagger-ui-bundle.js", "/docs/start.js"):
            assert asset in page.text
            assert client.get(asset).status_code == 200
        assert "http://" not in page.text
        assert "https://" not in page.text
        assert_valid(client.get(f"{ROOT}/openapi.json"))


def assert_valid(answer: httpx.Response) -> None:
    document = answer.json()
    assert document["openapi"].startswith("3.1")
    assert document["servers"] == [{"url": ROOT}]
