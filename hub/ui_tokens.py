"""The account page's part about API tokens: make one, see it once, revoke it."""

import streamlit as st

from hub.identity.api_tokens import LONGEST_DAYS, TokenView
from hub.identity.person import Person
from hub.identity.scopes import SCOPES, Caller, scopes_of
from hub.services import current
from hub.ui_attempt import attempt, show_notice
from hub.ui_dialog import close_dialog, leave_dialog, open_dialog
from hub.ui_environment import escaped
from hub.ui_guard import guard
from hub.ui_words import ago, exact

MADE = "tokens.made"
DAYS = 90


def draw_tokens(person: Person) -> None:
    """The tokens that count, the one that was just made, and the way to another."""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom"):
        st.header("API tokens", width="content")
        st.button("New token", icon=":material/key:", key="tokens.new", on_click=open_dialog, args=("token",))
    views, _ = current().tokens.of(person)
    if not views:
        st.caption("With a token a program calls Podium for you: launch at night, list your files. /docs says how.")
    if MADE in st.session_state:
        st.success("This is the token. Copy it now; nobody can show it again.", icon=":material/key:")
        st.code(st.session_state[MADE], language=None)
        st.button("I have copied it", key="tokens.copied", on_click=lambda: st.session_state.pop(MADE, None))
    for view in views:
        with st.container(border=True, key=f"token-{view.id}"):
            draw_token(view)


def draw_token(view: TokenView) -> None:
    left, right = st.columns([3, 1], vertical_alignment="center")
    left.markdown(f"**{escaped(view.name)}**")
    used = f"used {ago(view.last_used_at)}" if view.last_used_at else "not used yet"
    left.caption(f"{used} · ends {exact(view.expires_at)}", help="\n".join(f"- {SCOPES[scope]}" for scope in view.scopes))
    with right, st.container(horizontal=True, horizontal_alignment="right"):
        st.button("Revoke", key=f"revoke-{view.id}", on_click=revoke, args=(view.id,))


def revoke(token_id: str) -> None:
    attempt(current().tokens.revoke, guard(), token_id, done="The token opens nothing any more.")


@st.dialog("New API token", on_dismiss=close_dialog)
def token_dialog() -> None:
    """What it is for, what it may do, and for how long."""
    scopes = sorted(scopes_of(guard().role))
    name = st.text_input("What it is for", key="tokens.name", max_chars=100, placeholder="nightly run")
    chosen = st.multiselect(
        "What it may do", scopes, ["environments:read"], format_func=lambda scope: SCOPES[scope], key="tokens.scopes"
    )
    days = st.number_input("Days until it ends", 1, LONGEST_DAYS, DAYS, key="tokens.days")

    def make() -> None:
        person = guard()
        caller = Caller.of(person)
        _, st.session_state[MADE] = current().tokens.create(caller, name or "", chosen, int(days))

    if st.button("Make token", type="primary", key="tokens.go") and attempt(make, where="token"):
        leave_dialog()
    show_notice("token")
