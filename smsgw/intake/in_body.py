"""Replies that go back in the body of our answer, to carriers that take them from there.

No server learns whether its answer was read; the carrier knows, and calls again if it was not. So such a message is
committed as handed over, and whoever calls again gets the same body. Where the carrier reports on these replies too,
they are in doubt until the first receipt, and sent by the usual way if none comes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from providers.contract import Reply
from smsgw.dispatch.channel import Channel
from smsgw.store import inbox
from smsgw.store.inbox import Arrival
from smsgw.store.outbox import NewMessage
from smsgw.store.states import RECEIPT_WAIT, State

BODY_WAIT = timedelta(minutes=5)  # in which a carrier calls again or reports


def handed_over(channel: Channel, message: NewMessage, now: datetime) -> NewMessage:
    """A reply as one that its carrier takes from our answer."""
    if channel.provider.abilities.reports_bodies:
        return message._replace(state=State.UNKNOWN, deadline=now + BODY_WAIT, doubts=1)
    return message._replace(state=State.SUBMITTED, deadline=now + RECEIPT_WAIT, submitted_at=now)


def replies(
    connection: sa.Connection,
    channels: Mapping[str, Channel],
    arrivals: Sequence[Arrival],
    new: Collection[str],
    now: datetime,
) -> dict[str, Reply]:
    """The reply that goes back in the body for each arrival that has one, by our id of the arrival."""
    bodies: dict[str, Reply] = {}
    known: dict[str, list[Arrival]] = defaultdict(list)
    for arrival in arrivals:
        if not channels[arrival.channel].provider.abilities.answers_in_body:
            continue
        if arrival.id not in new:
            known[arrival.channel].append(arrival)
        elif (reply := arrival.reply) and reply.state is not State.QUEUED:
            bodies[arrival.id] = Reply(reply.id, reply.recipient, reply.text, reply.encoding)
    for name, again in known.items():
        sent = inbox.replies_again(connection, name, {item.carrier_message_id for item in again}, now + BODY_WAIT)
        for arrival in again:
            if row := sent.get(arrival.carrier_message_id):
                bodies[arrival.id] = Reply(row.id, row.recipient, row.text, row.encoding)
    return bodies
