"""What a file is, judged by its name: whether it can be explored, previewed or only downloaded."""

from enum import StrEnum
from pathlib import PurePath


class Kind(StrEnum):
    TABLE = "Tables"
    IMAGE = "Images"
    TEXT = "Text and code"
    NOTEBOOK = "Notebooks"
    ARCHIVE = "Archives"
    OTHER = "Other"


_SUFFIXES = {
    Kind.TABLE: "csv tsv parquet pq xlsx xls feather arrow h5 hdf5 nc sqlite db",
    Kind.IMAGE: "png jpg jpeg gif webp bmp tif tiff",
    Kind.TEXT: "txt md rst py r jl sh json jsonl yaml yml toml ini cfg log tex bib sql html css js xml svg c h cpp rs go",
    Kind.NOTEBOOK: "ipynb",
    Kind.ARCHIVE: "zip tar gz tgz bz2 xz zst 7z",
}
_BY_SUFFIX = {f".{suffix}": kind for kind, suffixes in _SUFFIXES.items() for suffix in suffixes.split()}

_CSV = (".csv", ".tsv", ".csv.gz", ".tsv.gz")
_PARQUET = (".parquet", ".pq")
_PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp")


def kind(name: str) -> Kind:
    if is_explorable(name):
        return Kind.TABLE
    return _BY_SUFFIX.get(PurePath(name.lower()).suffix, Kind.OTHER)


def is_csv(name: str) -> bool:
    return name.lower().endswith(_CSV)


def is_parquet(name: str) -> bool:
    return name.lower().endswith(_PARQUET)


def is_explorable(name: str) -> bool:
    """Whether the data explorer can open it."""
    return is_csv(name) or is_parquet(name)


def is_picture(name: str) -> bool:
    """Whether a browser can show it."""
    return name.lower().endswith(_PICTURES)
