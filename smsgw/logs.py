"""Log lines as JSON, with every phone number masked on its way out, also those in other libraries' lines."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from datetime import UTC, datetime

from smsgw.text.phones import mask_all


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and the error where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": mask_all(record.getMessage()),
        }
        if record.exc_info:
            line["error"] = mask_all("".join(traceback.format_exception(*record.exc_info)))
        return json.dumps(line, ensure_ascii=False)


def to_stderr(level: int = logging.INFO) -> None:
    """Send every log line of this process to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for chatty in ("apscheduler", "urllib3", "uvicorn"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    # It warns at each tick that comes while the one before is at work, which is as it should be.
    logging.getLogger("apscheduler.scheduler").setLevel(logging.ERROR)
