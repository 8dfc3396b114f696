"""How one environment is drawn: state, facts, progress. Used by every page that shows environments."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NamedTuple

import streamlit as st

from hub.clock import now
from hub.clusters.quantities import show_bytes
from hub.environments.model import Phase, Target
from hub.environments.views import EnvironmentView
from hub.ui_words import duration

Colour = Literal["green", "blue", "orange", "red", "gray"]


class Badge(NamedTuple):
    """A state in a word, an icon and a colour: never by colour alone."""

    word: str
    icon: str
    colour: Colour


BADGES: dict[Phase, Badge] = {
    Phase.STOPPED: Badge("Stopped", ":material/stop_circle:", "gray"),
    Phase.QUEUED: Badge("Queued", ":material/hourglass_top:", "orange"),
    Phase.STARTING: Badge("Starting", ":material/rocket_launch:", "blue"),
    Phase.RUNNING: Badge("Running", ":material/play_circle:", "green"),
    Phase.STOPPING: Badge("Stopping", ":material/pause_circle:", "orange"),
    Phase.FAILED: Badge("Failed", ":material/error:", "red"),
}


def badge_of(view: EnvironmentView) -> Badge:
    """The badge; what is about to end says so before it has."""
    if view.target is not Target.RUNNING and view.phase in {Phase.STARTING, Phase.RUNNING}:
        return BADGES[Phase.STOPPING]
    return BADGES[view.phase]


def draw_head(view: EnvironmentView) -> None:
    """Name and state in one line."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
        st.markdown(f"**{escaped(view.name)}**", width="content")
        badge = badge_of(view)
        st.badge(badge.word, icon=badge.icon, color=badge.colour)


def draw_facts(view: EnvironmentView) -> None:
    """Since when it is so, how large it is and where its files are, in one grey line."""
    since = f"{badge_of(view).word} for {duration(now() - view.since)}"
    size = f"{view.cpu:g} CPU · {show_bytes(view.memory)} memory"
    st.caption(f"{since} · {size} · files in {escaped(view.workspace)}")


def draw_progress(view: EnvironmentView, names: Sequence[str], hindrance: str = "", room: str = "") -> None:
    """The real checkpoints: reached ones with their time, the present one with its age, the coming ones grey.

    Below them, what it waits for where that may not come by itself, and how much room there is.
    """
    if view.phase is Phase.QUEUED:
        st.markdown(
            f":material/hourglass_top: Number {view.queue_position} in the queue. It starts by itself when there is room."
        )
        return
    reached = {point["name"]: datetime.fromisoformat(point["at"]) for point in view.checkpoints}
    details = {point["name"]: f" · {escaped(point['detail'])}" for point in view.checkpoints if point["detail"]}
    waiting = [name for name in names if name not in reached]
    last = max(reached.values(), default=view.since)
    begun = view.started_at or view.since
    for name in names:
        if name in reached:
            after = f"after {_seconds(begun, reached[name])}{details.get(name, '')}"
            st.markdown(f":material/check_circle: {name.capitalize()} :gray[{after}]")
        elif name == waiting[0]:
            st.markdown(f":material/progress_activity: {name.capitalize()} … :gray[{duration(now() - last)}]")
        else:
            st.markdown(f":gray[:material/circle: {name.capitalize()}]")
    if hindrance:
        why = " ".join(one for one in (f"{hindrance.rstrip('.')}.", room) if one)
        st.caption(f":material/info: {escaped(why)} It goes on by itself when that changes; or cancel it.")


def escaped(text: str) -> str:
    """A person's text as Markdown that shows it and does nothing else."""
    return "".join(f"\\{character}" if character in "\\`*_{}[]<>()#+-.!|:$~&" else character for character in text)


def _seconds(begun: datetime, reached: datetime) -> str:
    return f"{max((reached - begun).total_seconds(), 0):.1f} s"
