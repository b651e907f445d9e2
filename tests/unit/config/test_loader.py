"""Typed sections from files: strictness, located errors, overrides and round trips."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Annotated, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field, ValidationError, field_validator, model_validator

from root_gnn.config.loader import load, to_mapping, to_yaml, validate
from root_gnn.config.plugins import Family, names
from root_gnn.config.section import Section
from root_gnn.errors import InputError

MODEL = "encode_process_decode"


class Kind(Enum):
    """Two sorts."""

    ONE = "one"
    TWO = "two"


class Optim(Section):
    """Nested keys with a check of their own."""

    lr: float = Field(1e-3, gt=0)
    clip_norm: float | None = None
    schedule: Literal["cosine", "constant"] = "cosine"
    betas: tuple[float, float] = (0.9, 0.99)

    @field_validator("clip_norm")
    @classmethod
    def _above_zero(cls, value: float | None) -> float | None:
        if value is not None and value <= 0:
            raise ValueError(f"clips everything at {value}; leave it out for none")
        return value


class Recipe(Section):
    """A little of everything a recipe may hold."""

    name: str
    seed: int = 1
    optim: Optim = Optim()
    files: dict[str, tuple[Path, ...]] = {}
    steps: list[Optim] = []
    kind: Kind = Kind.ONE
    size: int | Literal["auto"] = "auto"
    shuffle: bool = True
    model: Annotated[Section, Family("models")] | None = None
    models: tuple[Annotated[Section, Family("models")], ...] = ()

    @model_validator(mode="after")
    def _not_both(self) -> Recipe:
        if self.model is not None and self.models:
            raise ValueError("give model or models, not both")
        return self


def write(folder: Path, text: str) -> Path:
    path = folder / "r.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def lines_of_error(folder: Path, text: str, *overrides: str) -> list[str]:
    with pytest.raises(InputError) as caught:
        load(Recipe, write(folder, text), overrides)
    return str(caught.value).replace(str(folder) + "/", "").splitlines()


def test_a_file_becomes_a_typed_section(tmp_path: Path) -> None:
    text = (
        "name: a\noptim: {lr: 1e-4, betas: [0, .5]}\nfiles: {no: [x.root, b/y.root]}\n"
        "steps:\n  - lr: 2\nkind: two\nsize: 3\n"
    )
    recipe = load(Recipe, write(tmp_path, text))
    assert recipe.optim == Optim(lr=1e-4, betas=(0.0, 0.5))
    assert recipe.files == {"no": (Path("x.root"), Path("b/y.root"))}
    assert recipe.steps == [Optim(lr=2)]
    assert (recipe.kind, recipe.size) == (Kind.TWO, 3)
    with pytest.raises(ValidationError, match="frozen"):
        recipe.seed = 3  # type: ignore[misc]


def test_all_mistakes_are_told_at_once_with_file_line_and_key(tmp_path: Path) -> None:
    text = (
        "sed: 3\noptim:\n  lr: -1\n  clipnorm: 1\n  schedule: linear\n"
        "steps:\n  - {}\n  - lr: fast\nfiles: {a: x.root}\nsize: true\n"
    )
    assert lines_of_error(tmp_path, text) == [
        "r.yaml:1: name: missing",
        "r.yaml:3: optim.lr: should be greater than 0, not -1",
        "r.yaml:5: optim.schedule: should be 'cosine' or 'constant', not 'linear'",
        "r.yaml:4: optim.clipnorm: unknown key; did you mean clip_norm?",
        "r.yaml:9: files.a: should be a list, not 'x.root'",
        "r.yaml:8: steps.1.lr: should be a number, not 'fast'",
        "r.yaml:10: size: should be a whole number or 'auto', not true",
        "r.yaml:1: sed: unknown key; did you mean seed?",
    ]


def test_checks_of_a_section_speak_at_their_key(tmp_path: Path) -> None:
    assert lines_of_error(tmp_path, "name: a\noptim:\n  clip_norm: 0\n") == [
        "r.yaml:3: optim.clip_norm: clips everything at 0.0; leave it out for none"
    ]
    assert lines_of_error(tmp_path, f"name: a\nmodel: {MODEL}\nmodels: [{MODEL}]\n") == [
        "r.yaml:1: give model or models, not both"
    ]


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("seed", "'1'", "should be a whole number, not '1'"),
        ("seed", "true", "should be a whole number, not true"),
        ("seed", "1.0", "should be a whole number, not 1.0; write 1"),
        ("seed", "1e5", "should be a whole number, not 100000.0; write 100000"),
        ("seed", "", "should be a whole number, not nothing (null)"),
        ("shuffle", "yes", "should be a boolean, not 'yes'"),
        ("shuffle", "1", "should be a boolean, not 1"),
        ("name", "3", "should be a string, not 3"),
        ("optim", "3", "should be a mapping of keys to values, not 3"),
        ("kind", "three", "should be 'one' or 'two', not 'three'"),
    ],
)
def test_no_value_is_bent_to_fit(tmp_path: Path, key: str, value: str, words: str) -> None:
    text = f"{key}: {value}\n" if key == "name" else f"name: a\n{key}: {value}\n"
    line = 1 if key == "name" else 2
    assert lines_of_error(tmp_path, text) == [f"r.yaml:{line}: {key}: {words}"]


def test_sections_made_in_python_are_as_strict() -> None:
    with pytest.raises(ValidationError):
        Optim(lr="1e-3")
    with pytest.raises(ValidationError):
        Optim(rate=1.0)  # type: ignore[call-arg]


@pytest.mark.parametrize(("said", "meant"), [("false", False), ("False", False), ("true", True), ("True", True)])
def test_a_switch_that_is_set_to_false_is_off(said: str, meant: bool, tmp_path: Path) -> None:
    """JetCLR read its switches by `type=bool`, for which every word is true."""
    assert load(Recipe, write(tmp_path, "name: a\n"), (f"shuffle={said}",)).shuffle is meant


def test_overrides_are_read_by_the_rules_of_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, "name: a\nsteps: [{lr: 1}, {lr: 2}]\n")
    recipe = load(
        Recipe,
        path,
        ["optim.lr=1e-4", "optim.betas=[.5, 1]", "steps.1.clip_norm=3", "name='7'", "optim.lr=2e-4", "size = 5"],
    )
    assert recipe.optim == Optim(lr=2e-4, betas=(0.5, 1.0))
    assert recipe.steps == [Optim(lr=1), Optim(lr=2, clip_norm=3)]
    assert (recipe.name, recipe.size) == ("7", 5)


def test_an_override_in_error_is_named_as_typed(tmp_path: Path) -> None:
    text = "name: a\noptim: {lr: 1}\nsteps: [{}]\n"
    assert lines_of_error(tmp_path, text, "optim.lr=fast", "optim.clip=1", "seed=no") == [
        "--set seed=no: should be a whole number, not 'no'",
        "--set optim.lr=fast: should be a number, not 'fast'",
        "--set optim.clip=1: unknown key; did you mean clip_norm?",
    ]
    assert lines_of_error(tmp_path, text, "optim={lr: x}") == [
        "--set optim={lr: x}: optim.lr: should be a number, not 'x'"
    ]
    for override, words in {
        "optim.lr": "expected dotted.key=value",
        "=3": "expected dotted.key=value",
        "optim..lr=3": "expected dotted.key=value",
        "steps.1.lr=3": "steps is a list of 1; give an index from 0 to 0, not 1",
        "optim.lr.x=3": "optim.lr is 1, which has no keys",
        "seed=[1": "--set seed=[1: not valid YAML",
        "seed=&a 1": "anchors",
    }.items():
        assert words in "\n".join(lines_of_error(tmp_path, text, override))


def test_plugins_are_found_by_name_wherever_they_stand(tmp_path: Path) -> None:
    recipe = load(Recipe, write(tmp_path, f"name: a\nmodel: {MODEL}\n"), ["model.dim=16"])
    assert recipe.model is not None
    assert type(recipe.model).__module__ == f"root_gnn.models.{MODEL}"
    assert to_mapping(recipe)["model"]["dim"] == 16
    several = load(Recipe, write(tmp_path, f"name: a\nmodels:\n  - {MODEL}\n  - name: {MODEL}\n    dim: 24\n"))
    assert [part["dim"] for part in to_mapping(several)["models"]][1] == 24


def test_mistakes_inside_and_about_plugins_are_located(tmp_path: Path) -> None:
    assert lines_of_error(
        tmp_path, f"name: a\nmodels:\n  - {MODEL}\n  - name: {MODEL}\n    dimm: 24\n    dim: wide\n"
    ) == [
        "r.yaml:6: models.1.dim: should be a whole number, not 'wide'",
        "r.yaml:5: models.1.dimm: unknown key; did you mean dim?",
    ]
    near = lines_of_error(tmp_path, "name: a\nmodel:\n  dim: 3\n  name: encode_proces_decode\n")
    assert near[0].startswith(
        f"r.yaml:4: model: there is no 'encode_proces_decode' in root_gnn.models; did you mean {MODEL}"
    )
    assert "a plug-in was expected" in lines_of_error(tmp_path, "name: a\nmodel: {dim: 3}\n")[0]
    assert "a plug-in was expected" in lines_of_error(tmp_path, "name: a\nmodels: [3]\n")[0]


@pytest.mark.parametrize(
    "name", ["../models/x", "__init__", "os", "Encode_process_decode", "a b", "'.'", "'..'", "a..b", "'.a'"]
)
def test_strange_plugin_names_are_refused_and_import_nothing(tmp_path: Path, name: str) -> None:
    before = set(sys.modules)
    assert lines_of_error(tmp_path, f"name: a\nmodel: {name}\n")[0].startswith("r.yaml:2: model: ")
    with pytest.raises(InputError):
        load(Recipe, write(tmp_path, f"name: a\nmodel: {name}\n"), allow_dotted=True)
    assert set(sys.modules) == before


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The file of a user's own module `lab.net`, forgotten again after the test."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "lab").mkdir()
    yield tmp_path / "lab" / "net.py"
    for name in ("lab", "lab.net"):
        sys.modules.pop(name, None)


def test_a_dotted_name_is_imported_only_where_allowed(tmp_path: Path, lab: Path) -> None:
    lab.write_text("from root_gnn.config.section import Section\nclass Config(Section):\n    dim: int = 3\n")
    path = write(tmp_path, "name: a\nmodel: {name: lab.net, dim: 5}\n")
    with pytest.raises(InputError, match=r"--allow-plugin lab\.net"):
        load(Recipe, path)
    with pytest.raises(InputError, match=r"--allow-plugin lab\.net"):
        load(Recipe, path, allow_plugins=["lab.other"])
    assert "lab.net" not in sys.modules
    for recipe in (load(Recipe, path, allow_dotted=True), load(Recipe, path, allow_plugins=["lab.net"])):
        assert to_mapping(recipe)["model"] == {"name": "lab.net", "dim": 5}


def test_a_dotted_name_must_be_a_module_with_a_config(tmp_path: Path, lab: Path) -> None:
    lab.write_text("from root_gnn.config.section import Section as Config\n")
    reasons = {
        "lab.net": "must define a class Config",
        "lab.absent": "no module 'lab.absent'",
        "nolab.x": "no module 'nolab'",
    }
    for name, words in reasons.items():
        with pytest.raises(InputError, match=words):
            load(Recipe, write(tmp_path, f"name: a\nmodel: {name}\n"), allow_dotted=True)


def test_a_field_may_ask_for_a_kind_of_plugin(tmp_path: Path) -> None:
    class Wanted(Section):
        dim: int = 1

    class Picky(Section):
        model: Annotated[Wanted, Family("models")]

    with pytest.raises(InputError, match=f"a Wanted was expected, not root_gnn.models.{MODEL}.Config"):
        load(Picky, write(tmp_path, f"model: {MODEL}\n"))
    wanted = Wanted(dim=3)
    assert Picky(model=wanted).model is wanted


def test_validate_takes_mappings_and_names_their_origin() -> None:
    recipe = validate(Recipe, {"name": "a", "model": {"name": MODEL}, "files": {"x": ["a.root"]}})
    assert validate(Recipe, to_mapping(recipe)) == recipe
    with pytest.raises(InputError, match=r"^config: optim\.lrr: unknown key; did you mean lr\?"):
        validate(Recipe, {"name": "a", "optim": {"lrr": 3}}, origin="config")


def test_the_schema_for_editors_names_the_plugins() -> None:
    text = str(Recipe.model_json_schema())
    assert names("models")
    assert all(name in text for name in names("models"))


optims = st.builds(
    Optim,
    lr=st.floats(1e-30, 1e30),
    clip_norm=st.none() | st.floats(min_value=0, exclude_min=True, allow_nan=False, allow_infinity=False),
    betas=st.tuples(st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_nan=False, allow_infinity=False)),
)
recipes = st.builds(
    Recipe,
    name=st.text(max_size=12) | st.sampled_from(["no", "1e-4", "12:30", "null", "a: b"]),
    seed=st.integers(-(10**20), 10**20),
    optim=optims,
    steps=st.lists(optims, max_size=2),
    kind=st.sampled_from(Kind),
    files=st.dictionaries(
        st.text(min_size=1, max_size=6).filter(str.strip), st.just((Path("a/b"), Path("1"))), max_size=2
    ),
    model=st.none(),
    models=st.just(()),
)


@settings(max_examples=60, deadline=None)
@given(recipe=recipes)
def test_a_section_written_and_read_is_the_same(tmp_path_factory: pytest.TempPathFactory, recipe: Recipe) -> None:
    path = tmp_path_factory.mktemp("round") / "r.yaml"
    path.write_text(to_yaml(recipe), encoding="utf-8")
    assert load(Recipe, path) == recipe


@settings(max_examples=100, deadline=None)
@given(
    key=st.text(max_size=8)
    | st.sampled_from(["optim.lr", "model", "model.name", "steps.0", "files.a.0", "name", "a.b.c.d"]),
    value=st.text(max_size=10),
)
def test_any_override_is_taken_or_refused(tmp_path_factory: pytest.TempPathFactory, key: str, value: str) -> None:
    path = write(tmp_path_factory.mktemp("set"), "name: a\nsteps: [{}]\n")
    try:
        assert isinstance(load(Recipe, path, [f"{key}={value}"]), Recipe)
    except InputError as error:
        assert "--set" in str(error)
