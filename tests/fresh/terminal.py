"""A command in a terminal of its own, whose lines are read as they come and which gets a real Ctrl-C."""

import os
import pty
import select
import subprocess
import time
from dataclasses import dataclass, field

CTRL_C = b"\x03"


@dataclass
class Terminal:
    """Start one with `Terminal.of`."""

    process: subprocess.Popen[bytes]
    master: int
    text: str = ""
    started: float = field(default_factory=time.monotonic)

    @classmethod
    def of(cls, command: list[str]) -> "Terminal":
        master, slave = pty.openpty()
        process = subprocess.Popen(["setsid", "--ctty", "--wait", *command], stdin=slave, stdout=slave, stderr=slave)
        os.close(slave)
        return cls(process, master)

    def read_until(self, words: str, seconds: float) -> float:
        """Wait for `words` in the output; how long that took since the start. Raises RuntimeError with the output."""
        while words not in self.text:
            if not self._read(seconds - (time.monotonic() - self.started)):
                raise RuntimeError(f"{words!r} did not come:\n{self.text}")
        return time.monotonic() - self.started

    def press_ctrl_c(self) -> None:
        os.write(self.master, CTRL_C)

    def end(self, seconds: float = 60) -> int:
        """Read to the end; the exit code."""
        deadline = time.monotonic() + seconds
        while self._read(deadline - time.monotonic()):
            pass
        code = self.process.wait(max(1, deadline - time.monotonic()))
        os.close(self.master)
        return code

    def _read(self, seconds: float) -> bool:
        """Whether more came; False at the end of the output or of the time."""
        ready, _, _ = select.select([self.master], [], [], max(0, seconds))
        if not ready:
            return False
        try:
            chunk = os.read(self.master, 65536)
        except OSError:
            return False
        self.text += chunk.decode("utf-8", "replace").replace("\r\n", "\n")
        return bool(chunk)
