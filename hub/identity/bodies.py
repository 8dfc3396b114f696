"""Reads the small forms that the hub's own routes take, and no more of them than they may be long."""

from urllib.parse import parse_qs

from starlette.requests import Request

from hub.errors import PodiumError

LONGEST_FORM = 16 * 1024
MOST_FIELDS = 20


class TooLarge(PodiumError):
    status = 413


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a posted form, the first of each name. Raises `TooLarge` before it reads more than it may."""
    body = bytearray()
    if int(request.headers.get("content-length", "0")) > LONGEST_FORM:
        raise TooLarge(_SENTENCE)
    async for chunk in request.stream():
        body += chunk
        if len(body) > LONGEST_FORM:
            raise TooLarge(_SENTENCE)
    try:
        fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=MOST_FIELDS)
    except ValueError as error:
        raise TooLarge(_SENTENCE) from error
    return {name: values[0] for name, values in fields.items()}


_SENTENCE = "This form is longer than any that Podium sends. Nothing was changed."
