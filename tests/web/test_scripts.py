"""The app's scripts as text: what users wrote can never become HTML or code, and nothing comes from elsewhere."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import pytest

from cellmetry.server.app import create_app
from cellmetry.server.settings import ServerSettings

WEB = Path(str(files("cellmetry"))) / "web"
SCRIPTS = sorted(WEB.rglob("*.js"))
FORBIDDEN = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|parseFromString|srcdoc"
    r"|\beval\(|new Function|set(?:Timeout|Interval)\(\s*[\"'`]|javascript:"
)

IMPORTS = re.compile(
    r'^import\b[^;"]*"([^"\n]+)";|^export\b[^;"]* from "([^"\n]+)";|\bimport\("([^"\n]+)"\)', re.MULTILINE
)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.relative_to(WEB).as_posix())
def test_text_never_becomes_markup_or_code(path: Path) -> None:
    assert FORBIDDEN.findall(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.relative_to(WEB).as_posix())
def test_scripts_are_taken_from_the_app_alone(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for taken in IMPORTS.findall(text):
        address = "".join(taken)
        assert address.startswith("."), address
        assert (path.parent / address).is_file(), address


def test_the_page_has_no_script_or_style_of_its_own() -> None:
    page = (WEB / "index.html").read_text(encoding="utf-8")
    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\bon[a-z]+=|\bstyle=|//", page) == []


def test_what_a_script_exports_is_used_by_another_or_tested_by_itself() -> None:
    tests = [path for path in Path(__file__).parent.glob("test_*.py") if path != Path(__file__)]
    texts = {path: path.read_text(encoding="utf-8") for path in SCRIPTS}
    others = {path: path.read_text(encoding="utf-8") for path in tests}
    exports = re.compile(r"^export (?:async )?(?:function\*?|const|class) (\w+)", re.MULTILINE)
    unused = [
        f"{path.relative_to(WEB)}: {name}"
        for path, text in texts.items()
        for name in exports.findall(text)
        if not any(re.search(rf"\b{name}\b", other) for place, other in {**texts, **others}.items() if place != path)
    ]
    assert unused == []


def test_questions_that_are_posted_are_known_to_leave_all_as_it_is(tmp_path: Path) -> None:
    said = re.search(r"const ASKING = /(.*)/;", (WEB / "kernel" / "api.js").read_text(encoding="utf-8"))
    assert said is not None
    paths = create_app(ServerSettings(tmp_path)).openapi()["paths"]
    asking = [path for path, verbs in paths.items() if "post" in verbs and re.search(r"/preview\b|/tables/", path)]
    assert len(asking) > 6
    assert [path for path in asking if not re.search(said[1].replace("\\/", "/"), path)] == []
