"""For administrators: everybody's environments, and the way to stop any of them."""

import pandas as pd
import streamlit as st

from hub.environments.service import TABLE_PAGE
from hub.environments.views import EnvironmentFilter, EnvironmentView
from hub.identity.person import Person
from hub.services import current
from hub.ui_attempt import attempt, show_notice, telling
from hub.ui_environment import badge_of, escaped
from hub.ui_guard import guard_sight
from hub.ui_paging import paged
from hub.ui_words import exact


def draw() -> None:
    """The whole page."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.title("All environments", width="content")
    st.caption("Everybody's environments. Stopping one keeps its files; the act is in its story.")
    live_only = st.toggle(
        "Only those that are queued, starting or running", value=True, key="everyone.live", bind="query-params"
    )
    st.fragment(draw_told, run_every=5)(live_only=live_only)


def draw_told(*, live_only: bool) -> None:
    """The list, or why there is none, for who is here by now: a fragment runs without the page."""
    person = guard_sight()
    with telling():
        show_notice()
        draw_list(person, live_only=live_only)


def draw_list(person: Person, *, live_only: bool) -> None:
    """The table, and what can be done with the chosen one."""
    which, search = EnvironmentFilter(live=live_only), current().environments.search
    views, _, page = paged("everyone.page", TABLE_PAGE, lambda page: search(person, which, page, TABLE_PAGE, everyone=True))
    if not views:
        st.info("Nothing runs at the moment." if live_only else "Nobody has launched anything yet.", icon=":material/bedtime:")
        return
    chosen = st.dataframe(
        table(views), hide_index=True, key=f"everyone.table-{page}", on_select="rerun", selection_mode="single-row",
        column_config={
            "Memory": st.column_config.NumberColumn("Memory (GB)", format="%.1f"),
            "CPU": st.column_config.NumberColumn("CPU (cores)", format="%.1f"),
        },
        alt="One row for each environment: owner, name, state, since when, and its limits",
    )  # fmt: skip
    rows = chosen["selection"]["rows"]
    if not rows or rows[0] >= len(views):
        st.caption("Choose a row to stop an environment or to read its story.")
        return
    draw_chosen(person, views[rows[0]])


def table(views: list[EnvironmentView]) -> pd.DataFrame:
    """One row for each environment, in the words of the pages."""
    return pd.DataFrame(
        {
            "Owner": [view.owner for view in views],
            "Environment": [view.name for view in views],
            "State": [badge_of(view).word for view in views],
            "Since": [exact(view.since) for view in views],
            "Size": [view.profile for view in views],
            "CPU": [view.cpu for view in views],
            "Memory": [view.memory / 1e9 for view in views],
        }
    )


def stop(environment_id: str) -> None:
    attempt(current().environments.stop, guard_sight(), environment_id, done="It is being stopped.")


def draw_chosen(person: Person, view: EnvironmentView) -> None:
    """The chosen environment: stop it, and who did what to it."""
    with st.container(border=True):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.markdown(f"**{escaped(view.name)}** of {escaped(view.owner)}", width="content")
            if view.is_live and person.is_administrator:
                st.button(
                    "Stop",
                    key=f"everyone.stop-{view.slug}",
                    icon=":material/stop_circle:",
                    on_click=stop,
                    args=(view.id,),
                )
        for event in current().environments.story(person, view.id)[0]:
            detail = ", ".join(f"{key}: {value}" for key, value in event.detail.items())
            facts = (exact(event.at), escaped(event.actor), event.act, escaped(detail))
            st.caption(" · ".join(fact for fact in facts if fact))


guard_sight()
draw()
