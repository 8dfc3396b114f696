"""One provider's side of the code flow (OAuth 2.1, OpenID Connect), by Authlib.

PKCE with S256 always, `state` and `nonce` of 256 bits, the issuer named in the answer checked
(RFC 9207). The tokens that come are read and thrown away: Podium keeps none.
"""

import hmac
from collections.abc import Mapping
from typing import Any

import httpx2
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc.errors import JoseError

from hub.identity.oidc import fetching, verifying
from hub.identity.oidc.discovery import Discovery
from hub.identity.oidc.fetching import BoundedTransport, ProviderSilent
from hub.identity.oidc.providers import Provider
from hub.identity.oidc.verifying import TokenRefused


class ProviderClient:
    """Safe to share between threads. `redirect_uri` is the whole address of the callback."""

    def __init__(self, provider: Provider, redirect_uri: str) -> None:
        self.provider, self.redirect_uri = provider, redirect_uri
        self._transport = BoundedTransport(provider.ca_bundle)
        self._http = fetching.client(self._transport)
        self.discovery = Discovery(provider, self._http)

    def authorization_url(self, state: str, nonce: str, verifier: str) -> str:
        """Where the browser goes to log in. Raises `ProviderSilent`."""
        url, _ = self._oauth().create_authorization_url(
            self.discovery.metadata().authorization_endpoint, state=state, nonce=nonce,
            code_challenge=create_s256_code_challenge(verifier), code_challenge_method="S256",
        )  # fmt: skip
        return str(url)

    def claims(self, answer: Mapping[str, str], nonce: str, verifier: str) -> dict[str, Any]:
        """Who logged in, for the query of a callback whose state is right. Raises `TokenRefused`, `ProviderSilent`."""
        self._check_issuer(answer.get("iss"))
        tokens = self._exchange(answer.get("code", ""), verifier)
        claims = verifying.id_token(self.provider, self.discovery, tokens, nonce)
        return {**self._userinfo(tokens, claims["sub"]), **claims}

    def log_out_url(self, back: str) -> str | None:
        """Where the browser goes to log out at the provider too; None where that is not offered."""
        metadata = self.discovery.known()
        if metadata is None or metadata.end_session_endpoint is None:
            return None
        query = {"client_id": self.provider.client_id, "post_logout_redirect_uri": back}
        return str(httpx2.URL(metadata.end_session_endpoint).copy_merge_params(query))

    def _exchange(self, code: str, verifier: str) -> dict[str, Any]:
        metadata = self.discovery.metadata()
        try:
            tokens = self._oauth().fetch_token(
                metadata.token_endpoint, grant_type="authorization_code", code=code, code_verifier=verifier,
                redirect_uri=self.redirect_uri,
            )  # fmt: skip
            return dict(tokens)
        except ProviderSilent:
            raise
        except (AuthlibBaseError, JoseError) as error:
            raise TokenRefused(f"the code was refused: {str(error)[:200]}") from error
        except (httpx2.HTTPError, ValueError, TypeError, RecursionError) as error:
            raise ProviderSilent("The provider's answer is no token.") from error

    def _userinfo(self, tokens: Mapping[str, Any], subject: str) -> dict[str, Any]:
        """What the provider tells beside the ID token; it must be about the same person (OpenID Connect Core 5.3.2)."""
        address, token = self.discovery.metadata().userinfo_endpoint, tokens.get("access_token")
        if address is None or not isinstance(token, str):
            return {}
        found = fetching.get_json(self._http, address, {"authorization": f"Bearer {token}"})
        if found.get("sub") != subject:
            raise TokenRefused("the user info is about somebody else")
        return found

    def _check_issuer(self, named: str | None) -> None:
        expected = self.discovery.metadata().names_itself
        if named is None and not expected:
            return
        if named is None or not hmac.compare_digest(named.encode(), self.provider.issuer.encode()):
            raise TokenRefused("the answer comes from another issuer")

    def _oauth(self) -> OAuth2Client:
        provider = self.provider
        proof, secret = "client_secret_basic", provider.client_secret
        if provider.client_key:
            proof, secret = "private_key_jwt", provider.client_key
        elif not secret:
            proof = "none"
        client = OAuth2Client(
            provider.client_id, secret, token_endpoint_auth_method=proof, scope=provider.scopes,
            redirect_uri=self.redirect_uri, transport=self._transport, follow_redirects=False,
            timeout=fetching.DEADLINE,
        )  # fmt: skip
        if provider.client_key:
            client.register_client_auth_method(PrivateKeyJWT(alg=provider.algorithms[0]))
        return client
