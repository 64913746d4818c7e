"""The default install holds nothing under the GPL (the LGPL is allowed: unmodified dependencies)."""

from __future__ import annotations

import re
from importlib.metadata import Distribution, distribution

import pytest
from packaging.requirements import Requirement

_GPL = re.compile(r"\bA?GPL|GNU (Affero )?General Public", re.IGNORECASE)


def default_distributions(name: str = "cellmetry") -> dict[str, Distribution]:
    """Return every distribution that `pip install cellmetry` brings here, itself included, by normal name."""
    found: dict[str, Distribution] = {}
    waiting = [name]
    while waiting:
        current = waiting.pop()
        key = re.sub(r"[-_.]+", "-", current).lower()
        if key in found:
            continue
        found[key] = distribution(current)
        requirements = [Requirement(text) for text in found[key].requires or []]
        waiting += [each.name for each in requirements if not each.marker or each.marker.evaluate({"extra": ""})]
    return found


def licence_of(dist: Distribution) -> str:
    """Return what a distribution states: its SPDX expression, else its classifiers, else its licence field."""
    meta = dist.metadata
    classifiers = [text for text in meta.get_all("Classifier") or [] if text.startswith("License ::")]
    return meta.get("License-Expression") or "; ".join(classifiers) or meta.get("License") or ""


def is_gpl(licence: str) -> bool:
    """Return whether nothing but the GPL is offered."""
    without_lgpl = re.sub(r"\bLGPL|GNU Lesser General Public|GNU Library or Lesser[^;]*", "", licence)
    return all(_GPL.search(choice) for choice in without_lgpl.split(" OR "))


DISTRIBUTIONS = default_distributions()


@pytest.mark.parametrize("name", sorted(DISTRIBUTIONS))
def test_licence_is_stated_and_not_gpl(name: str) -> None:
    licence = licence_of(DISTRIBUTIONS[name])
    assert licence.strip(), f"{name} states no licence"
    assert not is_gpl(licence), f"{name} is under {licence}"


def test_the_walk_reaches_indirect_dependencies() -> None:
    assert {"cellmetry", "numpy", "llvmlite", "pydantic-core"} <= set(DISTRIBUTIONS)
    assert not {"torch", "pyarrow", "cellpose"} & set(DISTRIBUTIONS)


@pytest.mark.parametrize(
    ("licence", "gpl"),
    [
        ("GPL-3.0-or-later", True),
        ("License :: OSI Approved :: GNU General Public License v3 (GPLv3)", True),
        ("AGPL-3.0-only", True),
        ("LGPL-3.0-or-later", False),
        ("License :: OSI Approved :: GNU Lesser General Public License v3 (LGPLv3)", False),
        ("MIT OR GPL-2.0-only", False),
        ("BSD-3-Clause AND GPL-3.0-only", True),
        ("BSD-3-Clause", False),
    ],
)
def test_gpl_is_recognised(licence: str, gpl: bool) -> None:
    assert is_gpl(licence) is gpl
