"""`podium token …`: the operator makes, lists and revokes a person's API tokens at the machine itself."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli_services import err, out, services_at_hand
from hub.clock import now
from hub.identity.person import Person
from hub.identity.scopes import SCOPES, Caller

if TYPE_CHECKING:
    from hub.services import Services

tokens = typer.Typer(no_args_is_help=True, help="API tokens of people: make, list and revoke them.")

Name = Annotated[str, typer.Argument(help="Whose token it is: the name that the person logs in with.")]
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


@tokens.command("create")
def token_create(
    name: Name,
    title: Annotated[str, typer.Option(help="What it is for.")] = "made at the machine",
    scope: Annotated[list[str] | None, typer.Option(help=f"May be given several times: {', '.join(SCOPES)}.")] = None,
    days: Annotated[int, typer.Option(help="Until it ends.")] = 90,
    as_json: AsJson = False,
) -> None:
    """Make a token with at most the person's rights and print it; nobody can show it again."""
    with services_at_hand() as services:
        scopes = scope or ["environments:read", "environments:write"]
        view, secret = services.tokens.create(Caller.of(_person(services, name)), title, scopes, days)
    if as_json:
        out.print_json(json.dumps({"id": view.id, "token": secret, "expires_at": view.expires_at.isoformat()}))
        return
    err.print(
        f"{view.name}: {', '.join(view.scopes)}, until {view.expires_at:%Y-%m-%d}. Nobody can show it again:", markup=False
    )
    out.print(secret, markup=False)


@tokens.command("list")
def token_list(name: Name, as_json: AsJson = False) -> None:
    """List a person's tokens that count."""
    with services_at_hand() as services:
        views, _ = services.tokens.of(_person(services, name))
    if as_json:
        out.print_json(json.dumps([{"id": view.id, "name": view.name, "scopes": view.scopes} for view in views]))
        return
    for view in views:
        out.print(f"{view.id}  {view.expires_at:%Y-%m-%d}  {view.name}  {' '.join(view.scopes)}", markup=False)


@tokens.command("revoke")
def token_revoke(name: Name, token_id: Annotated[str, typer.Argument(help="As `token list` shows it.")]) -> None:
    """From now on the token opens nothing."""
    with services_at_hand() as services:
        services.tokens.revoke(_person(services, name), token_id)
    out.print("The token opens nothing any more.", markup=False)


def _person(services: "Services", name: str) -> Person:
    """Raises `NotFound`."""
    user = services.identity.find_user(name)
    return Person(user.id, user.name, user.display_name, user.email, user.role, "", now())
