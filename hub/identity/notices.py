"""What the login page says when somebody is not let in: why, in plain words, and whom to ask.

The address of the page carries only the notice's name, never a text, so nobody can put words there.
"""

from enum import StrEnum


class Notice(StrEnum):
    LATE = "late"
    OUT = "out"
    COOKIES = "cookies"
    CANCELLED = "cancelled"
    SILENT = "silent"
    REFUSED = "refused"
    NOT_ADMITTED = "not-admitted"
    PENDING = "pending"
    DISABLED = "disabled"
    BUSY = "busy"

    @property
    def sentence(self) -> str:
        return _SENTENCES[self]

    @property
    def is_news(self) -> bool:
        """Whether it is no refusal."""
        return self in {Notice.OUT, Notice.LATE, Notice.CANCELLED}


_SENTENCES = {
    Notice.LATE: "That login took too long, or it was begun in another browser. Nothing is lost. Log in again.",
    Notice.OUT: "You are logged out. Your environments go on, and your files are safe.",
    Notice.COOKIES: "Podium needs cookies to log you in. Allow them for this address, then try again.",
    Notice.CANCELLED: "The login was not completed at the provider. Nothing has changed. Try again when you like.",
    Notice.SILENT: "The login provider does not answer at the moment. Try again in a minute; your environments go on.",
    Notice.REFUSED: "The provider's answer could not be trusted, so nobody was logged in. Try again; if it stays so, tell "
    "an administrator the time.",
    Notice.NOT_ADMITTED: "You are known to the provider, but you are not among those who may enter Podium. Ask an "
    "administrator to let you in.",
    Notice.PENDING: "Your account waits for an administrator to let you in. Nothing else is to be done; come back later.",
    Notice.DISABLED: "This account is disabled. Your files are safe. Ask an administrator to enable it.",
    Notice.BUSY: "Too many logins come from your address. Wait a minute, then try again.",
}
