"""`podium login` and `podium env …`: what a person does with a Podium somewhere else."""

import json
import time
import webbrowser
from typing import Annotated, Any

import typer
from rich.table import Table

from hub.cli_services import err, out, plain_errors
from hub.remote import Remote, keep_login, kept_login

environments = typer.Typer(no_args_is_help=True, help="Your environments: launch, list, open, read the log, stop.")
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]
Name = Annotated[str, typer.Argument(help="Name or id of the environment.")]
LOOK_EVERY = 0.5
PASSED = {"running", "failed", "stopped"}


def login(
    url: Annotated[str, typer.Argument(help="Podium's address: https://podium.example.org")],
    token: Annotated[
        str, typer.Option(prompt=True, hide_input=True, help="Made on the page Account, or by `podium token create`.")
    ],
) -> None:
    """Keep the address and a token for the commands `podium env`."""
    with plain_errors():
        me = Remote(url, token).call("GET", "/me")
        keep_login(url, token)
    out.print(f"You are {me['display_name']} at {url}.", markup=False)


@environments.command("list")
def env_list(as_json: AsJson = False) -> None:
    """List your environments."""
    with plain_errors():
        found = list(kept_login().environments())
    if as_json:
        out.print_json(json.dumps(found))
        return
    table = Table("Name", "State", "Size", "Workspace", "Address")
    for one in found:
        table.add_row(one["name"], one["phase"], one["profile"], one["workspace"], one["address"])
    out.print(table)


@environments.command("launch")
def env_launch(
    name: Annotated[str, typer.Argument(help="A new name, or that of an environment of yours.")],
    profile: Annotated[str, typer.Option(help="The preset; without one, the hub's default.")] = "",
    wait: Annotated[bool, typer.Option("--wait", help="Show the checkpoints until it runs.")] = False,
    as_json: AsJson = False,
) -> None:
    """Launch an environment."""
    with plain_errors():
        remote = kept_login()
        one = remote.call("POST", "/environments", json={"name": name, "profile": profile})
        if wait:
            one = _follow(remote, one, quiet=as_json)
    _show(one, as_json=as_json)
    if wait and one["phase"] != "running":
        raise typer.Exit(1)


@environments.command("open")
def env_open(name: Name, as_json: AsJson = False) -> None:
    """Print the address of an environment and open it in a browser."""
    with plain_errors():
        one = kept_login().environment(name)
    _show(one, as_json=as_json)
    if not as_json:
        webbrowser.open(one["address"])


@environments.command("logs")
def env_logs(
    name: Name, lines: Annotated[int, typer.Option(help="How many of the last.")] = 200, as_json: AsJson = False
) -> None:
    """Print the last lines of the present or last run."""
    with plain_errors():
        remote = kept_login()
        log = remote.call("GET", f"/environments/{remote.environment(name)['id']}/logs", params={"lines": lines})
    if as_json:
        out.print_json(json.dumps(log))
        return
    for line in log["lines"]:
        out.print(line, markup=False)


@environments.command("stop")
def env_stop(name: Name, as_json: AsJson = False) -> None:
    """Stop an environment, or cancel its start; its files stay."""
    with plain_errors():
        remote = kept_login()
        one = remote.call("POST", f"/environments/{remote.environment(name)['id']}/stop")
    _show(one, as_json=as_json)


def _follow(remote: Remote, one: dict[str, Any], *, quiet: bool) -> dict[str, Any]:
    """Say each checkpoint as it is passed; ends when it runs, has failed, or is not wanted any more."""
    said: list[str] = []
    while True:
        steps = [f"queued at position {one['queue_position']}"] if one["phase"] == "queued" else one["checkpoints"]
        for step in steps:
            if not quiet and step not in said:
                err.print(step, markup=False)
                said.append(step)
        if one["phase"] in PASSED and (one["phase"] == "running") == (one["target"] == "running"):
            return one
        time.sleep(LOOK_EVERY)
        one = remote.call("GET", f"/environments/{one['id']}")


def _show(one: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        out.print_json(json.dumps(one))
        return
    out.print(
        f"{one['name']}: {one['phase']}{', wanted ' + one['target'] if one['target'] != one['phase'] else ''}", markup=False
    )
    for sentence in (one["reason"], one.get("hindrance")):  # an older hub tells no hindrance
        if sentence:
            out.print(sentence, markup=False)
    out.print(one["address"], markup=False)
