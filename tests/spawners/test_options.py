"""What the agent is told at its start arrives as it was told."""

from pathlib import Path

import pytest

from hub.spawners.local.options import Options, parse

SPARE = Options(Path("/data"), Path("/run"), (Path("/one"),))
WHOLE = Options(
    Path("/data"),
    Path("/run"),
    (Path("/one"), Path("/two")),
    memory=5,
    isolation="none",
    uids="3-4",
    ports="2000-3000",
    outward="53",
    group=7,
    readable=(Path("/shared"), Path("/other")),
    code=(Path("/code"), Path("/more")),
    server="a.server",
    preload="a.preload",
    script=Path("/script"),
)


@pytest.mark.parametrize("options", [SPARE, WHOLE])
def test_the_agent_reads_back_what_it_is_told(options: Options) -> None:
    assert parse(options.arguments()) == options
    assert parse(["--detach", *options.arguments()]).detach
