"""How pages say times and amounts: relative, with the exact one beside it in the browser's zone."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from hub.clock import now


def ago(moment: datetime | None) -> str:
    """`2 h ago`; `never` for None."""
    return f"{duration(now() - moment)} ago" if moment else "never"


def duration(span: timedelta) -> str:
    """`45 s`, `12 min`, `3 h 40 min`, `5 days`."""
    seconds = max(int(span.total_seconds()), 0)
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min"
    if seconds < 48 * 3600:
        hours, minutes = divmod(seconds // 60, 60)
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{seconds // 86400} days"


def exact(moment: datetime) -> str:
    """The date and time in the browser's zone, with the zone's name."""
    return f"{moment.astimezone(_zone()):%Y-%m-%d %H:%M:%S %Z}"


def _zone() -> ZoneInfo:
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")
