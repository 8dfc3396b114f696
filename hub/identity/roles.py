"""What people may do in all."""

from enum import StrEnum


class Role(StrEnum):
    USER = "user"
    AUDITOR = "auditor"
    """Sees everything and changes nothing that is somebody else's."""
    ADMINISTRATOR = "administrator"
