"""The officials' console, under /console/.

A page is one file here, with a function `routes(desk)` that makes its blueprint, named in `PAGES` below; its templates
in templates/console/; its texts in texts/PAGE.toml, Vietnamese and English; and a line in `shell.NAVIGATION`. What
pages share is in `shell` (who may, who is it, texts, what to say on the next page) and in templates/console/parts.html.
A view says who may see it, by `@needs`; one that doesn't is shown to nobody.
"""

from __future__ import annotations

from flask import Flask

from smsgw.web.console import (
    account,
    audit_log,
    channels,
    conversations,
    doubtful,
    home,
    keys,
    notices,
    opt_outs,
    people,
    ratings,
    reminders,
    shell,
    signing,
    voices,
    vouching,
)
from smsgw.web.console.desk import Desk
from smsgw.web.console.shell import most_of

__all__ = ["Desk", "most_of", "register"]

PAGES = (
    signing,
    vouching,
    home,
    notices,
    conversations,
    voices,
    ratings,
    channels,
    doubtful,
    reminders,
    opt_outs,
    people,
    keys,
    audit_log,
    account,
)


def register(app: Flask, desk: Desk) -> None:
    """Add the console to an application."""
    shell.prepare(app, desk.public_url)
    console = shell.blueprint(desk)
    for page in PAGES:
        console.register_blueprint(page.routes(desk))
    app.register_blueprint(console)
