"""Why an environment ended, in words for its owner: what happened, what is safe, what to do."""

from hub.clusters.quantities import show_bytes
from hub.environments.model import Environment
from hub.spawners.base import Ending, Exit

SAFE = "Your files are safe."


def explain(environment: Environment, exit_: Exit) -> str:
    """The sentence that the page shows for an environment that ended."""
    if exit_.why is Ending.OUT_OF_MEMORY:
        peak = f" (it had taken {show_bytes(exit_.peak_memory)})" if exit_.peak_memory else ""
        return (
            f"Out of memory. It reached its limit of {show_bytes(environment.memory_limit)}{peak}. {SAFE} "
            "Launch it with a larger preset, or work on less data at a time."
        )
    if exit_.why is Ending.TOO_MANY_PROCESSES:
        return f"It started more processes than allowed{_detail(exit_)}. {SAFE} Launch it again with fewer of them."
    if exit_.why is Ending.KILLED:
        return f"It was ended from outside{_detail(exit_)}. {SAFE} Launch it again."
    if exit_.why is Ending.EXITED:
        code = "" if exit_.exit_code is None else f" with exit code {exit_.exit_code}"
        return f"It ended by itself{code}. {SAFE} The log says what it did last; launch it again."
    if exit_.why is Ending.NEVER_STARTED:
        return f"It could not be started{_detail(exit_)}. {SAFE} Try again; if it stays so, tell an administrator."
    if exit_.why is Ending.LOST:
        return f"The machine that it ran on was lost{_detail(exit_)}. {SAFE} Launch it again."
    return f"It was stopped. {SAFE}"


TOO_SLOW = f"It was not ready in time, so it was stopped. {SAFE} Try again; if it stays so, tell an administrator."
LOST_TOO_OFTEN = f"The machine that it ran on was lost several times in a row. {SAFE} Tell an administrator."


def _detail(exit_: Exit) -> str:
    return f": {exit_.detail.rstrip('.')}" if exit_.detail else ""
