"""The baselines, each in a process of its own: what the same work costs without a gateway around it.

python -m smsgw.bench.bare route PORT DATABASE      a Flask route with the one transaction that each callback needs
python -m smsgw.bench.bare post PORT MESSAGES BATCH a loop that posts the same bodies as a notice, without a database
"""

from __future__ import annotations

import json
import sys
import time
from datetime import timedelta
from typing import Any

import requests
import sqlalchemy as sa
from flask import Flask, Response, request

from smsgw.bench.notices import messages
from smsgw.bench.wire import HOST
from smsgw.clock import utc_now
from smsgw.serve import Stop
from smsgw.store.database import Database
from smsgw.store.ids import new_id
from smsgw.store.tables import inbound, outbound
from smsgw.web.server import WebServer

READY = "bare:"
_dossier = sa.table("dossier", sa.column("code"), sa.column("status"), sa.column("step_name"), sa.column("due_at"))


def create_app(database: Database) -> Flask:
    """Reads the callback, and in one transaction: inserts the messages, selects the dossiers, inserts the replies."""
    app = Flask("smsgw.bench.bare")

    @app.post("/carrier/sms/inbound")
    def take() -> Response:
        came = json.loads(request.get_data())["messages"]
        received = [{**_received(message), "id": new_id()} for message in came]
        codes = [message["text"][3:] for message in came]
        with database.writing("bare") as connection:
            connection.execute(sa.insert(inbound), received)
            found = {row.code: row for row in connection.execute(sa.select(_dossier).where(_dossier.c.code.in_(codes)))}
            replies = [_reply(row, found[code]) for row, code in zip(received, codes, strict=True)]
            connection.execute(sa.insert(outbound), replies)
        results = [{"id": message["id"], "status": "accepted"} for message in came]
        return Response(json.dumps({"results": results}), content_type="application/json")

    return app


def _received(message: dict[str, str]) -> dict[str, object]:
    return {
        "channel": "sms",
        "carrier_message_id": message["id"],
        "sender": message["from"],
        "recipient": message["to"],
        "text": message["text"],
        "received_at": utc_now(),
        "state": "answered",
    }


def _reply(received: dict[str, object], dossier: sa.Row[Any]) -> dict[str, object]:
    now = utc_now()
    later = now + timedelta(hours=12)
    return {
        "id": new_id(),
        "channel": "sms",
        "lane": 0,
        "in_reply_to": received["id"],
        "sender": received["recipient"],
        "recipient": received["sender"],
        "text": f"Ho so {dossier.code}: {dossier.step_name}. Hen tra ket qua: {dossier.due_at}.",
        "encoding": "gsm7",
        "segments": 1,
        "state": "queued",
        "created_at": now,
        "not_before": now,
        "expires_at": later,
        "deadline": later,
    }


def serve(port: int, url: str) -> None:
    """The route on the gateway's own web server, until told to stop."""
    stop = Stop()
    database = Database(url)
    web = WebServer(create_app(database), f"{HOST}:{port}", share_port=True)
    web.start()
    print(READY, port, flush=True)  # noqa: T201
    stop.wait()
    web.stop()
    database.close()


def post(port: int, count: int, batch: int) -> None:
    """Post a notice's bodies, one call after the other."""
    session = requests.Session()
    session.trust_env = False
    bodies = [
        {
            "ref": message.id,
            "from": message.sender,
            "to": message.recipient,
            "text": message.text,
            "encoding": message.encoding,
            "segments": message.segments,
            "expires_at": message.expires_at.isoformat(),
        }
        for message in messages(count)
    ]
    print(READY, port, time.monotonic(), flush=True)  # noqa: T201
    for start in range(0, count, batch):
        body = json.dumps({"messages": bodies[start : start + batch]}).encode()
        answer = session.post(
            f"http://{HOST}:{port}/messages", data=body, headers={"Content-Type": "application/json"}, timeout=10
        )
        if len(answer.json()["results"]) != len(bodies[start : start + batch]):
            raise SystemExit("the double did not take all")


if __name__ == "__main__":
    if sys.argv[1] == "route":
        serve(int(sys.argv[2]), sys.argv[3])
    else:
        post(int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
