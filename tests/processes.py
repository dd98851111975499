"""Processes of the gateway, forked from one that has imported everything, so that each is there in no time."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from subprocess import CompletedProcess
from tempfile import TemporaryDirectory
from typing import Any

PATIENCE = 120.0  # seconds that a command may take, on a machine with much else to do

_forked = multiprocessing.get_context("forkserver")
_forked.set_forkserver_preload(["tests.chaos_node"])


def start(target: Callable[..., object], *arguments: Any) -> ForkServerProcess:
    """Start a process. It ends with this one at the latest, so that no run waits for what a failed test left."""
    process = _forked.Process(target=target, args=arguments, daemon=True)
    process.start()
    return process


def meeting(target: Callable[..., object], *each: tuple[Any, ...]) -> list[Any]:
    """What processes have to say that are started together: they get a barrier to meet at, and where to say it."""
    barrier, ends = _forked.Barrier(len(each)), list[Connection]()
    for arguments in each:
        end, given = _forked.Pipe(duplex=False)
        start(target, *arguments, barrier, given)
        ends.append(end)
    assert all(end.poll(PATIENCE) for end in ends), f"still running after {PATIENCE} s"
    return [end.recv() for end in ends]


def command(
    words: tuple[str, ...], folder: Path, stdin: str = "", variables: Mapping[str, str] | None = None
) -> CompletedProcess[str]:
    """What a command of smsgw says in that folder, and its exit status."""
    with TemporaryDirectory() as streams:
        files = [Path(streams, name) for name in ("stdin", "stdout", "stderr")]
        for file, content in zip(files, (stdin, "", ""), strict=True):
            file.write_text(content, encoding="utf-8", errors="surrogateescape")
        process = start(_command, words, folder, files, dict(variables or {}))
        process.join(PATIENCE)
        out, err = (file.read_text(encoding="utf-8") for file in files[1:])
    assert process.exitcode is not None, f"still running after {PATIENCE} s: {out}{err}"
    return CompletedProcess(words, process.exitcode, out, err)


def output_to(file: Path) -> None:
    """From now on this process writes there, at the end."""
    descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(descriptor, stream.fileno())


def smsgw(*words: str) -> None:
    """Be that command."""
    from smsgw.cli import main

    sys.argv = ["smsgw", *words]
    main()


def _command(words: tuple[str, ...], folder: Path, files: list[Path], variables: dict[str, str]) -> None:
    os.chdir(folder)
    os.environ.update(variables)
    for number, (file, flags) in enumerate(zip(files, (os.O_RDONLY, os.O_WRONLY, os.O_WRONLY), strict=True)):
        os.dup2(os.open(file, flags), number)
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    smsgw(*words)
