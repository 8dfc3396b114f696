"""`make bench`: every promised figure beside its baseline, measured in one run; a table, and JSON in build/."""

import json
import os
import platform
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import psutil
from playwright.sync_api import Browser
from rich.console import Console
from rich.table import Table

from tests.bench import apart, burst, crowd, greed, launching, proxies, revoking
from tests.bench.figures import Figure
from tests.bench.ground import Ground
from tests.support.chromium import launched

RESULT = Path(__file__).resolve().parents[2] / "build" / "bench.json"


def measure(folder: Path, browser: Browser, tell: Callable[[Figure], None]) -> None:
    """Each part on a fresh Podium; a figure is told as soon as it is known."""
    with Ground.made(folder / "launching") as ground:
        tell(launching.launch_to_first_run(ground))
        tell(launching.memory_of_the_tenth(ground))
        for figure in launching.click_to_first_frame(ground, browser):
            tell(figure)
        tell(launching.killed_to_shown(ground, browser))
        tell(launching.logout_to_shown(ground, browser))
    for figure in apart.figures(folder / "apart"):
        tell(figure)
    for figure in greed.figures(folder / "greed"):
        tell(figure)
    with Ground.made(folder / "proxies") as ground:
        tell(proxies.gateway_latency(ground))
        tell(proxies.upload_memory(ground, browser, folder))
        for figure in proxies.nginx_rates(ground, folder):
            tell(figure)
        for figure in revoking.ended_logins(ground, folder):
            tell(figure)
    for figure in crowd.start_and_users_page(folder / "crowd"):
        tell(figure)
    tell(crowd.authorize_rate(folder / "authorize"))
    with Ground.made(folder / "burst", memory_for_environments=str(burst.ROOM * burst.REQUEST)) as ground:
        tell(burst.fifty_at_once(ground))


def machine() -> str:
    memory = psutil.virtual_memory().total / 2**30
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, Linux {platform.release()}, Python {platform.python_version()}"


def report(measured: Callable[[Callable[[Figure], None]], None], result: Path) -> NoReturn:
    """Print each figure as it comes, then the table; keep them as JSON; end with 1 where a promise was not kept."""
    console, figures = Console(), []
    table = Table("Figure", "Measured", "Baseline", "Promise", "Kept", title=f"Podium on {machine()}")

    def tell(figure: Figure) -> None:
        figures.append(figure)
        baseline = "" if figure.baseline is None else f"{figure.baseline:.2f} {figure.unit} ({figure.baseline_name})"
        kept = {True: "yes", False: "NO", None: ""}[figure.kept]
        row = (figure.name, f"{figure.value:.2f} {figure.unit}", baseline, figure.promise, kept)
        console.print(" · ".join(row), markup=False)
        table.add_row(*row)

    measured(tell)
    result.parent.mkdir(exist_ok=True)
    result.write_text(json.dumps({"machine": machine(), "figures": [figure.as_json() for figure in figures]}, indent=2))
    console.print(table)
    raise SystemExit(0 if all(figure.kept is not False for figure in figures) else 1)


def main() -> None:
    os.environ.setdefault("TEST_CHROMIUM", "/usr/bin/chromium")  # what people have, not what tests get by with
    with tempfile.TemporaryDirectory() as folder, launched() as browser:
        report(lambda tell: measure(Path(folder), browser, tell), RESULT)


if __name__ == "__main__":
    main()
