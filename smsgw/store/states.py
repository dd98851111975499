"""The states of an outbound message and every legal move between them. Pure; everything else asks here.

    held ──> queued ──> sending ──> submitted ──> delivered
      │        │ ^         │ │                    undelivered
      v        v │         │ v                    expired
    cancelled, expired     │ unknown ──> (any of these, or queued again)
                           v
                        rejected, or cancelled: found untrue before it was handed over

What has been reported only ever adds up: `reported` keeps the weightiest report, so that receipts may come in any
order, any number of times, before or after the carrier's answer, and end in the same state.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum

RECEIPT_WAIT = timedelta(hours=72)  # a carrier that has not reported by then won't
NO_RECEIPT = "no_receipt"  # the code of what expired so: a carrier took it, and nobody knows what became of it
LIVE_FOR = timedelta(hours=72)  # a finished message stays among the live ones, where late receipts mostly find it


class State(StrEnum):
    HELD = "held"
    QUEUED = "queued"
    SENDING = "sending"
    UNKNOWN = "unknown"
    SUBMITTED = "submitted"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    EXPIRED = "expired"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


FINAL = frozenset({State.DELIVERED, State.UNDELIVERED, State.EXPIRED, State.REJECTED, State.CANCELLED})

# Moves that the gateway itself decides on.
_DECISIONS: dict[State, frozenset[State]] = {
    State.HELD: frozenset({State.QUEUED, State.CANCELLED, State.EXPIRED}),
    State.QUEUED: frozenset({State.HELD, State.SENDING, State.UNKNOWN, State.CANCELLED, State.EXPIRED}),
    State.SENDING: frozenset({State.QUEUED, State.UNKNOWN, State.SUBMITTED, State.REJECTED, State.CANCELLED}),
    State.UNKNOWN: frozenset({State.QUEUED, State.SUBMITTED, State.REJECTED, State.EXPIRED, State.CANCELLED}),
    State.SUBMITTED: frozenset({State.EXPIRED}),
}

# How much a state that a carrier reported weighs. A message known to have arrived has arrived, whatever else is
# said of it; a carrier that gave up says more than one whose time ran out.
_WEIGHT = {
    State.SUBMITTED: 1,
    State.CANCELLED: 1,
    State.EXPIRED: 2,
    State.UNDELIVERED: 3,
    State.REJECTED: 4,
    State.DELIVERED: 5,
}

# What the carrier answers to a submission says as much as a receipt does, also when its sender has lost the lease.
AS_RECEIPT = {"accepted": "buffered", "rejected": "rejected"}

_RECEIPTS = {
    "buffered": State.SUBMITTED,
    "expired": State.EXPIRED,
    "undelivered": State.UNDELIVERED,
    "rejected": State.REJECTED,
    "delivered": State.DELIVERED,
}


class IllegalMove(Exception):
    """A fault of ours: the code asked for a move that the table above does not have."""


def check_move(before: State, after: State) -> None:
    """Raises IllegalMove unless the gateway may decide to move a message so. Staying is no move, and allowed."""
    if after is not before and after not in _DECISIONS.get(before, frozenset()):
        raise IllegalMove(f"{before} to {after}")


def reported(before: State, receipt: str) -> State | None:
    """The state after a receipt of that status, or None where it must be parked.

    A message that is being sent belongs to its sender, whose lease guards it: its receipts are parked and applied
    when the sender lets go. In every other state a report counts at once, also in `queued`: a message may wait
    there to be sent again although the carrier has long delivered it.
    """
    if before is State.SENDING:
        return None
    after = _RECEIPTS[receipt]
    return after if _WEIGHT[after] > _WEIGHT.get(before, 0) else before


def reported_of_parts(parts: Sequence[Sequence[str]]) -> str:
    """The receipt that the receipts of a message's parts together are: those of each part, in any order.

    A message arrived when all of its parts did, and has failed as soon as one has.
    """
    states = [_reported_of(statuses) for statuses in parts]
    failed = max(
        (state for state in states if state in FINAL - {State.DELIVERED}), key=_WEIGHT.__getitem__, default=None
    )
    if failed is not None:
        return str(failed)
    return "delivered" if all(state is State.DELIVERED for state in states) else "buffered"


def _reported_of(statuses: Sequence[str]) -> State:
    state = State.SUBMITTED
    for status in statuses:
        state = reported(state, status) or state
    return state
