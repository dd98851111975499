"""The console as a browser without a window: signed in as somebody, with the token that every form carries."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from smsgw.officials.signing_in import Visitor
from smsgw.store.officials import Role
from smsgw.web.console.shell import TOKEN
from tests.world import World

PASSWORD = "mot cau dai de nho"


def text(answer: TestResponse) -> str:
    """A page as it is read."""
    return unescape(answer.get_data(as_text=True))


@dataclass
class Desk:
    """An official's browser."""

    client: FlaskClient

    def get(self, path: str, status: int = 200) -> str:
        """A page; its links are followed as a browser does."""
        answer = self.client.get(f"/console{path}", follow_redirects=True)
        assert answer.status_code == status, text(answer)
        return text(answer)

    def token(self, path: str = "/account") -> str:
        """What proves that a form came from the page."""
        page = text(self.client.get(f"/console{path}", follow_redirects=True))
        found = re.search(r'name="csrf_token" value="([^"]+)"', page)
        assert found, page
        return found[1]

    def post(self, path: str, status: int = 200, /, **fields: str) -> str:
        """Send a form."""
        data = {"csrf_token": self.token(), **fields}
        answer = self.client.post(f"/console{path}", data=data, follow_redirects=True)
        assert answer.status_code == status, text(answer)
        return text(answer)


def stranger(world: World) -> Desk:
    """Somebody who is not signed in."""
    return Desk(world.app.test_client())


def official(world: World, name: str, role: Role, agency: str | None = None, password: str | None = None) -> Desk:
    """A new official, signed in."""
    world.gateway.accounts.add(name, role, agency, None, password, "test")
    return at_work(world, name)


def at_work(world: World, name: str) -> Desk:
    """An official in another browser."""
    desk = stranger(world)
    token = world.gateway.signing_in.vouched_for(name, Visitor("127.0.0.1", "test"))
    with desk.client.session_transaction() as cookie:
        cookie[TOKEN] = token
    return desk
