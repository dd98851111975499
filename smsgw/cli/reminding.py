"""Commands for reminders: reminders list, run, on, off, runs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

import click
import sqlalchemy as sa

from smsgw.cli.common import Agency, CommandFailed, Context, as_json, by_hand, nothing, print_json
from smsgw.gateway import Gateway
from smsgw.reminders.reminders import RuleState
from smsgw.reminders.running import Shown
from smsgw.store.reminders import EVERYWHERE
from smsgw.store.schedules import Run
from smsgw.text.phones import mask


@click.group()
def reminders() -> None:
    """Reminders: the rules, what each would send now, and what their runs did."""


@reminders.command("list")
@as_json
@click.pass_obj
def list_rules(context: Context, as_json: bool) -> None:
    """Each rule with its next and last firing, and whether it is on."""
    with context.gateway() as gateway:
        states = gateway.reminders.states()
    if as_json:
        print_json([_as_object(state) for state in states])
        return
    zone = ZoneInfo(context.settings.gateway.timezone)
    for state in states:
        where = "".join(f", {agency} {'on' if on else 'off'}" for agency, on in state.agencies.items())
        when = f"next {_moment(state.next, zone)}, last {_moment(state.last, zone)}"
        click.echo(f"{state.rule:18} {'on ' if state.on else 'off'}  {when}; {state.when}{where}")


@reminders.command("run")
@click.argument("name", metavar="NAME")
@click.option("--dry-run", is_flag=True, help="Only show what would be sent, also for a rule that is off.")
@as_json
@click.pass_obj
def run_rule(context: Context, name: str, dry_run: bool, as_json: bool) -> None:
    """Let rule NAME tell now what is due; whoever was told already is not told again."""
    with context.gateway() as gateway:
        _known(gateway, name)
        messages = gateway.reminders.preview(name) if dry_run else _told(gateway, name)
    if as_json:
        print_json({"rule": name, "messages": [_message(item) for item in messages]})
        return
    for item in messages:
        click.echo(f"{item.dossier}  {mask(item.message.recipient)}  {item.message.text}")
    click.echo(f"{len(messages)} {'would be queued' if dry_run else 'queued'}")


@reminders.command("runs")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="So many, newest first.")
@as_json
@click.pass_obj
def list_runs(context: Context, limit: int, as_json: bool) -> None:
    """What was done lately: when it was due, began and ended, and how many were told or withheld."""
    with context.gateway() as gateway:
        runs = gateway.reminders.runs.latest(limit)
    if as_json:
        print_json([_run(run) for run in runs])
        return
    zone = ZoneInfo(context.settings.gateway.timezone)
    for run in runs or nothing("no run yet: the scheduler of smsgw serve does them"):
        ended = f"ended {_moment(run.ended_at, zone)}" if run.ended_at else "not ended"
        problem = f"; {run.problem}" if run.problem else ""
        click.echo(f"{_moment(run.due_at, zone)}  {run.schedule:18} {ended}, {run.told} told{problem}")


def _turning(name: str, *, is_on: bool) -> click.Command:
    @reminders.command(name)
    @click.argument("rule", metavar="NAME")
    @click.option("--agency", type=Agency(), metavar="CODE", help="Only in this agency.")
    @click.pass_obj
    def turn(context: Context, rule: str, agency: str | None) -> None:
        with context.gateway() as gateway:
            _known(gateway, rule)
            gateway.reminders.runs.meet()
            gateway.reminders.turn(rule, agency or EVERYWHERE, is_on, by_hand())
        click.echo(f"{rule}: {name}{f' in {agency}' if agency else ''}")
        context.doubt(agency or EVERYWHERE, f"{rule} is {name}")

    turn.help = f"Turn rule NAME {name}, everywhere or in one agency."
    return turn


_turning("on", is_on=True)
_turning("off", is_on=False)


def _known(gateway: Gateway, name: str) -> None:
    if name not in gateway.reminders.rules:
        raise CommandFailed(f"there is no rule {name}; smsgw reminders list shows those there are")


def _told(gateway: Gateway, name: str) -> list[Shown]:
    gateway.reminders.runs.meet()
    if not gateway.reminders.is_on(name):
        raise CommandFailed(f"{name} is off; smsgw reminders on {name} turns it on, --dry-run shows what it would do")
    try:
        return gateway.reminders.runs.run(name)
    except sa.exc.IntegrityError:
        raise CommandFailed(f"{name} is at work just now; smsgw reminders runs shows how far it is") from None


def _message(item: Shown) -> Mapping[str, object]:
    return {"dossier": item.dossier, "to": mask(item.message.recipient), "text": item.message.text}


def _as_object(state: RuleState) -> Mapping[str, object]:
    return {
        "rule": state.rule,
        "on": state.on,
        "agencies": state.agencies,
        "when": state.when,
        "law": state.law,
        "next": state.next,
        "last": state.last,
    }


def _run(run: Run) -> Mapping[str, object]:
    names = ("schedule", "due_at", "started_at", "ended_at", "told", "withheld", "problem")
    return {name: getattr(run, name) for name in names}


def _moment(moment: datetime | None, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M}" if moment else "never"
