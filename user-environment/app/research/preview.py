"""The beginning of a file: text, a picture, or rows of a table."""

import warnings
from pathlib import Path

import pandas as pd
from PIL import Image, UnidentifiedImageError

from .faults import WorkspaceFault, translated
from .tables import describe, rows

_TEXT_BYTES = 64 * 1024
_TABLE_ROWS = 50
_LARGEST_PICTURE = 20_000_000
_MOST_PIXELS = 40_000_000


def text(file: Path) -> tuple[str, bool]:
    """The beginning as text, and whether that is all of it. Raises `WorkspaceFault` for binary files."""
    with translated(), file.open("rb") as source:
        beginning = source.read(_TEXT_BYTES + 1)
    if b"\0" in beginning:
        raise WorkspaceFault("This is not a text file, so there is nothing to read here. You can download it.")
    return beginning[:_TEXT_BYTES].decode("utf-8", "replace"), len(beginning) <= _TEXT_BYTES


def table(file: Path) -> pd.DataFrame:
    return rows(file, describe(file).columns, (), 0, _TABLE_ROWS)


def picture(file: Path) -> Path:
    """The file, if it is a picture that a browser can be sent. Raises `WorkspaceFault`."""
    with translated():
        if file.stat().st_size > _LARGEST_PICTURE:
            raise WorkspaceFault("This picture is larger than 20 MB. Download it to look at it.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(file) as image:
                width, height = image.size
                if width * height <= _MOST_PIXELS:
                    image.verify()
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError) as error:
        raise WorkspaceFault("This picture cannot be shown. It may be damaged.") from error
    if width * height > _MOST_PIXELS:
        raise WorkspaceFault("This picture has too many pixels to show here. Download it to look at it.")
    return file
