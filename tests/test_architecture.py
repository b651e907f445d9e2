"""The law of the house: which way imports go, what stays in its own files, how large things may grow."""

from __future__ import annotations

import ast
import configparser
import fnmatch
import graphlib
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml

import root_gnn
from root_gnn.config.plugins import names
from root_gnn.config.shipped import shipped_folder

PACKAGE = Path(root_gnn.__file__).parent
SCRIPTS = (
    PACKAGE / "benchmarks"
)  # where a wheel has the files of benchmarks/: programs that use the package, other libraries beside it
FILES = sorted(file for file in PACKAGE.rglob("*.py") if SCRIPTS not in file.parents)
MODULES = [file for file in FILES if file.name not in ("__init__.py", "__main__.py")]

LAYERS = (
    {"_version", "atomic", "console", "errors", "kinematics", "typing"},
    {"clustering", "config", "expressions", "graph", "kernels", "parallel"},
    {"bench", "metrics", "nn", "protocols", "similarity", "simulation"},
    {"augmentations", "data", "heads", "models", "objectives", "plots", "testing", "training"},
    {"runs"},
    {"analysis", "convert", "export", "prediction"},
    {"pages"},
    {"study"},
    {"cli"},
)
LEVEL = {room: level for level, rooms in enumerate(LAYERS) for room in rooms}
FAMILIES = ("models", "heads", "objectives", "augmentations", "metrics.reported", "study.answers", "data.sources")
# Optional or heavy packages, and the files that are about them.
AT_HOME = {
    "dgl": ("*dgl*",),
    "torch_geometric": ("*pyg*",),
    "fastjet": ("clustering/*",),
    "pythia8mc": ("simulation/*",),
    "pylhe": ("simulation/*", "data/sources/*"),
    "onnx": ("export/*",),
    "onnxruntime": ("export/*",),
    "onnxscript": ("export/*",),
    "tables": ("data/sources/*",),
    "blosc2": ("data/sources/*",),
    "aiohttp": ("data/formats/location*",),
    "fsspec": ("data/formats/location*",),
    "dask": ("*dask*",),
    "distributed": ("*dask*",),
    "submitit": ("*slurm*",),
    "umap": ("analysis/*", "study/*"),
    "lightning": ("training/*",),
    "matplotlib": ("plots*", "analysis/*", "pages/*", "study/*"),
}
OPTIONAL = (
    "dgl",
    "torch_geometric",
    "fastjet",
    "pythia8mc",
    "pylhe",
    "onnx",
    "onnxruntime",
    "onnxscript",
    "tables",
    "dask",
    "umap",
)
RISKY = {
    "print": "use root_gnn.console",
    "eval": "runs text as code",
    "exec": "runs text as code",
    "os.system": "use subprocess",
    "yaml.load": "may construct objects",
    "yaml.unsafe_load": "may construct objects",
    "yaml.full_load": "may construct objects",
}
PICKLES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
SHARED_NAMES = {"Config": "the section of a plug-in, one in each plug-in file"}
"""Names of public classes and functions that several modules may have, with the reason."""
UNTESTED = {"_version.py": "one constant", "typing.py": "names of types, which mypy reads"}
"""Modules without a test file of their own, with the reason; at most fifteen."""
UNIT = Path(__file__).parent / "unit"
VAGUE = {"utils", "util", "helpers", "helper", "misc", "common", "manager", "managers"}
ABSOLUTE = re.compile(r"(/(home|root|tmp|work|Users|data|mnt|eos|afs|cvmfs|scratch|opt)(/|$)|~|[A-Za-z]:\\)")


