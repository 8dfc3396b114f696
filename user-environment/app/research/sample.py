"""A small made-up table, so that an empty workspace has something to look at."""

import math

import pandas as pd

NAME = "sample-greenhouses.csv"
_HOUSES = {"North": 17.0, "South": 23.0, "Seedlings": 26.0}
_DAYS = 30


def sample() -> pd.DataFrame:
    """Temperature and humidity of three greenhouses, day by day. The numbers are computed, not measured."""
    start = pd.Timestamp("2026-05-01")
    rows = [
        (start + pd.Timedelta(days=day), house, round(_warmth(day, mean), 1), round(_moisture(day, mean), 1))
        for house, mean in _HOUSES.items()
        for day in range(_DAYS)
    ]
    return pd.DataFrame(rows, columns=["day", "greenhouse", "temperature", "humidity"])


def as_csv() -> bytes:
    return sample().to_csv(index=False, date_format="%Y-%m-%d").encode()


def _warmth(day: int, mean: float) -> float:
    return mean + 3.5 * math.sin(day / 4.5) + 1.2 * math.sin(day * 2.1 + mean) + day * 0.08


def _moisture(day: int, mean: float) -> float:
    return 68 - 6 * math.sin(day / 4.5 + 0.4) + 2.5 * math.cos(day * 1.7 + mean) - (mean - 20)
