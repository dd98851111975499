"""What officials do with complaints and questions: answer them by SMS, and close them. Both are in the audit log."""

from __future__ import annotations

from dataclasses import dataclass

from smsgw.answers.answering import Answers
from smsgw.answers.asker import Asker
from smsgw.clock import Clock
from smsgw.dispatch.channel import Roads
from smsgw.intake.intake import reply_message
from smsgw.officials import audit
from smsgw.store import people, voices
from smsgw.store.database import Database
from smsgw.store.outbox import NewMessage
from smsgw.store.tables import Lane
from smsgw.store.voices import Voice
from smsgw.store.wakes import Bell
from smsgw.text.accents import lost
from smsgw.text.addresses import scheme
from smsgw.text.phones import mask_all

LONGEST_ANSWER = 400  # characters


@dataclass(frozen=True, slots=True)
class Draft:
    """An answer as it would go out. `lost`: characters that become question marks, as it goes without accents."""

    message: NewMessage
    lost: list[str]


class VoiceDesk:
    """Where officials answer. `who` is as the audit log names them."""

    def __init__(self, database: Database, answers: Answers, roads: Roads, bell: Bell, clock: Clock) -> None:
        self._database = database
        self._answers = answers
        self._roads = roads
        self._bell = bell
        self._clock = clock

    def draft(self, voice: Voice, text: str) -> Draft:
        """An answer as the citizen would get it now."""
        with self._database.reading() as connection:
            wish = people.wishes(connection, [voice.phone])[voice.phone]
        asker = Asker(voice.phone, wish.language, wish.accents, whole=scheme(voice.phone) is not None)
        reply = self._answers.voice_answer(voice.number, text, asker)
        channel = self._roads.first(Lane.REPLY, voice.phone, voice.channel)
        message = reply_message(channel, None, voice.phone, reply, self._clock())
        return Draft(message, [] if asker.accents else lost(text))

    def answer(self, voice: Voice, text: str, who: str) -> bool:
        """Send the citizen an answer; False, and nothing goes out, if somebody was quicker."""
        message = self.draft(voice, text).message
        now = message.created_at
        with self._database.writing("voice") as connection:
            if not voices.answer(connection, voice.id, text, who, message, now):
                return False
            self._bell.tell(connection, message.channel, Lane.REPLY)
            audit.record(connection, who, "voice.answer", str(voice.number), {"message": message.id}, now)
        self._bell.ring(message.channel, Lane.REPLY)
        return True

    def close(self, voice: Voice, who: str, reason: str = "") -> bool:
        """Nothing more is to be done; False if it was closed already. `reason`: why, if it has no answer."""
        now = self._clock()
        with self._database.writing("voice") as connection:
            before = voices.close(connection, voice.id, who, now)
            if before is not None:
                said = {"was": before, "reason": mask_all(reason)} if reason else {"was": before}
                audit.record(connection, who, "voice.close", str(voice.number), said, now)
        return before is not None
