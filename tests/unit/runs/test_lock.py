"""The lock of a run folder: who holds it, who is refused, and which locks are left over."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from root_gnn.errors import InputError
from root_gnn.parallel.process_lock import Writer
from root_gnn.runs.lock import LOCK, one_writer

HOLD = """
import sys
from pathlib import Path
from root_gnn.runs.lock import one_writer
with one_writer(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def leave_lock(folder: Path, writer: Writer) -> None:
    folder.mkdir(exist_ok=True)
    (folder / LOCK).write_text(json.dumps(asdict(writer)))


def test_the_lock_names_this_process_and_goes_with_the_block(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "a"
    with one_writer(folder):
        assert Writer.read(folder / LOCK) == Writer.this_process()
        (folder / "config.yaml").write_text("")
    assert [path.name for path in folder.iterdir()] == ["config.yaml"]


def test_a_folder_that_stays_empty_is_removed_again(tmp_path: Path) -> None:
    with pytest.raises(KeyError), one_writer(tmp_path / "a"):
        raise KeyError
    assert not (tmp_path / "a").exists()


def test_another_living_process_is_refused_and_a_killed_one_is_not(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None and holder.stdin is not None
    try:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(InputError, match=f"process {holder.pid} of .*--run-dir"), one_writer(tmp_path):
            pass
        assert (tmp_path / LOCK).exists()
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()
        holder.stdin.close()
    with one_writer(tmp_path):
        assert Writer.read(tmp_path / LOCK) == Writer.this_process()
    assert list(tmp_path.iterdir()) == []


def test_a_process_number_that_is_used_again_is_another_process(tmp_path: Path) -> None:
    leave_lock(tmp_path, replace(Writer.this_process(), started=1))
    with one_writer(tmp_path):
        assert Writer.read(tmp_path / LOCK) == Writer.this_process()


def test_a_lock_of_another_machine_is_refused_with_the_file_to_remove(tmp_path: Path) -> None:
    leave_lock(tmp_path, Writer("elsewhere", 7, 8))
    with pytest.raises(InputError, match=rf"process 7 of elsewhere.*remove {tmp_path / LOCK}"), one_writer(tmp_path):
        pass
    assert Writer.read(tmp_path / LOCK) == Writer("elsewhere", 7, 8)


def test_a_lock_that_was_never_finished_is_taken_over(tmp_path: Path) -> None:
    (tmp_path / LOCK).write_text('{"host":')
    with one_writer(tmp_path):
        assert Writer.read(tmp_path / LOCK) == Writer.this_process()


def test_it_works_where_files_cannot_be_linked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Path, target: Path) -> None:
        raise PermissionError(1, "no links here", str(target))

    monkeypatch.setattr("os.link", refuse)
    with one_writer(tmp_path):
        assert Writer.read(tmp_path / LOCK) == Writer.this_process()
    leave_lock(tmp_path, Writer("elsewhere", 7, 8))
    with pytest.raises(InputError, match="elsewhere"), one_writer(tmp_path):
        pass
