"""A hub in a process of its own, over a spawner in memory: `python -m tests.identity.serve FOLDER DATABASE_URL [SETTINGS]`.

`SETTINGS` is a JSON object of further settings; `halts_at` in it is the spawner's.
"""

import json
import sys
from pathlib import Path

from hub import datafolder, services
from hub.asgi import create_app
from hub.database import Database
from hub.far_side import FarSide
from hub.server import listen, serve
from hub.settings import Settings
from tests.support.memory_spawner import MemorySpawner

USUAL = {"secret_key": "a-key-for-tests-0123456789abcdef"}


def main() -> None:
    folder, url = Path(sys.argv[1]), sys.argv[2]
    further = json.loads(sys.argv[3]) if len(sys.argv) > 3 else {}
    spawner = MemorySpawner()
    spawner.halts_at = further.pop("halts_at", spawner.halts_at)
    listener = listen("127.0.0.1", 0)
    port = listener.getsockname()[1]
    settings = Settings(data_dir=folder, database_url=url, port=port, **{**USUAL, **further})
    built = services.build(settings, datafolder.prepare(folder), Database(url), FarSide("local", spawner, str))
    app = create_app(built)
    print(port, flush=True)  # noqa: T201 - the test reads the port
    serve(app, listener)
    built.database.close()


if __name__ == "__main__":
    main()
