"""Answers of a study: their order, and how they become JSON."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest

from root_gnn.study.answer import StudyAnswers, StudyQuestion, all_answers, as_json, source_of


class Pair(NamedTuple):
    """Two values."""

    a: float
    b: Any


def test_what_has_no_value_is_null_and_pairs_of_names_become_one() -> None:
    value = {("x", "y"): Pair(np.nan, np.array([1.0, np.inf])), 5: (np.int64(3), "text", None)}
    assert as_json(value) == {"x and y": {"a": None, "b": [1.0, None]}, "5": [3, "text", None]}


def test_answers_that_take_others_come_after_them() -> None:
    names = [answer.name for answer in all_answers()]
    assert names.index("speed") < names.index("cost") < names.index("published")
    assert names[0] == "sizes" and len(set(names)) == len(names) == 12


def test_content_is_by_question_and_of_the_study() -> None:
    results: Any = None
    question = StudyQuestion("q", {}, results, {answer.name: None for answer in all_answers()})
    question.values |= {"importance": {"a": None}, "efficiency": {}}
    study = StudyAnswers(results, {}, {answer.name: None for answer in all_answers()})
    study.values |= {"published": (), "pretraining_size": {}, "cost": {}}
    assert study.content() == {"questions": {}, "published": [], "scaling": {}, "pretrainings": {}}
    with pytest.raises(KeyError):
        question.value("nothing")


def test_a_group_names_the_pretraining_it_starts_from() -> None:
    results: Any = type("Pretrained", (), {"pretrained": {"deep": None}})
    assert source_of("deep, finetuned", results) == "deep" and source_of("scratch", results) is None
