"""Workspaces: the folders of files that outlive environments."""

from pathlib import Path

import streamlit as st

from hub.clusters.quantities import show_bytes
from hub.environments.catalog import CUSTOM
from hub.environments.launching import LaunchOrder
from hub.identity.person import Person
from hub.services import current
from hub.ui_attempt import attempt, show_notice
from hub.ui_dialog import close_dialog, draw_dialog, leave_dialog, open_dialog
from hub.ui_environment import escaped
from hub.ui_guard import guard
from hub.ui_paging import paged
from hub.ui_words import ago, exact
from hub.workspaces.service import PAGE, WorkspaceView

ALMOST_FULL = 0.9


def draw(person: Person) -> None:
    """The whole page."""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom"):
        st.title("Workspaces", width="content")
        st.button(
            "New workspace", icon=":material/create_new_folder:", key="workspaces.new",
            on_click=open_dialog, args=("new", person),
        )  # fmt: skip
    st.caption("Folders of your files. They stay when an environment stops or is deleted.")
    show_notice()
    views, _, _ = paged("workspaces.page", PAGE, lambda page: current().workspaces.search(person, page=page))
    if not views:
        with st.container(border=True):
            st.markdown("**You have no workspace yet.**")
            st.markdown("The first launch makes one. Go to **Environments** and press **Launch environment**.")
    for view in views:
        with st.container(border=True, key=f"workspace-{view.id}"):
            draw_card(person, view)
    draw_dialog({"new": new_dialog, "use": launch_dialog, "delete-workspace": delete_dialog})


def draw_card(person: Person, view: WorkspaceView) -> None:
    """One workspace: its name at the left, what can be done at the right, facts below."""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        draw_head(view)
        with st.container(horizontal=True, horizontal_alignment="right", width="content"):
            draw_actions(person, view)
    used = f"used {ago(view.last_used_at)}" if view.last_used_at else "never used"
    has_it = f"used by {escaped(', '.join(view.used_by))}" if view.used_by else "no environment has it"
    st.caption(f"{shown_size(view)} · {used} · {has_it}", help=exact(view.last_used_at or view.created_at))


def draw_head(view: WorkspaceView) -> None:
    """Its name, and whether it will soon take nothing more."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
        st.markdown(f"**{escaped(view.name)}**", width="content")
        if view.size and view.capacity and view.size > ALMOST_FULL * view.capacity:
            st.badge("Almost full", icon=":material/hard_drive:", color="orange")


def shown_size(view: WorkspaceView) -> str:
    """What is used of how much."""
    if view.size is None:
        return "size not measured yet"
    if view.capacity is None:
        return show_bytes(view.size)
    return f"{show_bytes(view.size)} of {show_bytes(view.capacity)}"


def draw_actions(person: Person, view: WorkspaceView) -> None:
    """Launch with it where nothing runs with it, take the files home, or delete them."""
    if not view.running:
        st.button(
            "Launch with it", type="primary", icon=":material/rocket_launch:", key=f"use-{view.id}",
            on_click=open_dialog, args=("use", person, view),
        )  # fmt: skip
    st.link_button("Download", f"/workspaces/{view.id}/archive", icon=":material/download:", key=f"download-{view.id}")
    if st.menu_button("More", ["Delete"], key=f"more-{view.id}"):
        open_dialog("delete-workspace", person, view)


@st.dialog("New workspace", on_dismiss=close_dialog)
def new_dialog(person: Person) -> None:
    """A name is all it needs."""
    name = st.text_input("Name", key="workspaces.name")
    pressed = st.button("Make workspace", type="primary", key="workspaces.make")
    done = "The workspace is ready for a launch."
    if pressed and attempt(current().workspaces.create, person, name or "", done=done, where="new"):
        leave_dialog()
    show_notice("new")


@st.dialog("Launch with this workspace", on_dismiss=close_dialog)
def launch_dialog(person: Person, view: WorkspaceView) -> None:
    """Launch an environment that finds these files."""
    catalog = current().environments.catalog
    name = st.text_input("Name", value=view.used_by[0] if view.used_by else view.name, key=f"use.name-{view.id}")
    names = [profile.name for profile in catalog.profiles]
    chosen = st.segmented_control("Size", names, default=catalog.default.name, required=True, key=f"use.profile-{view.id}")
    st.caption(f"For other numbers launch it from the Environments page with “{CUSTOM}”.")
    pressed = st.button("Launch environment", type="primary", key=f"use.go-{view.id}")
    order = LaunchOrder(name or "", chosen or "", None, view.id)
    if pressed and attempt(current().environments.launch, person, order, where="use"):
        close_dialog()
        st.switch_page(Path(__file__).with_name("environments.py"))
    show_notice("use")


@st.dialog("Delete workspace", on_dismiss=close_dialog)
def delete_dialog(person: Person, view: WorkspaceView) -> None:
    """Says what is lost, and wants the name typed."""
    amount = show_bytes(view.size) if view.size is not None else "all"
    st.markdown(f"**{escaped(view.name)}** goes for good, with {amount} of files. Download it first if you may need them.")
    typed = st.text_input(f"Type “{escaped(view.name)}” to confirm", key=f"workspace.typed-{view.id}", autocomplete="off")
    pressed = st.button("Delete workspace", key=f"workspace.delete-{view.id}", icon=":material/delete:")
    delete, done = current().workspaces.delete, "The workspace was deleted."
    if pressed and attempt(delete, person, view.id, typed or "", done=done, where="delete"):
        leave_dialog()
    show_notice("delete")


draw(guard())
