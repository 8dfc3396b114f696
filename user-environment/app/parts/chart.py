"""Draws a figure in the theme's colours.

Streamlit registers its Plotly template when it loads its chart element. A figure made before that
keeps Plotly's own colours, so importing this module loads the element.
"""

import plotly.graph_objects as go
import streamlit as st
import streamlit.elements.plotly_chart

_QUIET = {"displaylogo": False}


def draw(figure: go.Figure, key: str, description: str) -> None:
    st.plotly_chart(figure, key=key, alt=description, config=_QUIET)
