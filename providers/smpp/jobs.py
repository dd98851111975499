"""A message on its way to the SMSC: its parts, what was answered to each, and what that makes of it. Pure."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from providers.codes import Meaning, outcome
from providers.contract import Accepted, CallFailed, Outcome, Rejected, Throttled, Unknown
from providers.smpp.codes import name_of


@dataclass(frozen=True, slots=True)
class Answered:
    """The SMSC's answer to a part."""

    status: int
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Silent:
    """It was sent, and no answer came: the SMSC may have it."""

    why: str


@dataclass(frozen=True, slots=True)
class Unsent:
    """It was not sent."""

    failed: CallFailed


Answer = Answered | Silent | Unsent


class Job:
    """One message. The line's thread fills in `answers`; whoever submitted it waits for `done`.

    `until`: when an answer comes too late, by the monotonic clock.
    """

    def __init__(self, ref: str, parts: Sequence[Mapping[str, Any]], meanings: Mapping[str, Meaning]) -> None:
        self.ref = ref
        self.parts = parts
        self.answers: list[Answer | None] = [None] * len(parts)
        self.until = 0.0
        self.done = threading.Event()
        self._meanings = meanings

    def answered(self) -> bool:
        """Whether each part has its answer."""
        return None not in self.answers

    def settled(self) -> bool:
        """Whether it is known of each part what became of it."""
        return not any(answer is None or isinstance(answer, Silent) for answer in self.answers)

    def postponed(self) -> list[int]:
        """The parts to send again soon: the SMSC put them off when it had others of this message already."""
        results = [self._result(number) for number in range(len(self.parts))]
        if not any(isinstance(result, Accepted) for result in results):
            return []
        return [number for number, result in enumerate(results) if isinstance(result, Throttled)]

    def outcome(self) -> Outcome | CallFailed:
        """What became of the message.

        Refused for good if a part is; in doubt if one is, with the names of those that were taken; taken if all are.
        Where only some were taken and the others surely not, the whole message is sent again later, under the same
        reference, so that a phone can join them.
        """
        results = [self._result(number) for number in range(len(self.parts))]
        taken = [result for result in results if isinstance(result, Accepted)]
        if (refused := next((each for each in results if isinstance(each, Rejected)), None)) is not None:
            # Of which the person may get a part, no other carrier sends the whole.
            return replace(refused, elsewhere=refused.elsewhere and all(isinstance(each, Rejected) for each in results))
        if (doubt := next((each for each in results if isinstance(each, Unknown)), None)) is not None:
            names = tuple(each.carrier_id if isinstance(each, Accepted) else None for each in results)
            return Unknown(doubt.detail, names if taken else ())
        if len(taken) == len(results):
            ids = [result.carrier_id for result in taken]
            return taken[0] if len(taken) == 1 else Accepted(None, tuple(id for id in ids if id))
        first = next(each for each in results if not isinstance(each, Accepted))
        if not taken:
            return first
        why = first.detail if isinstance(first, Throttled) else str(first)
        return Throttled(None, f"{len(taken)} of {len(results)} parts were taken: {why}")

    def _result(self, number: int) -> Outcome | CallFailed:
        match self.answers[number]:
            case Answered(status, id):
                try:
                    return outcome(self._meanings, name_of(status), _of(number, len(self.parts)), id)
                except CallFailed as failed:
                    return failed
            case Silent(why):
                return Unknown(f"{why}{_of(number, len(self.parts), ', ')}")
            case Unsent(failed):
                return failed
            case None:
                return Unknown("the line's thread gave no answer")


def _of(number: int, count: int, before: str = "") -> str:
    return f"{before}part {number + 1} of {count}" if count > 1 else ""
