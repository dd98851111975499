"""On SQLite the gateway runs in one process at a time; what else there is to do is done beside it."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from smsgw.bench.ports import free_port
from smsgw.gateway import ROLES
from smsgw.serve import Node
from smsgw.settings import load
from smsgw.store.database import Closed, Database, InUse
from tests.serving import Serving

CHANNEL = """
[channels.sms]
provider = "aggregator"
url = "http://127.0.0.1:9"
token = "t"
secret = "s"
sender = "8188"
tps = 100
time_limit = 1
"""


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Serving]:
    made = Serving(tmp_path, free_port(), CHANNEL)
    yield made
    made.close()


def test_a_second_node_is_refused_whatever_its_roles(serving: Serving) -> None:
    serving.start()
    said = (
        f"smsgw: another smsgw serve or demo runs on {serving.folder}/gateway.db, and SQLite takes one:"
        " stop that one first, or use PostgreSQL, which takes any number"
    )
    for words in (("serve",), ("serve", "--roles", "worker")):
        refused = serving.command(*words)
        assert (refused.returncode, refused.stderr) == (1, f"{said}\n")
    demo = serving.command("demo", "--simulator-port", str(free_port()))
    assert (demo.returncode, demo.stderr) == (1, f"{said}; or name another folder by --data\n")


def test_commands_are_done_beside_it(serving: Serving) -> None:
    serving.start()
    for words in (
        ("init",),
        ("outbox",),
        ("lookup", "H01.12-180802-0012"),
        ("purge",),
        ("channel", "pause", "sms", "--reason", "x"),
    ):
        assert serving.command(*words).returncode == 0


def test_one_that_was_killed_is_in_nobodys_way(serving: Serving) -> None:
    serving.start()
    serving.kill()
    serving.start()


def test_another_name_of_the_same_file_changes_nothing(
    serving: Serving, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "other.db").symlink_to(serving.folder / "gateway.db")
    settings = serving.settings.read_text().replace(f"{serving.folder}/gateway.db", f"{elsewhere}/other.db")
    (elsewhere / "settings.toml").write_text(settings)
    first = Node(load(serving.settings), ["worker"])
    with pytest.raises(InUse):
        Node(load(elsewhere / "settings.toml"), ROLES)
    first.stop()
    second = Node(load(elsewhere / "settings.toml"), ["worker"])
    second.stop()


def test_whose_the_files_are_to_be_is_said_to_another_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = Database(f"sqlite:///{tmp_path}/gateway.db")

    def closed(file: Path, mode: str) -> None:  # root, as which tests run too, may open everything
        raise PermissionError(errno.EACCES, "Permission denied", str(file))

    monkeypatch.setattr(Path, "open", closed)
    said = f"{tmp_path}/gateway.db.lock: Permission denied; all in that folder must belong to the user who"
    with pytest.raises(Closed, match=re.escape(said)):
        database.hold()
    database.close()
