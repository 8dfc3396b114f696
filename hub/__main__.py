"""`python -m hub` and, once installed, `podium`."""

import gc

if __name__ == "__main__":
    # What is imported stays: looking through it for garbage took a fifth of a start. `up` turns that on again when it serves.
    gc.disable()
    from hub.cli import app

    app()
