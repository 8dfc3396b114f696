"""The dialogs of the Environments page: launch, delete, and what an environment wrote."""

import streamlit as st

from hub.clusters.quantities import show_limit
from hub.environments.catalog import CUSTOM, Custom
from hub.environments.launching import LaunchOrder
from hub.environments.views import EnvironmentView
from hub.errors import PodiumError
from hub.identity.person import Person
from hub.services import current
from hub.ui_attempt import attempt, show_notice
from hub.ui_dialog import close_dialog, leave_dialog
from hub.ui_environment import escaped
from hub.workspaces.service import LARGEST_PAGE

NEW = "A new workspace"
GIGA = 10**9


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
