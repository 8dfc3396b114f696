"""Why an environment ended, in words for its owner: what happened, what is safe, what to do."""

from hub.clusters.quantities import show_bytes
from hub.environments.model import Environment
from hub.spawners.base import Ending, Exit

SAFE = "Your files are safe."
LAST_LINES = 3
"""How many lines of a log a reason ends with."""
_LONGEST = 300


def explain(environment: Environment, exit_: Exit, log_end: str = "") -> str:
    """The sentence that the page shows for an environment that ended; `log_end` is what it wrote last."""
    limit = show_bytes(environment.memory_limit)
    peak = f" (it had taken {show_bytes(exit_.peak_memory)})" if exit_.peak_memory else ""
    code = "" if exit_.exit_code is None else f" with exit code {exit_.exit_code}"
    detail = f": {exit_.detail.rstrip('.')}" if exit_.detail else ""
    what, advice = {
        Ending.OUT_OF_MEMORY: (
            f"Out of memory. It reached its limit of {limit}{peak}.",
            "Launch it with a larger preset, or work on less data at a time.",
        ),
        Ending.TOO_MANY_PROCESSES: (f"It started more processes than allowed{detail}.", "Launch it again with fewer of them."),
        Ending.OUT_OF_SPACE: (
            f"It filled the space outside its workspace{detail}.",
            "Launch it again, and write large files into the workspace.",
        ),
        Ending.KILLED: (f"It was ended from outside{detail}.", "Launch it again."),
        Ending.EXITED: (f"It ended by itself{code}.", f"{_last_words(log_end)} Launch it again."),
        Ending.NEVER_STARTED: (f"It could not be started{detail}.", "Try again; if it stays so, tell an administrator."),
        Ending.LOST: (_taken_by(exit_), "Launch it again."),
        Ending.STOPPED: ("It was stopped.", "Launch it again."),
    }[exit_.why]
    return f"{what} {SAFE} {advice}"


def too_slow(hindrance: str) -> str:
    """`hindrance`: what it was waiting for to the last, where that is known."""
    why = f" {hindrance.rstrip('.')}." if hindrance else ""
    return f"It was not ready in time, so it was stopped.{why} {SAFE} Try again; if it stays so, tell an administrator."


def taken(exit_: Exit) -> str:
    """For one that the infrastructure took and that starts again."""
    return f"{_taken_by(exit_)} {SAFE} It was started again by itself; what it had in memory is lost."


def taken_too_often(exit_: Exit) -> str:
    """For one that it took again and again."""
    return f"It was lost several times in a row, so it stays stopped. {_taken_by(exit_)} {SAFE} Tell an administrator."


def _taken_by(exit_: Exit) -> str:
    """`detail` is the infrastructure's own word, such as which resource its machine had run short of."""
    return f"It was lost: {exit_.detail.rstrip('.')}." if exit_.detail else "The machine that it ran on was lost."


def _last_words(log_end: str) -> str:
    lines = [line.strip() for line in log_end.splitlines() if line.strip()][-LAST_LINES:]
    said = "".join(character for character in " / ".join(lines) if character.isprintable())
    return f"Its log ends with “{said[-_LONGEST:]}”." if said else "The log says what it did last."
