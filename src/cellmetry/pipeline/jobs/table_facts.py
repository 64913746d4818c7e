"""What the study's record says of how a table came about, for the methods of a report: images, labels, measurement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cellmetry.pipeline.comparison.run_facts import RunFacts, default_parameters, facts_of_run
from cellmetry.report.methods import ImageFacts
from cellmetry.study.rebase.carrying import edits_before_relabelling
from cellmetry.study.store.images import images, said_of
from cellmetry.study.store.labels import label_set
from cellmetry.study.store.said import is_excluded, pixel_sides_um

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from cellmetry.study.store.images import StoredImage
    from cellmetry.study.store.labels import LabelSet
    from cellmetry.study.store.results import StoredResult
    from cellmetry.study.store.store import Store

__all__ = ["facts_of_table"]

_MEASURING = ("measure", "passport")


def facts_of_table(store: Store, table: StoredResult) -> RunFacts:
    """Return what made the labels of a table, how they were corrected, and how they were measured."""
    told: Mapping[str, Mapping[str, Any]] = table.details.get("images", {})
    used = [each for each in images(store) if each.id in told and not is_excluded(store, each.id)]
    ids = {each.id: told[each.id].get("labels") for each in used}
    labels = {key: label_set(store, name) for key, name in ids.items() if isinstance(name, str)}
    jobs = [each.origin.get("job") for each in labels.values()] if labels else [table.job_id]
    runs = [facts_of_run(folder) for folder in _folders(store, jobs)]
    measured = _measuring(table.details.get("options", {}))
    segmented = [step for run in runs for step in run.steps if not (measured and step["step"] in _MEASURING)]
    steps = tuple(step for place, step in enumerate([*segmented, *measured]) if step not in segmented[:place])
    hashes = {run.recipe_sha256 for run in runs}
    return RunFacts(
        folder=store.folder,
        images=_image_facts(store, used),
        steps=steps,
        defaults={step["step"]: default_parameters(step["step"]) for step in steps},
        recipe=runs[0].recipe if len(hashes) == 1 else "",
        recipe_sha256=hashes.pop() if len(hashes) == 1 else "",
        models=tuple(dict.fromkeys(model for run in runs for model in run.models)),
        versions=runs[0].versions if runs else {},
        labels=(
            *_corrections(labels, {key: _edits(each, told[key]) for key, each in labels.items()}),
            *_projections([told[each.id].get("project") for each in used]),
        ),
    )


def _folders(store: Store, jobs: Sequence[str | None]) -> list[Path]:
    """Return the folders of the runs that jobs kept, each once."""
    folders = [store.folder / "jobs" / job / "run" for job in dict.fromkeys(jobs) if job]
    return [folder for folder in folders if (folder / "run.json").is_file()]


def _measuring(options: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the steps by which the job `measure` measured; none of another job's table."""
    shared = {key: options[key] for key in ("labels", "table") if key in options}
    return [{"step": name, **shared, **options[name]} for name in _MEASURING if isinstance(options.get(name), dict)]


def _image_facts(store: Store, used: Sequence[StoredImage]) -> ImageFacts:
    """Return how many images there are, with their channels and pixel size where all have the same."""
    channels, sizes = set(), set()
    for each in used:
        said = said_of(store, each.id)
        names = said.get("channel_names") or [channel["name"] for channel in each.header.get("channels") or ()]
        channels.add(tuple(map(str, names)))
        sizes.add(pixel_sides_um(store, each))
    return ImageFacts(
        len(used),
        channels=next(iter(channels)) if len(channels) == 1 else (),
        pixel_size_um=next(iter(sizes)) if len(sizes) == 1 else None,
    )


def _edits(labels: LabelSet, told: Mapping[str, Any]) -> int:
    """Return how many edits the labels of a table had, those before they got other ids among them."""
    return int(told.get("version") or 0) + edits_before_relabelling(labels)


def _corrections(labels: Mapping[str, LabelSet], versions: Mapping[str, int]) -> tuple[str, ...]:
    """Return sentences about labels that people drew, brought along or corrected."""
    of = f"{len(labels)} image{'s' if len(labels) != 1 else ''}"
    drawn = sum(bool(each.origin.get("drawn")) for each in labels.values())
    brought = sum("job" not in each.origin and not each.origin.get("drawn") for each in labels.values())
    edits = [version for version in versions.values() if version > 0]
    said = {
        f"Labels were drawn by hand in {drawn} of {of}.": drawn,
        f"Labels of {brought} of {of} were made by other programs.": brought,
        f"Labels were corrected by hand in {len(edits)} of {of} ({sum(edits):,} edits).": len(edits),
        f"Labels of all {of} were used as they were found, without corrections.": labels and not drawn and not edits,
    }
    return tuple(sentence for sentence, holds in said.items() if holds)


def _projections(hows: Sequence[str | None]) -> tuple[str, ...]:
    """Return sentences about Z stacks whose planes were made one."""
    words = {"max": "maximum", "mean": "mean"}
    counts = {word: hows.count(how) for how, word in words.items()}
    of = f"{len(hows)} image{'s' if len(hows) != 1 else ''}"
    return tuple(
        f"Z stacks were analysed as the {word} of their planes ({number} of {of})."
        for word, number in counts.items()
        if number
    )
