"""For administrators and auditors: who did what to what, when, and from where."""

from datetime import timedelta

import pandas as pd
import streamlit as st

from hub.audit.routes import address_of
from hub.audit.service import EventFilter, EventView
from hub.clock import now
from hub.identity.person import Person
from hub.services import current
from hub.ui_attempt import telling
from hub.ui_guard import guard_sight
from hub.ui_paging import paged
from hub.ui_words import exact

PAGE = 100
ANY = "any"
PERIODS = {
    "any time": None, "last hour": timedelta(hours=1), "last day": timedelta(days=1), "last week": timedelta(days=7),
    "last 30 days": timedelta(days=30),
}  # fmt: skip


def draw(person: Person) -> None:
    """The whole page."""
    st.title("Audit")
    st.caption("Every act, as it was written down when it happened. Nobody can change or remove one.")
    with telling():
        which = draw_filters(person)
        search = current().audit.search
        rows, total, page = paged("audit.page", PAGE, lambda page: search(person, which, page, PAGE))
        if not total:
            st.info("Nothing like that has happened. Widen the filter.", icon=":material/search_off:")
            return
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.caption(f"{total:,} {'event' if total == 1 else 'events'}", width="content")
            st.link_button("Export CSV", address_of(which), icon=":material/download:", key="audit.export")
        st.dataframe(table(rows), hide_index=True, key=f"audit.table-{page}", alt="One row for each event, newest first")


def draw_filters(person: Person) -> EventFilter:
    """What is looked for; it is part of the address."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        actor = st.text_input("Who", key="audit.actor", placeholder="Name", bind="query-params", max_chars=200)
        acts = [ANY, *current().audit.acts(person)]
        act = st.selectbox("What", acts, key="audit.act", bind="query-params")
        text = st.text_input(
            "To what, from where", key="audit.q", placeholder="Id or address", bind="query-params", max_chars=200
        )
        period = st.selectbox("When", list(PERIODS), key="audit.when", bind="query-params")
    span = PERIODS.get(period)
    return EventFilter(text or "", actor or "", "" if act == ANY else act or "", since=now() - span if span else None)


def table(rows: list[EventView]) -> pd.DataFrame:
    """One row for each event."""
    return pd.DataFrame(
        {
            "When": [exact(row.at) for row in rows],
            "Who": [row.actor for row in rows],
            "What": [row.act for row in rows],
            "From": [row.address for row in rows],
            "More": [row.words for row in rows],
            "To": [row.subject_id for row in rows],
        }
    )


draw(guard_sight())
