"""What an empty workspace shows: how to begin, and a made-up table as an example."""

import io

import plotly.express as px
import streamlit as st
from research import sample as example
from research.faults import WorkspaceFault
from research.saving import save

from parts.chart import draw
from parts.place import workspace


def show_sample() -> None:
    st.info(
        "**Your workspace is empty.** Upload files of your own, or begin with the example below; its numbers are made up.",
        icon=":material/inventory_2:",
    )
    with st.container(horizontal=True):
        if st.button("Upload files", type="primary", icon=":material/upload:"):
            st.switch_page("views/files.py")
        st.button("Keep the example", icon=":material/save:", on_click=_keep)
    table = example.sample()
    chart, rows = st.columns(2)
    with chart.container(border=True):
        figure = px.line(
            table, x="day", y="temperature", color="greenhouse", title="Temperature of three greenhouses (made up)"
        )
        figure.update_layout(legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "title": ""}, height=420)
        figure.update_yaxes(title="°C").update_xaxes(title="")
        draw(figure, "overview.sample", "Lines of the temperature of three greenhouses over thirty days")
    with rows.container(border=True):
        st.markdown("**The same numbers**")
        st.dataframe(
            table,
            hide_index=True,
            height=372,
            alt="Day, greenhouse, temperature and humidity",
            column_config={
                "day": st.column_config.DateColumn("Day"),
                "greenhouse": "Greenhouse",
                "temperature": st.column_config.NumberColumn("Temperature (°C)", format="%.1f"),
                "humidity": st.column_config.NumberColumn("Humidity (%)", format="%.0f"),
            },
        )


def _keep() -> None:
    try:
        saved = save(workspace(), "", example.NAME, io.BytesIO(example.as_csv()), replace=True)
    except WorkspaceFault as fault:
        st.toast(fault.sentence, icon=":material/error:")
    else:
        st.toast(f"{saved} lies in your workspace now.", icon=":material/check:")
