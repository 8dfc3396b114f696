"""Amounts of memory and storage as people and Kubernetes write them, and as pages show them."""

import re

_FACTORS = {
    "": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12,
    "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40,
}  # fmt: skip
_QUANTITY = re.compile(r"^(\d+(?:\.\d+)?)\s*(k|[MGT]|[KMGT]i)?B?$")


def parse_bytes(text: str) -> int:
    """`4Gi`, `500M` or `1024` as bytes. Raises ValueError with a sentence."""
    match = _QUANTITY.match(text.strip())
    if not match:
        raise ValueError(f"{text!r} is no amount of memory; write it like 512Mi or 4Gi")
    return int(float(match[1]) * _FACTORS[match[2] or ""])


def show_bytes(amount: float) -> str:
    """Bytes for a person, in decimal units and two significant digits: `4.3 GB`."""
    for unit, factor in (("TB", 10**12), ("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if abs(amount) >= factor:
            value = amount / factor
            return f"{value:.1f} {unit}" if abs(value) < 9.95 else f"{value:.0f} {unit}"
    return f"{amount:.0f} bytes"


def show_limit(amount: float) -> str:
    """As `show_bytes`, but never more than the amount: who asks for what it says gets it."""
    step = 10 ** (max(len(str(int(amount))), 2) - 2)
    return show_bytes(amount // step * step)
