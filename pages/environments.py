"""Environments: launch one, see how it starts, open it, stop it."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from hub.environments.model import Phase, Target
from hub.environments.service import PAGE
from hub.environments.views import EnvironmentView
from hub.identity.person import Person
from hub.services import current
from hub.ui_attempt import act, attempt, show_notice, telling
from hub.ui_clusters import room
from hub.ui_dialog import draw_dialog, open_dialog
from hub.ui_environment import draw_facts, draw_head, draw_progress, escaped
from hub.ui_environment_dialogs import delete_dialog, launch_dialog, log_dialog
from hub.ui_guard import guard

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
    elif view.reason and view.is_live:
        st.info(escaped(view.reason), icon=":material/info:")
    if view.target is Target.RUNNING and view.phase in {Phase.QUEUED, Phase.STARTING}:
        draw_start(person, view)
    elif trouble := current().environments.hindrance(view):
        st.warning(f"{escaped(trouble.rstrip('.'))}.", icon=":material/cloud_off:")


def draw_start(person: Person, view: EnvironmentView) -> None:
    """How far a start is, what it waits for, and the way to cancel it."""
    environments = current().environments
    hindrance = environments.hindrance(view)
    space = room(current().clusters.known(view.cluster_id)) if hindrance else ""
    with st.status("Waiting" if view.phase is Phase.QUEUED else "Starting", expanded=True):
        draw_progress(view, environments.checkpoints(view), hindrance, space)
        st.button("Cancel", key=f"cancel-{view.slug}", on_click=act, args=(environments.stop, person, view.id))


def draw_actions(person: Person, view: EnvironmentView) -> None:
    """The usual act as the primary button, the rest in a menu."""
    acts: dict[str, Callable[[Person, EnvironmentView], None]] = {
        "Show log": partial(open_dialog, "log"),
        "Delete": partial(open_dialog, "delete"),
    }
    if view.phase is Phase.RUNNING and view.target is Target.RUNNING:
        url = current().addresses.environment(view.slug, view.cluster_id)
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


draw(guard())
