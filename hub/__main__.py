"""`python -m hub` and, once installed, `podium`."""

from hub.cli import app

if __name__ == "__main__":
    app()
