"""What is counted while the gateway runs. What can be read from the database is read there when it is asked for."""

from __future__ import annotations

from prometheus_client import Counter

callbacks_refused = Counter(
    "smsgw_callbacks_refused",
    "Callbacks that were not taken, and by the reason item, what was rejected of those that were",
    ["channel", "reason"],
)
messages_in = Counter(
    "smsgw_messages_in", "Citizens' messages taken in, by what they were answered with", ["channel", "kind"]
)
messages_out = Counter("smsgw_messages_out", "Tries at sending, by what became of them", ["channel", "outcome"])
receipts_in = Counter("smsgw_receipts_in", "Delivery reports taken in", ["channel", "status"])
