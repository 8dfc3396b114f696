"""The account page: who am I, change the password, log out, where else I am logged in, and my programs' tokens."""

import streamlit as st

from hub.errors import PodiumError
from hub.identity.person import Person
from hub.identity.sessions import SessionView
from hub.services import current
from hub.ui_attempt import attempt, show_notice
from hub.ui_dialog import draw_dialog
from hub.ui_environment import escaped
from hub.ui_guard import guard
from hub.ui_post import post_button
from hub.ui_tokens import draw_tokens, token_dialog
from hub.ui_words import ago, exact

OLD, NEW, AGAIN = "account.old", "account.new", "account.again"
PROBLEM, CHANGED = "account.problem", "account.changed"
BROWSERS = {"Edg/": "Edge", "OPR/": "Opera", "Firefox/": "Firefox", "Chrome/": "Chrome", "Safari/": "Safari"}
SYSTEMS = {"Android": "Android", "iPhone": "iPhone", "iPad": "iPad", "Windows": "Windows", "Mac OS": "macOS", "Linux": "Linux"}


def draw(person: Person) -> None:
    """The whole page."""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom"):
        st.title("Account", width="content")
        post_button("Log out", "/auth/logout", key="account.logout")
    st.caption("Who you are here, your password, the browsers in which you are logged in, and your programs' tokens.")
    show_notice()
    with st.container(border=True):
        st.markdown(f"**{escaped(person.display_name)}**")
        st.caption(" · ".join(escaped(fact) for fact in (person.name, person.email, person.role) if fact))
    draw_logins(person)
    if any(not login.can_go for login in current().logins.of(person)):
        draw_password()
    draw_sessions(person)
    draw_tokens(person)
    draw_dialog({"token": token_dialog})


def draw_logins(person: Person) -> None:
    """The ways in, and the providers by which there could be one more."""
    linked = current().logins.of(person)
    missing = {
        name: label
        for name, label in current().logins.buttons.items()
        if label not in {one.label for one in linked if one.can_go}
    }
    if not missing and len(linked) < 2:
        return
    st.header("How you log in")
    for login in linked:
        with st.container(border=True, key=f"login-{login.id}"):
            left, right = st.columns([3, 1], vertical_alignment="center")
            left.markdown(f"**{escaped(login.label) if login.can_go else 'Name and password'}**")
            left.caption(f"used {ago(login.last_used_at)}" if login.last_used_at else "not used yet")
            with right, st.container(horizontal=True, horizontal_alignment="right"):
                if login.can_go:
                    st.button("Unlink", key=f"unlink-{login.id}", on_click=unlink, args=(login.id,), disabled=len(linked) < 2)
    for name, label in missing.items():
        post_button(f"Link {label}", "/auth/link", {"provider": name}, key=f"account.link-{name}")


def unlink(login_id: str) -> None:
    attempt(current().logins.unlink, guard(), login_id, done="That login no longer opens this account.")


def draw_password() -> None:
    """The present password is asked for: an open screen is not enough to take an account over."""
    st.header("Change your password")
    with st.form("account.form"):
        st.text_input("Present password", key=OLD, type="password", autocomplete="current-password", max_chars=200)
        st.text_input("New password", key=NEW, type="password", autocomplete="new-password", max_chars=200)
        st.text_input("New password again", key=AGAIN, type="password", autocomplete="new-password", max_chars=200)
        st.caption("At least 10 characters; a few words in a row are fine. You stay logged in here and nowhere else.")
        if PROBLEM in st.session_state:
            st.error(st.session_state.pop(PROBLEM), icon=":material/error:")
        if st.session_state.pop(CHANGED, False):
            st.success("Your password is changed. All other browsers are logged out.", icon=":material/check_circle:")
        st.form_submit_button("Change password", type="primary", on_click=change_password)


def change_password() -> None:
    """Runs with the person of this very moment, not with the one that the page was drawn for."""
    old, new, again = (st.session_state[key] for key in (OLD, NEW, AGAIN))
    if new != again:
        st.session_state[PROBLEM] = "The two new passwords differ. Type the same one twice."
        return
    try:
        current().identity.change_password(guard(), old, new)
    except PodiumError as error:
        st.session_state[PROBLEM] = error.sentence
        return
    for key in (OLD, NEW, AGAIN):
        st.session_state[key] = ""
    st.session_state[CHANGED] = True


def draw_sessions(person: Person) -> None:
    """This browser first, then the others with a way to end them."""
    views = sorted(current().sessions.of_user(person.user_id), key=lambda view: view.id != person.session_id)
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom"):
        st.header("Where you are logged in", width="content")
        if len(views) > 1:
            st.button("End all others", key="account.end-others", on_click=end_others)
    for view in views:
        with st.container(border=True, key=f"session-{view.id}"):
            draw_session(person, view)


def draw_session(person: Person, view: SessionView) -> None:
    left, right = st.columns([3, 1], vertical_alignment="center")
    left.markdown(f"**{device(view.user_agent)}**")
    facts = [escaped(view.address or "unknown address"), f"since {ago(view.created_at)}", f"last seen {ago(view.last_seen_at)}"]
    left.caption(" · ".join(facts), help=f"From {exact(view.created_at)}; ends by itself {exact(view.expires_at)}")
    with right, st.container(horizontal=True, horizontal_alignment="right"):
        if view.id == person.session_id:
            st.badge("This browser", icon=":material/check_circle:", color="green")
        else:
            st.button("End", key=f"end-{view.id}", on_click=end_one, args=(view.id,))


def device(user_agent: str) -> str:
    """`Chrome on Linux`, from what the browser said of itself."""
    browser = next((name for mark, name in BROWSERS.items() if mark in user_agent), "Unknown browser")
    system = next((name for mark, name in SYSTEMS.items() if mark in user_agent), "")
    return f"{browser} on {system}" if system else browser


def end_one(session_id: str) -> None:
    attempt(current().identity.end_session, guard(), session_id, done="That browser is logged out.")


def end_others() -> None:
    attempt(current().identity.end_other_sessions, guard(), done="All other browsers are logged out.")


draw(guard())
