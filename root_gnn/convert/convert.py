"""`root-gnn convert`: translates a configuration of another program, and lists what could not be translated."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from root_gnn.atomic import write_text
from root_gnn.config.loader import validate
from root_gnn.convert.converted import Converted, Notes
from root_gnn.convert.foreign import read_foreign
from root_gnn.convert.root_gnn_dgl import is_root_gnn_dgl, to_recipe
from root_gnn.convert.weaver import is_weaver, to_spec
from root_gnn.data.inspection.draft import Draft
from root_gnn.data.spec.spec import Spec
from root_gnn.errors import InputError
from root_gnn.runs.recipe import Recipe


def convert(
    file: Path | str, *, out: Path | str | None = None, tree: str | None = None, overwrite: bool = False
) -> Converted:
    """Writes `<name>_spec.yaml` and, for a root_gnn_dgl configuration, `<name>_recipe.yaml`.

    Nothing in the file is executed: formulas are parsed to syntax trees and written in the language of data specs.

    Args:
        file: a data configuration of weaver-core, or a configuration of root_gnn_dgl.
        out: folder for the files; by default the current one.
        tree: the tree to read, if a weaver configuration names none.
        overwrite: replaces existing files.

    Raises InputError if the file is neither, cannot be read or lacks necessary keys, and if a file to write exists.
    """
    path, folder, notes = Path(file), Path() if out is None else Path(out), Notes()
    content = read_foreign(path)
    if not (is_weaver(content) or is_root_gnn_dgl(content)):
        raise InputError(
            f"{path}: a data configuration of weaver-core (with `inputs` and `labels`) "
            f"or a configuration of root_gnn_dgl "
            f"(with `Model` and `Datasets`) was expected; its keys are {', '.join(content) or 'none'}."
        )
    try:
        made = _made(content, path, tree, notes)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    files = {folder / f"{path.stem}_{kind}.yaml": text for kind, text in made.items()}
    for target in files:
        if target.exists() and not overwrite:
            raise InputError(f"{target} exists; name another folder with --out, or replace it with --overwrite")
    for target, text in files.items():
        write_text(target, text)
    return Converted(files, notes)


def _made(content: Mapping[str, Any], path: Path, tree: str | None, notes: Notes) -> dict[str, str]:
    """Returns the text of each file, by kind; each is validated like a file of the user."""
    if is_weaver(content):
        spec = to_spec(content, name=path.stem, tree=tree, notes=notes)
        validate(Spec, spec, origin="the spec made of it")
        return {"spec": str(Draft(spec, notes.head(path.name)))}
    recipe, described = to_recipe(content, name=path.stem, spec=f"{path.stem}_spec.yaml", notes=notes)
    validate(Recipe, recipe, origin="the recipe made of it")
    made = {"recipe": str(Draft(recipe, notes.head(path.name)))}
    if described is not None:
        validate(Spec, described, origin="the spec made of it")
        made["spec"] = str(Draft(described, Notes().head(path.name)))
    return made
