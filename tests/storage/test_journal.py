"""The journal on disk: what was flushed survives, what is torn is cut off, what is damaged is said."""

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from headgate.ledger.allowance import Amounts
from headgate.ledger.journal import (
    DispatchEntry,
    Entry,
    ExtendEntry,
    HoldEntry,
    JournalUnavailable,
    SettleEntry,
    VoidEntry,
)
from headgate.ledger.recovery import Replay
from headgate.storage import segment as segments
from headgate.storage.journal import FileJournal
from headgate.storage.segment import JournalDamaged
from tests.support.ledger import NOON, record

ROOT = Path(__file__).parent.parent.parent


def call(name: str) -> list[Entry]:
    return [HoldEntry(name, NOON, Amounts(cost=9), ("budget",)), DispatchEntry(name, record(name))]


def sent(name: str) -> DispatchEntry:
    """As the ledger writes it: the hold goes with it."""
    return DispatchEntry(name, record(name), HoldEntry(name, NOON, Amounts(cost=9), ("budget",)))


def settlement(name: str) -> SettleEntry:
    return SettleEntry(name, NOON, Amounts(cost=7), ("budget",), record(name, cost=7))


def write(journal: FileJournal, *entries: Entry) -> None:
    for entry in entries:
        journal.append(entry)
    journal.flush()


def files(directory: Path) -> list[Path]:
    return sorted(directory.iterdir())


def replayed(directory: Path) -> Replay:
    """As the next process finds it; what it created itself is taken away again."""
    journal, replay = FileJournal.open(directory)
    journal.close()
    files(directory)[-1].unlink(missing_ok=True)
    return replay


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A journal left by a crash: `a` settled, `b` sent, `c` only held, `d` void; the last entry is `b`'s extension."""
    journal, _ = FileJournal.open(tmp_path)
    write(journal, *call("a"), *call("b"), *call("c")[:1], *call("d"), settlement("a"), VoidEntry("d"))
    write(journal, ExtendEntry("b", Amounts(cost=12)))
    journal._file.close()
    return tmp_path


def test_what_was_flushed_is_found_again(written: Path) -> None:
    """Settled and unfinished calls, with all that was known of them."""
    replay = replayed(written)
    assert (replay.entries, replay.torn) == (10, 0)
    assert replay.settled == {"a": settlement("a")}
    assert {name: (each.amounts, each.unheard is not None) for name, each in replay.unfinished.items()} == {
        "b": (Amounts(cost=12), True),
        "c": (Amounts(cost=9), False),
    }


def test_a_hold_may_come_with_its_dispatch(tmp_path: Path) -> None:
    """One entry for both says as much as two; a settlement alone says all, and stays until the database has it."""
    journal, _ = FileJournal.open(tmp_path)
    write(journal, sent("a"), sent("b"), sent("c"), ExtendEntry("c", Amounts(cost=12)), settlement("a"))
    write(journal, VoidEntry("b"), VoidEntry("never held"), settlement("given"))
    journal._file.close()
    replay = replayed(tmp_path)
    assert set(replay.settled) == {"a", "given"}
    assert {name: each.amounts for name, each in replay.unfinished.items()} == {"c": Amounts(cost=12)}
    assert replay.unfinished["c"].unheard == record("c")


def test_a_settlement_without_a_hold_keeps_its_segment(tmp_path: Path) -> None:
    """Of a call that was given an answer from memory nothing is written before it is settled."""
    journal, _ = FileJournal.open(tmp_path, segment_bytes=1)
    write(journal, settlement("given"))
    write(journal, sent("other"))
    assert journal.segments == 3
    journal.checkpoint(["given"])
    assert journal.segments == 2
    journal.close()


def test_what_was_not_flushed_is_not_on_disk(tmp_path: Path) -> None:
    """Entries are in memory until a flush, then all of them are in the file, in order."""
    journal, _ = FileJournal.open(tmp_path)
    for entry in call("a"):
        journal.append(entry)
    assert segments.read(files(tmp_path)[0]).entries == []
    journal.flush()
    assert [entry[:8] for entry in segments.read(files(tmp_path)[0]).entries] == [b'["hold",', b'["dispat']
    journal.close()


