"""Environments: launch one, see how it starts, open it, stop it."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from hub.clusters.quantities import show_limit
from hub.environments.catalog import CUSTOM, Custom
from hub.environments.launching import LaunchOrder
from hub.environments.model import Phase, Target
from hub.environments.service import PAGE
from hub.environments.views import EnvironmentView
from hub.errors import PodiumError
from hub.identity.person import Person
from hub.services import current
from hub.ui_attempt import act, attempt, show_notice, telling
from hub.ui_dialog import close_dialog, draw_dialog, leave_dialog, open_dialog
from hub.ui_environment import draw_facts, draw_head, draw_progress, escaped
from hub.ui_guard import guard
from hub.workspaces.service import LARGEST_PAGE

NEW = "A new workspace"
GIGA = 10**9
IDLE_SECONDS = 30  # another tab may have launched something


def draw(person: Person) -> None:
    """The whole page."""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom"):
        st.title("Environments", width="content")
        st.button(
            "Launch environment", type="primary", icon=":material/rocket_launch:", key="environments.launch",
            on_click=open_dialog, args=("launch", person),
        )  # fmt: skip
    st.caption("Your own Streamlit workplaces. What you save in a workspace is there again at the next launch.")
    count = current().environments.count_of(person)
    page = st.pagination(-(-count // PAGE), key="environments.page") - 1 if count > PAGE else 0
    live = any(view.is_live for view in current().environments.of(person, page))
    st.fragment(draw_cards, run_every=1 if live else IDLE_SECONDS)(person, page, live=live)
    draw_dialog({"launch": launch_dialog, "delete": delete_dialog, "log": log_dialog})


def draw_empty() -> None:
    """Nothing yet: what this is, and the button above."""
    with st.container(border=True):
        st.markdown("**You have no environment yet.**")
        st.markdown(
            "An environment is a place of your own to analyse data: it has its files, its memory and its address. "
            "Press **Launch environment**, choose a size, and it opens in seconds."
        )


def draw_cards(person: Person, page: int, *, live: bool) -> None:
    """The list, drawn again each second while something of it lives."""
    with telling():
        show_notice()
        views = current().environments.of(person, page)
        if any(view.is_live for view in views) != live:
            st.rerun()
        if not views:
            draw_empty()
        for view in views:
            with st.container(border=True, key=f"environment-{view.slug}"):
                draw_card(person, view)


def draw_card(person: Person, view: EnvironmentView) -> None:
    """One environment: its state at the left, what can be done at the right, facts, progress or reason below."""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        draw_head(view)
        with st.container(horizontal=True, horizontal_alignment="right", width="content"):
            draw_actions(person, view)
    draw_facts(view)
    if view.phase is Phase.FAILED and view.reason:
        what, _, then = view.reason.partition(". ")
        st.error(f"**{escaped(what.rstrip('.'))}.** {escaped(then)}", icon=":material/error:")
    if view.target is Target.RUNNING and view.phase in {Phase.QUEUED, Phase.STARTING}:
        with st.status("Waiting" if view.phase is Phase.QUEUED else "Starting", expanded=True):
            draw_progress(view, current().environments.checkpoints(view))
            st.button("Cancel", key=f"cancel-{view.slug}", on_click=act, args=(current().environments.stop, person, view.id))


def draw_actions(person: Person, view: EnvironmentView) -> None:
    """The usual act as the primary button, the rest in a menu."""
    acts: dict[str, Callable[[Person, EnvironmentView], None]] = {
        "Show log": partial(open_dialog, "log"),
        "Delete": partial(open_dialog, "delete"),
    }
    if view.phase is Phase.RUNNING and view.target is Target.RUNNING:
        url = current().addresses.environment(view.slug)
        st.link_button("Open environment", url, type="primary", icon=":material/open_in_new:", key=f"open-{view.slug}")
        st.button("Stop", key=f"stop-{view.slug}", on_click=act, args=(current().environments.stop, person, view.id))
        acts = {"Restart": restart, **acts}
    elif view.phase in {Phase.STOPPED, Phase.FAILED} and view.target is Target.STOPPED:
        st.button(
            "Launch", type="primary", icon=":material/rocket_launch:", key=f"launch-{view.slug}",
            on_click=act, args=(current().environments.relaunch, person, view.id),
        )  # fmt: skip
    chosen = st.menu_button("More", list(acts), key=f"more-{view.slug}")
    if chosen:
        acts[chosen](person, view)
        st.rerun()


def restart(person: Person, view: EnvironmentView) -> None:
    """End the present run and begin a new one."""
    attempt(current().environments.restart, person, view.id)


@st.dialog("Launch environment", on_dismiss=close_dialog)
def launch_dialog(person: Person) -> None:
    """Name, size and workspace; refusals stay in the dialog, where they can be mended."""
    catalog = current().environments.catalog
    names = [*(profile.name for profile in catalog.profiles), CUSTOM]
    name = st.text_input("Name", value="My analysis", key="launch.name")
    chosen = st.segmented_control("Size", names, default=catalog.default.name, required=True, key="launch.profile")
    custom = draw_size(chosen)
    spaces = {view.id: view for view in current().workspaces.search(person, size=LARGEST_PAGE)[0]}
    workspace = st.selectbox(
        "Workspace", [NEW, *spaces], format_func=lambda key: spaces[key].name if key in spaces else key, key="launch.workspace",
        help="A workspace is a folder of files that outlives the environment.",
    )  # fmt: skip
    order = LaunchOrder(name or "", chosen or "", custom, None if workspace == NEW else workspace)
    pressed = st.button("Launch environment", type="primary", icon=":material/rocket_launch:", key="launch.go")
    if pressed and attempt(current().environments.launch, person, order, where="launch"):
        leave_dialog()
    show_notice("launch")


def draw_size(chosen: str | None) -> Custom | None:
    """What the preset means, or the two numbers of a custom one."""
    catalog = current().environments.catalog
    if chosen != CUSTOM:
        profile = next((profile for profile in catalog.profiles if profile.name == chosen), catalog.default)
        st.caption(f"{profile.description} · {profile.summary}" if profile.description else profile.summary)
        return None
    left, right = st.columns(2)
    # Limits of the fields' own would silently keep the number from before; the service says what is possible.
    cpu = left.number_input("CPU cores", value=min(1.0, catalog.max_cpu), step=0.5, key="launch.cpu")
    memory = right.number_input("Memory in GB", value=min(2.0, catalog.max_memory / GIGA), step=0.5, key="launch.memory")
    st.caption(f"Up to {catalog.max_cpu:g} CPU and {show_limit(catalog.max_memory)}.")
    return Custom(cpu, int(memory * GIGA))


@st.dialog("Delete environment", on_dismiss=close_dialog)
def delete_dialog(person: Person, view: EnvironmentView) -> None:
    """Says what is lost and what stays, and wants the name typed."""
    st.markdown(f"**{escaped(view.name)}** and its address go for good. A running session ends.")
    with_workspace = st.radio(
        f"Its workspace “{escaped(view.workspace)}”", [False, True], key=f"delete.workspace-{view.slug}",
        format_func=lambda goes: "Delete the files too" if goes else "Keep the files, ready for another launch",
    )  # fmt: skip
    typed = st.text_input(f"Type “{escaped(view.name)}” to confirm", key=f"delete.name-{view.slug}", autocomplete="off")
    pressed = st.button("Delete environment", key=f"delete.go-{view.slug}", icon=":material/delete:")
    delete, where = current().environments.delete, f"delete-{view.slug}"
    if pressed and attempt(delete, person, view.id, typed or "", with_workspace=bool(with_workspace), where=where):
        leave_dialog()
    show_notice(where)


@st.dialog("Log", width="large", on_dismiss=close_dialog)
def log_dialog(person: Person, view: EnvironmentView) -> None:
    """The last lines that the environment wrote, and what happened to it."""
    try:
        text = current().environments.log(person, view.id)
    except PodiumError as error:
        st.warning(error.sentence, icon=":material/cloud_off:")
        return
    if text:
        st.code(text, language=None, height=400)
    else:
        st.info("Nothing was written yet.", icon=":material/notes:")


draw(guard())
