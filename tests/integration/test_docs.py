"""Every code block of README.md and docs/: Python runs, YAML is what it says it is, commands exist, and the cheap ones
run.

A comment before a block says what else is to be done with it: `<!-- run -->` also runs the commands of a `bash` block,
and `<!-- not run: reason -->` leaves a block out. A block that begins with `# name.py` or `# name.yaml` is that file.
"""

from __future__ import annotations

import inspect
import re
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import typer

import root_gnn as rg
from root_gnn.cli import app as cli
from root_gnn.config.loader import load, to_mapping, validate
from root_gnn.config.shipped import find
from root_gnn.config.yaml import read_document
from root_gnn.data.spec.spec import Spec, load_spec
from root_gnn.errors import InputError, MissingExtraError
from root_gnn.runs.recipe import Recipe
from root_gnn.runs.task import Task, finetuning_recipe
from root_gnn.simulation.process import find_process
from root_gnn.study.plan import Study

TOP = Path(__file__).parents[2]
PAGES = [page for page in (TOP / "README.md", *sorted((TOP / "docs").glob("*.md"))) if page.is_file()]
BLOCK = re.compile(
    r"(?:<!-- (?P<mark>[^>]*?) -->\n)?^```(?P<language>[^\n]*)\n(?P<text>.*?)^```$", flags=re.DOTALL | re.MULTILINE
)
INLINE = re.compile(r"`(root-gnn [^`]+)`")
FILE = re.compile(r"# ([\w/]+\.(?:py|yaml))\n")
CHECKED = ("python", "yaml", "bash")
SHOWN = ("text", "cpp", "{toctree}", "{modules}", "{figure}")  # output, C++, and what Sphinx reads
PLACEHOLDERS = ("my.yaml", "recipe.yaml", "my_study.yaml")
OTHERS = ("pip", "python", "g++", "export", "cd", "sbatch", "torchrun", "srun", "condor_submit")
USAGE_ERROR: Any = typer.BadParameter.__base__  # of click, which typer brings along or depends on
COMMANDS: Any = typer.main.get_command(cli.app)
SMALL = ("train.max_epochs=1", "train.batch_size=32")


class Block(NamedTuple):
    """One fenced block: its language, its text, the comment before it, and its first line in the page."""

    language: str
    text: str
    mark: str
    line: int


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    return [
        Block(found["language"], found["text"], found["mark"] or "", text.count("\n", 0, found.start("text")) + 1)
        for found in BLOCK.finditer(text)
    ]


def name_of(page: Path) -> str:
    return page.relative_to(TOP).as_posix()


pages = pytest.mark.parametrize("page", PAGES, ids=name_of)
pytestmark = pytest.mark.skipif(len(PAGES) < 2, reason="the documentation is not installed beside the tests")


def commands(text: str) -> Iterator[list[str]]:
    """The commands of a `bash` block, as words."""
    for line in text.replace("\\\n", " ").splitlines():
        if words := shlex.split(line, comments=True):
            yield words


