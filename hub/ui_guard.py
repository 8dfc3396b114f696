"""What every page calls first: who is here? A page without its guard would run for strangers.

The identity middleware has recognised the session when the tab connected; here the row is read
anew at each run, so that logging out, disabling somebody or changing a role counts at once.
"""

from dataclasses import replace
from typing import NoReturn

import streamlit as st

from hub.errors import DatabaseSilent
from hub.identity.person import Person
from hub.services import current


def visitor() -> Person | None:
    """The logged-in person, or None. Stops the run with a sentence while the database is silent."""
    session_id = st.user.get("session")
    if not isinstance(session_id, str) or not session_id:
        return None
    try:
        person = current().sessions.by_id(session_id)
        return replace(person, address=st.context.ip_address or "") if person else None
    except DatabaseSilent as error:
        st.error(error.sentence, icon=":material/cloud_off:")
        st.stop()


def guard() -> Person:
    """The logged-in person; for anybody else the page ends here with the way to the login."""
    person = visitor()
    if person is None:
        _refuse("Log in to see this page.")
    return person


def guard_sight() -> Person:
    """As `guard`, for pages of those who may see everything: administrators and auditors."""
    person = guard()
    if not person.sees_all:
        st.warning(
            "This page is for administrators and auditors. Ask one of them, or go back to your environments.",
            icon=":material/lock:",
        )
        st.stop()
    return person


def _refuse(sentence: str) -> NoReturn:
    st.warning(sentence, icon=":material/lock:")
    st.link_button("Log in", "/login", type="primary")
    st.stop()
    raise AssertionError
