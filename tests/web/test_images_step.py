"""The step Images in a browser: upload, see, say, remove, undo."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest


def files(pictures: Any, *names: str, um: float | None = 0.5) -> list[dict[str, Any]]:
    """Return files of different content."""
    return [file(name, pictures.tiff(pictures.squares(seed=sum(name.encode())), um=um)) for name in names]


def file(name: str, content: bytes) -> dict[str, Any]:
    return {"name": name, "mimeType": "application/octet-stream", "buffer": content}


def choose(page: Any, chosen: list[dict[str, Any]]) -> None:
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose files").last.click()
    chooser.value.set_files(chosen)


def images(api: Any, page: Any) -> list[dict[str, Any]]:
    return api.get(f"studies/{page.evaluate('cellmetry.study.id')}/images").json()


@pytest.fixture
def ready(until: Any) -> Any:
    """Return the function that waits until so many images of a page's study can be worked on."""

    def wait(page: Any, count: int) -> None:
        until(page, f"cellmetry.study?.images.ready.length === {count} && !cellmetry.study.uploads.busy")

    return wait


def card(page: Any, name: str) -> Any:
    return page.get_by_role("option").filter(has_text=name)


def test_files_chosen_on_the_start_page_become_a_study(page: Any, api: Any, pictures: Any, ready: Any) -> None:
    choose(
        page,
        [
            *files(pictures, "b.tif", um=None),
            *files(pictures, "a1.tif", "a2.tif"),
            file("cut.tif", b"II*\0rest"),
            file("notes.txt", b"Day 1: thawed."),
        ],
    )
    ready(page, 3)
    page.get_by_text("1 file is no image: notes.txt.").wait_for()
    page.get_by_role("listbox", name="Images").wait_for()
    card(page, "cut").get_by_text("Not readable").wait_for()
    page.get_by_text("1 image has no pixel size").wait_for()

    card(page, "a1").click()
    card(page, "a2").click(modifiers=["Control"])
    page.get_by_text("2 images chosen").wait_for()
    page.get_by_label("Condition").fill("drug")
    page.get_by_label("Condition").press("Enter")
    page.get_by_text("Condition of 2 images: drug").wait_for()
    card(page, "a2").get_by_text("drug").wait_for()
    said = {each["name"]: each["said"].get("condition") for each in images(api, page)}
    assert said == {"a1": "drug", "a2": "drug", "b": None, "cut": None}
    page.get_by_role("button", name="Undo", exact=True).click()
    card(page, "a2").get_by_text("drug").wait_for(state="detached")
    assert [each["said"].get("condition") for each in images(api, page) if each["name"].startswith("a")] == [None, None]


def test_a_search_that_leaves_nothing_says_so(page: Any, pictures: Any, ready: Any) -> None:
    choose(page, files(pictures, "a1.tif"))
    ready(page, 1)
    page.get_by_label("Search names").fill("nothing like it")
    page.get_by_role("button", name="Show all images").click()
    card(page, "a1").wait_for()


@pytest.mark.parametrize("step", ["segment", "correct", "measure"])
def test_a_step_of_a_study_without_images_leads_to_them(page: Any, api: Any, until: Any, step: str) -> None:
    study = api.post("studies", json={"name": "Empty"}).json()["id"]
    page.evaluate("([study, step]) => cellmetry.place.go(study, step)", [study, step])
    page.get_by_role("button", name="Add images").click()
    until(page, "cellmetry.step === 'images'")


def test_pixel_size_is_asked_for_and_refused_where_it_is_none(page: Any, api: Any, pictures: Any, ready: Any) -> None:
    choose(page, files(pictures, "b.tif", um=None))
    ready(page, 1)
    page.get_by_role("button", name="Enter it").click()
    size = page.get_by_label("Details").get_by_label("Pixel size µm", exact=True)
    size.fill("-2")
    size.press("Enter")
    page.get_by_text("-2 is not a number above 0").wait_for()
    size.fill("0,25")
    size.press("Enter")
    page.get_by_text("no pixel size").wait_for(state="detached")
    page.get_by_text("-2 is not a number above 0").wait_for(state="detached", timeout=3000)
    assert images(api, page)[0]["said"]["pixel_size_um"] == 0.25