@pages
def test_every_block_is_of_a_kind_that_is_looked_at(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert text.count("\n```") == 2 * len(blocks(page)), "a block is not closed"
    for block in blocks(page):
        assert block.language.split()[0] in CHECKED + SHOWN, f"{name_of(page)}:{block.line}: {block.language!r}"
        assert block.mark in ("", "run") or re.match(r"(not run: .{10,})|figures", block.mark), block.mark


# Commands


@pages
def test_every_command_is_one(page: Path) -> None:
    for block in blocks(page):
        if block.language == "bash":
            for words in commands(block.text):
                try:
                    check_command(words)
                except Exception as error:
                    pytest.fail(f"{name_of(page)}:{block.line}: {shlex.join(words)}: {error}")


@pages
def test_options_named_in_a_line_exist(page: Path) -> None:
    for line in INLINE.findall(page.read_text(encoding="utf-8")):
        words = re.split(r"[\s=]+", line)
        name = words[1] if words[1] in COMMANDS.commands else None
        assert name or words[1].isupper() or words[1].startswith("-"), f"`{line}`: there is no command {words[1]}"
        known = {
            option
            for command in (COMMANDS.commands[name] if name else COMMANDS,)
            for one in command.params
            for option in one.opts
        }
        assert {word for word in words[2:] if word.startswith("--")} <= known | {"--help"}, f"`{line}`"


def check_command(words: list[str]) -> None:
    """Raises where a command is none, names an option, recipe, task or key that is not there, or a script that is
    not.
    """
    while "=" in words[0]:
        words = words[1:]  # variables of the environment
    if words[0] != "root-gnn":
        script = TOP / next((word for word in words[:2] if "/" in word), words[0])
        assert words[0] in OTHERS or script.is_file() or words[0].startswith("./"), (
            "neither a command of root-gnn nor a script"
        )
        return
    if words[1].startswith("-"):
        return
    command = COMMANDS.commands[words[1]]
    parameters = command.make_context(words[1], cli._repeat(("--files", "--seeds"), words[2:])).params
    check_names(words[1], parameters)


def check_names(command: str, given: dict[str, Any]) -> None:
    overrides = given.get("overrides") or ()
    if command in ("train", "check") and given["recipe"] not in PLACEHOLDERS:
        load(Recipe, find(given["recipe"], "recipe"), [one for one in overrides if "my_lab" not in one])
    if command == "finetune" and not (TOP / "docs").joinpath(given["task"]).suffix:
        finetuning_recipe(
            given["task"], mode=given["mode"], model=None, train_events=given["train_events"], overrides=overrides
        )
    if command == "probe":
        find(given["task"], "task")
    if command == "study" and given["study"] not in PLACEHOLDERS:
        load(Study, find(given["study"], "study"))
    if command == "prepare" and given["recipe_or_spec"] not in PLACEHOLDERS:
        find(given["recipe_or_spec"], "spec")
    if given.get("spec"):
        load_spec(given["spec"])
    for process in (given.get("process") or ()) if command == "simulate" and not given["lhe"] else ():
        find_process(process, level=given["level"])


@pytest.mark.parametrize(
    "line",
    [
        "root-gnn trane pretrain_multiclass",
        "root-gnn train pretrain_multiclas",
        "root-gnn train pretrain_jepa --set train.epochs=3",
        "root-gnn train pretrain_multiclass --epochs 3",
        "root-gnn finetune --task WHvsTH",
        "root-gnn finetune --task WHvsZH --mode cold",
        "root-gnn simulate --process Hbb",
        "root-gnn study event",
        "scripts/quickest",
        "do_something --fast",
    ],
)
def test_a_command_that_is_none_is_found_out(line: str) -> None:
    with pytest.raises((KeyError, AssertionError, InputError, USAGE_ERROR)):
        check_command(shlex.split(line))


# Python, YAML, and the commands that are cheap


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Path:
    """A folder as the pages speak of it: `data` with all processes, `mc`, `data.root`, and runs of a few steps in
    `runs`.
    """
    folder = tmp_path_factory.mktemp("world")
    (folder / "mc").mkdir()
    shutil.copytree(data_dir, folder / "data", ignore=shutil.ignore_patterns(".*"))
    for name, like in {"ggF": "WH", "VBF": "ZH", "singletop_t": "FCNC"}.items():
        shutil.copy(data_dir / f"{like}.root", folder / "data" / f"{name}.root")
    for name in ("data.root", "WH.root", "ttH.root", "mc/ZH.root"):
        shutil.copy(data_dir / ("WH.root" if name == "data.root" else Path(name).name), folder / name)
    runs = folder / "runs"
    rg.train(
        "pretrain_multiclass",
        overrides=[*SMALL, "train.max_steps=3"],
        data_dir=folder / "data",
        run_dir=runs / "pretrain_multiclass",
    )
    for mode in ("finetuned", "scratch"):
        for seed in (1, 2, 3):
            rg.finetune(
                "WHvsZH",
                run=runs / "pretrain_multiclass",
                mode=mode,
                train_events=40,
                data_dir=folder / "data",
                overrides=[*SMALL, f"seed={seed}"],
                run_dir=runs / f"WHvsZH_{mode}_n1000_s{seed}",
            )
    shutil.copytree(runs / "WHvsZH_finetuned_n1000_s1", runs / "WHvsZH")
    shutil.copytree(runs / "WHvsZH", runs / "WHvsZH_finetuned")
    shutil.copytree(runs / "WHvsZH_scratch_n1000_s1", runs / "WHvsZH_scratch")
    return folder


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trainings of one epoch on few events, and simulations that are only asked for."""
    real: Callable[..., Any] = rg.finetune

    def finetune(*given: Any, **named: Any) -> Any:
        named["train_events"] = min(named.get("train_events") or 40, 40)
        return real(*given, **{**named, "overrides": [*named.get("overrides", ()), *SMALL], "overwrite": True})

    import root_gnn.simulation.simulate as simulation

    signature = inspect.signature(simulation.simulate)
    monkeypatch.setattr(rg, "finetune", finetune)
    monkeypatch.setattr(simulation, "simulate", lambda *given, **named: signature.bind(*given, **named))


@pytest.mark.parametrize("page", PAGES[1:], ids=name_of)  # the README runs as one script: test_readme.py
def test_the_code_of_a_page_runs(
    page: Path,
    small: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    leave: Callable[..., int],
    request: pytest.FixtureRequest,
) -> None:
    found = [block for block in blocks(page) if block.language in CHECKED and not block.mark.startswith("not run")]
    if any(block.language == "python" or block.mark == "run" for block in found):
        shutil.copytree(request.getfixturevalue("world"), tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    names: dict[str, Any] = {"__name__": "__main__"}
    try:
        for block in found:
            run(block, names, leave, where=f"{name_of(page)}:{block.line}")
    except MissingExtraError as missing:
        pytest.skip(str(missing))
    finally:
        for module in [name for name in sys.modules if name.partition(".")[0] == "my_lab"]:
            del sys.modules[module]


def run(block: Block, names: dict[str, Any], leave: Callable[..., int], *, where: str) -> None:
    named = FILE.match(block.text)
    if named:
        Path(named[1]).parent.mkdir(exist_ok=True)
        Path(named[1]).write_text(block.text, encoding="utf-8")
    if block.language == "yaml":
        check_yaml(block.text)
    elif block.language == "python" and not named:
        exec(compile("\n" * (block.line - 1) + block.text, where, "exec", dont_inherit=True), names)
    elif block.language == "bash" and block.mark == "run":
        for words in commands(block.text):
            small = [f"--set={one}" for one in SMALL] if words[1] in ("train", "finetune") else []
            assert leave(*words[1:], *small) == 0, f"{where}: {shlex.join(words)}"


def check_yaml(text: str) -> None:
    """A spec, study or task, or sections of a recipe, which are put in the place of those of a shipped one."""
    path = Path("checked.yaml")
    path.write_text(text, encoding="utf-8")
    keys = set(read_document(path).value)
    if "nodes" in keys:
        load(Spec, path, allow_dotted=True)
    elif "tasks" in keys:
        load(Study, path)
    elif keys == {"name", "data"}:
        load(Task, path)
    else:
        sections = read_document(path).value
        recipe = to_mapping(load(Recipe, find("pretrain_multiclass", "recipe")))
        assert keys <= set(recipe), f"{keys - set(recipe)} are no sections of a recipe"
        if "data" in sections:
            sections["data"] = recipe["data"] | sections["data"]
        validate(Recipe, recipe | sections)