def test_the_end_of_the_tick_flushes(tmp_path: Path) -> None:
    """Settlements ride along with the next flush, or with one that is asked for once per tick."""
    due: list[Callable[[], None]] = []
    journal, _ = FileJournal.open(tmp_path, later=due.append)
    for entry in [*call("a"), *call("b"), settlement("a")]:
        journal.append(entry)
    [flush] = due
    flush()
    assert len(segments.read(files(tmp_path)[0]).entries) == 5
    journal.append(settlement("b"))
    assert len(due) == 2
    journal.close()


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    """Usage records hold metadata of customers."""
    journal, _ = FileJournal.open(tmp_path / "journal")
    assert (tmp_path / "journal").stat().st_mode & 0o777 == 0o700
    assert files(tmp_path / "journal")[0].stat().st_mode & 0o777 == 0o600
    journal.close()


def test_a_torn_tail_is_cut_off_at_every_byte(written: Path) -> None:
    """However much of the last entry reached the disk: all before it is found, and the rest is said and removed."""
    [path] = files(written)
    whole = path.read_bytes()
    start = whole.rindex(b"\n", 0, len(whole) - 1) + 1
    for end in range(start, len(whole)):
        path.write_bytes(whole[:end])
        replay = replayed(written)
        assert (replay.entries, replay.torn) == (9, end - start)
        assert replay.unfinished["b"].amounts == Amounts(cost=9)
        assert path.read_bytes() == whole[:start]


def test_a_tail_of_zeros_is_cut_off(written: Path) -> None:
    """What a power cut leaves of a file that had grown but was not written."""
    [path] = files(written)
    with path.open("ab") as file:
        file.write(bytes(5_000))
    assert (replayed(written).entries, replayed(written).torn) == (10, 0)


def test_every_flipped_byte_is_noticed(written: Path) -> None:
    """In the last entry it is a torn tail; before it the journal is damaged, and nothing is skipped or changed."""
    [path] = files(written)
    whole = path.read_bytes()
    last = whole.rindex(b"\n", 0, len(whole) - 1) + 1
    for position in range(len(whole)):
        flipped = whole[:position] + bytes([whole[position] ^ 0x01]) + whole[position + 1 :]
        if position >= last - 1:  # the newline before it joins the last two entries into one that is neither
            assert len(segments.parse(path.name, flipped).entries) == (9 if position >= last else 8)
        else:
            with pytest.raises(JournalDamaged):
                segments.parse(path.name, flipped)


def test_a_damaged_journal_is_left_as_it_is(written: Path) -> None:
    """Headgate does not start on it, says where the damage is and what to do, and changes nothing."""
    [path] = files(written)
    damaged = path.read_bytes().replace(b'"c"', b'"C"')
    path.write_bytes(damaged)
    with pytest.raises(JournalDamaged, match=r"journal-0000000001\.log is damaged at byte \d+, .* Restore the file"):
        FileJournal.open(written)
    assert files(written) == [path]
    assert path.read_bytes() == damaged


def test_a_torn_segment_before_the_last_is_damage(written: Path) -> None:
    """A crash tears only the last one."""
    path = files(written)[0]
    (written / "journal-0000000009.log").write_bytes(segments.HEADER)
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(JournalDamaged, match="later segment"):
        FileJournal.open(written)


def test_a_journal_that_lost_its_beginning_is_damage(tmp_path: Path) -> None:
    """An entry without its hold, and a header or an entry of another version."""
    path = tmp_path / "journal-0000000001.log"
    path.write_bytes(segments.HEADER + segments.line(b'["extend","a",[1,0,0,5]]'))
    with pytest.raises(JournalDamaged, match="hold of a"):
        FileJournal.open(tmp_path)
    path.write_bytes(segments.HEADER + segments.line(b'["transmogrify","a"]'))
    with pytest.raises(JournalDamaged, match="does not know"):
        FileJournal.open(tmp_path)
    path.write_bytes(b"headgate journal 2\n")
    with pytest.raises(JournalDamaged, match="does not begin"):
        FileJournal.open(tmp_path)


@pytest.mark.parametrize("length", range(len(segments.HEADER) + 1))
def test_a_crash_while_a_segment_is_created(tmp_path: Path, length: int) -> None:
    """An empty file, or any part of the header: no entries, no damage, however often it happens."""
    (tmp_path / "journal-0000000001.log").write_bytes(segments.HEADER[:length])
    assert replayed(tmp_path).entries == 0
    assert replayed(tmp_path).torn == 0


