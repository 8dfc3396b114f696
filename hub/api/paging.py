"""Lists are asked for and answered in one way everywhere: `page`, `size` and `sort` in, `items` and `total` out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar

from fastapi import Depends, Query
from pydantic import BaseModel, Field

LARGEST = 100
T = TypeVar("T")
V = TypeVar("V")


@dataclass(frozen=True)
class Paging:
    """`page` counts from 1, as people do."""

    page: int
    size: int


def _paging(
    page: Annotated[int, Query(ge=1, le=1_000_000, description="Which page; counts from 1.")] = 1,
    size: Annotated[int, Query(ge=1, le=LARGEST, description="Items of one page.")] = 20,
) -> Paging:
    return Paging(page, size)


Pages = Annotated[Paging, Depends(_paging)]
PRINTABLE = r"^[^\x00]*$"
"""PostgreSQL keeps no NUL and refuses to look for one."""
Text = Annotated[str, Query(max_length=200, pattern=PRINTABLE, description="Only items in which this text stands.")]


class Page(BaseModel, Generic[T]):
    """A page of a list. `total` counts all items that meet the filter."""

    items: list[T]
    total: int = Field(examples=[1])
    page: int = Field(examples=[1])
    size: int = Field(examples=[20])


def page_of(paging: Paging, found: tuple[Sequence[V], int], shape: Callable[[V], T]) -> Page[T]:
    """What a service found, in the API's shape."""
    rows, total = found
    return Page(items=[shape(row) for row in rows], total=total, page=paging.page, size=paging.size)
