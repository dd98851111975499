"""Reminders: the rules and whether they are on, what each would send now and cost, and what was done."""

from __future__ import annotations

from collections import Counter
from http import HTTPStatus

from flask import Blueprint, abort, request
from werkzeug.wrappers import Response as AnyResponse

from smsgw.dossiers.source import OneStopUnavailable
from smsgw.reminders.rules import Rule
from smsgw.store.reminders import EVERYWHERE
from smsgw.text.phones import mask
from smsgw.web.console import texts
from smsgw.web.console.desk import Desk
from smsgw.web.console.shell import language, me, needs, page, say, see, tell

SHOWN = 100  # messages of a dry run; all of them are counted
RUNS = 200
TURNS = {"on": True, "off": False, "as_everywhere": None}


def routes(desk: Desk) -> Blueprint:
    """/console/reminders."""
    reminders = Blueprint("reminders", __name__, url_prefix="/reminders")

    @reminders.get("/")
    @needs("viewer")
    def rules() -> AnyResponse:
        states, silent = desk.reminders.states(), desk.reminders.runs.silence()
        mine, days = me().agency or EVERYWHERE, {name: _day(rule) for name, rule in desk.reminders.rules.items()}
        told = {
            name: "officials" if rule.kind == "officials" else "citizens" for name, rule in desk.reminders.rules.items()
        }
        groups = {who: [state for state in states if told[state.rule] == who] for who in ("citizens", "officials")}
        return page("reminders.html", groups=groups, silent=silent, title=_title, days=days, mine=mine)

    @reminders.get("/runs")
    @needs("viewer")
    def runs() -> AnyResponse:
        every = bool(request.args.get("all"))
        found = (desk.reminders.runs.latest if every else desk.reminders.runs.busy)(RUNS)
        return page("reminder_runs.html", runs=found, shows_all=every, title=_title)

    @reminders.get("/<rule>")
    @needs("viewer")
    def dry_run(rule: str) -> AnyResponse:
        _known(desk, rule)
        return _dry_run(desk, rule)

    @reminders.post("/<rule>")
    @needs("approver")
    def turn(rule: str) -> AnyResponse:
        _known(desk, rule)
        wish = request.form.get("turn", "")
        if wish not in TURNS:
            abort(HTTPStatus.BAD_REQUEST)
        desk.reminders.turn(rule, me().agency or EVERYWHERE, TURNS[wish], me().name)
        tell("reminders.turned", rule=_title(rule))
        return see("reminders.rules")

    return reminders


def _dry_run(desk: Desk, rule: str) -> AnyResponse:
    """What a rule would send now, and what that costs."""
    try:
        shown = desk.reminders.preview(rule, me().agency)
    except OneStopUnavailable:
        return page("reminder.html", HTTPStatus.SERVICE_UNAVAILABLE, rule=rule, title=_title, shown=None)
    segments = Counter[str]()
    for item in shown:
        segments[item.message.channel] += item.message.segments
    cost = sum(count * desk.tariffs[channel] for channel, count in segments.items())
    figures = {"count": len(shown), "segments": segments.total(), "cost": cost}
    return page("reminder.html", rule=rule, title=_title, shown=shown[:SHOWN], figures=figures, mask=mask)


def _known(desk: Desk, rule: str) -> None:
    if rule not in desk.reminders.rules:
        abort(HTTPStatus.NOT_FOUND)


def _day(rule: Rule) -> str:
    """On which day of a dossier a rule falls; empty for one that follows no date."""
    offset = rule.offset
    if offset is None:
        return ""
    unit = f"{'working_' * offset.working}day{'s' * (offset.days > 1)}"
    when = f"{unit}_{'before' if offset.before else 'after'}" if offset.days else "on_the_day"
    return say(f"reminders.{when}", count=offset.days, date=say(f"reminders.date_{offset.column}"))


def _title(rule: str) -> str:
    """A rule's name for people; a rule of the province's own has only the one in its file."""
    return say(f"reminders.rule_{rule}") if f"rule_{rule}" in texts.load()["reminders"][language()] else rule