def test_segments_go_when_the_database_has_what_is_in_them(tmp_path: Path) -> None:
    """Oldest first; a call under way keeps its segment and those after it."""
    journal, _ = FileJournal.open(tmp_path, segment_bytes=1_000)
    write(journal, *call("long"))
    for number in range(20):
        write(journal, *call(f"call {number}"), settlement(f"call {number}"))
    assert len(files(tmp_path)) > 10
    journal.checkpoint([f"call {number}" for number in range(20)])
    assert len(files(tmp_path)) > 10
    journal.append(VoidEntry("long"))
    journal.checkpoint([])
    assert len(files(tmp_path)) == 1
    assert segments.read(files(tmp_path)[0]).entries[-1] == b'["void","long"]'
    journal.close()
    assert files(tmp_path) == []


def test_what_is_not_in_the_database_is_kept(tmp_path: Path) -> None:
    """A checkpoint that does not name a call leaves it; and one that names an unsettled call leaves that."""
    journal, _ = FileJournal.open(tmp_path, segment_bytes=1_000)
    write(journal, *call("b"), *call("c"), settlement("c"))
    write(journal, *call("a"), settlement("a"))
    journal.checkpoint(["b", "c", "unheard of"])
    journal.close()
    replay = replayed(tmp_path)
    assert "a" in replay.settled
    assert "b" in replay.unfinished


def test_replayed_segments_stay_until_their_records_are_in_the_database(written: Path) -> None:
    """A crash during recovery repeats it: the same calls are found again, until they are discarded."""
    journal, first = FileJournal.open(written)
    write(journal, *call("e"), settlement("e"))
    journal.checkpoint(["a", "b", "e"])
    journal.close()
    journal, second = FileJournal.open(written)
    assert {*first.settled, "e"} == set(second.settled)
    assert first.unfinished == second.unfinished
    journal.discard_replayed()
    journal.close()
    assert files(written) == []


def test_one_long_call_does_not_fill_the_disk(tmp_path: Path) -> None:
    """When half the room is used, what a few old calls need is written again, and their segments go.

    So with a settled call whose record the database does not take, which must stay, too.
    """
    journal, _ = FileJournal.open(tmp_path, segment_bytes=4_000, max_bytes=40_000)
    write(journal, *call("stream"), *call("refused"), settlement("refused"))
    for number in range(500):
        name = f"call {number}"
        write(journal, *call(name), settlement(name))
        if number % 40 == 0:
            write(journal, ExtendEntry("stream", Amounts(cost=10 + number)))
        journal.checkpoint([name])
        assert sum(path.stat().st_size for path in files(tmp_path)) < 30_000
    journal._file.close()
    replay = replayed(tmp_path)
    assert replay.unfinished["stream"].amounts == Amounts(cost=490)
    assert replay.unfinished["stream"].unheard == record("stream")
    assert replay.settled["refused"] == settlement("refused")


def test_disk_use_is_bounded_while_the_database_is_away(tmp_path: Path) -> None:
    """New calls are refused, settlements are not; and it goes on once the database has taken them."""
    journal, _ = FileJournal.open(tmp_path, segment_bytes=4_000, max_bytes=20_000)
    write(journal, *call("under way"))
    names: list[str] = []
    while journal.size < 20_000:
        names.append(f"call {len(names)}")
        write(journal, *call(names[-1]), settlement(names[-1]))
    with pytest.raises(JournalUnavailable) as refused:
        journal.append(call("more")[0])
    assert (refused.value.status, refused.value.code) == (503, "journal_full")
    write(journal, settlement("under way"))
    journal.checkpoint([*names, "under way"])
    write(journal, *call("more"))
    assert journal.size < 5_000
    journal.close()


def limited(directory: Path, extra: int, then: Callable[[FileJournal], None]) -> None:
    """In a child process whose files may grow by `extra` bytes only, as if the disk were full then."""
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        return
    code = 1
    try:
        journal, _ = FileJournal.open(directory)
        write(journal, *call("before"))
        resource.setrlimit(resource.RLIMIT_FSIZE, (journal.size + extra, resource.RLIM_INFINITY))
        then(journal)
        code = 0
    finally:
        os._exit(code)


@pytest.mark.parametrize("room", [0, 1, 300, 600, 750])
def test_a_full_disk_takes_no_call_and_loses_none(tmp_path: Path, room: int) -> None:
    """However much of the entries still fits, nothing of them stays in the file; what was there before does."""

    def then(journal: FileJournal) -> None:
        with pytest.raises(JournalUnavailable):
            write(journal, settlement("before"), *call("refused"))
        assert journal.failure is not None
        with pytest.raises(JournalUnavailable):
            journal.append(call("next")[0])

    limited(tmp_path, room, then)
    replay = replayed(tmp_path)
    assert (replay.entries, replay.torn) == (2, 0)
    assert list(replay.unfinished) == ["before"]


