"""Each thing that can be wrong with a design is found, and nothing is found in a sound one."""

from __future__ import annotations

from itertools import product

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellmetry.study.design.checks import check_design
from cellmetry.study.design.design import Finding
from cellmetry.study.file import DesignSection
from cellmetry.study.images import StudyImages
from cellmetry.study.sheets import with_wells

NAMED = DesignSection(control="ctrl")


def design(rows: list[dict]) -> pd.DataFrame:
    table = pd.DataFrame(rows).astype(object)
    table.insert(0, "image", [f"i{number}" for number in range(len(table))])
    for name, default in (("excluded", False), ("reason", "")):
        there = table[name] if name in table.columns else [None] * len(table)
        table[name] = [default if value is None or pd.isna(value) else value for value in there]
    table["excluded"] = table["excluded"].astype(bool)
    made = with_wells(table)
    return made.assign(dose=made["dose"].astype(float)) if "dose" in made.columns else made


def sound(conditions: tuple = ("ctrl", "a"), replicates: tuple = ("1", "2", "3"), **more: str) -> list[dict]:
    """Return three plates, each a replicate on a day of its own, with four wells of each condition mixed over rows."""
    rows = []
    for number, replicate in enumerate(replicates):
        for row, column in product("ABCDEFGH", range(3, 3 + len(conditions))):
            which = (ord(row) + column + number) % len(conditions)
            place = {"plate": f"P{replicate}", "well": f"{row}{column:02d}", "field": "1"}
            known = {"condition": conditions[which], "replicate": replicate, "batch": f"day{replicate}"}
            rows.append({**place, **known, **more})
    return rows


def found(
    rows: list[dict], said: DesignSection = NAMED, shortages: tuple = (), headers: pd.DataFrame | None = None
) -> tuple[Finding, ...]:
    images = design(rows)
    files = StudyImages(images, pd.DataFrame() if headers is None else headers, "", shortages)
    return check_design(images, said, files)


def of_kind(findings: tuple[Finding, ...], kind: str) -> list[Finding]:
    return [finding for finding in findings if finding.kind == kind]


def assert_one(findings: tuple[Finding, ...], kind: str, severity: str, *words: str) -> None:
    there = [finding for finding in of_kind(findings, kind) if finding.severity == severity]
    assert len(there) == 1, findings
    for word in words:
        assert word in there[0].text


def test_images_of_one_content_are_told_unless_they_are_left_out() -> None:
    rows = sound()
    headers = pd.DataFrame({"image": [f"i{k}" for k in range(len(rows))], "pixel_size_um": 0.5, "exposure_ms": "10"})
    headers = headers.assign(n_channels=1, readable=True, content=[f"c{max(k, 1)}" for k in range(len(rows))])
    assert_one(found(rows, headers=headers), "copies", "warning", "i0 = i1;", "count no cell twice")
    rows[1] |= {"excluded": True, "reason": "a copy"}
    assert not of_kind(found(rows, headers=headers), "copies")


def test_a_sound_design_is_left_alone() -> None:
    assert found(sound()) == ()
    assert found(sound(("ctrl", "a", "b", "c"))) == ()


