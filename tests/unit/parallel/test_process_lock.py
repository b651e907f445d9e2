"""A lock file that names its process: a living holder is reported once, an ended one is replaced."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

from root_gnn.parallel.process_lock import Writer, process_lock


def test_a_living_holder_is_reported_once_and_waited_for(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    code = (
        "import sys; from root_gnn.parallel.process_lock import Writer; import json; from dataclasses import asdict; "
    )
    code += "print(json.dumps(asdict(Writer.this_process())), flush=True); sys.stdin.read()"
    holder = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with holder:
        assert holder.stdout is not None
        lock.write_text(holder.stdout.readline())
        reported: list[Writer] = []

        def end(writer: Writer) -> None:
            reported.append(writer)
            holder.kill()
            holder.wait()

        with process_lock(lock, end):
            assert Writer.read(lock) == Writer.this_process()
        assert [writer.pid for writer in reported] == [holder.pid]
    assert list(tmp_path.iterdir()) == []


def test_a_process_that_reuses_a_number_does_not_count_as_the_holder(tmp_path: Path) -> None:
    writer = replace(Writer.this_process(), started=1)
    assert writer.is_here() and not writer.is_alive()
    assert replace(writer, host="elsewhere").is_alive()
    (tmp_path / "lock").write_text(json.dumps(asdict(writer)))
    with process_lock(tmp_path / "lock", lambda _: None):
        assert Writer.read(tmp_path / "lock") == Writer.this_process()
