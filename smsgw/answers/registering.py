"""Under which of a carrier's templates a text is registered, as an official writes it down beside the text. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from providers.templates import Registered

EXPECTED = 'expected { template = "1024", parameters = ["code", "agency"] }'

Texts = Mapping[tuple[Any, str], str]  # by language and key


def registered(where: str, given: Mapping[str, Any], text: str) -> Registered:
    """What was written down for a text, once it has no faults. `where` it stands."""
    parameters = given["parameters"]
    pairs = parameters.items() if isinstance(parameters, dict) else zip(parameters, parameters, strict=True)
    return Registered(where, str(given["template"]), text, tuple(pairs))


def faults(given: Any, text: str) -> Iterator[str]:
    """What is wrong with it.

    A list names the parameters as the text has them, so that a text that was changed is not taken for the one that is
    registered. A table, for a carrier that has names for them, may name some of them.
    """
    match given:
        case {"template": str() | int() as id, "parameters": list() | dict() as parameters, **more} if not more and id:
            always = registered("", {"template": id, "parameters": {}}, text).always
        case _:
            yield EXPECTED
            return
    if isinstance(parameters, list) and tuple(parameters) != always:
        shown = ", ".join(f'"{name}"' for name in always)
        yield (
            f"parameters: expected [{shown}], which is what the text names outside of brackets, in its order;"
            " if the text was changed, have it registered anew"
        )
    if isinstance(parameters, dict):
        for theirs, ours in parameters.items():
            if ours not in always:
                yield (
                    f"parameters.{theirs}: expected one of {', '.join(always)}, which the text always names;"
                    " what is in brackets may be left out"
                )


def table_faults(tables: Any, texts: Texts) -> Iterator[str]:
    """What is wrong in the tables [templates.CHANNEL.LANGUAGE] of a wording, whose keys are those of its texts."""
    for channel, language, key, given in _entries(tables):
        if language is None or key is None:
            yield f"{channel}: expected tables such as [templates.CHANNEL.vi], with a line for each text"
        elif (text := texts.get((language, key))) is None:
            yield f"{channel}.{language}.{key}: there is no such text to be registered"
        else:
            yield from (f"{channel}.{language}.{key}: {fault}" for fault in faults(given, text))


def named(file: str, tables: Any, texts: Texts) -> list[tuple[str, Registered]]:
    """What those tables say, once they have no faults, by channel."""
    return [
        (
            channel.removeprefix("templates."),
            registered(f"{file}: {channel}.{language}.{key}", given, texts[language, key]),
        )
        for channel, language, key, given in _entries(tables)
        if key is not None
    ]


def _entries(tables: Any) -> Iterator[tuple[str, str | None, str | None, Any]]:
    """Channel, language, key, and what stands there; no key where a table is no table."""
    if not isinstance(tables, dict):
        yield "templates", None, None, tables
        return
    for channel, languages in tables.items():
        where = f"templates.{channel}"
        if not isinstance(languages, dict):
            yield where, None, None, languages
            continue
        for language, keys in languages.items():
            if not isinstance(keys, dict):
                yield where, language, None, keys
                continue
            yield from ((where, language, key, given) for key, given in keys.items())
