"""Request targets that are refused with 400 before anything is decided about them.

A proxy and the application behind it read encoded slashes and dots, doubled slashes, backslashes
and `;` differently, so access could be decided for one environment and the request reach another.
Browsers send none of these in a path, so nothing is lost by refusing them all. The embedded
gateway and NGINX use the same patterns.
"""

import re

LONGEST = 8192

REFUSED_IN_PATH = (
    r"%(?:25)*(?:2f|5c|2e|3b|7f|[01][0-9a-f])"  # slash, backslash, dot, semicolon, controls, also encoded again
    r"|%(?![0-9a-f][0-9a-f])"  # an escape that is none
    r"|//|\x5c|;"
    r"|/\.\.?(?:[/?]|$)"  # dot segments
)
"""Read without regard to case, by Python and by NGINX's PCRE alike."""

REQUEST_LINE = r"^[A-Z]+ /[\x21-\x22\x24-\x7e]* HTTP/[0-9.]+$"
"""What NGINX's `$request` looks like: a path, printable, neither a whole address nor a fragment."""

_TARGET = re.compile(rb"/[\x21-\x22\x24-\x7e]*")
_REFUSED = re.compile(REFUSED_IN_PATH.encode(), re.IGNORECASE)


def is_refused(target: bytes) -> bool:
    """Whether a request target (path and query as sent) is one that no browser sends."""
    if len(target) > LONGEST or not _TARGET.fullmatch(target):
        return True
    return _REFUSED.search(target.partition(b"?")[0]) is not None