def test_removed_images_come_back(page: Any, api: Any, pictures: Any, ready: Any) -> None:
    choose(page, files(pictures, "a.tif", "b.tif"))
    ready(page, 2)
    card(page, "b").click()
    page.get_by_role("button", name="Remove").click()
    card(page, "b").wait_for(state="detached")
    page.get_by_role("button", name="Undo", exact=True).click()
    card(page, "b").wait_for()
    assert len(images(api, page)) == 2


def test_a_file_that_is_no_image_does_not_keep_others_out(page: Any, api: Any, pictures: Any, ready: Any) -> None:
    choose(
        page,
        [
            *files(pictures, "a.tif"),
            file("all.zip", b"PK\3\4" + bytes(60)),
            *files(pictures, "b.tif"),
            file(".hidden", b""),
        ],
    )
    ready(page, 2)
    page.get_by_text("1 file is no image: all.zip.").wait_for()
    assert {each["name"] for each in images(api, page)} == {"a", "b"}


def test_files_dropped_anywhere_are_taken(page: Any, api: Any, pictures: Any, ready: Any) -> None:
    content = list(pictures.tiff(pictures.squares()))
    page.evaluate(
        """content => {
          const data = new DataTransfer();
          data.items.add(new File([new Uint8Array(content)], "dropped.tif"));
          for (const type of ["dragenter", "dragover", "drop"])
            document.body.dispatchEvent(new DragEvent(type, {dataTransfer: data, bubbles: true, cancelable: true}));
        }""",
        content,
    )
    ready(page, 1)
    assert [each["name"] for each in images(api, page)] == ["dropped"]


def test_a_folder_of_the_servers_computer_is_added(
    page: Any, api: Any, server: Any, pictures: Any, faults: Any, ready: Any
) -> None:
    faults.allow("status of 4")
    folder = server.home.parent / "plate"
    folder.mkdir()
    (folder / "field.tif").write_bytes(pictures.tiff(pictures.squares()))
    page.get_by_role("button", name="New study").click()
    page.get_by_label("Name").fill("By reference")
    page.get_by_role("button", name="Make it").click()
    page.get_by_role("button", name="A folder of the server's computer").click()
    page.get_by_label("Folder or file").fill(str(folder))
    page.get_by_role("button", name="Add", exact=True).click()
    ready(page, 1)
    page.get_by_role("button", name="A folder of the server's computer").click()
    page.get_by_label("Folder or file").fill("/etc")
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_text("start it with --root").wait_for()
    page.get_by_role("button", name="Close").last.click()
    moved = folder.rename(folder.with_name("moved plate"))
    page.reload()
    page.get_by_text("1 original file is not where it was (field.tif)").wait_for()
    page.get_by_role("button", name="Say where it is").click()
    page.get_by_label("Folder on the computer").fill(str(moved))
    page.get_by_role("button", name="Look there").click()
    page.get_by_role("heading", name="Found 1 of 1").wait_for()
    page.get_by_role("button", name="Close").last.click()
    page.get_by_text("not where it was").wait_for(state="detached")


def test_ten_thousand_images_are_a_grid_of_few_elements(page: Any) -> None:
    page.evaluate(
        """async () => {
          const { VirtualGrid } = await import(new URL("web/controls/virtual_grid.js", document.baseURI));
          const host = document.createElement("div");
          host.style.cssText = "position:fixed;inset:0;z-index:99;display:flex;background:var(--ground)";
          document.body.append(host);
          const render = (item) => Object.assign(document.createElement("div"), { textContent: item.name });
          const grid = new VirtualGrid({ label: "Many", width: 168, height: 212, key: (item) => item.id, render });
          host.append(grid.element);
          grid.show(Array.from({ length: 10000 }, (_, k) => ({ id: `i${k}`, name: `Image ${k}` })));
          window.grid = grid;
        }"""
    )
    many = page.get_by_role("listbox", name="Many")
    many.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("End")
    page.get_by_text("Image 9999").wait_for()
    assert many.get_by_role("option").count() < 100
    assert page.evaluate("[...grid.selected]") == ["i9999"]
    page.keyboard.press("Control+a")
    assert page.evaluate("grid.selected.size") == 10_000


