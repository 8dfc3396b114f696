"""The login page: a form, a check, and a one-time code that the browser swaps for its session."""

import streamlit as st

from hub.errors import PodiumError
from hub.services import current
from hub.ui_guard import visitor
from hub.ui_post import post_at_once

CODE, PROBLEM, NAME, PASSWORD = "login.code", "login.problem", "login.name", "login.password"
NOTICES = {
    "late": "That login took too long, or it was begun in another browser. Nothing is lost. Log in again.",
    "out": "You are logged out. Your environments go on, and your files are safe.",
}


def draw() -> None:
    """The whole page, for somebody who is not logged in."""
    st.title("Log in")
    st.caption("Podium gives you environments of your own and keeps your files.")
    if CODE in st.session_state:
        fields = {"code": st.session_state[CODE], "next": st.query_params.get("next", "/")}
        post_at_once("/auth/session", fields, "Logging you in…", key="login.post")
        return
    again = st.query_params.get("again", "")
    if again in NOTICES and PROBLEM not in st.session_state:
        st.info(NOTICES[again], icon=":material/info:")
    draw_form()


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
