"""Pieces that pages are made of. Each is a function that draws, with explicit arguments."""