def test_conditions_are_taken_from_names(page: Any, api: Any, pictures: Any, ready: Any, until: Any) -> None:
    names = ["A01_control_1.tif", "A02_drug_1.tif", "B01_control_2.tif", "stack_of_A01_control_1.tif"]
    choose(page, files(pictures, *names))
    ready(page, 4)
    page.get_by_role("listbox", name="Images").focus()
    page.keyboard.press("Control+a")
    page.get_by_role("button", name="From names").click()
    part = page.get_by_label("What part")
    assert [part.nth(k).input_value() for k in range(3)] == ["well", "condition", "field"]
    page.get_by_label("What part 3 of the names is").select_option("replicate")
    said = "2 conditions (control: 2, drug: 1) × 2 replicates (1: 2, 2: 1)"
    page.get_by_text(said).wait_for()
    page.get_by_text("No image of drug 2.").wait_for()
    page.get_by_text("Nothing is said of stack_of_A01_control_1 (another number of parts).").wait_for()
    page.get_by_role("dialog").get_by_role("button", name="Apply").click()
    page.get_by_text("Said of 3 images by their names").wait_for()
    said = [(each["said"].get("condition"), each["said"].get("replicate")) for each in images(api, page)]
    assert said == [("control", "1"), ("drug", "1"), ("control", "2"), (None, None)]
    page.get_by_role("button", name="Undo", exact=True).click()
    until(page, "cellmetry.study.images.all.every((image) => !image.said.condition)")


NAMES = """async names => {
  const { partsOf, proposedRoles } = await import(new URL("web/steps/images/name_parts.js", document.baseURI));
  const { withoutFolder } = await import(new URL("web/app/images.js", document.baseURI));
  const parts = withoutFolder(names).map(partsOf);
  return [parts[0], proposedRoles(parts)];
}"""


def test_parts_of_names_are_guessed_without_the_folder_of_all(page: Any) -> None:
    rows = [(c, r, f) for c in ("control", "drug") for r in (1, 2) for f in (1, 2)]
    roles = ["condition", "replicate", "field"]
    guess = {
        "data/{}_rep{}_field{}": (["control", "rep1", "field1"], roles),
        "data/{}/day{}/img_{}": (["control", "day1", "img", "1"], [*roles[:2], "", "field"]),
    }
    for form, (parts, said) in guess.items():
        assert page.evaluate(NAMES, [form.format(*row) for row in rows]) == [parts, said]
    assert page.evaluate(NAMES, ["data/a.tif", "data/b.tif"])[1] == ["condition", ""]
    assert page.evaluate(NAMES, ["data/only.tif"]) == [["only", "tif"], ["", ""]]


def test_copies_are_told_and_what_is_left_out_is_not_counted(page: Any, api: Any, pictures: Any, ready: Any) -> None:
    first, second = files(pictures, "a.tif", "b.tif")
    choose(page, [first, second])
    ready(page, 2)
    choose(page, [{**first, "name": "again.tif"}, file("notes.tif", b"fed the cells")])
    page.get_by_text("again is there already, as a: its cells would count twice").wait_for()
    page.get_by_role("button", name="Remove it").click()
    card(page, "again").wait_for(state="detached")
    there = {each["name"]: each["id"] for each in images(api, page)}
    assert set(there) == {"a", "b", "notes"}
    said = {"values": {"condition": "drug"}, "images": list(there.values())}
    study = f"studies/{page.evaluate('cellmetry.study.id')}"
    api.patch(f"{study}/images", json=said)
    api.patch(f"{study}/images", json={"values": {"excluded": True}, "images": [there["b"]]})
    page.get_by_role("row", name="drug 1 –").wait_for()
    page.get_by_text("Without 1 image left out, 1 not readable").wait_for()


