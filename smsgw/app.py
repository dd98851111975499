"""The web application: every page and every door of a gateway."""

from __future__ import annotations

from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from flask import Flask

from smsgw.gateway import Gateway
from smsgw.settings import Settings, secret_key
from smsgw.web import carrier, console, ops, public
from smsgw.web.console.desk import Desk
from smsgw.web.openid import Provider, Registration


def create_app(gateway: Gateway) -> Flask:
    """A WSGI application over a gateway, whether that is started or not."""
    settings = gateway.settings
    app = Flask("smsgw.web")
    app.secret_key = secret_key(settings)
    app.register_blueprint(carrier.blueprint(create_door(gateway)))
    app.register_blueprint(ops.blueprint(gateway.database, gateway.onestop, gateway.reminders, gateway.clock))
    app.register_blueprint(public.blueprint(gateway.clerk, _counter(gateway), gateway.clock))
    console.register(app, _desk(gateway))
    return app


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
        signing_in=gateway.signing_in,
        reminders=gateway.reminders,
        tariffs={name: channel.tariff for name, channel in settings.channels.items()},
        steering=gateway.steering,
        activity=gateway.activity,
        voices=gateway.voices,
        notices=gateway.notices,
        limits=gateway.limits,
        kept=gateway.purge.limits,
        openid=create_provider(settings),
    )


def _counter(gateway: Gateway) -> public.Counter:
    """The first channel is the one that citizens are told of."""
    settings = gateway.settings
    return public.Counter(
        short_code=next(iter(gateway.channels.values())).sender,
        keyword=settings.words.look_up[0],
        hotline=settings.answers.hotline,
    )
