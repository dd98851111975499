"""A notice's life: its states, the moves between them, and who may make them. Pure; everything else asks here.

    draft ──> submitted ──> approved ──> sending ──> done
      │  <─────── │ <───────── │           │ ^
      │   edit, send back      │     pause v │ resume
      │                        └───────> paused
      v
    cancelled: from any of these but done

What is not any more as it was approved is paused by the gateway itself.

Before it is a draft it is `loading`: its recipients are still coming in, and nobody sees it. A notice to so few people
that it needs no approval goes from draft to approved.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

Role = Literal["sender", "approver"]


class State(StrEnum):
    LOADING = "loading"
    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    SENDING = "sending"
    PAUSED = "paused"
    DONE = "done"
    CANCELLED = "cancelled"


class Move(StrEnum):
    CREATE = "create"
    EDIT = "edit"
    SUBMIT = "submit"
    RELEASE = "release"  # submitted, and needs nobody's approval
    APPROVE = "approve"
    SEND_BACK = "send_back"
    START = "start"
    PAUSE = "pause"
    VOID = "void"  # what is stored is not what was approved
    RESUME = "resume"
    CANCEL = "cancel"
    REPLACE = "replace"  # by a notice with other recipients
    FINISH = "finish"


@dataclass(frozen=True, slots=True)
class Rule:
    """From which states a move leads to which one; and the role that it takes, if it is an official's."""

    before: frozenset[State]
    after: State
    role: Role | None = "sender"


_BEFORE_SENDING = frozenset({State.DRAFT, State.SUBMITTED, State.APPROVED})

MOVES: dict[Move, Rule] = {
    Move.CREATE: Rule(frozenset({State.LOADING}), State.DRAFT),
    Move.EDIT: Rule(_BEFORE_SENDING, State.DRAFT),
    Move.SUBMIT: Rule(frozenset({State.DRAFT}), State.SUBMITTED),
    Move.RELEASE: Rule(frozenset({State.DRAFT}), State.APPROVED),
    Move.APPROVE: Rule(frozenset({State.SUBMITTED}), State.APPROVED, "approver"),
    Move.SEND_BACK: Rule(frozenset({State.SUBMITTED}), State.DRAFT, "approver"),
    Move.START: Rule(frozenset({State.APPROVED}), State.SENDING, None),
    Move.PAUSE: Rule(frozenset({State.APPROVED, State.SENDING}), State.PAUSED),
    Move.VOID: Rule(frozenset({State.APPROVED, State.SENDING}), State.PAUSED, None),
    Move.RESUME: Rule(frozenset({State.PAUSED}), State.SENDING),
    Move.CANCEL: Rule(_BEFORE_SENDING | {State.SENDING, State.PAUSED}, State.CANCELLED),
    Move.REPLACE: Rule(_BEFORE_SENDING, State.CANCELLED),
    Move.FINISH: Rule(frozenset({State.SENDING}), State.DONE, None),
}


def open_moves(state: State) -> list[Move]:
    """The moves that an official can make from a state."""
    own = (Move.EDIT, Move.SUBMIT, Move.APPROVE, Move.SEND_BACK, Move.PAUSE, Move.RESUME, Move.CANCEL)
    return [move for move in own if state in MOVES[move].before]