def test_it_goes_on_when_there_is_room_again(tmp_path: Path) -> None:
    """What could not be written is kept in memory and written first, in order."""

    def then(journal: FileJournal) -> None:
        with pytest.raises(JournalUnavailable):
            write(journal, settlement("before"), *call("refused"))
        journal.append(VoidEntry("refused"))
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        write(journal, *call("after"))
        assert journal.failure is None

    limited(tmp_path, 200, then)
    replay = replayed(tmp_path)
    assert list(replay.settled) == ["before"]
    assert list(replay.unfinished) == ["after"]


def test_who_asks_for_trouble_hears_that_there_is_room_again(tmp_path: Path) -> None:
    """A process that is not ready gets no calls, so readiness itself tries what could not be written."""

    def then(journal: FileJournal) -> None:
        with pytest.raises(JournalUnavailable):
            write(journal, settlement("before"), *call("refused"))
        assert journal.trouble() is not None
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert journal.failure is not None
        assert journal.trouble() is None
        assert journal.failure is None

    limited(tmp_path, 200, then)
    assert list(replayed(tmp_path).settled) == ["before"]


def test_a_device_without_room_is_told_from_the_first_write(tmp_path: Path) -> None:
    """A journal that cannot even begin refuses the start with the system's own reason."""
    (tmp_path / "journal-0000000001.log").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        segments.mend(tmp_path / "journal-0000000001.log", 0)
    (tmp_path / "file").touch()
    with pytest.raises(JournalUnavailable, match="cannot be written"):
        FileJournal.open(tmp_path / "file")


@pytest.mark.parametrize("patience", [1, 40, 400])
def test_kill_9_loses_nothing_that_was_relied_on(tmp_path: Path, patience: int) -> None:
    """A process is killed in the middle of its work: what it said was sent or settled is found, and settled once."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.support.journal_writer", str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    with child, child.stdout as said:
        lines = [said.readline() for _ in range(patience)]
        child.kill()
        lines += said.readlines()
    told = [line.decode().split() for line in lines if line.endswith(b"\n")]
    sent = {words[1] for words in told if words[0] == "sent"}
    settled = {words[1]: int(words[2]) for words in told if words[0] == "settled"}
    replay = replayed(tmp_path)
    kept = {each.request_id: each.cost for each in replay.records(NOON)}
    assert len(sent) > patience // 2
    checkpointed = sent - kept.keys()
    assert checkpointed <= settled.keys()
    assert all(kept[name] == cost for name, cost in settled.items() if name in kept)
    assert all(kept[name] == 1_000 for name in sent - settled.keys() if name not in replay.settled)


async def test_with_sync_a_call_waits_for_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`durable` returns after an fsync that began after the flush; one fsync answers for all that wait."""
    synced: list[int] = []
    monkeypatch.setattr("headgate.storage.group_sync.os.fsync", lambda file: synced.append(os.fstat(file).st_size))
    journal, _ = FileJournal.open(tmp_path, sync=True)
    synced.clear()
    write(journal, *call("a"))
    size = journal.size
    await journal.durable()
    await journal.durable()
    assert synced == [size]
    journal.close()


async def test_without_sync_nothing_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The operating system has it, which is all that was asked for."""
    monkeypatch.setattr("headgate.storage.group_sync.os.fsync", lambda file: pytest.fail("nobody asked for this"))
    journal, _ = FileJournal.open(tmp_path)
    write(journal, *call("a"))
    await journal.durable()
    journal.close()


async def test_a_disk_that_fails_to_sync_takes_no_calls_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system may have dropped what it could not write: another fsync would say that all is well."""
    journal, _ = FileJournal.open(tmp_path, sync=True)

    def fails(file: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("headgate.storage.group_sync.os.fsync", fails)
    write(journal, *call("a"))
    with pytest.raises(JournalUnavailable, match="Input/output error"):
        await journal.durable()
    monkeypatch.undo()
    with pytest.raises(JournalUnavailable):
        journal.append(call("b")[0])
    with pytest.raises(JournalUnavailable):
        journal.close()
