"""For those who run the gateway: is it alive, is it ready, what has it counted."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from http import HTTPStatus

import sqlalchemy as sa
from flask import Blueprint, Response, jsonify
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest
from prometheus_client.core import CollectorRegistry, GaugeMetricFamily, Metric

from smsgw.clock import Clock
from smsgw.dispatch.hours import Hours
from smsgw.dossiers.source import OneStop, OneStopUnavailable
from smsgw.reminders.reminders import Reminders
from smsgw.store import figures
from smsgw.store.database import Database, SchemaError


def blueprint(
    database: Database,
    onestop: OneStop,
    reminders: Reminders,
    channels: Collection[str],
    hours: Hours,
    clock: Clock,
) -> Blueprint:
    """/healthz, /readyz, /readyz/reminders and /metrics. `channels`: those of the settings."""
    routes = Blueprint("ops", __name__)
    gauges = CollectorRegistry()
    gauges.register(_Gauges(database, channels, hours, clock))

    @routes.get("/healthz")
    def alive() -> Response:
        return jsonify(status="ok")

    @routes.get("/readyz")
    def ready() -> tuple[Response, HTTPStatus]:
        state = {"database": _database_state(database), "onestop": _onestop_state(onestop)}
        # Without the one-stop database messages are still taken and wait for their answer, so that is no reason
        # to send the carrier elsewhere.
        ok = state["database"] == "ok"
        return jsonify(status="ok" if ok else "not ready", **state), (
            HTTPStatus.OK if ok else HTTPStatus.SERVICE_UNAVAILABLE
        )

    @routes.get("/readyz/reminders")
    def reminding() -> tuple[Response, HTTPStatus]:
        try:
            silent = reminders.runs.silence()
        except sa.exc.SQLAlchemyError:
            silent = {"database": "can't be reached"}
        if silent:
            return jsonify(status="silent", **silent), HTTPStatus.SERVICE_UNAVAILABLE
        return jsonify(status="ok"), HTTPStatus.OK

    @routes.get("/metrics")
    def metrics() -> Response:
        return Response(generate_latest(REGISTRY) + generate_latest(gauges), content_type=CONTENT_TYPE_LATEST)

    return routes


def _database_state(database: Database) -> str:
    try:
        database.check()
    except SchemaError as error:
        return str(error)
    except (sa.exc.SQLAlchemyError, OSError):  # the folder of its file may be closed to us
        return "can't be reached"
    return "ok"


def _onestop_state(onestop: OneStop) -> str:
    try:
        onestop.check()
    except OneStopUnavailable as error:
        return str(error)
    return "ok"


class _Gauges:
    """The outbox as it stands, read when it is asked for."""

    def __init__(self, database: Database, channels: Collection[str], hours: Hours, clock: Clock) -> None:
        self._database = database
        self._channels = channels
        self._hours = hours
        self._clock = clock

    def collect(self) -> Iterator[Metric]:
        now = self._clock()
        try:
            with self._database.reading() as connection:
                outbox = figures.outbox(connection, now, self._hours.opened(now))
        except sa.exc.SQLAlchemyError:
            return  # the scrape shows what is counted in memory; /readyz says that the database is away
        states = GaugeMetricFamily("smsgw_outbox_messages", "Messages to citizens by state", labels=["state"])
        for state, count in outbox.states.items():
            states.add_metric([state], count)
        yield states
        yield GaugeMetricFamily(
            "smsgw_oldest_queued_seconds", "How long the oldest due message has waited", outbox.oldest_queued_seconds
        )
        is_open = GaugeMetricFamily("smsgw_channel_open", "Whether a channel sends: 1, or 0", labels=["channel"])
        for name, channel in outbox.channels.items():
            if name in self._channels:
                is_open.add_metric([name], channel.state == "open" and channel.resume_at is None)
        yield is_open

    def describe(self) -> Iterator[Metric]:
        """Empty, so that registering reads nothing."""
        return iter(())
