"""Commands for channels and for messages whose fate is unknown: channel, doubtful."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import click

from smsgw.cli.common import CommandFailed, Context, Mobile, Said, as_json, by_hand, common_clock, nothing, print_json
from smsgw.dispatch import doubts, trial
from smsgw.dispatch.channel import Channel
from smsgw.dispatch.doubts import Doubt
from smsgw.dispatch.retry import Outlook
from smsgw.officials.steering import Steering
from smsgw.store import channels, quotas
from smsgw.store.states import State
from smsgw.text.phones import mask

TEST_TEXT = "Tin nhan thu cua tong dai dich vu cong. Xin bo qua."
BETWEEN_LOOKS = 0.2  # seconds
MOST_LISTED = 1000


@click.group()
def channel() -> None:
    """Channels: their states, and why they changed."""


@channel.command("list")
@as_json
@click.pass_obj
def list_channels(context: Context, as_json: bool) -> None:
    """Each channel with what is left of its carrier's quota, if that has one, and its latest changes, newest first."""
    with context.database() as database:
        now = common_clock(database)()
        with database.reading() as connection:
            rows, left = channels.every(connection), quotas.every(connection)
            events = {name: channels.events(connection, name) for name in rows}
    if as_json:
        print_json(
            {
                name: {"state": row.state, "reason": row.reason, "quota": left.get(name), "events": events[name]}
                for name, row in rows.items()
            }
        )
        return
    for name, row in rows.items() or nothing("no channel yet: smsgw serve writes them down"):
        click.echo(f"{name}: {row.state}{f', {row.reason}' if row.reason else ''}")
        if row.state == "open" and row.waits(now):
            until = f"{row.resume_at:%Y-%m-%d %H:%M:%S} UTC"
            click.echo(f"  waits as its carrier asked until {until}; smsgw channel release {name} ends that")
        if quota := left.get(name):
            said = f"{quota.remaining} of {quota.daily} messages of the day's quota were left"
            click.echo(f"  {quota.asked_at:%Y-%m-%d %H:%M:%S} UTC  {said}")
        for event in events[name]:
            click.echo(f"  {event.at:%Y-%m-%d %H:%M:%S} UTC  {event.state}: {event.reason}")


@channel.command()
@click.argument("name")
@click.option("--reason", type=Said(), default="released by hand", help="Why, for those who look at it later.")
@click.pass_obj
def release(context: Context, name: str, reason: str) -> None:
    """Let channel NAME send again, after what held it is mended."""
    with context.database() as database:
        Steering(database, common_clock(database)).release(name, reason, by_hand())
    click.echo(f"{name}: open")


@channel.command()
@click.argument("name")
@click.option("--reason", type=Said(), required=True, help="Why, for those who look at it later.")
@click.pass_obj
def pause(context: Context, name: str, reason: str) -> None:
    """Send nothing by channel NAME until it is released, whatever happens."""
    with context.database() as database:
        Steering(database, common_clock(database)).pause(name, reason, by_hand())
    click.echo(f"{name}: paused")


@channel.command("test")
@click.argument("name")
@click.option("--to", "phone", type=Mobile(), required=True, help="The phone that is to get it.")
@click.option("--text", type=Said(), default=TEST_TEXT, show_default=True, help="What it is to read.")
@click.option("--wait", default=30.0, show_default=True, help="Seconds to wait for the carrier's receipt.")
@as_json
@click.pass_obj
def test_channel(context: Context, name: str, phone: str, text: str, wait: float, as_json: bool) -> None:
    """Send one message by channel NAME, also if that is held, and tell what became of it.

    Receipts come in only while a gateway with the role web is running.
    """
    end = time.monotonic() + wait

    def more() -> bool:
        time.sleep(BETWEEN_LOOKS)
        return time.monotonic() < end

    with context.gateway() as gateway:
        chosen = _sending(gateway.channels, name)
        if not chosen.takes(text):
            raise CommandFailed(f"{name} takes only registered texts, and this is none: give one with --text")
        gateway.steering.try_out(name, phone, by_hand())
        sent = trial.send(gateway.database, chosen, phone, text, gateway.clock)
        if sent.state == State.SUBMITTED and chosen.provider.abilities.reports:
            sent = trial.wait(gateway.database, sent, more)
    if as_json:
        print_json(sent)
    else:
        click.echo(f"{sent.id} to {mask(phone)} by {name}: {sent.state}{f', {sent.detail}' if sent.detail else ''}")
    if sent.state not in (State.SUBMITTED, State.DELIVERED):
        what = _UNSENT.get(sent.state, "it was refused and goes out no more")
        raise CommandFailed(f"{what}; smsgw doctor looks at the channel")


