"""streamlit-authenticator's password hashing and its validators, without the rest of that package.

The package's own import draws in its pages, Streamlit and a cookie component, and takes three
seconds. Its hasher and its validator are modules that need none of that, so they are loaded from
their files. Its cookie is neither set nor read anywhere in Podium.
"""

from functools import cache
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any


@cache
def _module(name: str) -> ModuleType:
    package = find_spec("streamlit_authenticator")
    assert package is not None
    assert package.submodule_search_locations
    path = Path(package.submodule_search_locations[0]) / "utilities" / f"{name}.py"
    spec = spec_from_file_location(f"streamlit_authenticator.utilities.{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def hash_password(password: str) -> str:
    """A bcrypt hash of cost 12."""
    return str(_hasher().hash(password))


def matches(password: str, password_hash: str) -> bool:
    """Whether the password has that hash. Takes about 0.2 s, by intent."""
    return bool(_hasher().check_pw(password, password_hash))


def is_user_name(name: str) -> bool:
    """Letters, digits, `_` and `-` (at most 20), or an e-mail address."""
    return "\n" not in name and bool(_module("validator").Validator().validate_username(name))


def is_email(address: str) -> bool:
    return "\n" not in address and bool(_module("validator").Validator().validate_email(address))


def _hasher() -> Any:
    return _module("hasher").Hasher
