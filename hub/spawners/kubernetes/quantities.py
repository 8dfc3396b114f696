"""Amounts as Kubernetes writes them."""

from kubernetes.utils.quantity import parse_quantity


def amount(quantity: str) -> float:
    """`100m`, `4Gi`, `1500000000n`, `1e3`, as a number of cores or bytes. Raises ValueError."""
    return float(parse_quantity(quantity))  # type: ignore[no-untyped-call]
