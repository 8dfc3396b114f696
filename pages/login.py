"""The login page: a button for each provider, the form of local accounts, and why somebody was not let in.

The right password becomes a one-time code that the browser swaps for its session; a provider's button
is a form that the browser posts.
"""

from contextlib import suppress

import streamlit as st

from hub.errors import PodiumError
from hub.identity.notices import Notice
from hub.services import current
from hub.ui_guard import visitor
from hub.ui_post import post_at_once, post_button

CODE, PROBLEM, NAME, PASSWORD = "login.code", "login.problem", "login.name", "login.password"


def draw() -> None:
    """The whole page, for somebody who is not logged in."""
    st.title("Log in")
    st.caption("Podium gives you environments of your own and keeps your files.")
    if CODE in st.session_state:
        fields = {"code": st.session_state[CODE], "next": onward()}
        post_at_once("/auth/session", fields, "Logging you in…", key="login.post")
        return
    draw_notice()
    buttons, local = current().logins.buttons, current().settings.local_accounts
    for name, label in buttons.items():
        fields = {"provider": name, "next": onward()}
        post_button(f"Login with {label}", "/auth/login", fields, key=f"login.with-{name}", wide=True)
    if local:
        if buttons:
            st.caption("Or with a name and a password that Podium keeps:")
        draw_form()
    elif not buttons:
        st.error("There is no way to log in here: set up a provider, or local accounts.", icon=":material/error:")


def onward() -> str:
    return st.query_params.get("next", "/")


def draw_notice() -> None:
    """Why this page is here again, unless the form has something newer to say."""
    if PROBLEM in st.session_state:
        return
    with suppress(ValueError):
        notice = Notice(st.query_params.get("again", ""))
        draw_words = st.info if notice.is_news else st.warning
        draw_words(notice.sentence, icon=":material/info:" if notice.is_news else ":material/lock:")


def draw_form() -> None:
    """Name and password, with the names by which browsers and password managers know them."""
    with st.form("login.form"):
        st.text_input("User name", key=NAME, autocomplete="username", max_chars=254)
        st.text_input("Password", key=PASSWORD, type="password", autocomplete="current-password", max_chars=200)
        if PROBLEM in st.session_state:
            st.error(st.session_state[PROBLEM], icon=":material/error:")
        st.form_submit_button("Log in", type="primary", on_click=log_in, width="stretch")
    st.caption("You have no password yet, or forgot it? Ask an administrator for a one-time link.")


def log_in() -> None:
    """Check the password. Success leaves a code for the next run to post, failure a sentence."""
    st.session_state.pop(PROBLEM, None)
    password, st.session_state[PASSWORD] = st.session_state[PASSWORD], ""
    form, address = st.user.get("form") or "", st.context.ip_address or ""
    try:
        st.session_state[CODE] = current().identity.log_in_with_password(st.session_state[NAME], password, str(form), address)
    except PodiumError as error:
        st.session_state[PROBLEM] = error.sentence


def draw_already(name: str) -> None:
    """What somebody sees here who is logged in."""
    st.title("You are logged in")
    st.caption(f"as {name}.")
    st.link_button("Go to your environments", "/", type="primary")


person = visitor()
with st.container(horizontal_alignment="center"), st.container(width=420):
    if person:
        draw_already(person.name)
    else:
        draw()
