"""The caller's own things: who it is, presets, sessions and tokens."""

from fastapi import APIRouter

from hub.api.callers import Anyone, Hub, ReadsSessions, ReadsTokens, WritesSessions, WritesTokens
from hub.api.paging import Page, Pages, page_of
from hub.api.problems import documented
from hub.api.shapes import MadeToken, Me, NewToken, Profile, RowId, Session, Token

router = APIRouter()


@router.get("/me", tags=["me"])
def read_me(caller: Anyone) -> Me:
    """Who calls, and what this call may do."""
    person = caller.person
    return Me(
        id=person.user_id, name=person.name, display_name=person.display_name, email=person.email, role=person.role,
        scopes=sorted(caller.scopes),
    )  # fmt: skip


@router.get("/profiles", tags=["profiles"])
def list_profiles(_caller: Anyone, hub: Hub) -> list[Profile]:
    """The presets to launch with, as the catalog has them."""
    return [Profile.model_validate(profile) for profile in hub.environments.catalog.profiles]


@router.get("/sessions", tags=["sessions"])
def list_sessions(caller: ReadsSessions, hub: Hub) -> list[Session]:
    """Where the caller is logged in, newest first, a hundred at most."""
    return [Session.model_validate(view) for view in hub.sessions.of_user(caller.person.user_id)]


@router.delete("/sessions", status_code=204, tags=["sessions"])
def end_other_sessions(caller: WritesSessions, hub: Hub) -> None:
    """Log out everywhere; the browser that asks stays."""
    hub.identity.end_other_sessions(caller.person)


@router.delete("/sessions/{session_id}", status_code=204, tags=["sessions"], responses=documented(404))
def end_session(caller: WritesSessions, hub: Hub, session_id: RowId) -> None:
    """Log one browser out."""
    hub.identity.end_session(caller.person, session_id)


@router.get("/tokens", tags=["tokens"])
def list_tokens(caller: ReadsTokens, hub: Hub, paging: Pages) -> Page[Token]:
    """The own tokens that count, newest first."""
    return page_of(paging, hub.tokens.of(caller.person, paging.page - 1, paging.size), Token.model_validate)


@router.post("/tokens", status_code=201, tags=["tokens"], responses=documented(409))
def create_token(caller: WritesTokens, hub: Hub, new: NewToken) -> MadeToken:
    """A new token, no mightier than the call that makes it. Its value is in this answer and nowhere else."""
    view, secret = hub.tokens.create(caller, new.name, new.scopes, new.days)
    return MadeToken(**Token.model_validate(view).model_dump(), token=secret)


@router.delete("/tokens/{token_id}", status_code=204, tags=["tokens"], responses=documented(404))
def revoke_token(caller: WritesTokens, hub: Hub, token_id: RowId) -> None:
    """From now on it opens nothing."""
    hub.tokens.revoke(caller.person, token_id)
