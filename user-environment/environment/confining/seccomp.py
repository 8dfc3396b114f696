"""A filter of system calls for what Landlock leaves open between processes of one account.

Where all environments run as one account, so do a container engine's socket, the key agent and the user's bus: a
connection to a Unix socket by its path asks for no right that Landlock knows of (ABI 7). So where paths are not hidden
(`environment.confining.view`), nobody gets a Unix socket. Pairs stay, but for pairs of datagrams, which can be connected to
another address afterwards. Refused everywhere: other ways to make a socket (`io_uring`), keys and memory that the kernel
shares among an account's processes (keyrings, System V IPC, message queues), and limits and priorities of other processes: an
account's process may set the hub's time limit to nothing.
The kernel's interface: https://docs.kernel.org/userspace-api/seccomp_filter.html
"""

import ctypes
import errno
import os
import platform
import socket
import struct
from collections.abc import Iterable
from dataclasses import dataclass

from environment.confining.kernel import checked, libc

_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _FILTER = 38, 22, 2
_LOAD, _EQUAL, _ANY_SET, _AND, _RETURN = 0x20, 0x15, 0x45, 0x54, 0x06
"""Instructions of the filter's machine: jumps go over as many as they say, where the answer is yes, and where it is no."""
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
"""A refusal carries the error; without one the call does nothing and says that it did."""
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
"""Where these lie in what a filter is given. Of an argument it looks at the lower half, as the kernel does with these."""
_X32 = 0x40000000
"""Set in the numbers of x86-64's other interface."""
_ALL = 0xFFFFFFFF
_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}


@dataclass(frozen=True)
class Only:
    """A call, by its numbers on x86-64 and on aarch64, and what must hold for it; without any condition it is refused.

    A condition names an argument, the bits of it that are looked at, and the values that they may have. `error` is what a
    refusal says.
    """

    numbers: tuple[int, int]
    conditions: tuple[tuple[int, int, tuple[int, ...]], ...] = ()
    error: int = errno.EACCES


_OWN = ((0, _ALL, (0,)),)
"""The calling process."""
RULES = (
    Only((425, 425)),  # io_uring_setup
    Only((248, 217)),  # add_key
    Only((249, 218)),  # request_key
    Only((250, 219)),  # keyctl
    Only((29, 194)),  # shmget
    Only((64, 190)),  # semget
    Only((68, 186)),  # msgget
    Only((240, 180)),  # mq_open
)
OF_GIVEN_CORES = (Only((203, 122), error=0),)
"""sched_setaffinity does nothing where there are cores to keep to: libraries that bind their threads go on."""
OF_A_SHARED_ACCOUNT = (
    Only((302, 261), _OWN),  # prlimit64
    Only((142, 118), _OWN, error=0),  # sched_setparam: libraries set it for threads of theirs, which have numbers too, and
    Only((144, 119), _OWN, error=0),  # sched_setscheduler: ZeroMQ, and so every Jupyter kernel, ends where it is refused
    Only((203, 122), _OWN),  # sched_setaffinity
    Only((314, 274), _OWN),  # sched_setattr
    Only((141, 140), ((0, _ALL, (os.PRIO_PROCESS, os.PRIO_PGRP)), (1, _ALL, (0,)))),  # setpriority
    Only((251, 30), ((0, _ALL, (1, 2)), (1, _ALL, (0,)))),  # ioprio_set, of a process or a group
)


_FAST_OPEN = 0x20000000
_PLAIN = (0, socket.IPPROTO_ICMP, socket.IPPROTO_TCP, socket.IPPROTO_UDP, socket.IPPROTO_ICMPV6)
_AT_ONCE = (
    Only((44, 206), ((3, _FAST_OPEN, (0,)),)),  # sendto
    Only((46, 211), ((2, _FAST_OPEN, (0,)),)),  # sendmsg
    Only((307, 269), ((3, _FAST_OPEN, (0,)),)),  # sendmmsg
)
_PAIRS = (Only((53, 199), ((1, 0xF, (socket.SOCK_STREAM, socket.SOCK_SEQPACKET)),)),)  # socketpair


def sockets(*, unix: bool, plain: bool) -> tuple[Only, ...]:
    """Which there are: `unix` ones or none but pairs; and none but `plain` ones where Landlock judges ports.

    Landlock judges TCP that binds and connects: neither MPTCP and others that fall back to it, nor data sent at once.
    """
    families = (socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK, *((socket.AF_UNIX,) if unix else ()))
    conditions = ((0, _ALL, families), *(((2, _ALL, _PLAIN),) if plain else ()))
    made = () if unix and not plain else (Only((41, 198), conditions),)  # socket
    return (*made, *(() if unix else _PAIRS), *(_AT_ONCE if plain else ()))


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def is_known() -> bool:
    """Whether there is a filter for this machine's system calls."""
    return platform.machine() in _ARCHITECTURES


def restrict(rules: Iterable[Only]) -> None:
    """This process and all that it starts, for good. Raises OSError where the kernel refuses, KeyError where not `is_known`."""
    code = _filter(platform.machine(), rules)
    program = _Program(len(code) // 8, code)
    for call in ((_PR_SET_NO_NEW_PRIVS, 1, 0), (_PR_SET_SECCOMP, _FILTER, ctypes.byref(program))):
        checked(libc.prctl(*call, 0, 0))


def _filter(machine: str, rules: Iterable[Only]) -> bytes:
    """Of a call the first rule decides. A program of another architecture is killed: its numbers mean other calls."""
    which = tuple(_ARCHITECTURES).index(machine)
    instructions = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, _ARCHITECTURES[machine]),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
        (_ANY_SET, 0, 1, _X32),
        (_RETURN, 0, 0, _REFUSE | errno.EACCES),
    ]
    for rule in rules:
        checked = list(_checked(rule))
        instructions += [(_EQUAL, 0, len(checked), rule.numbers[which]), *checked]
    instructions.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("HBBI", *instruction) for instruction in instructions)


def _checked(rule: Only) -> Iterable[tuple[int, int, int, int]]:
    for argument, mask, values in rule.conditions:
        yield (_LOAD, 0, 0, _ARGUMENTS + 8 * argument)
        yield (_AND, 0, 0, mask)
        for number, value in enumerate(values):
            yield (_EQUAL, len(values) - number, 0, value)
        yield (_RETURN, 0, 0, _REFUSE | rule.error)
    yield (_RETURN, 0, 0, _ALLOW if rule.conditions else _REFUSE | rule.error)
