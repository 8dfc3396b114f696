"""The package `oidc-provider-mock` in a process of its own: `python -m tests.providers.mock` says its issuer, then serves."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from hub.settings import ROOT


def main() -> None:
    """Until standard input is closed."""
    import oidc_provider_mock  # noqa: PLC0415 - it warns at import, which only this process does not mind

    with oidc_provider_mock.run_server_in_thread() as server:
        print(f"http://localhost:{server.server_port}", flush=True)  # noqa: T201 - the test reads the issuer
        sys.stdin.read()


@contextmanager
def mock() -> Iterator[str]:
    """Its issuer, while the block runs."""
    command = [sys.executable, "-W", "ignore", "-m", "tests.providers.mock"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.stdin.close()


if __name__ == "__main__":
    main()
