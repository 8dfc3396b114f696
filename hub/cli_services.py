"""What all commands share: settings, services, and refusals as one sentence.

Loading the services takes a second, so only a command that asks for them pays for it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer
from rich.console import Console

from hub.errors import PodiumError

if TYPE_CHECKING:
    from hub.services import Services
    from hub.settings import Settings

out, err = Console(soft_wrap=True, highlight=False), Console(stderr=True, soft_wrap=True, highlight=False)


@contextmanager
def plain_errors() -> Iterator[None]:
    """A refusal becomes one sentence and exit code 1."""
    try:
        yield
    except PodiumError as error:
        err.print(error.sentence, markup=False)
        raise typer.Exit(1) from None


def settings_at_hand() -> "Settings":
    from hub.settings import load  # noqa: PLC0415

    settings, notices = load()
    for notice in notices:
        err.print(notice, markup=False)
    return settings.model_copy(update={"data_dir": settings.data_dir.absolute()})


@contextmanager
def services_at_hand() -> "Iterator[Services]":
    from hub.up import open_services  # noqa: PLC0415

    with plain_errors():
        services = open_services(settings_at_hand())
        try:
            yield services
        finally:
            services.database.close()
