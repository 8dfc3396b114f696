"""For administrators: find people, let them in, give roles, disable, end sessions. Auditors look."""

from collections.abc import Callable

import pandas as pd
import streamlit as st

from hub.identity.administration import UserFilter
from hub.identity.model import Approval, RoleSource
from hub.identity.person import Person
from hub.identity.roles import Role
from hub.identity.users import UserView
from hub.services import current
from hub.ui_attempt import attempt, show_notice, telling
from hub.ui_dialog import close_dialog, draw_dialog, leave_dialog, open_dialog
from hub.ui_environment import escaped
from hub.ui_guard import guard, guard_sight
from hub.ui_paging import paged
from hub.ui_words import ago, exact

PAGE = 50
ANY = "any"
STATES = ["active", "pending", "disabled"]
LINK = "users.link"


def draw(person: Person) -> None:
    """The whole page."""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom"):
        st.title("Users", width="content")
        if person.is_administrator:
            st.button(
                "Add user", type="primary", icon=":material/person_add:", key="users.add", on_click=open_dialog, args=("add",)
            )
    st.caption("Everybody who may log in, or asks to. Disabling somebody ends sessions and environments; workspaces stay.")
    with telling():
        show_notice()
        draw_link()
        draw_list(person)
    draw_dialog({"add": add_dialog})


def draw_list(person: Person) -> None:
    """Filters, the table, and what can be done with the chosen person."""
    which, search = draw_filters(), current().identity.people.search
    views, total, page = paged("users.page", PAGE, lambda page: search(person, which, page, PAGE))
    if not views:
        st.info("Nobody is like that. Widen the filter.", icon=":material/search_off:")
        return
    st.caption(f"{total} {'person' if total == 1 else 'people'}")
    chosen = st.dataframe(
        table(views), hide_index=True, key=f"users.table-{page}", on_select="rerun", selection_mode="single-row",
        alt="One row for each person: name, role, state and last login",
    )  # fmt: skip
    rows = chosen["selection"]["rows"]
    if rows and rows[0] < len(views):
        draw_chosen(person, views[rows[0]])
    else:
        st.caption(
            "Choose a row to see more of somebody." if not person.is_administrator else "Choose a row to change somebody."
        )


def draw_filters() -> UserFilter:
    """What is looked for; it is part of the address, which can be sent to a colleague."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input("Search", key="users.q", placeholder="Name or e-mail", bind="query-params", max_chars=200)
        roles = [ANY, *(role.value for role in Role)]
        role = st.selectbox("Role", roles, key="users.role", bind="query-params")
        state = st.selectbox("State", [ANY, *STATES], key="users.state", bind="query-params")
    return UserFilter(text or "", Role(role) if role in set(Role) else None, state if state in STATES else None)


def table(views: list[UserView]) -> pd.DataFrame:
    """One row for each person."""
    return pd.DataFrame(
        {
            "Name": [view.display_name for view in views],
            "User name": [view.name for view in views],
            "E-mail": [view.email or "" for view in views],
            "Role": [view.role.value for view in views],
            "State": [view.state for view in views],
            "Last login": [ago(view.last_login_at) for view in views],
        }
    )


def draw_chosen(person: Person, view: UserView) -> None:
    """Who it is, and for administrators what can be done."""
    with st.container(border=True):
        st.markdown(f"**{escaped(view.display_name)}**")
        facts = [view.name, view.email, view.role.value, view.state, f"since {exact(view.created_at)}"]
        if view.role_source is RoleSource.GROUPS:
            facts.append("role follows the provider's groups")
        st.caption(" · ".join(escaped(fact) for fact in facts if fact))
        if person.is_administrator:
            with st.container(horizontal=True, vertical_alignment="bottom"):
                draw_acts(person, view)


def draw_acts(person: Person, view: UserView) -> None:
    """The usual act as the primary button, the others beside it."""
    people, identity = current().identity.people, current().identity
    if view.approval is Approval.PENDING and not view.disabled_at:
        button("Let in", people.approve, view, "may log in now", primary=True)
    if view.id != person.user_id:
        roles = [role.value for role in Role]
        st.selectbox(
            "Role", roles, index=roles.index(view.role.value), key=f"users.set-role-{view.id}", on_change=set_role,
            args=(view.id,),
        )  # fmt: skip
    if view.disabled_at:
        button("Enable", identity.enable, view, "may log in again")
    elif view.id != person.user_id:
        button("Disable", identity.disable, view, "is disabled, and everything of theirs is being stopped")
    button("End sessions", people.end_sessions, view, "is logged out everywhere")
    st.button("Password link", key=f"users.link-{view.id}", on_click=make_link, args=(view.id, view.name))


def button(label: str, service_call: Callable[..., object], view: UserView, done: str, *, primary: bool = False) -> None:
    """A button whose act takes the person's id and who acts at that moment."""
    st.button(
        label, key=f"users.{label}-{view.id}", type="primary" if primary else "secondary", on_click=as_who_is_here,
        args=(service_call, view.id), kwargs={"done": f"{escaped(view.display_name)} {done}."},
    )  # fmt: skip


def as_who_is_here(service_call: Callable[..., object], user_id: str, done: str) -> None:
    """Not as whom the page was drawn for: a role may have been lost meanwhile."""
    attempt(service_call, user_id, actor=guard(), done=done)


def set_role(user_id: str) -> None:
    role = Role(st.session_state[f"users.set-role-{user_id}"])
    done = "The role is changed; the next login has it."
    attempt(current().identity.people.set_role, user_id, role, actor=guard(), done=done)


def make_link(user_id: str, name: str) -> None:
    """A one-time link, shown until the page is left."""

    def make() -> None:
        token = current().identity.make_password_link(user_id, actor=guard())
        st.session_state[LINK] = (name, f"{current().settings.root_url}/set-password?link={token}")

    attempt(make)


def draw_link() -> None:
    """The link that was just made, to be handed over."""
    if LINK in st.session_state:
        name, address = st.session_state[LINK]
        st.success(f"{escaped(name)} sets a password here. The link works once, for 24 hours; nobody sees it again.")
        st.code(address, language=None)


@st.dialog("Add user", on_dismiss=close_dialog)
def add_dialog() -> None:
    """Name, shown name and role; the answer is a one-time link."""
    name = st.text_input("User name", key="users.new-name", max_chars=254, autocomplete="off")
    display_name = st.text_input("Full name", key="users.new-display", max_chars=100, autocomplete="off")
    role = st.selectbox("Role", [role.value for role in Role], key="users.new-role")

    def add() -> None:
        user = current().identity.add_user(name, display_name or name, Role(role), actor=guard())
        make_link(user.id, user.name)

    if st.button("Add user", type="primary", key="users.new-go") and attempt(add, where="add"):
        leave_dialog()
    show_notice("add")


draw(guard_sight())
