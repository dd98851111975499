"""Files that are shipped with the gateway, and the scripts among them taken apart."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path


def shipped(name: str) -> str:
    """The text of schema.sql or settings.toml: from the wheel, or in a checkout from its top folder."""
    packed = files("smsgw") / "_data" / name
    if packed.is_file():
        return packed.read_text(encoding="utf-8")
    return (Path(__file__).resolve().parent.parent / name).read_text(encoding="utf-8")


def statements(script: str) -> list[str]:
    """The statements of a script in which a semicolon only ever ends one and comments begin with two dashes."""
    code = "\n".join(line.split("--")[0].rstrip() for line in script.splitlines())
    return [statement.strip() for statement in code.split(";") if statement.strip()]
