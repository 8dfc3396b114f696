"""Who uses this environment, in the sidebar, with the way back to Podium."""

import os
from urllib.parse import urlsplit

import streamlit as st
from research.person import Person
from research.wording import literal


def show_identity() -> None:
    with st.sidebar, st.container(border=True):
        person = Person.of(st.user.to_dict())
        if person is None:
            st.caption("This environment runs without Podium in front of it.")
        else:
            st.markdown(f":material/account_circle: **{literal(person.name)}**")
            st.text(person.email or "No e-mail address")
        if name := os.environ.get("ENV_NAME"):
            st.caption(f"Environment {literal(name)}")
        _way_back(os.environ.get("HUB_URL", ""))


def _way_back(address: str) -> None:
    if urlsplit(address).scheme in {"http", "https"}:
        st.link_button("Back to Podium", address, icon=":material/arrow_back:", width="stretch")
