"""Where to go after login or entry: only ever a path of our own.

Browsers read addresses by the WHATWG rules: a backslash is a slash, tabs and line breaks vanish,
leading spaces too, `https:other` is another host. So this does not parse and compare, which every
parser does a little differently; it takes only what all read alike: one slash, then printable
ASCII without anything that could be a second one.
"""

from hub.routing.targets import is_refused

HOME = "/"
_LONGEST = 2000


def safe_path(value: str | None) -> str:
    """`value` where it is a path (with query) of the host it is used on, else `/`."""
    if not value or len(value) > _LONGEST or not value.isascii() or is_refused(value.encode()):
        return HOME
    return HOME if "\\" in value else value
