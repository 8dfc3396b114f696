"""kubectl and helm: those of the command that has the cluster, else those of this machine."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.cluster.relay import relay


def command(program: str, *arguments: str) -> list[str]:
    cluster = os.environ.get("CLUSTER")
    return [cluster, program, *arguments] if cluster else [program, *arguments]


def run(program: str, *arguments: str) -> str:
    """What it printed. Fails with what it said."""
    done = subprocess.run(command(program, *arguments), capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{program} {' '.join(arguments)}\n{done.stdout}{done.stderr}"
    return done.stdout


def kubectl(*arguments: str) -> str:
    return run("kubectl", *arguments)


@contextmanager
def forwarded(namespace: str, service: str, port: int) -> Iterator[None]:
    """This port of the loopback leads to port 80 of a service."""
    address = kubectl("-n", namespace, "get", "service", service, "-o", "jsonpath={.spec.clusterIP}")
    way = relay(port, address, 80) if answers(f"{address}:80") else _forwarded(namespace, service, port)
    with way:
        yield


@contextmanager
def _forwarded(namespace: str, service: str, port: int) -> Iterator[None]:
    """Where this machine is not in the cluster's network."""
    arguments = ("-n", namespace, "port-forward", f"service/{service}", f"{port}:80")
    process = subprocess.Popen(command("kubectl", *arguments), stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        _until_it_answers(port)
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)  # a command that calls kubectl included
        process.wait(20)


def _until_it_answers(port: int) -> None:
    deadline = time.monotonic() + 60
    while not answers(f"127.0.0.1:{port}"):
        assert time.monotonic() < deadline, "the forwarded port does not answer"
        time.sleep(0.1)


def answers(address: str) -> bool:
    """Whether something takes connections there."""
    host, _, port = address.partition(":")
    try:
        socket.create_connection((host, int(port)), 2).close()
    except OSError:
        return False
    return True
