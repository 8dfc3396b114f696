"""Refusals of the API as problem details (RFC 9457), in the sentences that pages show."""

import logging
import re
import secrets
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.requests import Request
from starlette.responses import Response

from hub.errors import PodiumError

MEDIA_TYPE = "application/problem+json"
log = logging.getLogger("podium.api")


class Fault(BaseModel):
    """What is wrong with one part of a request."""

    where: str = Field(examples=["body.name"])
    what: str = Field(examples=["Field required"])


class Problem(BaseModel):
    """Why a request was refused (RFC 9457)."""

    type: str = Field(description="A name of the problem that does not change.", examples=["urn:podium:limit-reached"])
    title: str = Field(examples=["Conflict"])
    status: int = Field(examples=[409])
    detail: str = Field(description="What happened and what to do now.", examples=["You may have 2 running at once. Stop one."])
    errors: list[Fault] = Field(default=[], description="The single faults of a request that cannot be read.")


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """These statuses as an operation's `responses`."""
    return {
        status: {"description": HTTPStatus(status).phrase, "content": {MEDIA_TYPE: {"schema": Problem.model_json_schema()}}}
        for status in statuses
    }


MALFORMED: dict[int | str, dict[str, Any]] = {
    400: {"description": "The address or a header is malformed.", "content": {"text/plain": {"schema": {"type": "string"}}}}
}
"""Answered before anything looks at the API."""


def answer_problems(api: FastAPI) -> None:
    """Every error of this app is answered as a problem; what is unforeseen says nothing of itself."""
    api.add_exception_handler(PodiumError, _podium_error)
    api.add_exception_handler(RequestValidationError, _unreadable)
    api.add_exception_handler(StarletteHTTPException, _http_error)
    api.add_exception_handler(Exception, _unforeseen)


def _podium_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, PodiumError)
    return _answer(_name_of(type(error)), error.status, error.sentence, _headers_of(error.status))


def _unreadable(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults = [Fault(where=".".join(str(part) for part in one["loc"]), what=str(one["msg"])) for one in error.errors()[:20]]
    return _answer("unreadable", 422, "The request cannot be read. See `errors`.", faults=faults)


def _http_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, StarletteHTTPException)
    detail = "There is nothing at this address." if error.status_code == 404 else error.detail
    name = HTTPStatus(error.status_code).phrase.lower().replace(" ", "-")
    return _answer(name, error.status_code, detail, error.headers)


def _unforeseen(_request: Request, error: Exception) -> Response:
    number = secrets.token_hex(4)
    log.error("the API failed (%s)", number, exc_info=error)
    detail = f"Something went wrong. Nothing was lost; if it happens again, give this number to an administrator: {number}"
    return _answer("unforeseen", 500, detail)


def _answer(
    name: str, status: int, detail: str, headers: Mapping[str, str] | None = None, faults: list[Fault] | None = None
) -> Response:
    title, detail = HTTPStatus(status).phrase, detail.encode("utf-8", "backslashreplace").decode()
    problem = Problem(type=f"urn:podium:{name}", title=title, status=status, detail=detail, errors=faults or [])
    content = problem.model_dump() if faults else problem.model_dump(exclude={"errors"})
    return JSONResponse(content, status, {"cache-control": "no-store", **(headers or {})}, MEDIA_TYPE)


def _name_of(kind: type[PodiumError]) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", kind.__name__).lower()


def _headers_of(status: int) -> dict[str, str]:
    return {
        401: {"www-authenticate": 'Bearer realm="Podium"'},
        429: {"retry-after": "60"},
        503: {"retry-after": "5"},
    }.get(status, {})
