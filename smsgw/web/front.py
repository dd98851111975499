"""The ASGI application in front of everything: carriers' callbacks are served in the event loop, pages in threads.

A request is taken in whole before anybody works on it, so that a slow line keeps no thread, and one that breaks off
leaves nothing behind. What doesn't fit into memory goes to disk, and before it does the pages are asked how much of it
they want; where the disk is full, who reads it hears so. The pages are a plain WSGI application and know nothing more
of this.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import Future
from enum import Enum, auto
from io import BytesIO
from typing import IO, Any, cast
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from a2wsgi import WSGIMiddleware
from a2wsgi.asgi_typing import HTTPScope, Receive, ReceiveEvent, Scope, Send
from a2wsgi.wsgi import build_environ
from flask import Response

from smsgw.web.carrier import LARGEST_CALLBACK, METHODS, Door, Knock, Visit, What
from smsgw.web.problems import unavailable
from smsgw.web.room import IN_MEMORY, NoRoom, Unread, room, spooling

LARGEST_REQUEST = 64 * 1024 * 1024  # bytes; a page that takes less says so itself

_CALLBACK = re.compile(r"/carrier/([^/]+)/(inbound|receipts)")
_BODY, _SIZE = "smsgw.body", "smsgw.size"


Most = Callable[[WSGIEnvironment], int]

log = logging.getLogger("smsgw.web")


class Came(Enum):
    """What came of a body: all of it, as much as may come and yet more to follow, or a line that broke off."""

    WHOLE = auto()
    TOO_MUCH = auto()
    BROKEN_OFF = auto()


class Front:
    """`pages` run in so many threads. Without a door every request is theirs.

    `most`: how many bytes a request may bring, asked in a thread before more than fits into memory is taken in. One
    that brings more goes to the pages without its body, for them to say what is wrong.
    """

    def __init__(self, pages: WSGIApplication, door: Door | None, *, threads: int, most: Most | None) -> None:
        self._door = door
        self._most = most
        self._pages = WSGIMiddleware(cast(Any, _reading_our_body(pages)), workers=threads)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            return
        callback = _CALLBACK.fullmatch(scope["path"]) if self._door and scope["method"] in METHODS else None
        if self._door and callback:
            await _called(self._door, callback[1], cast(What, callback[2]), scope, receive, send)
            return
        with room() as file:
            await self._page(scope, receive, file, send)

    async def _page(self, scope: HTTPScope, receive: Receive, body: IO[bytes], send: Send) -> None:
        try:
            came = await _take_in(await receive(), receive, body, IN_MEMORY, lambda: self._most_of(scope))
        except NoRoom as full:
            await self._without(full, scope, receive, send)
            return
        if came is Came.BROKEN_OFF:
            return
        size = body.tell()
        if came is Came.TOO_MUCH:
            if self._most is None:
                await _send(Response("the request is too large\n", 413, content_type="text/plain"), send)
                return
            body.truncate(0)
        body.seek(0)
        await self._pages(cast(Any, {**scope, _BODY: body, _SIZE: size}), receive, send)

    async def _without(self, full: NoRoom, scope: HTTPScope, receive: Receive, send: Send) -> None:
        """A request whose body found no room, for the pages to say so to who may be there."""
        if self._most is None:
            log.error("%s %s: there is no room for the body: %s", scope["method"], scope["path"], full)
            await _send(unavailable("there is no room for the body; send it again"), send)
            return
        await self._pages(cast(Any, {**scope, _BODY: Unread(full), _SIZE: IN_MEMORY}), receive, send)

    async def _most_of(self, scope: HTTPScope) -> int:
        if self._most is None:
            return LARGEST_REQUEST
        environ = cast(WSGIEnvironment, build_environ(scope, cast(Any, BytesIO())))
        return await asyncio.get_running_loop().run_in_executor(self._pages.executor, self._most, environ)


async def _called(door: Door, name: str, what: What, scope: HTTPScope, receive: Receive, send: Send) -> None:
    """A callback."""
    try:
        body = await _body_of_callback(receive)
    except NoRoom as full:
        await _send(door.no_room(name, what, str(full)), send)
        return
    if body is not None:
        await _send(await _answer(door, name, what, scope, body), send)


async def _body_of_callback(receive: Receive) -> bytes | None:
    """A callback's body, or as much as shows that it is too large; None if the line broke off. Raises NoRoom."""
    event = await receive()
    if event["type"] == "http.request" and not event.get("more_body", False):
        return event.get("body", b"")  # nearly all come in one piece
    with room() as body:
        if await _take_in(event, receive, body, LARGEST_CALLBACK) is Came.BROKEN_OFF:
            return None
        body.seek(0)
        return body.read()


async def _take_in(
    event: ReceiveEvent,
    receive: Receive,
    body: IO[bytes],
    free: int,
    most: Callable[[], Awaitable[int]] | None = None,
) -> Came:
    """Take in a body of so many bytes, or of as many as `most` says when it is asked because there are more.

    `event`: the first that was received. Raises NoRoom.
    """
    limit = free
    while True:
        if event["type"] != "http.request":
            return Came.BROKEN_OFF
        piece = event.get("body", b"")
        size = body.tell() + len(piece)
        if size > limit and most is not None:
            limit, most = max(free, await most()), None
        with spooling():
            body.write(piece)
            body.flush()
        if size > limit:
            return Came.TOO_MUCH
        if not event.get("more_body", False):
            return Came.WHOLE
        event = await receive()


async def _answer(door: Door, name: str, what: What, scope: HTTPScope, body: bytes) -> Response:
    client = scope.get("client")
    knock = Knock(
        method=scope["method"],
        path=scope["path"],
        query=scope["query_string"].decode("latin-1"),
        headers={name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
        body=body,
        caller=client[0] if client else "",
    )
    opened = door.open(name, what, knock)
    if isinstance(opened, Visit):
        await _over(opened.taken)
        return opened.answer()
    return opened


async def _over(work: Future[Any]) -> None:
    """Waits until another thread has done it, whatever came of it; asyncio's own way costs three times as much."""
    loop = asyncio.get_running_loop()
    over = asyncio.Event()
    work.add_done_callback(lambda _: loop.call_soon_threadsafe(over.set))
    await over.wait()


async def _send(response: Response, send: Send) -> None:
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in response.headers.items()]
    await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
    await send({"type": "http.response.body", "body": response.get_data(), "more_body": False})


def _reading_our_body(pages: WSGIApplication) -> WSGIApplication:
    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ["wsgi.input"] = environ["asgi.scope"][_BODY]
        # Who sends in chunks says no size, and pages take a body of no size for none.
        if environ.pop("HTTP_TRANSFER_ENCODING", None):
            environ["CONTENT_LENGTH"] = str(environ["asgi.scope"][_SIZE])
        return pages(environ, start_response)

    return application
