"""What differs between the records of two analyses: recipe, engine, versions, reading, images."""

from __future__ import annotations

import json
from collections import Counter
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any

from cellmetry.study.difference.changes import Change

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["compare_images", "compare_readings", "compare_recipes", "compare_values"]

_FILTERS = {"filter_cells"}
_READ = ("axes", "shape", "pixel_size_um", "detectors", "settings", "parts")


def compare_values(before: Mapping[str, Any], after: Mapping[str, Any], section: str) -> list[Change]:
    """Return a change for each entry of nested mappings that is not the same in both, named as in ``model.sha256``."""
    first, second = dict(_flat(before)), dict(_flat(after))
    names = [*first, *(name for name in second if name not in first)]
    return [
        Change(section, name, first.get(name), second.get(name))
        for name in names
        if first.get(name) != second.get(name)
    ]


def compare_recipes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """Return the changes of two recipes as their TOML holds them: parameter by parameter, steps added and removed.

    A step that stands several times in a recipe has its number: ``measure[2]``.
    """
    first, second = _steps(before), _steps(after)
    matcher = SequenceMatcher(None, [step["step"] for _, step in first], [step["step"] for _, step in second], False)
    changes: list[Change] = []
    for kind, a0, a1, b0, b1 in matcher.get_opcodes():
        if kind == "equal":
            for (name, old), (_, new) in zip(first[a0:a1], second[b0:b1], strict=True):
                found = compare_values(_parameters(old), _parameters(new), _section(old))
                changes += [change._replace(what=f"{name}.{change.what}") for change in found]
            continue
        changes += [Change(_section(step), name, "a step", None) for name, step in first[a0:a1]]
        changes += [Change(_section(step), name, None, "a step") for name, step in second[b0:b1]]
    overlay = compare_values(before.get("overlay", {}), after.get("overlay", {}), "recipe")
    return changes + [change._replace(what=f"overlay.{change.what}") for change in overlay]


def compare_images(before: Mapping[str, Mapping[str, Any]], after: Mapping[str, Mapping[str, Any]]) -> list[Change]:
    """Return which images were added or removed, have other pixels by their hash, or failed in one analysis only."""
    changes = [Change("images", name, "an image", None) for name in before if name not in after]
    changes += [Change("images", name, None, "an image") for name in after if name not in before]
    for name in (name for name in before if name in after):
        old, new = before[name], after[name]
        if old["status"] != new["status"]:
            changes.append(Change("images", name, _fate(old), _fate(new)))
        elif old["sha256"] != new["sha256"]:
            changes.append(Change("images", f"pixels of {name}", old["sha256"], new["sha256"]))
    return changes


def compare_readings(before: Mapping[str, Mapping[str, Any]], after: Mapping[str, Mapping[str, Any]]) -> list[Change]:
    """Return in what the reading of images that both have done differs, images of the same change together."""
    both = [name for name in before if name in after and before[name]["status"] == after[name]["status"] == "done"]
    changes = []
    for key in _READ:
        pairs = [(json.dumps(before[name].get(key)), json.dumps(after[name].get(key))) for name in both]
        for (old, new), count in Counter(pair for pair in pairs if pair[0] != pair[1]).items():
            first = both[pairs.index((old, new))]
            where = first if count == 1 else f"{count} images ({first}, …)"
            changes.append(Change("reading", f"{key} of {where}", json.loads(old), json.loads(new)))
    return changes


def _flat(values: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value


def _steps(recipe: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """Return the steps with their names."""
    steps: Sequence[Mapping[str, Any]] = recipe.get("steps", [])
    total = Counter(step["step"] for step in steps)
    seen: Counter[str] = Counter()
    named = []
    for step in steps:
        seen[step["step"]] += 1
        number = f"[{seen[step['step']]}]" if total[step["step"]] > 1 else ""
        named.append((f"{step['step']}{number}", step))
    return named


def _parameters(step: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in step.items() if name != "step"}


def _section(step: Mapping[str, Any]) -> str:
    return "filters" if step["step"] in _FILTERS else "recipe"


def _fate(image: Mapping[str, Any]) -> str:
    return "done" if image["status"] == "done" else f"failed: {image['reason']}"
