"""`python -m hub` and, once installed, `podium`."""

import gc

if __name__ == "__main__":
    # What is imported stays; to look through it for garbage again and again takes a fifth of a start. `up` turns it on to serve
    gc.disable()
    from hub.cli import app

    app()
