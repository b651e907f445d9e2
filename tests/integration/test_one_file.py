"""A metric and an answer of a study are one file each, and nothing else has to be changed for them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import root_gnn.metrics.reported
import root_gnn.study.answers
from root_gnn.analysis.comparison import Comparison
from root_gnn.analysis.predictions import read_predictions
from root_gnn.errors import InputError
from root_gnn.metrics.registry import reported_metrics
from root_gnn.pages.report import report
from root_gnn.runs.run import Run
from root_gnn.runs.train import finetune
from root_gnn.study import write_results
from root_gnn.study.answers import importance, representations
from root_gnn.study.plan import Cell, Pretraining, Study
from root_gnn.study.results import CellResult, Results

METRIC = '''
"""Share of the weight of signal events with a score above one half."""

from typing import ClassVar

from root_gnn.metrics.measured import Measured, weighted_share
from root_gnn.metrics.metric import Metric, ScoredEvents


class Config(Metric):
    """See the module."""

    title: ClassVar[str] = "signal efficiency"
    quick_for: ClassVar = ("softmax",)

    def measure(self, events: ScoredEvents) -> Measured | None:
        signal = events.labels == 1
        return weighted_share(events.signal_score[signal] > 0.5, events.weights[signal])
'''
ANSWER = '''
"""How many events each group was trained on."""

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from root_gnn.pages.html import paragraph
from root_gnn.study.answer import Answer, Question


class Config(Answer):
    """See the module."""

    title: ClassVar[str] = "{question}: how many"

    def of_question(self, question: Question) -> dict[str, int]:
        return {group: runs[0].plan["events"]["train"] for group, runs in question.largest.members.items()}

    def highlights(self, question: Question) -> Iterator[str]:
        yield f"Trained on {question.value('how_many')['scratch']} events & no more."

    def question_section(self, question: Question, folder: Path) -> Iterator[str]:
        yield paragraph(f"Numbers: {question.value('how_many')}")
'''


@pytest.fixture(scope="module", autouse=True)
def files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The two files in folders of their own, which Python takes for parts of the two packages."""
    folder = tmp_path_factory.mktemp("files")
    with pytest.MonkeyPatch.context() as patch:
        for package, name, text in (
            (root_gnn.metrics.reported, "efficiency_at_half", METRIC),
            (root_gnn.study.answers, "how_many", ANSWER),
        ):
            own = folder / name
            own.mkdir()
            (own / f"{name}.py").write_text(text)
            patch.setattr(package, "__path__", [*package.__path__, str(own)])
        yield


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> list[Run]:
    folder = tmp_path_factory.mktemp("runs")
    small = ("model.dim=8", "train.max_steps=2", "train.monitor=val/efficiency_at_half")
    return [
        finetune(
            "WHvsZH",
            mode="scratch",
            train_events=60,
            overrides=(*small, f"model.n_steps={n_step}"),
            data_dir=data_dir,
            run_dir=folder / f"steps_{n_step}",
        )
        for n_step in (1, 2)
    ]


def by_definition(run: Run) -> float:
    events = read_predictions(run)
    weights = events.weight[events.label == 1]
    return float(weights[events.scores[events.label == 1] > 0.5].sum() / weights.sum())


def test_a_metric_in_one_file_is_measured_validated_and_reported(runs: list[Run], tmp_path: Path) -> None:
    entry = runs[0].metrics["splits"]["test"]
    assert (
        entry["efficiency_at_half"] == pytest.approx(by_definition(runs[0])) and entry["efficiency_at_half_error"] > 0
    )
    validated = runs[0].history["val/efficiency_at_half"][-1, 2]
    assert validated == pytest.approx(runs[0].metrics["splits"]["validation"]["efficiency_at_half"], abs=1e-6)
    text = report(runs, out=tmp_path / "report.html").read_text(encoding="utf-8")
    cell = f"{entry['efficiency_at_half']:.4f} ± {entry['efficiency_at_half_error']:.4f}"
    assert ">signal efficiency</button>" in text and cell in text


def test_both_are_in_the_files_of_a_study(
    runs: list[Run], tmp_path: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    members = {"scratch": runs[:1], "deep, finetuned": runs[1:]}
    plan = Study(
        name="s", tasks=("WHvsZH",), pretrained={"deep": Pretraining(recipe="r")}, train_events=(60,), seeds=(1,)
    )
    cell = CellResult(members, Comparison.of(members, title="WHvsZH"))
    monkeypatch.setattr(representations, "_methods", lambda _: ("pca",))
    monkeypatch.setattr(importance, "N_IMPORTANCE_EVENT", 20)
    write_results(Results(plan, {Cell("WHvsZH", "", 60): cell}, {"deep": runs[1]}, {}, tmp_path, data_dir), {})
    question = json.loads((tmp_path / "study.json").read_text())["answers"]["questions"]["WHvsZH"]
    assert question["how_many"] == dict.fromkeys(members, 60)
    over_seeds = question["of_seeds"]["60"]["deep, finetuned"]["efficiency_at_half"]
    assert over_seeds["value"]["mean"] == pytest.approx(by_definition(runs[1]))
    assert over_seeds["gain"]["mean"] == pytest.approx(by_definition(runs[1]) - by_definition(runs[0]))
    rows = {row["run"]: row for row in pq.read_table(tmp_path / "study.parquet").to_pylist()}
    assert {"efficiency_at_half", "efficiency_at_half_error"} <= set(next(iter(rows.values())))
    text = (tmp_path / "study.html").read_text(encoding="utf-8")
    assert '<h2 id="whvszh-how-many">WHvsZH: how many</h2>' in text and "Trained on 60 events &amp; no more." in text
    assert ">test signal efficiency</button>" in text and ">signal efficiency</button>" in text


def test_a_file_whose_config_is_no_metric_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "no_metric.py").write_text(
        '"""Nothing."""\nfrom root_gnn.config.section import Section\n\n\nclass Config(Section):\n    """Nothing."""\n'
    )
    package = root_gnn.metrics.reported
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    with pytest.raises(InputError, match=r"reported\.no_metric must be a root_gnn\.metrics\.metric\.Metric"):
        reported_metrics()
