"""What README and documentation say works: Python blocks run, commands and options exist, links lead somewhere."""

from __future__ import annotations

import ast
import re
import shlex
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer.main

import cellmetry as cm
from cellmetry.cli.app import app
from cellmetry.core.image import image_from_array
from cellmetry.io.images import write_image
from cellmetry.ops.synthetic import make_cells
from cellmetry.pipeline.recipe import load_recipe, shipped_recipes

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def code_blocks(page: Path, language: str) -> list[str]:
    """Return the fenced blocks of a language."""
    return re.findall(rf"^ *```{language}\n(.*?)^ *```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def commands() -> Iterator[Any]:
    """Yield every `cellmetry …` line of console blocks and of code in running text, with where it stands."""
    for page in PAGES:
        blocks = "\n".join(code_blocks(page, "console"))
        found = re.findall(r"^\s*[$>] (?:\S*[/\\])?cellmetry(.*)$", blocks, re.MULTILINE)
        found += re.findall(r"`cellmetry( [^`\n]*)`", page.read_text(encoding="utf-8"))
        for line in found:
            said = re.sub(r"\s#\s.*|\s>\s.*", "", line).strip()
            yield pytest.param(said, id=f"{page.name}: {said or 'cellmetry'}")


@pytest.mark.parametrize("said", list(dict.fromkeys(commands())))
def test_command_and_options_exist(said: str) -> None:
    command: Any = typer.main.get_command(app)
    arguments, name = shlex.split(said), "cellmetry"
    while hasattr(command, "commands") and arguments and not arguments[0].startswith("-"):
        name = arguments.pop(0)
        assert name in command.commands, f"there is no command {name!r}"
        command = command.commands[name]
    if any(not argument.startswith("-") for argument in arguments) or "--out" in arguments:
        command.make_context(name, arguments)


def test_the_python_block_of_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    field = make_cells((256, 256), 9, seed=2)
    write_image(image_from_array(field.image[0], "YX", pixel_size_um=0.5), tmp_path / "field.tif")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    (block,) = code_blocks(ROOT / "README.md", "python")
    exec(block, names)
    assert len(names["table"]) == 9
    assert "area_um2" in names["table"].columns


RECIPES = [
    pytest.param(block, id=f"{page.name} {number}")
    for page in PAGES
    for number, block in enumerate(code_blocks(page, "toml"))
    if "[[steps]]" in block
]


@pytest.mark.parametrize("block", RECIPES)
def test_every_recipe_is_right(block: str, tmp_path: Path) -> None:
    (tmp_path / "said.toml").write_text(block, encoding="utf-8")
    assert load_recipe(tmp_path / "said.toml").steps


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    missing = [target for target in targets if "://" not in target and not (page.parent / target).exists()]
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_of_the_project_that_are_named_are_there(page: Path) -> None:
    named = re.findall(r"`((?:tests|benchmarks|examples|src)/[\w/]+\.\w+)`", page.read_text(encoding="utf-8"))
    assert [path for path in named if not (ROOT / path).exists()] == []


PYTHON = [
    pytest.param(block, id=f"{page.name} {number}")
    for page in PAGES
    for number, block in enumerate(code_blocks(page, "python"))
]


@pytest.mark.parametrize("block", PYTHON)
def test_python_of_the_documentation_compiles_and_its_names_exist(block: str) -> None:
    tree = ast.parse(textwrap.dedent(block))
    imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    names: dict[str, Any] = {}
    exec(compile(ast.Module(imports, []), "documentation", "exec"), names)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "cm":
            assert node.attr in cm.__all__


@pytest.mark.parametrize("folder", ["src/cellmetry", "tests", "examples", "benchmarks", "docs"])
def test_the_folders_that_the_readme_names_are_there(folder: str) -> None:
    assert (ROOT / folder).is_dir()


def test_the_guide_lists_every_shipped_recipe() -> None:
    text = (ROOT / "docs" / "guide" / "recipes.md").read_text(encoding="utf-8")
    assert [name for name in shipped_recipes() if f"| `{name}` |" not in text] == []


def test_every_benchmark_is_listed() -> None:
    text = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
    assert [path.name for path in (ROOT / "benchmarks").glob("*.py") if f"benchmarks/{path.name}" not in text] == []


@pytest.mark.parametrize(
    "said", ["segment a.tif --out o --chanel 1", "segment a.tif --outt o", "measure --image a.tif"]
)
def test_a_wrong_command_would_be_noticed(said: str) -> None:
    with pytest.raises(Exception, match=r"No such option|Missing parameter"):
        test_command_and_options_exist(said + " --out x")
