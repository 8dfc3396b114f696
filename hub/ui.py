"""The script that Streamlit runs: who is here, which pages there are for them, and the chosen page."""

from pathlib import Path

import streamlit as st

from hub.ui_attempt import telling
from hub.ui_dialog import turn_to
from hub.ui_environment import escaped
from hub.ui_guard import visitor

_ROOT = Path(__file__).resolve().parent.parent
_PAGES, _STATIC = _ROOT / "pages", _ROOT / "hub" / "static"

st.set_page_config(page_title="Podium", page_icon=str(_STATIC / "favicon.svg"), layout="centered")
st.logo(str(_STATIC / "logo.svg"), size="large", link=None)

_person = visitor()
_set_password = st.Page(_PAGES / "set_password.py", title="Set your password", url_path="set-password", icon=":material/key:")

if _person is None:
    # Streamlit gives its default page no path of its own, and `/login` must be one.
    _anywhere = st.Page(_PAGES / "login.py", title="Log in", url_path="anywhere", icon=":material/login:", default=True)
    _login = st.Page(_PAGES / "login.py", title="Log in", url_path="login", icon=":material/login:")
    _navigation = st.navigation([_anywhere, _login, _set_password], position="hidden")
else:
    _groups = {
        "Work": [
            st.Page(_PAGES / "environments.py", title="Environments", icon=":material/rocket_launch:", default=True),
            st.Page(_PAGES / "workspaces.py", title="Workspaces", icon=":material/folder_open:"),
        ],
        "See": [st.Page(_PAGES / "clusters.py", title="Clusters", icon=":material/dns:")],
        "You": [st.Page(_PAGES / "account.py", title="Account", icon=":material/person:")],
    }
    if _person.sees_all:
        _groups["Administer"] = [
            st.Page(_PAGES / "everyone.py", title="All environments", icon=":material/groups:", url_path="everyone"),
            st.Page(
                _PAGES / "everyones_workspaces.py", title="All workspaces", icon=":material/folder_shared:", url_path="volumes"
            ),
            st.Page(_PAGES / "users.py", title="Users", icon=":material/manage_accounts:"),
            st.Page(_PAGES / "audit.py", title="Audit", icon=":material/history:"),
        ]
    _navigation = st.navigation(_groups)
    with st.sidebar:
        st.caption(f"Logged in as {escaped(_person.display_name)}")

turn_to(_navigation.url_path)
with telling():
    _navigation.run()
