"""The step Two channels in a browser: live masks, quantifying, profiles, settings that stay, the command's numbers."""

from __future__ import annotations

import io
import json
import zipfile
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tifffile
from typer.testing import CliRunner

from cellmetry.cli.app import app
from cellmetry.io.tables import read_table

LAST = "cellmetry.study.jobs.all.find((job) => job.kind === 'quantify')"
LAYERS = "[...cellmetry.viewer.layers.keys()].filter((name) => name.startsWith('dual')).sort()"

CURVES = "document.querySelectorAll('.dual-profile .plot-curve').length"
IDS = "cellmetry.viewer.layers.get('ids')?.shapes.length"
CENTRES = ((30, 30), (30, 88), (86, 32), (88, 86))


def discs(seed: int, side: int = 120) -> np.ndarray:
    """Return four discs: a bright rim in the first channel, bright inside in the second."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side]
    depth = np.min([np.hypot(y - cy, x - cx) for cy, cx in CENTRES], axis=0)
    target = 100 + 100 * (depth < 20) + 900 * np.exp(-(((depth - 16) / 2) ** 2))
    reference = 100 + 400 * (depth < 20) + 300 * np.exp(-(((depth - 12) / 3) ** 2))
    return (np.stack([target, reference]) + rng.normal(0, 8, (2, side, side))).clip(0, 65535).astype(np.uint16)


def cells(side: int = 120) -> np.ndarray:
    """Return the labels of these discs, 1 to 4."""
    y, x = np.mgrid[:side, :side]
    away = np.stack([np.hypot(y - cy, x - cx) for cy, cx in CENTRES])
    return np.where(away.min(axis=0) < 20, away.argmin(axis=0) + 1, 0).astype(np.uint32)


READ = "((rows) => rows.length > 1 && rows.every((each) => each.row))([...document.querySelectorAll('.table-row')])"


@pytest.fixture(scope="module")
def results() -> Any:
    """The module `results_study`: jobs over REST."""
    spec = spec_from_file_location("tests_web_dual_results", Path(__file__).parent / "results_study.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def files(pictures: Any) -> dict[str, bytes]:
    return {f"dose_{k}.tif": pictures.tiff(discs(k), um=0.2) for k in range(2)}


@pytest.fixture(scope="module")
def study(server: Any, api: Any, files: dict[str, bytes], results: Any, squares: Any) -> str:
    """A study of two images of two channels with four cells each, numbered 1 to 4 and 4 to 1."""
    study = api.post("studies", json={"name": "Discs"}).json()["id"]
    parts = [("files", each) for each in files.items()]
    assert api.post(f"studies/{study}/images", files=parts).status_code == 201
    results.wait_for_jobs(api, study)
    first, second = (each["id"] for each in results.images_of(api, study))
    squares.add(server, "Discs", {first: cells(), second: np.where(cells() > 0, 5 - cells(), 0).astype(np.uint32)})
    return study


@pytest.fixture
def opened(page: Any, study: str, until: Any) -> Any:
    """The step Two channels of that study, ready to be used."""
    page.evaluate("study => cellmetry.place.go(study, 'dual')", study)
    until(page, "cellmetry.viewer?.labels && document.querySelector('[data-section=target]')")
    return page


@pytest.fixture(scope="module")
def mixed(server: Any, api: Any, results: Any, squares: Any) -> str:
    """A study of a plain image, a time series of two frames, and an image without cells whose channels are others."""
    study = api.post("studies", json={"name": "Mixed"}).json()["id"]
    pixels = {"plain": discs(0), "series": np.stack([discs(1), discs(2) // 2]), "strange": discs(3)}
    names = {"strange": ["GFP", "DAPI"]}
    parts = [("files", (f"{name}.ome.tif", ome(each, names.get(name)))) for name, each in pixels.items()]
    assert api.post(f"studies/{study}/images", files=parts).status_code == 201
    results.wait_for_jobs(api, study)
    ids = {"plain": cells(), "series": np.stack([cells()] * 2)}
    named = {each["id"]: ids[each["name"]] for each in results.images_of(api, study) if each["name"] in ids}
    squares.add(server, "Mixed", named, stacks="TYX")
    return study


def ome(pixels: np.ndarray, names: list[str] | None = None) -> bytes:
    """Return an OME-TIFF of two channels, of frames where there are four axes."""
    out = io.BytesIO()
    said = {"axes": "TCYX"[4 - pixels.ndim :], "Channel": {"Name": names or ["GFP", "RFP"]}}
    size = {f"PhysicalSize{axis}{end}": value for axis in "XY" for end, value in [("", 0.2), ("Unit", "µm")]}
    tifffile.imwrite(out, pixels, ome=True, metadata={**said, **size})
    return out.getvalue()


@pytest.fixture
def mixed_page(page: Any, mixed: str, until: Any) -> Any:
    """The step Two channels of that study, at the plain image."""
    page.evaluate("study => cellmetry.place.go(study, 'dual')", mixed)
    until(page, "cellmetry.viewer?.labels && document.querySelector('[data-section=target]')")
    look_at(page, until, "plain")
    return page


def look_at(page: Any, until: Any, name: str) -> None:
    """Go to an image and wait until it is seen."""
    page.evaluate(
        f"cellmetry.study.images.select(cellmetry.study.images.all.find((each) => each.name === '{name}').id)"
    )
    until(page, f"cellmetry.viewer.image?.name === '{name}'")


def section(page: Any, name: str) -> Any:
    """Return a section of the form, unfolded."""
    found = page.locator(f"[data-section={name}]")
    if found.get_attribute("open") is None:
        found.locator("summary").first.click()
    return found


def quantify(page: Any, until: Any, *, says: str = "") -> dict[str, Any]:
    """Return the job that was done, during which the middle has a heading."""
    before = page.evaluate(f"{LAST}?.id ?? ''")
    page.evaluate("document.querySelector('.table-panel')?.setAttribute('data-before', '')")
    page.get_by_role("button", name="Quantify", exact=True).click()
    if says:
        page.get_by_role("heading", name=says).wait_for()
    until(page, f"({LAST}?.id ?? '') !== '{before}'")
    job = until(page, f"['done', 'failed'].includes({LAST}.state) && {LAST}", 60)
    assert job["state"] == "done", job
    until(page, "document.querySelector('.table-panel:not([data-before]) .table-row')")
    return dict(job)


def test_numbers_are_those_of_the_command(
    opened: Any, api: Any, study: str, until: Any, files: dict[str, bytes], tmp_path: Any
) -> None:
    page = opened
    page.get_by_label("Preset", exact=True).select_option("Rim of the cell, 90–100 %")
    target = section(page, "target")
    target.get_by_label("Masking mode").select_option(label="Each cell: a percentile")
    target.get_by_label("Percentile").fill("40")
    target.get_by_label("Remove small objects").fill("3")
    section(page, "radial").get_by_label("Inner").fill("70")
    page.get_by_role("heading", name="Nothing is quantified yet").wait_for()
    job = quantify(page, until, says="Quantifying…")
    page.get_by_text("8 rows", exact=True).wait_for()

    exports = api.get(f"studies/{study}/results", params={"kind": "export"}).json()
    folder = next(each for each in exports if each["job_id"] == job["id"])
    packed = zipfile.ZipFile(io.BytesIO(api.get(f"studies/{study}/results/{folder['id']}/download").content))
    labels = next(name for name in packed.namelist() if name.endswith("dose_0_labels.tif"))
    (tmp_path / "labels.tif").write_bytes(packed.read(labels))
    (tmp_path / "dose_0.tif").write_bytes(files["dose_0.tif"])
    asked = [
        *("quantify", tmp_path / "dose_0.tif", "--target", 0, "--reference", 1, "--labels", tmp_path / "labels.tif"),
        *("--out", tmp_path / "out", "--mask-target", "per_cell_percentile", "--percentile-target", 40),
        *("--min-object-target", 3, "--background", "dark:5", "--radial", "70:100", "--profile", "5:1"),
        *("--profile-range", "0:150", "--peaks", "first_local_top", "--peak-range", "60:100", "--no-pictures"),
    ]
    done = CliRunner().invoke(app, [str(each) for each in asked])
    assert done.exit_code == 0, done.output

    tables = {each["name"]: each for each in api.get(f"studies/{study}/tables").json()}
    for name, shown in [("cells", "quantification"), ("radial_profile_cells", ""), ("peaks", "")]:
        table = tables[shown or f"quantification {name}"]
        body = {"where": ['image == "dose_0"'], "limit": 1000}
        rows = pd.DataFrame(api.post(f"studies/{study}/tables/{table['id']}/query", json=body).json()["rows"])
        alone = read_table(tmp_path / "out" / "tables" / f"{name}.parquet")
        numbers = [each for each in alone.select_dtypes("number") if each in rows]
        assert len(numbers) > 3
        assert np.allclose(rows[numbers].to_numpy(float), alone[numbers].to_numpy(float), rtol=1e-12, equal_nan=True)


def test_masks_are_seen_live_and_leave_the_study_as_it_is(opened: Any, api: Any, study: str, until: Any) -> None:
    page = opened
    before = api.get(f"studies/{study}").json()["last_act"]
    page.get_by_label("Preset", exact=True).select_option("Whole cells")
    page.get_by_role("button", name="Preview", exact=True).click()
    until(page, f"{LAYERS}.length === 4", 60)
    assert page.evaluate(LAYERS) == [
        f"dual {name}_mask{end}" for name in ("reference", "target") for end in ("", " fill")
    ]
    counted = page.locator(".dual-mask").filter(has_text="Target mask").locator(".number")
    whole = counted.inner_text()
    section(page, "target").get_by_label("Masking mode").select_option(label="Each cell: Otsu")
    until(page, f"!['–', '{whole}'].includes([...document.querySelectorAll('.dual-mask .number')][1].textContent)")
    filled = "cellmetry.viewer.layers.get('dual target_mask fill').pixels.data.filter((id) => id > 0).length"
    assert counted.inner_text() == f"{page.evaluate(filled):,} px"
    page.get_by_role("checkbox", name="Reference mask").last.uncheck()
    assert page.evaluate(LAYERS) == ["dual target_mask", "dual target_mask fill"]
    section(page, "profile").get_by_label("Make a radial profile").check()
    page.get_by_text("Profile of what is previewed").wait_for()
    page.get_by_label("Preset", exact=True).select_option("Rim of the cell, 90–100 %")
    until(page, f"{LAYERS}.join() === 'dual radial_mask,dual radial_mask fill'")
    page.get_by_role("button", name="Preview", exact=True).click()
    assert page.evaluate(LAYERS) == []
    assert api.get(f"studies/{study}").json()["last_act"] == before


def test_a_cell_has_its_profile_and_peaks(opened: Any, until: Any) -> None:
    page = opened
    if not page.evaluate("cellmetry.study.jobs.all.some((job) => job.kind === 'quantify' && job.state === 'done')"):
        page.get_by_label("Preset", exact=True).select_option("Rim of the cell, 90–100 %")
        quantify(page, until)
    page.get_by_role("heading", name="Profile of all cells").wait_for()
    page.get_by_text("Peaks (median of the cells)").wait_for()
    until(page, "document.querySelectorAll('.dual-profile .plot-curve').length === 3")
    until(page, READ)
    page.wait_for_timeout(1000)  # a table that is drawn anew takes its rows away
    page.locator(".table-row").nth(1).click()
    page.get_by_role("heading", name="Profile of cell 2").wait_for()
    until(page, "document.querySelectorAll('.dual-profile .plot-peak').length === 2")
    assert page.evaluate("[...cellmetry.viewer.selected]") == [2]
    page.get_by_role("button", name="All cells").click()
    page.get_by_role("heading", name="Profile of all cells").wait_for()
    page.get_by_text("For a grid of all cells' profiles").wait_for()
    with page.expect_download() as saved:
        page.get_by_role("button", name="PNG").click()
    picture = Path(saved.value.path()).read_bytes()
    assert saved.value.suggested_filename == "Profile_of_all_cells_dose_0.png"
    assert picture.startswith(b"\x89PNG")
    assert picture[37:41] == b"pHYs"
    assert int.from_bytes(picture[41:45]) == 5906  # a metre: 150 dpi
    with page.expect_download() as saved:
        page.get_by_role("button", name="Masks, ratios and plots").click()
    names = zipfile.ZipFile(saved.value.path()).namelist()
    assert any(name.endswith("masks/dose_0_radial_mask.tif") for name in names)


def test_ids_of_other_labels_and_sides_of_pixels(opened: Any, api: Any, study: str, until: Any, squares: Any) -> None:
    page = opened
    ids = section(page, "ids")
    other = "cellmetry.study.labels.all.find((each) => each.image !== cellmetry.study.images.current.id).id"
    ids.get_by_label("Previous labels").select_option(page.evaluate(other))
    ids.get_by_role("button", name="Relabel to previous IDs").click()
    ids.get_by_text("4 cells kept an ID, 0 are new").wait_for(timeout=60_000)
    rows = ids.locator("tbody tr").all_inner_texts()
    assert [row.split() for row in rows] == [[str(k), str(5 - k), "1.00"] for k in range(1, 5)]
    labels = page.evaluate("cellmetry.study.labels.of(cellmetry.study.images.current.id).id")
    assert squares.pixels(api, study, labels)[30, 30] == 4
    pixels = section(page, "pixels")
    pixels.get_by_label("Height differs from width").check()
    pixels.get_by_label("Pixel height").fill("0.4")
    pixels.get_by_label("Pixel height").press("Enter")
    until(page, "cellmetry.study.images.all.every((each) => each.said.pixel_size_y_um === 0.4)")
    pixels.get_by_text("Pixel size: 0.200 × 0.400 µm").wait_for()


def test_settings_stay_and_other_rules_have_other_fields(opened: Any, until: Any) -> None:
    page = opened
    page.get_by_label("Preset", exact=True).select_option("DualCellQuant: its published pipeline")
    modes = section(page, "target").get_by_label("Masking mode").locator("option").all_inner_texts()
    assert modes[0] == "None: all unsaturated pixels"
    assert not any("Li" in mode for mode in modes)
    assert section(page, "target").get_by_label("Saturation limit").input_value() == "254"
    page.get_by_label("Rules").select_option("Cellmetry")
    assert section(page, "target").get_by_label("Saturation limit").input_value() == "100%"
    section(page, "target").get_by_label("Saturation limit").fill("99%")
    radial = section(page, "radial")
    radial.get_by_label("In", exact=True).select_option("µm from the edge")
    assert radial.get_by_label("Outer").input_value() == "0.5"
    page.get_by_role("button", name="Keep as a preset").click()
    page.get_by_label("Name", exact=True).fill("Mine")
    page.get_by_role("button", name="Keep", exact=True).click()
    page.reload()
    until(page, "document.querySelector('[data-section=target]')")
    assert section(page, "target").get_by_label("Saturation limit").input_value() == "99%"
    assert section(page, "radial").get_by_label("In", exact=True).input_value() == "1"
    page.get_by_label("Preset", exact=True).select_option("Whole cells")
    assert section(page, "target").get_by_label("Saturation limit").input_value() == "100%"
    page.get_by_text("The background is taken off before anything is measured.").wait_for()
    page.get_by_label("Preset", exact=True).select_option("Whole cells, nothing taken off")
    page.get_by_text("No background is taken off the target and the reference: the camera's offset").wait_for()
    page.get_by_label("Preset", exact=True).select_option("Mine")
    assert section(page, "target").get_by_label("Saturation limit").input_value() == "99%"
    page.get_by_role("button", name="Reset all settings").click()
    assert section(page, "target").get_by_label("Saturation limit").input_value() == "100%"
    assert page.get_by_label("Preset", exact=True).input_value() == "Whole cells"


def test_what_is_wrong_is_said_beside_its_field_or_in_words(opened: Any, until: Any, faults: Any) -> None:
    page = opened
    faults.allow("status of 4")
    page.get_by_label("Preset", exact=True).select_option("Whole cells")
    target = section(page, "target")
    target.get_by_label("Masking mode").select_option(label="Image: a percentile")
    target.get_by_label("Percentile").fill("101")
    target.get_by_text("At most 100.").wait_for()
    target.get_by_label("Percentile").fill("75")
    jobs = page.evaluate("cellmetry.study.jobs.all.length")
    target.get_by_label("Saturation limit").fill("much")
    page.get_by_role("button", name="Quantify", exact=True).click()
    target.get_by_role("alert").filter(has_text="not 'much'").wait_for()
    assert page.evaluate("cellmetry.study.jobs.all.length") == jobs


def test_an_image_without_the_channels_that_are_wished_changes_them_not(mixed_page: Any, until: Any) -> None:
    page = mixed_page
    roles = "usualRoles(['DAPI', 'FRB', 'GFP'].map((text) => ({ value: text, text })))"
    found = page.evaluate(f"import('./web/steps/dual/words.js').then(({{ usualRoles }}) => {roles})")
    assert [found[role]["text"] for role in ("target", "reference")] == ["FRB", "DAPI"]
    run = page.get_by_role("button", name="Quantify", exact=True)
    reference = page.get_by_label("Reference", exact=True)
    assert reference.evaluate("each => each.selectedOptions[0].text") == "RFP"
    assert run.is_enabled()
    reference.select_option("GFP")
    page.get_by_role("alert").filter(has_text="Target and reference are the same channel, GFP").wait_for()
    assert run.is_disabled()
    reference.select_option("RFP")
    assert run.is_enabled()
    look_at(page, until, "strange")
    assert reference.evaluate("each => each.selectedOptions[0].text") == "RFP (not in this image)"
    assert page.get_by_label("Target", exact=True).evaluate("each => each.selectedOptions[0].text") == "GFP"
    page.get_by_text("This image has no channel RFP.").wait_for()
    assert run.is_disabled()
    reference.select_option("DAPI")
    assert run.is_enabled()
    look_at(page, until, "plain")
    assert run.is_disabled()
    reference.select_option("RFP")
    assert run.is_enabled()
    assert json.loads(page.evaluate("cellmetry.place.get('quantify')"))["reference"] == "RFP"


def test_masks_of_one_image_are_not_drawn_over_another(mixed_page: Any, until: Any) -> None:
    page = mixed_page
    page.get_by_role("button", name="Preview", exact=True).click()
    until(page, f"{LAYERS}.length === 4", 60)
    note = f"window.seen.push({LAYERS}.length)"
    page.evaluate(f"() => {{ window.seen = []; cellmetry.viewer.on('shown', () => {note}); }}")
    look_at(page, until, "series")
    until(page, f"window.seen.length && {LAYERS}.length === 4", 60)
    page.evaluate("cellmetry.look.go({ t: 1 })")
    until(page, f"cellmetry.viewer.t === 1 && {LAYERS}.length === 4", 60)
    assert page.evaluate("window.seen")[:2] == [0, 0]
    look_at(page, until, "strange")
    until(page, f"{LAYERS}.length === 0")
    page.get_by_label("Reference", exact=True).select_option("DAPI")
    page.get_by_text("No cells are seen in this image").wait_for()
    assert page.evaluate(LAYERS) == []


def test_plain_images_beside_time_series_have_profiles_and_numbers(
    mixed_page: Any, mixed: str, api: Any, results: Any, until: Any
) -> None:
    page, profiles = mixed_page, {"target": "GFP", "reference": "RFP", "plan": {"profile": "5:1"}}
    results.run_job(api, mixed, "quantify", profiles)
    sizes = page.get_by_label("IDs", exact=True)
    sizes.fill("1.8")
    until(page, f"{IDS} === 4")
    until(page, f"{CURVES} === 3")
    sizes.fill("0")
    until(page, f"{IDS} === undefined")
    look_at(page, until, "series")
    until(page, f"{CURVES} === 3")
    page.locator(".table-row", has_text="series").first.click()
    page.get_by_role("heading", name="Profile of cell").wait_for()
    page.evaluate("cellmetry.look.go({ t: 1 })")
    page.get_by_role("heading", name="Profile of all cells").wait_for()


def test_a_row_that_another_overtakes_selects_nothing(mixed_page: Any, until: Any) -> None:
    page = mixed_page
    row = page.locator(".table-row")
    row.first.wait_for()
    until(page, READ)
    first, last = page.evaluate("[...document.querySelectorAll('.table-row')].map((each) => each.row.image)")[
        :: row.count() - 1
    ]
    assert [first, last] == ["plain", "series"]
    look_at(page, until, "strange")
    page.evaluate(
        "() => { const all = document.querySelectorAll('.table-row'); all[0].click(); [...all].at(-1).click(); }"
    )
    until(page, "cellmetry.viewer.image?.name === 'series' && cellmetry.viewer.selected.size === 1")
    page.wait_for_timeout(200)
    assert page.evaluate("[cellmetry.viewer.image.name, cellmetry.viewer.t, cellmetry.viewer.selected.size]") == [
        "series",
        1,
        1,
    ]


def test_one_image_has_a_table_beside_that_of_all_and_is_submitted_once(
    mixed_page: Any, mixed: str, api: Any, results: Any, until: Any
) -> None:
    page = mixed_page
    page.locator(".table-row").first.wait_for()
    jobs = "cellmetry.study.jobs.all.filter((job) => job.kind === 'quantify').length"
    before = page.evaluate(jobs)
    page.get_by_label("Images", exact=True).select_option("this")
    page.get_by_role("button", name="Quantify", exact=True).evaluate("button => { button.click(); button.click(); }")
    until(page, "document.querySelector('.table-panel')?.ariaLabel === 'Table quantification of plain'", 60)
    assert page.evaluate(jobs) == before + 1
    page.get_by_label("Table", exact=True).select_option(label="quantification (12 rows)")
    until(page, "document.querySelector('.table-panel')?.ariaLabel === 'Table quantification'")

    image = next(each["id"] for each in results.images_of(api, mixed) if each["name"] == "plain")
    asked = {"images": [image], "axes": "CYX"}
    assert api.post(f"studies/{mixed}/images/read-again", json=asked).status_code < 300
    results.wait_for_jobs(api, mixed)
    until(page, f"cellmetry.study.images.find('{image}') === undefined")
    look_at(page, until, "plain")
    page.get_by_text("This image was not quantified.").wait_for()
    page.get_by_text("since the table quantification was made").wait_for()
