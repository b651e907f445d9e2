"""What a study runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from root_gnn.config.loader import validate
from root_gnn.errors import InputError
from root_gnn.study.execution.training import Training
from root_gnn.study.plan import TINY, Cell, Study


def test_the_plan_of_a_study() -> None:
    plan = validate(
        Study,
        {
            "name": "x",
            "tasks": ["WHvsZH", "ttHvsttbar"],
            "pretrained": {"a": {"recipe": "r"}, "b": {"recipe": "r", "set": ["seed=2"]}},
            "modes": ["finetuned", "frozen"],
            "train_events": [10, 20],
            "seeds": [1, 2, 3],
            "set": ["optim.lr=1e-3"],
        },
    )
    trainings = plan.trainings()
    assert len(trainings) == 2 + 2 * 2 * 3 * (1 + 2 * 2) == len({one.name for one in trainings})
    assert all(one.source in {None, "a", "b"} and (one.source == "a" or one.mode != "scratch") for one in trainings)
    groups = plan.groups()[Cell("WHvsZH", "", 10)]
    assert list(groups) == ["scratch", "a, finetuned", "a, frozen", "b, finetuned", "b, frozen"]
    assert groups["b, frozen"][2] == Training(
        "WHvsZH_frozen_b_n10_s3", "WHvsZH", ("optim.lr=1e-3", "seed=3"), "frozen", "b", 10
    )
    assert " ".join(groups["b, frozen"][2].command()) == (
        "root-gnn finetune --task WHvsZH --mode frozen --from runs/b --train-events 10 --set optim.lr=1e-3 "
        "--set seed=3 --run-dir runs/WHvsZH_frozen_b_n10_s3"
    )


def test_versions_of_the_data_are_trained_and_named_apart_and_a_pretraining_may_see_other_files() -> None:
    plan = validate(
        Study,
        {
            "name": "x",
            "tasks": ["WHvsZH"],
            "pretrained": {"a": {"recipe": "r", "folder": "old"}},
            "train_events": [10],
            "seeds": [1],
            "data": {"old": {"folder": "old"}, "new": {"set": ["data.spec=other"]}},
            "set": ["optim.lr=1e-3"],
        },
    )
    assert [cell.title for cell in plan.groups()] == [
        "WHvsZH, old, 10 training events",
        "WHvsZH, new, 10 training events",
    ]
    old, new = (groups["a, finetuned"][0] for groups in plan.groups().values())
    assert (old.name, old.folder, old.overrides) == (
        "WHvsZH_old_finetuned_a_n10_s1",
        "old",
        ("optim.lr=1e-3", "seed=1"),
    )
    assert (new.name, new.folder, new.overrides) == (
        "WHvsZH_new_finetuned_a_n10_s1",
        "",
        ("data.spec=other", "optim.lr=1e-3", "seed=1"),
    )
    assert (
        " ".join(plan.pretrainings()[0].command(Path("x"), Path("data")))
        == "root-gnn train r --data-dir data/old --run-dir x/a"
    )


def test_a_tiny_study_goes_through_the_same_groups() -> None:
    plan = validate(
        Study,
        {
            "name": "x",
            "tasks": ["WHvsZH"],
            "pretrained": {"a": {"recipe": "r", "set": ["seed=2"]}},
            "modes": ["finetuned", "frozen"],
            "train_events": [1000, 5000, 20000],
        },
    )
    tiny = plan.tiny()
    assert (
        tiny.name == "x_tiny"
        and tiny.pretrained["a"].set == ("seed=2", *TINY)
        and len(tiny.trainings()) == 1 + 2 * 2 * 3
    )
    assert [list(groups) for groups in tiny.groups().values()] == [list(groups) for groups in plan.groups().values()][
        :2
    ]


SERIES = {
    "name": "x",
    "tasks": ["WHvsZH"],
    "modes": ["finetuned", "frozen"],
    "train_events": [5000, 1000, 20000],
    "seeds": [1, 2, 3],
    "pretrained": {
        "all": {"recipe": "r"},
        "tenth": {"recipe": "r", "set": ["data.train_events=7000"], "modes": ["finetuned"], "only_smallest": True},
        "head": {"recipe": "q", "modes": ["frozen"]},
    },
}


def test_a_pretraining_may_have_modes_of_its_own_and_only_the_smallest_size() -> None:
    plan = validate(Study, SERIES)
    groups = {cell.train_events: list(groups) for cell, groups in plan.groups().items()}
    everywhere = ["scratch", "all, finetuned", "all, frozen", "head, frozen"]
    assert groups == {5000: everywhere, 1000: [*everywhere[:3], "tenth, finetuned", "head, frozen"], 20000: everywhere}
    assert len(plan.trainings()) == 3 + 3 * (3 * 4 + 1)


def test_a_tiny_study_keeps_modes_and_shrinks_each_pretraining_to_a_size_of_its_own() -> None:
    tiny = validate(Study, SERIES).tiny()
    assert [one.modes for one in tiny.pretrained.values()] == [None, ("finetuned",), ("frozen",)]
    sizes = [override for override in tiny.pretrained["tenth"].set if override.startswith("data.train_events=")]
    assert sizes == ["data.train_events=140"] and not any(
        "train_events" in override for override in tiny.pretrained["all"].set
    )
    assert ["tenth, finetuned" in groups for groups in tiny.groups().values()] == [True, False] and len(tiny.seeds) == 2


@pytest.mark.parametrize("modes", [["scratch"], ["frozen", "frozen"]])
def test_modes_of_a_pretraining_are_checked_as_those_of_the_study(modes: list[str]) -> None:
    content = {
        "name": "x",
        "tasks": ["WHvsZH"],
        "pretrained": {"a": {"recipe": "r", "modes": modes}},
        "train_events": [10],
    }
    with pytest.raises(InputError, match=r"modes holds something twice|scratch is always trained"):
        validate(Study, content)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("modes", ["scratch"], "scratch is always trained"),
        ("seeds", [1, 1], "seeds holds something twice"),
        ("train_events", [0], "greater"),
    ],
)
def test_studies_that_make_no_sense(key: str, value: list[object], message: str) -> None:
    content = {"name": "x", "tasks": ["WHvsZH"], "pretrained": {"a": {"recipe": "r"}}, "train_events": [10], key: value}
    with pytest.raises(InputError, match=message):
        validate(Study, content)