def test_what_others_say_is_seen_beside_the_field_in_which_one_types(
    page: Any, api: Any, pictures: Any, ready: Any, until: Any
) -> None:
    choose(page, files(pictures, "first.tif"))
    ready(page, 1)
    card(page, "first").click()
    page.get_by_label("Condition").press_sequentially("dr")
    [image] = images(api, page)
    study = f"studies/{page.evaluate('cellmetry.study.id')}"
    api.patch(f"{study}/images", json={"values": {"replicate": "7"}, "images": [image["id"]]})
    until(page, "document.activeElement.value === 'dr' && cellmetry.study.images.all[0].said.replicate === '7'")
    page.keyboard.type("ug")
    page.keyboard.press("Tab")
    until(page, "document.activeElement.value === '7'")
    until(page, "cellmetry.study.images.all[0].said.condition === 'drug'")


def test_an_image_that_somebody_else_removes_is_told(
    page: Any, api: Any, pictures: Any, ready: Any, until: Any
) -> None:
    choose(page, files(pictures, "first.tif", "second.tif"))
    ready(page, 2)
    card(page, "first").dblclick()
    until(page, "cellmetry.viewer?.image?.name === 'first'")
    first = next(each["id"] for each in images(api, page) if each["name"] == "first")
    api.post(f"studies/{page.evaluate('cellmetry.study.id')}/images/remove", json={"images": [first]})
    page.get_by_text("first was removed. You see second now.").wait_for()


def test_an_image_that_failed_is_read_again_as_it_is_said_to_be(page: Any, api: Any, pictures: Any, until: Any) -> None:
    study = api.post("studies", json={"name": "Open axes"}).json()["id"]
    stack = pictures.tiff(np.stack([pictures.squares()] * 5), axes=None)
    api.post(f"studies/{study}/images", files=[("files", ("a.tif", stack, "image/tiff"))])
    page.evaluate("study => cellmetry.place.go(study, 'images')", study)
    until(page, "cellmetry.study?.images.all[0]?.state === 'failed'")
    image = page.get_by_role("listbox", name="Images").get_by_role("option")
    image.click()
    page.get_by_role("button", name="Read again as").click()
    page.get_by_role("dialog").get_by_label("Axes").select_option("ZYX")
    page.get_by_role("button", name="Read again", exact=True).click()
    until(page, "cellmetry.study.images.all[0]?.header.axes === 'ZYX'")
    page.get_by_role("button", name="Undo", exact=True).click()
    until(page, "cellmetry.study.images.all[0]?.state === 'failed'")

    image.click()
    page.get_by_role("button", name="Read again as").click()
    page.get_by_role("dialog").get_by_label("Axes").select_option("CYX")
    page.get_by_role("button", name="Read again", exact=True).click()
    until(page, "cellmetry.study.images.all[0]?.header.axes === 'CYX'")
    image.click()
    for k, name in enumerate(("DAPI", "GFP")):
        page.get_by_label(f"Name of channel {k + 1}").fill(name)
        page.keyboard.press("Tab")
        until(page, f"cellmetry.study.images.all[0].said.channel_names?.[{k}] === '{name}'")
    assert images(api, page)[0]["said"]["channel_names"][:2] == ["DAPI", "GFP"]
    page.get_by_role("button", name="Read again as").click()
    page.get_by_role("button", name="Read again", exact=True).click()
    page.get_by_text("Nothing was read again").wait_for()
    assert page.get_by_role("dialog").is_visible()
    assert [each["header"]["axes"] for each in images(api, page)] == ["CYX"]


def test_cards_say_the_quality_and_open_the_image_that_was_clicked(
    page: Any, api: Any, pictures: Any, ready: Any, until: Any
) -> None:
    empty = file("void.tif", pictures.tiff(pictures.squares(cells=3) * 0 + 7))
    choose(page, [*files(pictures, "sharp.tif"), empty, *files(pictures, "third.tif")])
    ready(page, 3)
    card(page, "sharp").get_by_text("Good").wait_for()
    card(page, "void").get_by_text("Empty").wait_for()
    page.get_by_role("group", name="Quality").get_by_text("Doubtful 1").wait_for()
    card(page, "third").dblclick()
    until(page, "cellmetry.step === 'segment' && cellmetry.viewer.image?.name === 'third'")
    page.go_back()
    until(page, "cellmetry.step === 'images'")
    faults = {each["name"]: each["quality"]["faults"] for each in images(api, page)}
    assert faults == {"sharp": [], "void": ["empty"], "third": []}
