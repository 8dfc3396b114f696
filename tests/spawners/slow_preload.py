"""Imported by a warm parent that a test wants to be slow: it ends when nobody needs it any more."""

import os
import time

_parent = os.getppid()
while os.getppid() == _parent:
    time.sleep(0.05)
