"""What code in an environment tries on Podium and its neighbours: pieces of Python, in which `{names}` of a scene are put.

Each raises OSError where it is refused.
"""

import ctypes
import os
from pathlib import Path


def connect(address: str) -> str:
    return f"socket.socket(socket.AF_UNIX).connect({address!r})"


def program(code: str) -> str:
    """In a process that it starts."""
    return f"subprocess.run([sys.executable, '-c', {code!r}], check=True, capture_output=True)"


ATTEMPTS = {
    "read the database": "open('{data}/podium.db').read()",
    "write the database": "open('{data}/podium.db', 'a').close()",
    "read the agent's secret": "open('{data}/agent.secret').read()",
    "list the data folder": "if 'agent.secret' not in os.listdir('{data}'): raise OSError('it shows nothing')",
    "list the workspaces": (
        "if os.path.basename('{theirs}') not in os.listdir('{data}/workspaces'): raise OSError('it shows nothing')"
    ),
    "make a file in the runtime folder": "open('{runtime}/new', 'w').close()",
    "read a neighbour's file": "open('{theirs}/notes.txt').read()",
    "write a neighbour's file": "open('{theirs}/notes.txt', 'a').close()",
    "truncate a neighbour's file": "os.truncate('{theirs}/notes.txt', 6)",
    "follow a link to a neighbour's file": "open(workspace + '/link').read()",
    "link to a neighbour's file": "os.link('{theirs}/notes.txt', workspace + '/hard'); os.unlink(workspace + '/hard')",
    "move a neighbour's file": (
        "os.rename('{theirs}/notes.txt', workspace + '/moved'); os.rename(workspace + '/moved', '{theirs}/notes.txt')"
    ),
    "give a neighbour a file": "open(workspace + '/gift', 'w').close(); os.rename(workspace + '/gift', '{theirs}/gift')",
    "change what a neighbour's file permits": "os.chmod('{theirs}/notes.txt', 0o644)",
    "change what the database permits": "os.chmod('{data}/podium.db', 0o600)",
    "change what Podium's code permits": (
        "import environment; code = environment.__file__; os.chmod(code, os.stat(code).st_mode)"
    ),
    "change when a neighbour's file was written": "os.utime('{theirs}/notes.txt')",
    "watch what happens in a neighbour's folder": (
        "libc = ctypes.CDLL(None); watching = libc.inotify_init()\n"
        "made = libc.inotify_add_watch(watching, b'{theirs}', 32); os.close(watching)\n"
        "if made < 0: raise OSError('it cannot be watched')"
    ),
    "come by its own open folder": "os.chdir('/proc/self/fd'); open('{theirs}/notes.txt').read()",
    "read the agent's variables": "open('/proc/{agent}/environ').read()",
    "read the agent's memory map": "open('/proc/{agent}/maps').read()",
    "open the agent's memory": "open('/proc/{agent}/mem', 'rb').close()",
    "list what the agent has open": "os.listdir('/proc/{agent}/fd')",
    "go through the agent's root": "os.listdir('/proc/{agent}/root/')",
    "read a neighbour's variables": "open('/proc/{neighbour}/environ').read()",
    "find the agent among the processes": "if '{agent}' not in os.listdir('/proc'): raise OSError('it shows others')",
    "signal the agent": "os.kill({agent}, 0)",
    "signal the warm parent": "os.kill({parent}, 0)",
    "signal the neighbour's supervisor": "os.kill({supervisor}, 0)",
    "signal a neighbour": "os.kill({neighbour}, 0)",
    "limit a neighbour": "resource.prlimit({neighbour}, resource.RLIMIT_CPU)",
    "move a neighbour to another core": (
        "os.sched_setaffinity({neighbour}, os.sched_getaffinity(0))\n"
        "if os.sched_getaffinity({neighbour}) != os.sched_getaffinity(0): raise OSError('it stays')"
    ),
    "slow a neighbour down": "os.setpriority(os.PRIO_PROCESS, {neighbour}, os.getpriority(os.PRIO_PROCESS, {neighbour}))",
    "connect to a socket of the account": connect("{docker}"),
    "connect to an abstract socket": connect("\0{abstract}"),
    "connect to a neighbour's server": connect("{their_socket}"),
    "connect a pair of datagrams elsewhere": (
        "try:\n    socket.socketpair(type=socket.SOCK_DGRAM)[0].connect('{docker}')\n"
        "except ConnectionError:\n    pass\nexcept OSError as error:\n    if error.errno != 91: raise"
    ),
    "mount a neighbour's folder in namespaces of its own": program(
        "import ctypes; libc = ctypes.CDLL(None); raise SystemExit("
        "libc.unshare(0x10020000) or libc.mount(b'{theirs}', b'{mine}', None, ctypes.c_ulong(4096), None))"
    ),
    "connect from a program": program("import socket; socket.socket(socket.AF_UNIX).connect('{docker}')"),
}