@cache
def tree_of(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def name_of(file: Path) -> str:
    """The file's path inside the package, as `data/spec.py`."""
    return file.relative_to(PACKAGE).as_posix()


def room_of(dotted: str) -> str:
    """`data` for `root_gnn.data.spec.spec`."""
    return dotted.split(".")[1] if "." in dotted else ""


def imports_of(file: Path) -> Iterator[tuple[int, str]]:
    """Line and dotted name of everything a file imports, inside functions too; `from a import b` counts as `a.b`."""
    for node in ast.walk(tree_of(file)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(file)}:{node.lineno}: relative import"
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def own_imports(file: Path) -> Iterator[tuple[int, str]]:
    return ((line, name) for line, name in imports_of(file) if name.split(".")[0] == "root_gnn")


def dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def run_python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_room_has_its_layer() -> None:
    rooms = {name_of(file).split("/")[0].removesuffix(".py") for file in FILES} - {"__init__", "__main__"}
    assert rooms <= set(LEVEL)


def test_imports_go_down_the_layers_and_never_to_a_sibling() -> None:
    wrong = []
    for file in MODULES:
        room = name_of(file).split("/")[0].removesuffix(".py")
        for line, name in own_imports(file):
            other = room_of(name)
            if other in LEVEL and other != room and LEVEL[other] >= LEVEL[room]:
                wrong.append(f"{name_of(file)}:{line} imports {name}")
    assert not wrong, "\n".join(wrong)


def test_nothing_imports_a_plugin() -> None:
    plugins = {f"root_gnn.{family}.{name}" for family in FAMILIES for name in names(family)}
    assert plugins
    wrong = [
        f"{name_of(file)}:{line} imports {name}"
        for file in FILES
        for line, name in own_imports(file)
        if name in plugins or name.rpartition(".")[0] in plugins
    ]
    assert not wrong, "\n".join(wrong)


def test_only_the_plugin_loader_imports_by_name() -> None:
    allowed = {"config/plugins.py", "__init__.py"}
    wrong = [
        f"{name_of(file)}:{node.lineno}"
        for file in FILES
        for node in ast.walk(tree_of(file))
        if isinstance(node, ast.Call)
        and dotted(node.func) in ("importlib.import_module", "import_module", "__import__")
        and name_of(file) not in allowed
    ]
    assert not wrong, "\n".join(wrong)


def test_optional_and_heavy_packages_stay_at_home() -> None:
    wrong = [
        f"{name_of(file)}:{line} imports {name}"
        for file in FILES
        for line, name in imports_of(file)
        if (homes := AT_HOME.get(name.split(".")[0]))
        and not any(fnmatch.fnmatch(name_of(file), home) for home in homes)
    ]
    assert not wrong, "\n".join(wrong)


def test_no_function_and_no_file_is_too_long() -> None:
    wrong = []
    for file in FILES:
        n_line = len(file.read_text(encoding="utf-8").splitlines())
        if n_line > 400:
            wrong.append(f"{name_of(file)} has {n_line} lines, at most 400")
        for node in ast.walk(tree_of(file)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                n_line = (node.end_lineno or node.lineno) - _first_statement(node).lineno + 1
                if n_line > 60:
                    wrong.append(f"{name_of(file)}:{node.lineno} {node.name} has {n_line} lines, at most 60")
    assert not wrong, "\n".join(wrong)


def _first_statement(function: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.stmt:
    """What the function does first, after its signature and its docstring."""
    documented = ast.get_docstring(function) is not None and len(function.body) > 1
    return function.body[1 if documented else 0]


def test_nothing_prints_or_runs_text_as_code() -> None:
    wrong = []
    for file in FILES:
        wrong += [
            f"{name_of(file)}:{line} imports {name}" for line, name in imports_of(file) if name.split(".")[0] in PICKLES
        ]
        for node in ast.walk(tree_of(file)):
            if not isinstance(node, ast.Call):
                continue
            name, keywords = dotted(node.func), {keyword.arg: keyword.value for keyword in node.keywords}
            if name in RISKY:
                wrong.append(f"{name_of(file)}:{node.lineno} {name}: {RISKY[name]}")
            if name == "torch.load" and "weights_only" not in keywords:
                wrong.append(f"{name_of(file)}:{node.lineno} torch.load without weights_only=True")
            for option, unsafe in (("weights_only", False), ("allow_pickle", True)):
                value = keywords.get(option)
                if isinstance(value, ast.Constant) and value.value is unsafe:
                    wrong.append(f"{name_of(file)}:{node.lineno} {name}({option}={unsafe}) may run code from a file")
    assert not wrong, "\n".join(wrong)


@pytest.mark.skipif(not UNIT.is_dir(), reason="the unit tests are not beside this file")
def test_every_module_has_its_test_file() -> None:
    """The test of `root_gnn/data/cache/shard.py` is `tests/unit/data/cache/test_shard.py`."""
    own = {name_of(file): file.relative_to(PACKAGE).with_name(f"test_{file.name}") for file in MODULES}
    missing = {name for name, test in own.items() if not (UNIT / test).is_file()}
    assert missing == set(UNTESTED)
    assert len(UNTESTED) <= 15


def test_no_two_public_classes_or_functions_share_a_name() -> None:
    homes: dict[str, list[str]] = {}
    for file in MODULES:
        for node in tree_of(file).body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_"):
                homes.setdefault(node.name, []).append(name_of(file))
    shared = {name: files for name, files in homes.items() if len(files) > 1}
    assert len(SHARED_NAMES) <= 11
    assert set(shared) == set(SHARED_NAMES), {name: files for name, files in shared.items() if name not in SHARED_NAMES}


def test_no_module_imports_itself_through_others() -> None:
    """There is no circle of modules, and none of folders, by imports at any place in a file."""
    modules = {_module(file) for file in MODULES}
    of_modules: dict[str, set[str]] = {name: set() for name in modules}
    of_folders: dict[str, set[str]] = {}
    for file in MODULES:
        here = _module(file)
        for _, name in own_imports(file):
            there = name if name in modules else name.rpartition(".")[0]
            if there in modules and there != here:
                of_modules[here].add(there)
                folder, other = here.rpartition(".")[0], there.rpartition(".")[0]
                if folder != other and not other.startswith(f"{folder}.") and not folder.startswith(f"{other}."):
                    of_folders.setdefault(folder, set()).add(other)
    for graph in (of_modules, of_folders):
        graphlib.TopologicalSorter(graph).prepare()  # raises CycleError, which names the circle


def test_no_module_has_a_vague_name() -> None:
    parts = {part for file in FILES for part in file.relative_to(PACKAGE).with_suffix("").parts}
    assert not parts & VAGUE


def test_no_path_of_one_machine() -> None:
    wrong = [
        f"{name_of(file)}:{node.lineno} {node.value!r}"
        for file in FILES
        for node in ast.walk(tree_of(file))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and ABSOLUTE.match(node.value)
        and node.value != "~"
    ]
    for kind in ("recipe", "spec"):
        for file in shipped_folder(kind).rglob("*.yaml"):
            scalars = (
                token for token in yaml.scan(file.read_text(encoding="utf-8")) if isinstance(token, yaml.ScalarToken)
            )
            wrong += [
                f"{file.name}:{scalar.start_mark.line + 1} {scalar.value!r}"
                for scalar in scalars
                if scalar.value.startswith(("/", "~", "..")) or "://" in scalar.value
            ]
    assert not wrong, "\n".join(wrong)


def test_everything_public_says_what_it_is() -> None:
    wrong = [name_of(file) for file in FILES if ast.get_docstring(tree_of(file)) is None]
    for file in FILES:
        for node in tree_of(file).body:
            if not isinstance(node, ast.FunctionDef | ast.ClassDef) or node.name.startswith("_"):
                continue
            if ast.get_docstring(node) is None:
                wrong.append(f"{name_of(file)}:{node.lineno} {node.name}")
    assert not wrong, "\n".join(wrong)


def test_every_folder_of_the_package_is_in_the_wheel() -> None:
    setup = Path(__file__).parents[1] / "setup.cfg"
    if not setup.is_file():
        pytest.skip("the tests run outside the checkout")
    config = configparser.ConfigParser()
    config.read(setup)
    listed = set(config["options"]["packages"].split())
    top = setup.parent / "root_gnn"
    found = {".".join(("root_gnn", *file.parent.relative_to(top).parts)) for file in top.rglob("*.py")}
    assert listed == found | {"root_gnn.benchmarks", "root_gnn.configs", "root_gnn.data_specs"}


@pytest.mark.parametrize(
    "module", ["root_gnn", "root_gnn.cli.app", "root_gnn.config.loader", "root_gnn.config.shipped"]
)
def test_help_and_configuration_cost_no_heavy_import(module: str) -> None:
    heavy = ["torch", "lightning", "awkward", "matplotlib", "numpy", "uproot", "sklearn", "scipy"]
    assert run_python(f"import sys, {module}; print([name for name in {heavy} if name in sys.modules])") == "[]\n"


def test_all_but_training_works_without_lightning() -> None:
    rooms = (
        "models",
        "objectives",
        "heads",
        "augmentations",
        "data",
        "metrics",
        "nn",
        "graph",
        "similarity",
        "simulation",
    )
    targets = [
        _module(file) for file in MODULES if name_of(file).split("/")[0] in rooms and not _at_home(file, OPTIONAL)
    ]
    run_python(_import_without(targets, ("lightning", "pytorch_lightning", "matplotlib")))


def test_the_core_works_without_any_extra() -> None:
    targets = [_module(file) for file in MODULES if not _at_home(file, OPTIONAL)]
    run_python(_import_without(targets, OPTIONAL))


def _at_home(file: Path, packages: tuple[str, ...]) -> bool:
    """True where a file imports one of the packages at all; it is then loaded on demand only."""
    return any(name.split(".")[0] in packages for _, name in imports_of(file))


def _module(file: Path) -> str:
    return ".".join(("root_gnn", *file.relative_to(PACKAGE).with_suffix("").parts))


def _import_without(modules: list[str], blocked: tuple[str, ...]) -> str:
    return (
        f"import importlib, sys\nsys.modules.update(dict.fromkeys({blocked!r}))\nfor name in {modules!r}: "
        "importlib.import_module(name)"
    )


def test_the_public_names_are_where_they_are_said_to_be() -> None:
    assert set(root_gnn.__all__) == set(root_gnn._HOMES) <= set(dir(root_gnn))
    source = tree_of(PACKAGE / "__init__.py")
    typed = {
        alias.name: node.module for node in ast.walk(source) if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    assert {name: typed[name] for name in root_gnn._HOMES} == root_gnn._HOMES
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = root_gnn.nothing  # type: ignore[attr-defined]


def test_the_page_on_the_architecture_has_the_same_layers() -> None:
    page = Path(__file__).parents[1] / "docs" / "architecture.md"
    if not page.is_file():
        pytest.skip("the tests run outside the checkout")
    rows = re.findall(r"^\| (\d+) \| (.+) \|$", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert {int(level): set(re.findall(r"`(\w+)`", rooms)) for level, rooms in rows} == dict(enumerate(LAYERS, start=1))
