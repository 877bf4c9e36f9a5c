"""README and documentation: links resolve, commands and options exist, code blocks run, nothing is left out."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import msgspec
import pytest

import synth_engine.recipe
from synth_engine.recipe import Recipe

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
sys.path.insert(0, str(DOCS / "site"))

from command_reference import command_of, with_options  # noqa: E402
from draw_pictures import recipes_of, sheet  # noqa: E402
from recipe_reference import parts_of, reference_page  # noqa: E402

PAGES = [*ROOT.glob("*.md"), ROOT / "bench" / "README.md", *sorted(DOCS.rglob("*.md"))]
MADE_BY_THE_BUILD = {DOCS / "recipes" / "reference.md", DOCS / "changelog.md", DOCS / "contributing.md"}
COMMAND_PAGES = sorted(path for path in (DOCS / "commands").glob("*.md") if path.stem != "index")
PYTHON_M = re.compile(
    r"(?:python -m (?P<module>(?:gan|classifier)\.\w+)|(?:python -m synth_engine|synth-engine) (?P<engine>\w+))"
)


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def blocks(language: str) -> list[pytest.param]:
    """Code blocks without a title, of all pages: (text, id)."""
    found = []
    for page in PAGES:
        fenced = re.findall(rf"^( *)```{language}\n(.*?)^ *```$", page.read_text(), re.MULTILINE | re.DOTALL)
        for number, (indent, text) in enumerate(fenced, start=1):
            lines = "".join(line.removeprefix(indent) for line in text.splitlines(keepends=True))
            if "--8<--" not in lines:
                found.append(pytest.param(lines, id=f"{name_of(page)}-{number}"))
    return found


COMMANDS = dict(command_of(page.read_text()) for page in COMMAND_PAGES)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere_and_no_gap_is_left(page: Path) -> None:
    text = page.read_text()
    assert "@@" not in text
    for link in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", text):
        target = (page.parent / link).resolve()
        drawn_by_the_build = page.name == "guide.md" and target.suffix == ".png"
        assert target.exists() or target in MADE_BY_THE_BUILD or drawn_by_the_build, link


@pytest.mark.parametrize("shell", blocks("sh"))
def test_commands_and_options_shown_exist(shell: str) -> None:
    for line in re.sub(r"\\\n", " ", shell).splitlines():
        shown = PYTHON_M.search(line)
        if shown:
            program = f"python -m {shown['module']}" if shown["module"] else f"synth-engine {shown['engine']}"
            known = {
                option
                for parameter in COMMANDS[program].params
                for option in (*parameter.opts, *parameter.secondary_opts)
            }
            given = set(re.findall(r"(?<=\s)--[\w-]+", line.split("#")[0]))
            assert given <= known, program


@pytest.mark.parametrize("code", blocks("python"))
def test_python_blocks_run(code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "<documentation>", "exec"), {"__name__": "__main__"})


@pytest.mark.parametrize("toml", blocks("toml"))
def test_recipes_shown_can_be_rendered(toml: str, tmp_path: Path) -> None:
    (tmp_path / "my.toml").write_text(toml)
    assert sheet(Recipe.load(tmp_path / "my.toml"))


def test_each_step_of_the_guide_has_a_picture_of_its_own() -> None:
    guide = (DOCS / "recipes" / "guide.md").read_text()
    recipes = recipes_of(guide)
    assert re.findall(r"\]\(([\w-]+\.png)\)", guide) == list(recipes)
    assert len({recipe.key for recipe in recipes.values()}) == len(recipes) > 8


def test_every_command_has_a_page() -> None:
    from synth_engine.cli.engine import cli

    modules = [path for package in ("gan", "classifier") for path in (ROOT / package).glob("*.py")]
    programs = {f"python -m {path.parent.name}.{path.stem}" for path in modules if path.stem != "__init__"}
    programs |= {f"synth-engine {name}" for name, command in cli.commands.items() if not command.hidden}
    assert set(COMMANDS) == programs
    for page in COMMAND_PAGES:
        made = with_options(page.read_text())
        assert all(
            option in made
            for parameter in command_of(page.read_text())[1].params
            for option in parameter.opts
            if option.startswith("-")
        )
    index = (DOCS / "commands" / "index.md").read_text()
    assert all(f"]({page.name})" in index for page in COMMAND_PAGES)


def test_every_key_of_a_recipe_is_in_the_reference() -> None:
    page = reference_page()
    public = {
        value
        for value in vars(synth_engine.recipe).values()
        if isinstance(value, type) and issubclass(value, msgspec.Struct)
    }
    assert {part for part in public if part.__struct_config__.tag} <= set(parts_of(Recipe))
    for part in parts_of(Recipe):
        section = page.split(f"\n## {part.__name__} ")[1].split("\n## ")[0]
        for field in msgspec.structs.fields(part):
            assert f"| `{field.encode_name}` |" in section, (part, field.name)


def test_the_readme_is_short_and_the_glossary_too() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 150
    glossary = (DOCS / "architecture.md").read_text().split("## Glossary")[1]
    assert len(re.findall(r"^\| (?!term|-)", glossary, re.MULTILINE)) <= 30


def test_every_room_is_on_the_architecture_page() -> None:
    from test_structure import LAYERS

    page = (DOCS / "architecture.md").read_text()
    rooms = {".".join(room.split(".")[:2]) for room in LAYERS.split() if "." in room}
    missing = [room for room in rooms if f"`{room}`" not in page and f"`{room.split('.')[1]}`" not in page]
    assert missing == ["synth_engine.__main__"]


def test_every_promise_names_a_test_that_exists() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (DOCS / "reliability.md").read_text())
    assert len(named) > 20
    for file, test in named:
        assert f"def {test}(" in (ROOT / file).read_text(), (file, test)


def test_modules_that_pages_name_exist() -> None:
    for page in PAGES:
        if page.name != "CHANGELOG.md":
            for name in re.findall(
                r"`((?:synth_engine|gan|classifier|tests|bench|examples)/[\w/]+\.?\w*)/?`", page.read_text()
            ):
                assert (ROOT / name).exists(), (name_of(page), name)
