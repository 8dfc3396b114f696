"""Clusters: what there is to compute with, and how much of it is free."""

from typing import Any

import streamlit as st

from hub.clusters.inventory import Inventory
from hub.clusters.overview import ClusterView
from hub.clusters.quantities import show_bytes
from hub.services import current
from hub.ui_attempt import telling
from hub.ui_clusters import Figure, cores, device_table, free, free_gpus, node_table, silence, storage
from hub.ui_environment import escaped
from hub.ui_guard import guard
from hub.ui_paging import paged
from hub.ui_words import ago, exact

NODES = 50  # rows of a page
EVERY = 30  # seconds


def draw() -> None:
    """The whole page."""
    st.title("Clusters")
    st.caption("What there is to compute with, and how much of it is free.")
    st.fragment(draw_told, run_every=EVERY)()


def draw_told() -> None:
    """All clusters, or why they cannot be shown, for who is here by now: a fragment runs without the page."""
    person = guard()
    with telling():
        place = st.empty()
        place.skeleton(height=220)
        views = current().clusters.look()
        place.empty()
        for view in views:
            with st.container(border=True, key=f"cluster-{view.id}"):
                draw_cluster(view)
                if view.launches and person.sees_all:
                    st.caption(f":material/shield: {escaped(current().home.isolation())}")


def draw_cluster(view: ClusterView) -> None:
    """One cluster: whether it answers, its numbers, its devices and its nodes."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{escaped(view.name)}**", width="content")
        if view.silent:
            st.badge("Silent", icon=":material/cloud_off:", color="orange", width="content")
        else:
            st.badge("Answers", icon=":material/check_circle:", color="green", width="content")
        if view.launches:
            st.badge("Launches here", icon=":material/rocket_launch:", color="blue", width="content")
    if view.silent:
        st.warning(silence(view), icon=":material/cloud_off:")
    if view.inventory is not None:
        draw_inventory(view, view.inventory)
    if view.links:
        with st.container(horizontal=True):
            for name, address in view.links.items():
                st.link_button(name, address, icon=":material/open_in_new:")


def draw_inventory(view: ClusterView, told: Inventory) -> None:
    """What a cluster told of itself."""
    facts = [f"{len(told.nodes)} nodes" if len(told.nodes) != 1 else "1 node", *storage(told)]
    if view.at:
        facts.append(f"as of {ago(view.at)}")
    st.caption(" · ".join(facts), help=exact(view.at) if view.at else None)
    if told.nodes:
        draw_numbers(told)
    if told.devices:
        st.dataframe(
            device_table(told.devices), hide_index=True, key=f"clusters.devices-{view.id}",
            column_config={"Memory": st.column_config.NumberColumn("Memory (GB)", format="%.0f")},
            alt=f"GPUs and other devices of {view.name} by model: how many there are, how many are taken and free",
        )  # fmt: skip
    if told.nodes:
        with st.expander("Nodes", icon=":material/dns:"):
            draw_nodes(view, told)
    for sentence in told.unseen:
        st.caption(f":material/visibility_off: {sentence}")


def draw_numbers(told: Inventory) -> None:
    """The numbers that matter: what is free, of how much."""
    gpus = [device for device in told.devices if device.is_gpu]
    takes_work = sum(node.takes_work for node in told.nodes)
    figures = [
        Figure("Nodes ready", str(takes_work), f"of {len(told.nodes)}"),
        free("CPU free", told.cpu, cores, " cores"),
        free("Memory free", told.memory, show_bytes),
        *([free_gpus(gpus)] if gpus else []),
    ]
    for column, figure in zip(st.columns(len(figures)), figures, strict=True):
        column.metric(
            figure.label, figure.value, figure.of, border=True, delta_color="off", delta_arrow="off", help=figure.more or None
        )


def draw_nodes(view: ClusterView, told: Inventory) -> None:
    """The nodes, a page at a time: those in trouble first."""
    ordered = sorted(told.nodes, key=lambda node: (node.takes_work and not node.trouble, node.name))
    rows, _, _ = paged(
        f"clusters.nodes-{view.id}.page", NODES, lambda page: (ordered[page * NODES : (page + 1) * NODES], len(ordered))
    )
    percent: Any = {"min_value": 0, "max_value": 100, "format": "%d %%"}
    st.dataframe(
        node_table(rows), hide_index=True, key=f"clusters.nodes-{view.id}",
        column_config={
            "CPU": st.column_config.NumberColumn("CPU (cores)", format="%.0f"),
            "CPU asked for": st.column_config.ProgressColumn(**percent),
            "CPU in use": st.column_config.ProgressColumn(**percent),
            "Memory": st.column_config.NumberColumn("Memory (GB)", format="%.0f"),
            "Memory asked for": st.column_config.ProgressColumn(**percent),
            "Memory in use": st.column_config.ProgressColumn(**percent),
        },
        alt=f"One row for each node of {view.name}: its state, and how much of its CPU and memory is asked for and in use",
    )  # fmt: skip


guard()
draw()
