"""The web application: every page and every door of a gateway."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit
from wsgiref.types import WSGIEnvironment
from zoneinfo import ZoneInfo

from flask import Flask, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from smsgw import assembly
from smsgw.gateway import Gateway
from smsgw.officials.conversations import Conversations
from smsgw.settings import Settings, secret_key
from smsgw.web import api, carrier, console, ops, public
from smsgw.web.api.rooms import Rooms
from smsgw.web.console.desk import Desk
from smsgw.web.openid import Provider, Registration


def create_app(gateway: Gateway) -> Flask:
    """A WSGI application over a gateway, whether that is started or not."""
    settings = gateway.settings
    app = api.application(str(settings.gateway.public_url))
    app.secret_key = secret_key(settings)
    app.register_blueprint(carrier.blueprint(create_door(gateway)))
    app.register_blueprint(
        ops.blueprint(
            gateway.database, gateway.onestop, gateway.reminders, gateway.channels, gateway.hours, gateway.clock
        )
    )
    counter = _counter(gateway)
    app.register_blueprint(public.blueprint(gateway.clerk, counter, gateway.clock))
    console.register(app, _desk(gateway))
    api.register(app, _rooms(gateway))

    @app.errorhandler(HTTPException)
    def fault(error: HTTPException) -> Response:
        """Also for addresses that are nobody's: whoever mistypes one is most likely a citizen, but not under /api."""
        return api.fault(error) if api.is_here(request.path) else public.fault(counter, error)

    return app


def create_most(app: Flask, gateway: Gateway) -> Callable[[WSGIEnvironment], int]:
    """How many bytes a request to a page may bring, said before they are read."""
    programs, people = api.most_of(app, _rooms(gateway)), console.most_of(app, gateway.signing_in)

    def most(environ: WSGIEnvironment) -> int:
        return programs(environ) if api.is_here(environ["PATH_INFO"]) else people(environ)

    return most


def create_door(gateway: Gateway) -> carrier.Door:
    """What carriers knock at."""
    address = str(gateway.settings.gateway.public_url)
    return carrier.Door(gateway.channels, gateway.intake, gateway.reports, address, gateway.clock)


def create_provider(settings: Settings) -> Provider | None:
    """Who vouches for officials; None: they have passwords only."""
    given = settings.console.openid
    if given is None:
        return None
    label = given.name or urlsplit(given.issuer).hostname or given.issuer
    secret = given.client_secret.get_secret_value()
    return Provider(Registration(given.issuer, given.client_id, secret, given.claim, given.scope, label))


def _desk(gateway: Gateway) -> Desk:
    settings = gateway.settings
    return Desk(
        public_url=str(settings.gateway.public_url),
        timezone=ZoneInfo(settings.gateway.timezone),
        clock=gateway.clock,
        database=gateway.database,
        onestop=gateway.onestop,
        roads=gateway.roads,
        accounts=gateway.accounts,
        systems=gateway.systems,
        signing_in=gateway.signing_in,
        conversations=Conversations(gateway.database, gateway.onestop, gateway.clock),
        reminders=gateway.reminders,
        tariffs=assembly.tariffs(settings),
        steering=gateway.steering,
        activity=gateway.activity,
        voices=gateway.voices,
        notices=gateway.notices,
        limits=gateway.limits,
        kept=gateway.purge.limits,
        openid=create_provider(settings),
    )


def _rooms(gateway: Gateway) -> Rooms:
    settings = gateway.settings
    return Rooms(
        timezone=ZoneInfo(settings.gateway.timezone),
        clock=gateway.clock,
        database=gateway.database,
        onestop=gateway.onestop,
        onestop_url=settings.onestop.database,
        clerk=gateway.clerk,
        notices=gateway.notices,
        personal=gateway.personal,
        systems=gateway.systems,
        requests=gateway.requests,
        limits=gateway.limits,
        kept=gateway.purge.limits,
    )


def _counter(gateway: Gateway) -> public.Counter:
    """The first channel is the one that citizens are told of."""
    settings = gateway.settings
    return public.Counter(
        short_code=next(iter(gateway.channels.values())).sender,
        keyword=settings.words.look_up[0],
        hotline=settings.answers.hotline,
    )
