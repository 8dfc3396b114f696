"""What researchers do, as functions whose source runs inside an environment. Each gives back the string that it should."""
# ruff: noqa: PLC0415 (they bring all that they need along)
# mypy: disable-error-code="import-not-found, import-untyped"


def pandas() -> str:
    import pandas as pd

    return str(pd.DataFrame({"k": [1, 1, 2], "v": [1, 2, 3]}).groupby("k").v.sum().tolist())


def duckdb() -> str:
    import duckdb

    with duckdb.connect("file.duckdb") as file:
        file.sql("create or replace table t as select range a from range(4)")
        return str(file.sql("select sum(a)::integer from t").fetchall()[0][0])


def parquet() -> str:
    import pandas as pd

    pd.DataFrame({"a": [6]}).to_parquet("a.parquet")
    return str(pd.read_parquet("a.parquet").a[0])


def plotly() -> str:
    import plotly.express as px

    return str("scatter" in px.line(x=[1], y=[2]).to_json())


def a_program() -> str:
    import subprocess

    return subprocess.check_output(["sh", "-c", "echo $((2 * 3)) 2>/dev/null"], text=True).strip()


def temporary_files() -> str:
    import tempfile
    from pathlib import Path

    with tempfile.NamedTemporaryFile() as one, tempfile.TemporaryDirectory() as folder:
        one.write(b"6")
        one.seek(0)
        Path(folder, "file").write_bytes(one.read())
        return Path(folder, "file").read_text()


def processes_by_fork() -> str:
    import multiprocessing

    with multiprocessing.get_context("fork").Pool(2) as pool:
        return str(pool.map(abs, [-1, 2]))


def processes_by_spawn() -> str:
    import multiprocessing

    with multiprocessing.get_context("spawn").Pool(2) as pool:
        return str(pool.map(abs, [-1, 2]))


def a_queue_between_processes() -> str:
    import multiprocessing

    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    process = context.Process(target=queue.put, args=("6",))
    process.start()
    return str(queue.get(timeout=20))


def a_manager() -> str:
    import multiprocessing

    with multiprocessing.get_context("fork").Manager() as manager:
        return str(manager.list([6])[0])


def shared_memory() -> str:
    from multiprocessing.shared_memory import SharedMemory

    one = SharedMemory(create=True, size=8)
    other = SharedMemory(one.name)
    assert one.buf
    assert other.buf
    one.buf[0] = 6
    seen = other.buf[0]
    other.close()
    one.close()
    one.unlink()
    return str(seen)


def git() -> str:
    import subprocess
    from pathlib import Path

    def run(*arguments: str) -> str:
        who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
        return subprocess.run(["git", *who, "-C", "repository", *arguments], check=True, capture_output=True, text=True).stdout

    Path("repository").mkdir()
    run("init", "-q")
    Path("repository/file").write_text("6")
    run("add", "file")
    run("commit", "-qm", "Add a file")
    return run("show", "HEAD:file")


def pip_install() -> str:
    import subprocess
    import sys
    import zipfile

    with zipfile.ZipFile("tiny-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("tiny.py", "answer = 6\n")
        wheel.writestr("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        wheel.writestr("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("tiny-1.0.dist-info/RECORD", "")
    install = [sys.executable, "-m", "pip", "install", "-q", "--no-index", "--target", "packages", "tiny-1.0-py3-none-any.whl"]
    subprocess.run(install, check=True, capture_output=True)
    sys.path.insert(0, "packages")
    import tiny

    return str(tiny.answer)


def a_server_of_its_own() -> str:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        connection, _ = server.accept()
        connection.sendall(b"6")
        return client.recv(1).decode()


def a_unix_socket_of_its_own() -> str:
    import socket

    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind("own.sock")
        server.listen()
        client.connect("own.sock")
        connection, _ = server.accept()
        connection.sendall(b"6")
        return client.recv(1).decode()


def open_files_between_processes() -> str:
    """As loaders of training data do it."""
    import multiprocessing
    import os
    from multiprocessing import reduction
    from typing import Any

    def send(there: Any, back: Any) -> None:
        descriptor = os.open("sent", os.O_CREAT | os.O_RDWR)
        os.write(descriptor, b"6")
        there.put(reduction.DupFd(descriptor))
        back.get()

    context = multiprocessing.get_context("fork")
    there, back = context.Queue(), context.Queue()
    context.Process(target=send, args=(there, back)).start()
    descriptor = there.get(timeout=20).detach()
    back.put("received")
    return os.pread(descriptor, 1, 0).decode()


def names() -> str:
    import getpass
    import socket

    socket.getaddrinfo("localhost", 80)
    return str(bool(getpass.getuser()))


def moving_files() -> str:
    from pathlib import Path

    Path("a/b").mkdir(parents=True)
    Path("a/b/file").write_text("6")
    Path("a/b").rename("c")
    return Path("c/file").read_text()


def matplotlib() -> str:
    import matplotlib as mpl

    mpl.use("agg")
    from pathlib import Path

    from matplotlib import pyplot as plt

    plt.plot([1, 2], [3, 4])
    plt.savefig("plot.png")
    return Path("plot.png").read_bytes()[1:4].decode()


def a_jupyter_kernel(transport: str = "tcp") -> str:
    """That the environment started itself, over the loopback or over Unix sockets."""
    from jupyter_client.manager import KernelManager

    manager = KernelManager(transport=transport, ip="127.0.0.1" if transport == "tcp" else "kernel")
    manager.start_kernel(independent=False)
    client = manager.blocking_client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        client.execute("6", silent=False)
        while True:
            message = client.get_iopub_msg(timeout=60)
            if message["msg_type"] == "execute_result":
                return str(message["content"]["data"]["text/plain"])
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def a_jupyter_kernel_over_unix_sockets() -> str:
    return a_jupyter_kernel("ipc")


EXPECTED = {
    pandas: "[3, 3]",
    duckdb: "6",
    parquet: "6",
    plotly: "True",
    a_program: "6",
    temporary_files: "6",
    processes_by_fork: "[1, 2]",
    processes_by_spawn: "[1, 2]",
    a_queue_between_processes: "6",
    a_manager: "6",
    shared_memory: "6",
    git: "6",
    pip_install: "6",
    a_server_of_its_own: "6",
    a_unix_socket_of_its_own: "6",
    open_files_between_processes: "6",
    names: "True",
    moving_files: "6",
}
NEEDS_UNIX_SOCKETS = {a_manager, a_unix_socket_of_its_own, open_files_between_processes, a_jupyter_kernel_over_unix_sockets}
"""What a machine takes away where no environment can have a root folder of its own; its sentence says so."""
WITH_LIBRARIES = {matplotlib: "PNG", a_jupyter_kernel: "6", a_jupyter_kernel_over_unix_sockets: "6"}
"""With what researchers install themselves; the tests' own interpreter has it."""