_UNSENT: dict[str, str] = {
    State.QUEUED: f"it was not taken; a running worker tries it again for {trial.LIFETIME.seconds // 60} minutes",
    State.UNKNOWN: "the carrier may have it or not: look at the phone",
}


def _sending(channels: Mapping[str, Channel], name: str) -> Channel:
    """The channel of that name. Raises CommandFailed where there is none, or it only brings messages."""
    usable = [name for name, one in channels.items() if one.provider.abilities.submits]
    if name in usable:
        return channels[name]
    what = f"{name} only brings messages and sends none" if name in channels else f"there is no channel {name}"
    instead = f"expected one of {', '.join(usable)}" if usable else "no channel here sends"
    raise CommandFailed(f"{what}; {instead}")


@click.group(invoke_without_command=True)
@as_json
@click.pass_context
def doubtful(click_context: click.Context, as_json: bool) -> None:
    """Messages that the carrier may or may not have, with what is to be done about each."""
    if click_context.invoked_subcommand is not None:
        return
    context: Context = click_context.obj
    with context.gateway() as gateway, gateway.database.reading() as connection:
        rows = [_shown(doubt) for doubt in doubts.listed(connection, gateway.roads, MOST_LISTED)]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        click.echo(f"{row['id']}  {row['lane']:8} {row['channel']:10} {row['to']:14} {row['next']}")
    waiting = sum(row["outlook"] == "official" for row in rows)
    click.echo(f"{len(rows)} in doubt, {waiting} of them for you to decide on")
    if waiting:
        click.echo("smsgw doubtful resend ID ...: sent again; a person may get it twice")
        click.echo("smsgw doubtful drop ID ...: sent no more; a person may never get it")


@doubtful.command()
@click.argument("ids", nargs=-1, required=True, metavar="ID ...")
@click.pass_obj
def resend(context: Context, ids: Sequence[str]) -> None:
    """Send messages again; a person may then get one twice."""
    with context.database() as database:
        _said(Steering(database, common_clock(database)).resend(ids, by_hand()), len(ids))


@doubtful.command()
@click.argument("ids", nargs=-1, required=True, metavar="ID ...")
@click.pass_obj
def drop(context: Context, ids: Sequence[str]) -> None:
    """Send messages no more; a person may then never get one."""
    with context.database() as database:
        _said(Steering(database, common_clock(database)).drop(ids, by_hand()), len(ids))


def _said(moved: int, asked: int) -> None:
    if moved < asked:
        others = f"{asked - moved} of {asked} are not in doubt, or not any more"
        raise CommandFailed(f"{others}; {moved} decided on; smsgw doubtful shows those there are")
    click.echo(f"{moved} decided on")


def _shown(doubt: Doubt) -> dict[str, object]:
    message = doubt.message
    return {
        "id": message.id,
        "channel": message.channel,
        "lane": message.lane.name.lower(),
        "to": mask(message.recipient),
        "created_at": message.created_at,
        "attempts": message.attempts,
        "code": message.error_code,
        "outlook": doubt.outlook,
        "deadline": message.deadline,
        "next": _NEXT[doubt.outlook].format(f"{message.deadline:%Y-%m-%d %H:%M} UTC"),
    }


_NEXT: dict[Outlook, str] = {
    "again": "nothing to do: sent again by itself at {}",
    "waits": "a receipt may still come; if none does by {}, decide on it",
    "official": "decide: resend or drop it; at {} it is given up",
}
