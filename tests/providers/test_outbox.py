"""The outbox folder."""

from __future__ import annotations

import resource
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.domain import errors
from newsletter.domain.verdicts import Kind
from newsletter.providers.outbox import Outbox, OutboxOptions
from newsletter.providers.tray import Tray
from tests.providers.letters import letter, letters


@pytest.fixture
def small_files() -> Iterator[None]:
    """Let no file grow past 4,000 bytes, as a full disk would."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, ignored)


async def test_every_message_becomes_one_file_with_its_exact_bytes(tmp_path: Path) -> None:
    sent = letters(120)
    tray = Tray(sent)
    await Outbox(OutboxOptions(path=tmp_path / "outbox")).send(tray)
    assert {path.read_bytes() for path in (tmp_path / "outbox" / "new").glob("*.eml")} == {
        one.raw for one in sent
    }
    assert list((tmp_path / "outbox" / "tmp").iterdir()) == []
    assert [one.verdict.kind for one in tray.receipts] == [Kind.ACCEPTED] * 120


async def test_the_receipt_names_the_file(tmp_path: Path) -> None:
    tray = Tray([letter(1)])
    await Outbox(OutboxOptions(path=tmp_path, fsync=True)).send(tray)
    assert (tmp_path / "new" / tray.receipts[0].provider_id).read_bytes() == letter(1).raw


async def test_a_message_sent_twice_stands_there_twice(tmp_path: Path) -> None:
    for _ in range(2):
        await Outbox(OutboxOptions(path=tmp_path)).send(Tray([letter(1)]))
    assert len(list((tmp_path / "new").iterdir())) == 2


async def test_a_message_id_cannot_leave_the_folder(tmp_path: Path) -> None:
    await Outbox(OutboxOptions(path=tmp_path / "box")).send(
        Tray([letter(1)._replace(message_id="../../x/../y")])
    )
    assert [path.name for path in (tmp_path / "box" / "new").iterdir()] == [".._.._x_.._y.eml"]


@pytest.mark.usefixtures("small_files")
async def test_a_full_disk_ends_the_send_and_loses_nothing(tmp_path: Path) -> None:
    tray = Tray([letter(1), *letters(3, size=8000)[1:]])
    with pytest.raises(errors.ProviderError, match="cannot be written: File too large") as caught:
        await Outbox(OutboxOptions(path=tmp_path)).send(tray)
    assert "send the same mailing again" in caught.value.hint
    assert [one.delivery for one in tray.receipts] == [1]
    assert tray.waiting == 2
    assert tray.out == 0
    assert len(list((tmp_path / "new").iterdir())) == 1
    assert list((tmp_path / "tmp").iterdir()) == []


async def test_a_folder_that_cannot_be_made_says_so_before_anything_is_taken(tmp_path: Path) -> None:
    (tmp_path / "outbox").write_text("a file stands where the folder should")
    tray = Tray(letters(2))
    with pytest.raises(errors.ProviderError, match="outbox cannot be written"):
        await Outbox(OutboxOptions(path=tmp_path / "outbox")).send(tray)
    assert tray.waiting == 2
