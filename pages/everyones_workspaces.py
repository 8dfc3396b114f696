"""For administrators: everybody's workspaces, and volumes that belong to none."""

import pandas as pd
import streamlit as st

from hub.clusters.quantities import show_bytes
from hub.services import current
from hub.ui_attempt import telling
from hub.ui_guard import guard_sight
from hub.ui_paging import paged
from hub.ui_words import ago, exact
from hub.workspaces.everybodys import PAGE, Orphan, OwnedView

SORTED = {"Used last": "-used_at", "Used longest ago": "used_at", "Largest": "-size", "Name": "name"}


def draw() -> None:
    """The whole page."""
    st.title("All workspaces")
    st.caption("Everybody's files: whose they are, how large, and when they were last used.")
    with telling():
        draw_list()
        draw_orphans()


def draw_list() -> None:
    """Filter, order and table."""
    person, search = guard_sight(), current().everybodys_workspaces.search
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input("Search", key="volumes.q", placeholder="Name or owner", bind="query-params", max_chars=200)
        order = st.selectbox("Order", list(SORTED), key="volumes.sort", bind="query-params")
    sort = SORTED.get(order or "", "-used_at")
    views, total, page = paged("volumes.page", PAGE, lambda page: search(person, text or "", page, PAGE, sort))
    if not views:
        st.info("There are no such workspaces." if text else "Nobody has a workspace yet.", icon=":material/folder_off:")
        return
    st.caption(f"{total} workspace" + ("s" if total != 1 else ""))
    st.dataframe(
        table(views), hide_index=True, key=f"volumes.table-{page}", placeholder="",
        column_config={
            "Size": st.column_config.NumberColumn("Size (GB)", format="%.2f"),
            "Volume": st.column_config.NumberColumn("Volume (GB)", format="%.2f", help="What it can hold at most"),
        },
        alt="One row for each workspace: owner, name, size in use, size of its volume, last use and cluster",
    )  # fmt: skip


def table(views: list[OwnedView]) -> pd.DataFrame:
    """One row for each workspace."""
    return pd.DataFrame(
        {
            "Owner": [view.owner for view in views],
            "Workspace": [view.name for view in views],
            "Size": [_in_gigabytes(view.size) for view in views],
            "Volume": [_in_gigabytes(view.capacity) for view in views],
            "Last used": [ago(view.last_used_at) for view in views],
            "Made": [exact(view.created_at) for view in views],
            "Cluster": [view.cluster_id for view in views],
            "State": ["being deleted" if view.deleting else "" for view in views],
        }
    )


def _in_gigabytes(amount: int | None) -> float | None:
    return None if amount is None else amount / 1e9


def draw_orphans() -> None:
    """Asked for by a button: it is a question to every cluster."""
    st.header("Volumes that belong to no workspace")
    st.caption("A database that was restored from an older backup, or another Podium in the same place, may have left some.")
    if not st.button("Look for them", icon=":material/search:", key="volumes.orphans"):
        return
    found = current().everybodys_workspaces.orphans(guard_sight())
    if not found:
        st.success("There are none.", icon=":material/check_circle:")
        return
    st.warning(
        f"{len(found)} found. Podium leaves them alone: look what is in them, and delete them where they lie.",
        icon=":material/folder_off:",
    )
    st.dataframe(orphan_table(found[:PAGE]), hide_index=True, alt="One row for each volume: its name, size and cluster")
    if len(found) > PAGE:
        st.caption(f"The first {PAGE} are shown.")


def orphan_table(orphans: list[Orphan]) -> pd.DataFrame:
    """One row for each volume."""
    return pd.DataFrame(
        {
            "Workspace id": [one.volume.workspace_id for one in orphans],
            "Size": [show_bytes(one.volume.capacity) if one.volume.capacity else "" for one in orphans],
            "Cluster": [one.cluster_id for one in orphans],
        }
    )


guard_sight()
draw()
