"""What the study's record says of how a table came about, for the methods of a report: images, labels, measurement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cellmetry.pipeline.comparison.run_facts import RunFacts, default_parameters, facts_of_run
from cellmetry.pipeline.jobs.how_read import READ, how_read
from cellmetry.pipeline.jobs.table_steps import changes_labels, steps_of_job
from cellmetry.report.methods import ImageFacts
from cellmetry.study.rebase.held import count_held_edits
from cellmetry.study.store.images import images
from cellmetry.study.store.labels import label_set
from cellmetry.study.store.said import excluded_images

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
    """Return what made the labels of a table, how they were corrected, and by what they were measured."""
    told: Mapping[str, Mapping[str, Any]] = table.details.get("images", {})
    excluded = excluded_images(store)
    used = [each for each in images(store) if each.id in told and each.id not in excluded]
    ids = {each.id: told[each.id].get("labels") for each in used}
    labels = {key: label_set(store, name) for key, name in ids.items() if isinstance(name, str)}
    jobs = [each.origin.get("job") for each in labels.values()] if labels else [table.job_id]
    runs = [facts_of_run(folder) for folder in _folders(store, jobs)]
    others = steps_of_job(store, table)
    measured = [*_measuring(table.details.get("options", {})), *others.steps]
    segmented = [step for run in runs for step in run.steps if not labels or changes_labels(step)]
    steps = tuple(step for place, step in enumerate([*segmented, *measured]) if step not in segmented[:place])
    hashes = {run.recipe_sha256 for run in runs}
    known = runs[0].recipe_sha256 if len(hashes) == 1 else ""
    edits = {key: count_held_edits(store, each, int(told[key].get("version") or 0)) for key, each in labels.items()}
    found = (f"The recipe that found the labels has the SHA-256 {known}.",) if known and labels else ()
    return RunFacts(
        folder=store.folder,
        images=_image_facts(store, used, told),
        steps=steps,
        defaults={step["step"]: default_parameters(step["step"]) for step in steps},
        recipe=runs[0].recipe if known else "",
        recipe_sha256="" if labels else known,  # of a recipe with all that was done
        models=tuple(dict.fromkeys(model for run in runs for model in run.models)),
        versions=runs[0].versions if runs else {},
        labels=(
            *_corrections(labels, edits),
            *_projections([told[each.id].get("project") for each in used]),
            *others.sentences,
            *found,
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


def _image_facts(store: Store, used: Sequence[StoredImage], told: Mapping[str, Mapping[str, Any]]) -> ImageFacts:
    """Return how many images there are, with channels and pixel size, as the table has them, where all are the same."""
    channels, sizes = set(), set()
    for each in used:
        read = {**how_read(store, each), **(told[each.id].get(READ) or {})}
        channels.add(tuple(read.get("channel_names", ())))
        sizes.add(tuple(read.get("pixel_size_um", {}).get(axis) for axis in "yx"))
    y, x = next(iter(sizes)) if len(sizes) == 1 else (None, None)
    return ImageFacts(
        len(used),
        channels=next(iter(channels)) if len(channels) == 1 else (),
        pixel_size_um=None if y is None or x is None else (float(y), float(x)),
    )


def _corrections(labels: Mapping[str, LabelSet], held: Mapping[str, int]) -> tuple[str, ...]:
    """Return sentences about labels that people drew, brought along or corrected."""
    of = f"{len(labels)} image{'s' if len(labels) != 1 else ''}"
    drawn = sum(bool(each.origin.get("drawn")) for each in labels.values())
    brought = sum("job" not in each.origin and not each.origin.get("drawn") for each in labels.values())
    edits = [number for number in held.values() if number > 0]
    total = sum(edits)
    said = {
        f"Labels were drawn by hand in {drawn} of {of}.": drawn,
        f"Labels of {brought} of {of} were made by other programs.": brought,
        f"Labels were corrected by hand in {len(edits)} of {of} ({total:,} edit{'s' if total != 1 else ''}).": edits,
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