TRACE = (
    "libc = ctypes.CDLL(None, use_errno=True)\n"
    "if libc.ptrace(16, {traced}, None, None): raise OSError('it cannot be traced')\n"
    "os.waitpid({traced}, 0x40000000); libc.ptrace(17, {traced}, None, None)"
)
_YAMA = Path("/proc/sys/kernel/yama/ptrace_scope")
if os.geteuid() == 0 or not _YAMA.exists() or _YAMA.read_text().strip() == "0":  # else the kernel refuses it to all but root
    ATTEMPTS |= {f"trace {who}": TRACE.replace("{traced}", f"{{{name}}}") for who, name in (
        ("the agent", "agent"), ("the warm parent", "parent"), ("a neighbour", "neighbour"),
    )}  # fmt: skip
    ATTEMPTS["take the warm parent's line, by which it is asked to start"] = (
        "libc = ctypes.CDLL(None, use_errno=True); taken = libc.syscall(438, os.pidfd_open({parent}), {line}, 0)\n"
        "if taken < 0: raise OSError(ctypes.get_errno(), 'it cannot be taken')"
    )

_CALL = (
    "libc = ctypes.CDLL(None, use_errno=True)\nif (made := {call}) < 0: raise OSError(ctypes.get_errno(), 'refused')\n{undo}"
)
_KEY = "248 if os.uname().machine == 'x86_64' else 217"
SHARED_BY_AN_ACCOUNT = {
    "make System V memory": _CALL.format(call="libc.shmget(20591, 4096, 0o1600)", undo="libc.shmctl(made, 0, None)"),
    "make System V semaphores": _CALL.format(call="libc.semget(20591, 1, 0o1600)", undo="libc.semctl(made, 0, 0)"),
    "make a System V queue of messages": _CALL.format(call="libc.msgget(20591, 0o1600)", undo="libc.msgctl(made, 0, None)"),
    "make a queue of messages": _CALL.format(
        call="libc.mq_open(b'/podium-test', 0o102, 0o600, None)", undo="libc.mq_unlink(b'/podium-test'); os.close(made)"
    ),
    "add a key to those of the account": _CALL.format(
        call=f"libc.syscall({_KEY}, b'user', b'podium-test', b'x', 1, ctypes.c_int(-2))", undo=""
    ),
    "make a ring of the kernel's, which connects past the filter": _CALL.format(
        call="libc.syscall(425, 1, ctypes.create_string_buffer(120))", undo="os.close(made)"
    ),
}
"""What the kernel keeps for all processes of an account, and what it may do in their place."""


def _is_known_here(code: str) -> bool:
    """Some kernels are built without it, or told to refuse it to everybody."""
    try:
        exec(code, {"ctypes": ctypes, "os": os})
    except OSError:
        return False
    return True


ATTEMPTS |= {name: code for name, code in SHARED_BY_AN_ACCOUNT.items() if _is_known_here(code)}

OPEN_WITHOUT_LANDLOCK = {"find the agent among the processes"}
"""What all accounts of a machine may do, where namespaces are forbidden, too."""
OPEN_TO_AN_ACCOUNT = {
    "change what a neighbour's file permits", "change what the database permits", "change what Podium's code permits",
    "change when a neighbour's file was written", "watch what happens in a neighbour's folder",
}  # fmt: skip
"""What Landlock (up to version 7) has no right over, where namespaces are forbidden, too: the sentence names it."""

if os.geteuid() != 0:
    ATTEMPTS["slow the whole account down"] = "os.setpriority(os.PRIO_USER, 0, os.getpriority(os.PRIO_PROCESS, 0))"
else:
    ATTEMPTS |= {
        "give a file to another account, as root may": (
            "open(workspace + '/given', 'w').close(); os.chown(workspace + '/given', 1, 1)"
        ),
        "name a program that the kernel starts as root": "open('/proc/sys/kernel/core_pattern', 'a').close()",
    }
