"""Why something can't be done with a notice."""

from __future__ import annotations

from datetime import timedelta

from smsgw.failure import ExpectedFailure


class NoticeRefused(ExpectedFailure):
    """Something was not done. `reason` is a word for it, for pages that say it in their language; the text is English.

    Reasons: name, text, time, nobody, placeholder, registered, budget, role, own, state, changed, phone, removed,
    unknown.
    """

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


class NoSuchNotice(NoticeRefused):
    """There is none, or it is another agency's."""

    def __init__(self, id: str) -> None:
        super().__init__("unknown", f"there is no notice {id}; smsgw notice list shows those there are")


class MessageRefused(NoticeRefused):
    """A message to one person is not sent. Further reasons: long, opted_out, daily."""


class EnoughToday(MessageRefused):
    """A key has sent its messages of a day. `wait`: until the next one begins."""

    def __init__(self, text: str, wait: timedelta) -> None:
        super().__init__("daily", text)
        self.wait = wait
