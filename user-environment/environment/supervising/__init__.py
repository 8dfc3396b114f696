"""Holds one environment in hand wherever it runs: its server, its limits, its end."""