def wells(rows: str = "ABCD", columns: int = 6, **more: str) -> list[dict]:
    """Return one plate with a condition in each pair of columns."""
    return [
        {"well": f"{row}{column:02d}", "condition": ("ctrl", "a", "b")[(column - 1) // 2], **more}
        for row, column in product(rows, range(1, columns + 1))
    ]


def test_wells_of_one_plate_are_no_replicates() -> None:
    words = ("All 24 wells are of one plate", "technical repeats, no replicates", "no p-values", "column replicate")
    assert_one(found(wells()), "pseudoreplication", "warning", "No column says of which replicate", *words)
    assert_one(
        found(wells(replicate="1")), "pseudoreplication", "warning", "All images are of one replicate (1)", *words
    )


def test_rows_of_one_plate_named_replicates() -> None:
    rows = [{**row, "replicate": row["well"][0]} for row in wells("ABC")]
    assert_one(found(rows), "pseudoreplication", "warning", "A, B, C are wells of one plate", "column batch")
    same_day = [{**row, "batch": "monday"} for row in rows]
    assert_one(found(same_day), "pseudoreplication", "warning", "and of one batch")
    apart = [{**row, "batch": f"culture {row['replicate']}"} for row in rows]
    assert not of_kind(found(apart), "pseudoreplication")


def days(**more: str) -> list[dict]:
    """Return two conditions of nine wells each, three of a day, numbered 1 to 9 as replicates."""
    return [
        {
            "well": f"{row}{2 + 3 * day + well:02d}",
            "condition": condition,
            "replicate": str(3 * day + well + 1),
            "batch": "ABC"[day],
            **more,
        }
        for (row, condition), day, well in product((("B", "ctrl"), ("C", "a")), range(3), range(3))
    ]


def test_wells_of_one_day_are_no_replicates_though_days_are_named() -> None:
    words = ("1, 2, 3 of ctrl are wells of one plate", "one batch (A)", "batch (A, B, C) would be the replicate")
    assert_one(found(days()), "pseudoreplication", "warning", *words, "5 more groups", "3 in all", "no p-value")
    assert_one(found(days(plate="P1")), "pseudoreplication", "warning", "of ctrl are wells of plate P1")
    by_day = [{**row, "replicate": row["batch"]} for row in days()]
    assert found(by_day) == ()
    one_well_twice = [row for row in days() if row["replicate"] in "12" or row["batch"] != "A"]
    apart = [{**row, "batch": f"culture {row['replicate']}"} for row in one_well_twice]
    assert not of_kind(found(apart), "pseudoreplication")
    half = [{**row, "batch": None if row["replicate"] in "123" else f"day {row['replicate']}"} for row in days()]
    assert_one(found(half), "pseudoreplication", "warning", "1, 2, 3 of ctrl", "no column batch says")


def test_replicates_on_plates_of_their_own() -> None:
    plates = [{**row, "plate": f"P{row['replicate']}"} for row in days()]
    assert_one(found(plates), "replicates", "note", "1, 2, 3 of ctrl are of one batch (A)", "from one culture")
    assert not of_kind(found(plates), "pseudoreplication")
    unknown = [{name: value for name, value in row.items() if name != "batch"} for row in plates]
    assert not of_kind(found(unknown), "replicates")
    two = [{**row, "plate": f"P{row['batch']}", "batch": None} for row in days()]
    assert_one(
        found(two),
        "pseudoreplication",
        "warning",
        "1, 2, 3 of ctrl are wells of plate PA",
        "plate (PA, PB, PC) would be",
    )


def test_replicates_of_one_batch_whose_wells_are_unknown() -> None:
    dishes = [{"condition": c, "replicate": r, "batch": "day", "field": f} for c, r, f in product("ab", "12", "xy")]
    assert_one(found(dishes), "replicates", "note", "1, 2 of a are of one batch (day)")


def test_a_replicate_that_is_a_field() -> None:
    rows = [{**row, "field": field, "replicate": field} for row in sound() for field in "12"]
    assert_one(found(rows), "pseudoreplication", "error", "between the fields of one well (A03")
    bare = [{"condition": c, "field": f, "replicate": f"r{f}"} for c, f in product(("ctrl", "a"), "123")]
    assert_one(found(bare), "pseudoreplication", "error", "replicate and field say the same")
    each = [{"condition": c, "replicate": f"{c}{f}"} for c, f in product(("ctrl", "a"), "123")]
    assert_one(found(each), "replicates", "warning", "Each image is a replicate of its own")


def test_too_few_replicates() -> None:
    rows = sound()
    fewer = [row for row in rows if row["condition"] == "ctrl" or row["replicate"] == "1"]
    assert_one(found(fewer), "replicates", "warning", "a has one replicate or none")
    each = [{**row, "replicate": row["condition"]} for row in rows]
    assert_one(found(each), "replicates", "warning", "No condition has a second replicate")
    lost = [{**row, "replicate": None if number < 2 else row["replicate"]} for number, row in enumerate(rows)]
    assert_one(found(lost), "replicates", "warning", "2 of 48 images have no replicate", "i0, i1")
    nowhere = [{"condition": condition} for condition in ("ctrl", "a")]
    assert_one(found(nowhere), "replicates", "warning", "No column says", "no p-values")


def test_pairs() -> None:
    rows = sound()
    lacking = [row for row in rows if (row["condition"], row["replicate"]) != ("a", "2")]
    assert_one(found(lacking), "missing", "warning", "a (has no 2)")
    apart = [{**row, "replicate": f"{row['condition']}{row['replicate']}"} for row in rows]
    assert_one(found(apart), "pairing", "note", "No replicate is in two conditions")
    torn = [{**row, "batch": f"{row['condition']}{row['replicate']}"} for row in rows]
    assert_one(found(torn), "pairing", "warning", "replicate 1, 2, 3 come from different batches")


def test_unbalanced() -> None:
    rows = [row for row in sound() if not (row["condition"] == "a" and row["well"][0] in "ABCDEF")]
    assert_one(found(rows), "unbalanced", "note", "number of wells of a replicate differs", "(a)", "(ctrl)")
    fewer = [row for row in sound() if row["condition"] == "ctrl" or row["replicate"] != "3"]
    assert_one(found(fewer), "unbalanced", "warning", "from 2 (a) to 3 (ctrl)")


def test_missing_wells_fields_and_planes() -> None:
    rows = sound()
    assert_one(found(rows[1:]), "missing", "warning", "Plate P1 has no image of A03")
    two = [{**row, "field": field} for row in rows for field in "12"]
    assert_one(found(two[1:]), "missing", "warning", "Most wells have 2 images", "A03 (1)")
    assert_one(found(rows, shortages=("x lacks channel 2.",) * 5), "missing", "warning", "5 images", "And 2 more")
    sparse = [row for row in rows if int(row["well"][1:]) % 2 == ord(row["well"][0]) % 2]
    assert not [finding for finding in of_kind(found(sparse), "missing") if "no image of" in finding.text]


@pytest.mark.parametrize("column", ["batch", "plate"])
def test_conditions_confounded_with_batch_or_plate(column: str) -> None:
    rows = [{**row, column: row["condition"].upper()} for row in sound()]
    assert_one(found(rows), "confounded", "warning", f"Each {column} holds one condition only", "CTRL: ctrl")


def test_a_batch_with_one_condition_beside_mixed_ones() -> None:
    extra = {"plate": "P9", "well": "A03", "field": "1", "condition": "a", "replicate": "1", "batch": "day9"}
    notes = [finding for finding in of_kind(found([*sound(), extra]), "confounded") if "day9" in finding.text]
    assert notes[0].severity == "note"


def test_one_cell_line_per_batch() -> None:
    lines = {"1": "HeLa", "2": "U2OS", "3": "HeLa"}
    rows = [{**row, "cell_line": lines[row["replicate"]]} for row in sound()]
    texts = [finding.text for finding in of_kind(found(rows), "confounded")]
    assert any("One cell_line for each batch (day1: HeLa, day2: U2OS, day3: HeLa)" in text for text in texts)
    by_condition = [{**row, "clone": row["condition"]} for row in sound()]
    assert_one(found(by_condition), "confounded", "warning", "One clone for each condition")
    mixed = [{**row, "cell_line": "HeLa" if row["well"][0] in "ABCD" else "U2OS"} for row in sound()]
    assert found(mixed) == ()


def test_controls() -> None:
    rows = sound()
    assert_one(found(rows, DesignSection()), "control", "note", "each condition is compared with each")
    assert_one(found(rows, DesignSection(control="ctr")), "control", "error", "'ctr' is no condition", "ctrl")
    assert_one(found(rows, DesignSection(control="ctrl", positive_control="x")), "control", "error", "positive_control")
    only = [row for row in rows if row["condition"] == "a" or row["batch"] == "day1"]
    texts = [finding.text for finding in of_kind(found(only), "control")]
    assert any("is in one batch (day1; not in day2, day3)" in text for text in texts)


def test_edges() -> None:
    rows = sound()
    whole = [
        {
            "plate": f"P{k}",
            "well": f"{r}{c:02d}",
            "condition": "ctrl" if c in {1, 12} else "a",
            "replicate": k,
            "batch": k,
        }
        for k, r, c in product("12", "CDEF", range(1, 13))
    ]
    assert_one(
        found(whole), "edge", "warning", "All edge wells of the 96-well plate that names of wells suggest hold ctrl"
    )
    spread = [{**row, "condition": "ctrl" if int(row["well"][1:]) % 2 else "a"} for row in whole]
    assert not of_kind(found(spread), "edge")
    third = [
        {**row, "condition": ("ctrl" if row["well"].endswith("01") else "a" if row["well"][0] < "C" else "b")}
        for row in [{**row, "well": f"{row['well'][0]}{int(row['well'][1:]) - 2:02d}"} for row in rows]
    ]
    assert_one(found(third), "edge", "warning", "The control ctrl is only at the edge")


def test_doses() -> None:
    rows = [{**row, "dose": str(ord(row["well"][0]) - ord("A"))} for row in sound()]
    assert_one(found(rows), "dose", "note", "8 of ctrl")
    assert_one(found([{**row, "dose": "1"} for row in rows]), "dose", "warning", "No image has dose 0")
    assert_one(found([{**row, "dose": "-1"} for row in rows]), "dose", "error", "negative (-1)")
    images = design(rows).assign(dose=["high", *["1"] * (len(rows) - 1)])
    assert_one(check_design(images, NAMED, StudyImages(images, pd.DataFrame())), "dose", "error", "'high'")
    images = design(rows).assign(dose=["zehn", *["0,5"] * (len(rows) - 1)])
    (wrong,) = of_kind(check_design(images, NAMED, StudyImages(images, pd.DataFrame())), "dose")
    assert "'zehn' is no number" in wrong.text
    assert "0,5" not in wrong.text


def test_duplicates() -> None:
    rows = sound()
    assert_one(
        found([*rows, rows[0]]), "duplicate", "error", "2 images have plate and well and field in common", "i0, i48"
    )
    without = [{name: value for name, value in row.items() if name != "field"} for row in [*rows, rows[0]]]
    assert_one(found(without), "duplicate", "note", "nothing names their fields")
    times = [{**row, "time": time} for row in rows for time in "12"]
    assert not of_kind(found(times), "duplicate")


def test_wells_that_are_none() -> None:
    assert_one(found([{**row, "well": f"dish {row['well'][0]}"} for row in sound()]), "wells", "note", "dish A")
    assert_one(found(sound(), DesignSection(control="ctrl", plate_wells=24)), "wells", "error", "24 wells has no E03")


def test_names_of_conditions() -> None:
    rows = [
        {**row, "condition": "Drug A" if row["well"] == "A03" else row["condition"]}
        for row in sound(("ctrl", "drug a"))
    ]
    assert_one(found(rows), "names", "warning", "'drug a'", "'Drug A'")
    assert_one(found(sound(), DesignSection(control="ctrl", order=("x",))), "names", "warning", "order names x")
    assert_one(found(sound(), DesignSection(control="ctrl", names={"z": "Zed"})), "names", "warning", "z = 'Zed'")


def mistyped(right: str, wrong: str) -> list[dict]:
    """Return a sound design with one well in which a condition is written otherwise."""
    rows = sound(("ctrl", right))
    slip = next(number for number, row in enumerate(rows) if row["condition"] == right)
    return [{**row, "condition": wrong if number == slip else row["condition"]} for number, row in enumerate(rows)]


@pytest.mark.parametrize(
    ("right", "wrong"), [("EGF", "EFG"), ("EGF", "EGGF"), ("Wortmannin", "wortmanin"), ("EGF 10 nM", "EGG 10 nM")]
)
def test_a_rare_name_that_looks_like_another(right: str, wrong: str) -> None:
    assert_one(found(mistyped(right, wrong)), "names", "warning", f"{wrong!r} (1) looks like {right!r} (23)")


@pytest.mark.parametrize(
    ("right", "wrong"),
    [("EGF", "PDGF"), ("siRNA1", "siRNA2"), ("drug A", "drug B"), ("10 nM", "10 mM"), ("EGF", "EGF+"), ("WT", "KO")],
)
def test_names_that_differ_on_purpose(right: str, wrong: str) -> None:
    assert not of_kind(found(mistyped(right, wrong)), "names")
    assert not of_kind(found(sound(("ctrl", "EGF", "FGF"))), "names")


def test_conditions() -> None:
    without = [{name: value for name, value in row.items() if name != "condition"} for row in sound()]
    assert_one(found(without), "condition", "error", "No image has a condition")
    assert_one(found(sound(("ctrl",))), "condition", "warning", "nothing can be compared")
    lost = [{**row, "condition": None if number < 2 else row["condition"]} for number, row in enumerate(sound())]
    assert_one(found(lost), "condition", "warning", "2 of 48 images have no condition", "i0, i1")
    assert_one(found([{**row, "excluded": True, "reason": "x"} for row in sound()]), "excluded", "error", "Every image")


def test_images_left_out() -> None:
    rows = sound()
    assert_one(
        found([{**rows[0], "excluded": True}, *rows[1:]]), "excluded", "warning", "without a reason: 1 image (i0)"
    )
    assert_one(found([{**rows[0], "reason": "dust"}, *rows[1:]]), "excluded", "warning", "1 image (i0)", "is analysed")
    dim = {"excluded": True, "reason": "dim"}
    some = [row | dim if row["condition"] == "a" and row["well"][0] < "D" else row for row in rows]
    assert_one(found(some), "excluded", "warning", "Of a 38%", "of ctrl 0%")
    all_a = [row | dim if row["condition"] == "a" else row for row in rows]
    assert_one(found(all_a), "excluded", "warning", "All images of a are left out")


def test_images_taken_differently() -> None:
    rows = sound()
    headers = pd.DataFrame(
        {
            "image": [f"i{number}" for number in range(len(rows))],
            "pixel_size_um": [0.5] * 40 + [0.25] * 8,
            "exposure_ms": ["10, 20"] * 47 + [None],
            "readable": [True] * 47 + [False],
        }
    )
    all_found = found(rows, headers=headers)
    assert_one(all_found, "pixel", "warning", "0.5 µm in 40 images", "0.25 µm in 7 images")
    assert not of_kind(all_found, "exposure")
    assert_one(all_found, "files", "warning", "i47")
    headers.loc[46, "exposure_ms"] = "10, 40"
    assert_one(found(rows, headers=headers), "exposure", "warning", "10, 40 in 1 image")


CELLS = st.one_of(st.none(), st.sampled_from(["a", "A ", "1", "2", "A01", "h12"]))


@given(
    st.lists(
        st.fixed_dictionaries(
            {"plate": CELLS, "well": CELLS, "field": CELLS, "condition": CELLS, "replicate": CELLS, "batch": CELLS},
            optional={"cell_line": CELLS},
        ),
        min_size=1,
        max_size=8,
    ),
    st.lists(st.booleans(), min_size=8, max_size=8),
)
def test_no_design_breaks_the_check(rows: list[dict], left_out: list[bool]) -> None:
    rows = [{**row, "excluded": out} for row, out in zip(rows, left_out, strict=False)]
    findings = found(rows)
    ranks = [["error", "warning", "note"].index(finding.severity) for finding in findings]
    assert ranks == sorted(ranks)
    assert all(finding.text.endswith(".") and "nan" not in finding.text.split() for finding in findings)
