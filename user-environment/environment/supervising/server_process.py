"""What the forked process becomes before the environment's own code runs in it."""

import gc
import math
import os
import random
import resource
import signal
import stat
import sys
import tempfile
import traceback
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from environment.confining.confinement import Confinement, enter
from environment.listener import listen
from environment.spec import ServerSpec
from environment.supervising.limits import Guard
from environment.supervising.processes import close_from, end_with_parent
from environment.supervising.threads import limit_threads, thread_variables

_OPEN_FILES = 65_536
"""Of one process."""
_TASKS = 32
"""Threads for each process that an environment may have: the kernel counts both alike."""
_OUTSIDE = 0
"""The number of a parent that is in another namespace of processes."""
_AFTER_OUTPUT = 3
"""The first descriptor that is none of input, output and errors."""
_NAME = "researcher"
"""For programs that ask who they run as: an account of its own has no name."""

Serve = Callable[[ServerSpec], None]

_OOM_SCORE = 500
"""Where the whole machine runs out of memory, the kernel takes environments before the hub."""


def run_server(spec: Mapping[str, Any], guard: Guard, serve: Serve, supervisor: int) -> int:
    """Serve until told to end; the exit code. Called in the new process and followed by `os._exit`."""
    try:
        _detach(supervisor)
        close_from(_AFTER_OUTPUT)  # who has a lock's file open may free the lock, and let the file grow without end
        _limit(spec)
        guard.enter()
        _keep_to_cores(spec)
        server = _bound(ServerSpec.from_mapping(spec["server"]), spec.get("socket_group"))
        if "confinement" in spec:
            enter(Confinement.from_mapping(spec["confinement"]))
        _clean(spec)
        serve(server)
    except SystemExit as ending:
        return ending.code if isinstance(ending.code, int) else int(ending.code is not None)
    except BaseException:  # noqa: BLE001 - this is the end of the process: what it died of belongs in its log
        traceback.print_exc()
        return 1
    return 0


def _detach(supervisor: int) -> None:
    """A session of its own, so that no signal to its group reaches the supervisor; ends with the supervisor."""
    end_with_parent(signal.SIGKILL)
    if os.getppid() not in (supervisor, _OUTSIDE):
        os._exit(1)
    os.setsid()
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _offer_to_the_kernel()


def _limit(spec: Mapping[str, Any]) -> None:
    """Open files; and where it has an account of its own, tasks: faster than a watchdog looks, a program may fork itself."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = _OPEN_FILES if most == resource.RLIM_INFINITY else min(most, _OPEN_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    if spec.get("confinement", {}).get("account") is not None:
        tasks = spec["processes"] * _TASKS
        resource.setrlimit(resource.RLIMIT_NPROC, (tasks, tasks))


def _keep_to_cores(spec: Mapping[str, Any]) -> None:
    """And so all that it starts. Behind the control group, since a change of groups may give all cores back."""
    if cores := os.sched_getaffinity(0) & set(spec.get("cores") or ()):  # some may have gone since they were given
        os.sched_setaffinity(0, cores)


def _bound(server: ServerSpec, group: int | None) -> ServerSpec:
    """With its Unix socket bound: where it is kept apart, nobody here may make one afterwards. `group` may connect, too."""
    if server.socket is None:
        return server
    bound = replace(server, descriptor=listen(server).detach())
    if group is not None:
        if not server.socket.parent.stat().st_mode & stat.S_ISGID:
            os.chown(server.socket, -1, group)
        server.socket.chmod(0o660)
    return bound


def _offer_to_the_kernel() -> None:
    """A kubelet may have set a higher score already, and only root can lower it."""
    score = Path("/proc/self/oom_score_adj")
    if int(score.read_text()) < _OOM_SCORE:
        score.write_text(str(_OOM_SCORE))


def _clean(spec: Mapping[str, Any]) -> None:
    """Nothing of the hub's, the agent's or a sibling's is left: variables, random numbers, folder."""
    os.environ.clear()
    os.environ.update(_variables(spec))
    tempfile.tempdir = None  # the parent's may have been found out already
    os.umask(0o077)
    os.chdir(spec["server"]["workspace"])
    random.seed()
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed()
    limit_threads(_threads(spec))
    gc.enable()


def _variables(spec: Mapping[str, Any]) -> dict[str, str]:
    programs = os.path.dirname(sys.executable)  # noqa: PTH120
    return {
        "PATH": f"{programs}:/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        **dict.fromkeys(("USER", "LOGNAME"), _NAME),
        **thread_variables(_threads(spec)),
        **spec["variables"],
        "HOME": spec["server"]["workspace"],
        "WORKSPACE_DIR": spec["server"]["workspace"],
        "TMPDIR": spec["temporary"],
        "START_ID": spec["server"]["start_id"],
    }


def _threads(spec: Mapping[str, Any]) -> int:
    return max(1, math.ceil(float(spec["cpu"])))
