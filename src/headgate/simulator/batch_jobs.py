"""Batches: what each has been asked to do, how far it has come, and the files with its results.

A batch is under way until it is looked at for the first time. Its `metadata.sim` says how it ends: by itself all lines
are answered; with `waits` it is under way until it is cancelled; with `expires` its second half is never begun; with
`fails` none of it is. A batch that is cancelled has answered its first half.
"""

from collections.abc import Callable, Sequence
from typing import Final

from headgate.simulator.ask import Json

Work = Callable[[Json, str], Json]
"""Answers one line for a request id of the gateway."""
Keep = Callable[[Sequence[Json]], str]
"""Makes a file of results; its id."""
_ENDS: Final = {"expires": "expired", "fails": "failed"}
UNDER_WAY: Final = "in_progress"


class BatchJob:
    """One batch. `document` is what is shown of it."""

    def __init__(self, document: Json, lines: Sequence[Json], request_id: str) -> None:
        self.document = document | {"status": UNDER_WAY, "request_counts": _counts(len(lines), 0, 0)}
        self._lines = lines
        self._request_id = request_id

    def look(self, work: Work, keep: Keep) -> None:
        """It goes on, where it is not over."""
        how = (self.document.get("metadata") or {}).get("sim", "")
        if self.document["status"] == UNDER_WAY and how != "waits":
            self._end(_ENDS.get(how, "completed"), work, keep)

    def cancel(self, work: Work, keep: Keep) -> None:
        if self.document["status"] == UNDER_WAY:
            self._end("cancelled", work, keep)

    def _end(self, status: str, work: Work, keep: Keep) -> None:
        most = {"completed": len(self._lines), "failed": 0}.get(status, len(self._lines) // 2)
        results = [work(line, self._request_id) for line in self._lines[:most]]
        good = [each for each in results if each["response"]["status_code"] == 200]
        bad = [each for each in results if each["response"]["status_code"] != 200]
        left = [
            {"custom_id": line["custom_id"], "response": None, "error": {"code": f"batch_{status}"}}
            for line in self._lines[most:]
        ]
        files = {"output_file_id": good, "error_file_id": [] if status == "failed" else [*bad, *left]}
        self.document |= {name: keep(found) for name, found in files.items() if found}
        self.document |= {"status": status, "request_counts": _counts(len(self._lines), len(good), len(bad))}


def _counts(total: int, completed: int, failed: int) -> Json:
    return {"total": total, "completed": completed, "failed": failed}
