"""Podium's hub: logs people in, launches their environments, and shows the way to them."""

__version__ = "0.2.0"

SCHEMA = 5
"""The number of the database schema that this code reads and writes (see `hub.database`)."""
