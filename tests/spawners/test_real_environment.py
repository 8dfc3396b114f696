"""The environment's own server, forked from a parent that has imported what it needs."""

from pathlib import Path

import httpx
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from hub.settings import Settings
from hub.spawners.local.launch import options_of
from hub.spawners.local.options import Options
from tests.spawners.far_side import MIB, ready
from tests.spawners.local_side import LocalFarSide
from tests.support.ci import absent


def _key() -> dict[str, str]:
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    return {**ECAlgorithm.to_jwk(public, as_dict=True), "kid": "one", "alg": "ES256"}


def test_a_forked_environment_shares_most_of_its_memory_and_refuses_who_has_no_assertion(tmp_path: Path) -> None:
    options = options_of(Settings(data_dir=tmp_path / "data"))
    if not options.interpreters[0].exists():
        absent("The environments' interpreter is missing: `make install` makes it")
    default = Options(options.data, options.runtime, options.interpreters)
    far = LocalFarSide(
        tmp_path / "data",
        interpreters=default.interpreters,
        code=default.code,
        server=default.server,
        preload=default.preload,
        script=default.script,
    )
    try:
        specs = [far.spec(keys=(_key(),)) for _ in range(2)]
        seen = [ready(far, spec) for spec in specs]
        assert all(usage.memory < 70 * MIB for usage in far.spawner.usage())
        assert seen[0].upstream
        with httpx.Client(transport=httpx.HTTPTransport(uds=seen[0].upstream.removeprefix("unix:"))) as client:
            assert client.get("http://environment/").status_code == 421
        assert [far.spawner.log(spec.start_id, 10) for spec in specs] == ["", ""]
    finally:
        far.close()
