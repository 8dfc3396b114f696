"""Which start has a workspace: from before its first process until its end is known and nothing of it is left.

The lock that a supervisor holds does not say it: it may be free as soon as the supervisor is killed, while what that one left
behind still has to be ended, and is not to be taken for the next start's.
"""

from collections import defaultdict

HELD = "Another environment is running with this workspace."


class Holders:
    """Lives in the agent's event loop."""

    def __init__(self) -> None:
        self._starts: defaultdict[str, set[str]] = defaultdict(set)

    def keep(self, workspace_id: str, start_id: str) -> None:
        """What an earlier agent gave, also where it gave it twice: it could not write down the end of the first one."""
        self._starts[workspace_id].add(start_id)

    def take(self, workspace_id: str, start_id: str) -> bool:
        """Whether that start has the workspace for itself from now on."""
        if self._starts[workspace_id] - {start_id}:
            return False
        self._starts[workspace_id].add(start_id)
        return True

    def free(self, workspace_id: str, start_id: str) -> None:
        """It has ended, or never had it."""
        self._starts[workspace_id].discard(start_id)
        if not self._starts[workspace_id]:
            del self._starts[workspace_id]
