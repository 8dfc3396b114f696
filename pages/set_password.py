"""The page behind a one-time link: the first administrator chooses name and password, others a password."""

import streamlit as st

from hub.errors import PodiumError
from hub.identity.links import GONE, LinkView
from hub.services import current
from hub.ui_post import post_at_once

CODE, DONE, PROBLEM = "link.code", "link.done", "link.problem"
_FIRST = "You are its first administrator. Choose the name and the password with which you log in."
NAME, DISPLAY_NAME, NEW, AGAIN = "link.name", "link.display_name", "link.new", "link.again"


def draw(token: str) -> None:
    """The whole page."""
    if CODE in st.session_state:
        st.title("Your password is set")
        post_at_once("/auth/session", {"code": st.session_state[CODE], "next": "/"}, "Logging you in…", key="link.post")
        return
    if DONE in st.session_state:
        st.title("Your password is set")
        st.link_button("Log in", "/login", type="primary")
        return
    link = current().identity.look_at_link(token)
    if link is None:
        draw_gone()
    else:
        draw_form(token, link)


def draw_gone() -> None:
    st.title("This link does not work any more")
    st.caption(GONE)
    st.link_button("Log in", "/login", type="primary")


def draw_form(token: str, link: LinkView) -> None:
    """The names only for the first administrator; the password twice, as nobody sees it."""
    st.title("Welcome to Podium" if link.chooses_name else "Set your password")
    st.caption(_FIRST if link.chooses_name else "Nobody but you will know it.")
    with st.form("link.form"):
        if link.chooses_name:
            st.text_input("User name", key=NAME, autocomplete="username", max_chars=254)
            st.text_input("Full name", key=DISPLAY_NAME, autocomplete="name", max_chars=100)
        else:
            st.text_input("User name", value=link.name, autocomplete="username", disabled=True)
        st.text_input("Password", key=NEW, type="password", autocomplete="new-password", max_chars=200)
        st.text_input("Password again", key=AGAIN, type="password", autocomplete="new-password", max_chars=200)
        st.caption("At least 10 characters; a few words in a row are fine.")
        if PROBLEM in st.session_state:
            st.error(st.session_state[PROBLEM], icon=":material/error:")
        st.form_submit_button("Set password", type="primary", on_click=set_password, args=(token,), width="stretch")


def set_password(token: str) -> None:
    """Spend the link, then log in with what was just set."""
    st.session_state.pop(PROBLEM, None)
    new, again = st.session_state[NEW], st.session_state[AGAIN]
    if new != again:
        st.session_state[PROBLEM] = "The two passwords differ. Type the same one twice."
        return
    names = st.session_state.get(NAME, ""), st.session_state.get(DISPLAY_NAME, "")
    try:
        user = current().identity.set_password_by_link(token, new, *names)
        st.session_state[DONE] = True
        form, address = st.user.get("form") or "", st.context.ip_address or ""
        st.session_state[CODE] = current().identity.log_in_with_password(user.name, new, str(form), address)
    except PodiumError as error:
        st.session_state[PROBLEM] = error.sentence


with st.container(horizontal_alignment="center"), st.container(width=420):
    draw(st.query_params.get("link", ""))
