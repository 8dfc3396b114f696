"""Streamlit's options in an environment. They win over any file or variable in the workspace.

How it looks is said in `app/.streamlit/config.toml`, which Streamlit finds beside the script.
"""

import json
import secrets
from typing import Any

from streamlit import config

from environment.headers import USER_FIELDS
from environment.spec import ServerSpec

LARGEST_UPLOAD_MB = 1000


def options(spec: ServerSpec) -> dict[str, Any]:
    """Every option that security or the proxy depends on, in Streamlit's own names."""
    return {
        "browser.gatherUsageStats": False,
        "client.toolbarMode": "minimal",
        "global.developmentMode": False,
        "logger.hideWelcomeMessage": True,
        "server.allowedHosts": [],
        "server.baseUrlPath": spec.base_url,
        "server.corsAllowedOrigins": [],
        "server.enableAgentApi": False,
        "server.enableCORS": True,
        "server.enableXsrfProtection": True,
        "server.fileWatcherType": "none",
        "server.headless": True,
        "server.maxUploadSize": LARGEST_UPLOAD_MB,
        "server.scriptHealthCheckEnabled": False,
        "server.trustedUserHeaders": json.dumps(USER_FIELDS),
        "server.xsrfCookieSameSite": "strict",
    }


def apply(spec: ServerSpec) -> None:
    """Read Streamlit's configuration now, for this process."""
    config._main_script_path = str(spec.script)  # noqa: SLF001 - as `streamlit run` does, so that it finds the app's own file
    config.get_config_options(force_reparse=True, options_from_flags=options(spec))
    # A forked server would share with its siblings the secret that Streamlit made up in the parent.
    config.set_option("server.cookieSecret", secrets.token_hex())
