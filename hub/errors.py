"""Every error that Podium raises on purpose, in one tree.

    PodiumError                what happened, in a sentence that a user may read
    ├── Invalid         422    the input cannot be taken; the sentence says what can
    ├── NotLoggedIn     401    no session, or one that has ended
    ├── Refused         403    this person may not do that
    ├── NotFound        404    it does not exist, or this person may not know that it does
    ├── Conflict        409    it contradicts the present state
    │   └── LimitReached 409   a limit of the person or of the machine
    ├── Silent          503    a part that Podium needs does not answer; nothing is lost
    │   ├── DatabaseSilent
    │   └── ClusterSilent
    └── CannotStart     (exit 1)  `up` and other commands end with this one sentence

A foreign library's error is translated once, where the library is called (`hub.database`,
`hub.spawners.*`), and never reaches a page, an API answer or a terminal as it is.
"""

from typing import ClassVar


class PodiumError(Exception):
    """What happened, what is safe and what to do now, as one text for the person concerned.

    `status` is the HTTP status of an answer that carries the error.
    """

    status: ClassVar[int] = 500

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class Invalid(PodiumError):
    status = 422


class NotLoggedIn(PodiumError):
    status = 401


class Refused(PodiumError):
    status = 403


class NotFound(PodiumError):
    status = 404


class Conflict(PodiumError):
    status = 409


class LimitReached(Conflict):
    """A limit of the person or of the machine; the sentence gives the numbers."""


class TooMany(PodiumError):
    """More at once, or in a short time, than one person or one address may have."""

    status = 429


class Silent(PodiumError):
    """A part that Podium needs does not answer. Callers keep what they know and try again."""

    status = 503


class DatabaseSilent(Silent):
    def __init__(self, sentence: str = "The database does not answer. Nothing is lost; try again in a moment.") -> None:
        super().__init__(sentence)


class ClusterSilent(Silent):
    def __init__(
        self, sentence: str = "The machine that runs the environments does not answer. Nothing is lost; Podium keeps trying."
    ) -> None:
        super().__init__(sentence)


class CannotStart(PodiumError):
    """A command of the operator cannot go on; the sentence says why and what to do."""
