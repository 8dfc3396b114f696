"""`python -m hub …`: what an operator does at the machine. Each command is thin and calls a service.

What a command alone needs is imported in it: `podium --help` and the commands that only talk to a
hub over its API answer at once.
"""

import logging
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from hub import cli_nginx, cli_remote, cli_tokens
from hub.cli_services import out, plain_errors, services_at_hand, settings_at_hand
from hub.identity.roles import Role

if TYPE_CHECKING:
    from hub.services import Services

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Podium: an own Streamlit environment for every researcher.")
users = typer.Typer(no_args_is_help=True, help="Add people, make password links, disable and enable.")
keys = typer.Typer(no_args_is_help=True, help="The keys that sign what environments believe.")
app.add_typer(users, name="user")
app.add_typer(keys, name="keys")
app.add_typer(cli_tokens.tokens, name="token")
app.add_typer(cli_remote.environments, name="env")
app.command()(cli_remote.login)
app.command()(cli_nginx.nginx)

Name = Annotated[str, typer.Argument(help="The name that the person logs in with.")]


@app.command()
def up() -> None:
    """Serve Podium in the foreground; Ctrl-C ends the hub and leaves environments running."""
    from hub.up import up as serve  # noqa: PLC0415

    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    with plain_errors():
        serve(settings_at_hand(), _say)


@app.command()
def down() -> None:
    """End the hub and every environment on this machine; workspaces stay."""
    from hub.down import down as end_everything  # noqa: PLC0415

    with plain_errors():
        end_everything(settings_at_hand(), _say)


@app.command()
def migrate() -> None:
    """Bring the database to this version's schema, after a backup."""
    with services_at_hand() as services:
        out.print(f"The database has this version's schema: {services.database.engine.url!r}", markup=False)


@app.command()
def status() -> None:
    """Say whether a hub runs and what it runs."""
    from hub.environments.launching import count_live  # noqa: PLC0415

    with services_at_hand() as services:
        pid = services.folder.holder()
        out.print(f"The hub runs as process {pid}." if pid else "No hub runs. Start it with: make up", markup=False)
        with services.database.reading() as session:
            for phase, count in sorted(count_live(session).items()):
                out.print(f"{phase}: {count}", markup=False)


@app.command()
def agent() -> None:
    """Run environments for a hub whose LOCAL_AGENT is elsewhere, in the foreground."""
    from hub.environments.catalog import Catalog  # noqa: PLC0415
    from hub.spawners.local.foreground import Foreground  # noqa: PLC0415
    from hub.spawners.local.launch import options_of  # noqa: PLC0415

    with plain_errors():
        settings = settings_at_hand()
        raise typer.Exit(Foreground(options_of(settings, Catalog(settings).interpreters)).run())


@app.command()
def doctor() -> None:
    """Check this installation and say what to do."""
    from hub import cli_doctor  # noqa: PLC0415

    with plain_errors():
        findings = cli_doctor.examine(settings_at_hand())
    for finding in findings:
        out.print(f"{'ok  ' if finding.good else 'FIX '} {finding.text}", markup=False)
    raise typer.Exit(0 if all(finding.good for finding in findings) else 1)


@keys.command("rotate")
def keys_rotate() -> None:
    """Make a new signing key, which running environments learn of from the one they trust; nobody is cut off."""
    with services_at_hand() as services:
        out.print(f"New starts and running environments use the key {services.keys.rotate()} from now on.", markup=False)


@users.command("add")
def user_add(
    name: Name,
    display_name: Annotated[str, typer.Option("--display-name", help="How pages name the person. Default: the name.")] = "",
    administrator: Annotated[bool, typer.Option("--administrator", help="May see and manage everything.")] = False,
) -> None:
    """Add a person and print the one-time link with which they set their password."""
    with services_at_hand() as services:
        user = services.identity.add_user(name, display_name or name, Role.ADMINISTRATOR if administrator else Role.USER)
        _print_link(services, user.id, user.name)


@users.command("passwd")
def user_passwd(name: Name) -> None:
    """Print a one-time link with which a person sets a new password."""
    with services_at_hand() as services:
        user = services.identity.find_user(name)
        _print_link(services, user.id, user.name)


@users.command("disable")
def user_disable(name: Name) -> None:
    """End a person's sessions and stop the environments; workspaces stay."""
    with services_at_hand() as services:
        services.identity.disable(services.identity.find_user(name).id)
        out.print(f"{name} is disabled. Sessions have ended, environments are being stopped, workspaces stay.", markup=False)


@users.command("enable")
def user_enable(name: Name) -> None:
    """Let a disabled person log in again."""
    with services_at_hand() as services:
        services.identity.enable(services.identity.find_user(name).id)
        out.print(f"{name} may log in again.", markup=False)


@users.command("list")
def user_list(page: Annotated[int, typer.Option(help="Counts from 1.", min=1)] = 1) -> None:
    """List people, fifty at a time."""
    with services_at_hand() as services:
        rows, total = services.identity.people.search(None, page=page - 1)
    table = Table("Name", "Shown as", "Role", "State")
    for row in rows:
        table.add_row(row.name, row.display_name, row.role, row.state)
    out.print(table)
    out.print(f"{total} in all, page {page} of {max(-(-total // 50), 1)}", markup=False)


def _say(line: str) -> None:
    """A line that is there at once, also where standard output is a file."""
    out.print(line, markup=False)
    out.file.flush()


def _print_link(services: "Services", user_id: str, name: str) -> None:
    token = services.identity.make_password_link(user_id)
    out.print(f"{name} sets a password here (works once, for 24 hours):", markup=False)
    out.print(f"{services.settings.root_url}/set-password?link={token}", markup=False)
