"""Energy that processors used, by the counters below /sys/class/powercap (Linux; RAPL of Intel and AMD)."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

COUNTERS = Path("/sys/class/powercap")
PACKAGES = "intel-rapl:*[0-9]"  # zones of whole packages and their parts, on AMD too
SECONDS_BETWEEN_LOOKS = 60.0  # a counter starts again after some minutes under load


@dataclass
class Energy:
    """Energy that a block of a program used; `joules` is None where there is no counter.

    It is the energy of the whole machine, including whatever else ran on it.
    """

    joules: float | None = None


@dataclass
class _Counter:
    """One counter in microjoules, which starts again from zero after `most`."""

    path: Path
    most: int
    last: int
    total: int = 0

    def look(self) -> None:
        """Adds what came since the last look."""
        now = int(self.path.read_text())
        self.total += now - self.last if now >= self.last else now - self.last + self.most
        self.last = now


@dataclass
class _Meter:
    counters: Sequence[_Counter]
    ended: threading.Event = field(default_factory=threading.Event)

    def watch(self) -> None:
        """Looks often enough for no counter to come round twice."""
        while not self.ended.wait(SECONDS_BETWEEN_LOOKS):
            self.look()

    def look(self) -> None:
        """At every counter."""
        for one in self.counters:
            one.look()


@contextmanager
def energy_used(folder: Path = COUNTERS) -> Iterator[Energy]:
    """Measures the block by the counters of whole packages in `folder`.

    The `Energy` it yields is filled in when the block ends.
    """
    found, meter = Energy(), _Meter(_counters(folder))
    watcher = threading.Thread(target=meter.watch, daemon=True)
    if meter.counters:
        watcher.start()
    try:
        yield found
    finally:
        if meter.counters:
            meter.ended.set()
            watcher.join()
            meter.look()
            found.joules = sum(one.total for one in meter.counters) / 1e6


def _counters(folder: Path) -> list[_Counter]:
    """Those of whole packages that may be read: on many machines only by the superuser."""
    found = []
    for zone in sorted(folder.glob(PACKAGES)):
        try:
            if (zone / "name").read_text().startswith("package"):
                path = zone / "energy_uj"
                found.append(_Counter(path, int((zone / "max_energy_range_uj").read_text()), int(path.read_text())))
        except (OSError, ValueError):  # no permission, or a zone of another make
            continue
    return found
