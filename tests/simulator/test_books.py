"""The simulator's books: written before anything goes out, read and joined."""

from pathlib import Path

import pytest

from headgate.simulator import books
from headgate.simulator.journal import Billed, Intent, Journal
from tests.support.simulator import OPENAI, simulating


def intent(number: int, request: str = "req_a", **usage: int) -> Intent:
    return Intent(
        id=f"sim_{number}",
        request_id=request,
        dialect="openai_chat",
        model="sim-fast",
        stream=False,
        credential="",
        started=number,
        expected=usage,
    )


def billed(number: int, request: str = "req_a", *, told: bool = True, **usage: int) -> Billed:
    return Billed(
        id=f"sim_{number}",
        request_id=request,
        status=200,
        usage=usage,
        told=told,
        bytes_sent=1,
        finished=True,
        ended=number,
    )


def test_a_call_without_an_end_is_billed_as_expected(tmp_path: Path) -> None:
    """The simulator may die in a call: what it had promised to bill stands."""
    with Journal(tmp_path / "j") as journal:
        journal.append(intent(1, input=3, output=5))
    (call,) = books.read(tmp_path / "j")
    assert call.billed is None
    assert call.usage == {"input": 3, "output": 5}


def test_attempts_under_one_request_id_are_summed(tmp_path: Path) -> None:
    """A retry is a second call and a second bill of the same request; what carries no id stays out of the join."""
    with Journal(tmp_path / "j") as journal:
        for entry in (intent(1, output=9), billed(1, output=2), intent(2, output=9), billed(2, input=1, output=9)):
            journal.append(entry)
        journal.append(intent(3, request="", output=1))
    bill = books.bills(books.read(tmp_path / "j"))
    assert list(bill) == ["req_a"]
    assert bill["req_a"].usage == {"output": 11, "input": 1}
    assert len(bill["req_a"].calls) == 2


def test_a_bill_is_told_only_if_every_part_of_it_was(tmp_path: Path) -> None:
    """One attempt whose usage was not told makes the whole an estimate at best; refusals do not count."""
    with Journal(tmp_path / "j") as journal:
        for entry in (intent(1), billed(1, told=False), intent(2), billed(2, output=1)):
            journal.append(entry)
        for entry in (intent(3, "req_b"), billed(3, "req_b", told=False, output=1)):
            journal.append(entry)
    bill = books.bills(books.read(tmp_path / "j"))
    assert (bill["req_a"].told, bill["req_b"].told) == (True, False)


def test_half_a_line_at_the_end_is_left_out(tmp_path: Path) -> None:
    """That is how a death in the middle of a write looks."""
    with Journal(tmp_path / "j") as journal:
        journal.append(intent(1, output=1))
    with (tmp_path / "j").open("ab") as file:
        file.write(b'{"event":"bil')
    assert len(books.read(tmp_path / "j")) == 1


def test_a_journal_is_continued_not_overwritten(tmp_path: Path) -> None:
    """A restart appends."""
    for number in (1, 2):
        with Journal(tmp_path / "j") as journal:
            journal.append(intent(number))
    assert len(books.read(tmp_path / "j")) == 2


def test_the_gateways_request_id_is_kept_and_no_credential_is(tmp_path: Path) -> None:
    """The books join by request id; of the credential only a hash is written."""
    with simulating(tmp_path / "j") as simulated:
        headers = {"authorization": "Bearer very-secret", "x-headgate-request-id": "req_1"}
        body = {"model": "sim-fast", "messages": [{"role": "user", "content": "hi"}]}
        assert simulated.post("/v1/chat/completions", body, headers).status == 200
    (call,) = books.read(tmp_path / "j")
    assert call.intent.request_id == "req_1"
    assert len(call.intent.credential) == 16
    assert b"very-secret" not in (tmp_path / "j").read_bytes()


def test_a_configured_credential_is_the_only_one(tmp_path: Path) -> None:
    """And a model may go by another name, as a real one's."""
    with simulating(tmp_path / "j", credential="right", aliases={"gpt-4o": "sim-fast"}) as simulated:
        assert simulated.chat("gpt-4o").status == 401
        body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}
        answer = simulated.post("/v1/chat/completions", body, {"authorization": "Bearer right"})
        assert (answer.status, answer.json["model"]) == (200, "gpt-4o")


def test_an_unknown_behaviour_is_refused(tmp_path: Path) -> None:
    """An alias of nothing is a mistake to be told at the start."""
    with pytest.raises(KeyError, match="sim-none"), simulating(tmp_path / "j", aliases={"x": "sim-none"}):
        raise AssertionError(OPENAI)
