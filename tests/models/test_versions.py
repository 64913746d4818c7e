"""Versions of a model: each training adds one, any can be taken back into use, none is lost."""

from __future__ import annotations

import hashlib

import pytest

from cellmetry.errors import ModelError
from cellmetry.models.store import find_model, list_models
from cellmetry.models.versions import (
    describe_versions,
    install_model,
    list_versions,
    locate_versions,
    save_version,
    use_version,
)


@pytest.fixture(autouse=True)
def user_folder(tmp_path, monkeypatch):
    """The user's folder, and a package without models."""
    monkeypatch.setenv("CELLMETRY_MODELS", str(tmp_path / "user"))
    monkeypatch.setattr("cellmetry.models.store.PACKAGED", tmp_path / "packaged")
    return tmp_path / "user"


def weights(number: int) -> bytes:
    return b"\x08\x08\x12\x04test" + bytes([number]) * 50


def fields(name: str = "mine", **changes) -> dict:
    return {"name": name, "licence": "CC0-1.0", "training_data": [], "margin_px": 64, "stride": 16, **changes}


def save(folder, *numbers: int, name: str = "mine") -> None:
    for number in numbers:
        save_version(folder, weights(number), fields(name, summary=f"training {number}"))


def test_each_save_makes_the_next_version_and_takes_it_into_use(tmp_path):
    save(tmp_path / "mine", 1, 2, 3)
    assert list_versions(tmp_path / "mine", "mine") == [1, 2, 3]
    used = find_model(tmp_path / "mine")
    assert (used.card.name, used.card.version, used.card.summary) == ("mine", "3", "training 3")
    assert used.read_weights() == weights(3)
    assert used.card.sha256 == hashlib.sha256(weights(3)).hexdigest()


def test_every_version_is_a_model_that_can_be_run_by_path(tmp_path):
    save(tmp_path / "mine", 1, 2)
    first = find_model(tmp_path / "mine" / "versions" / "1")
    assert (first.card.name, first.card.version) == ("mine", "1")
    assert first.read_weights() == weights(1)


def test_rolling_back_keeps_all_versions_and_training_goes_on_with_the_next_number(tmp_path):
    folder = tmp_path / "mine"
    save(folder, 1, 2)
    back = use_version(folder, "mine", 1)
    assert (back.path, back.card.version, back.read_weights()) == (folder / "mine.onnx", "1", weights(1))
    assert [(version.number, version.used) for version in describe_versions(folder, "mine")] == [(1, True), (2, False)]
    save(folder, 3)
    assert [(version.number, version.used) for version in describe_versions(folder, "mine")][-1] == (3, True)


def test_two_versions_of_the_same_weights_are_told_apart(tmp_path):
    folder = tmp_path / "mine"
    save(folder, 7, 7)
    use_version(folder, "mine", 1)
    assert [version.used for version in describe_versions(folder, "mine")] == [True, False]


def test_unknown_or_damaged_versions_change_nothing(tmp_path):
    folder = tmp_path / "mine"
    save(folder, 1, 2)
    with pytest.raises(ModelError, match=r"'mine' in .* has no version 4; there are: 1, 2\."):
        use_version(folder, "mine", 4)
    (folder / "versions" / "1" / "mine.onnx").write_bytes(weights(9))
    with pytest.raises(ModelError, match="SHA-256"):
        use_version(folder, "mine", 1)
    assert find_model(folder).card.version == "2"


def test_a_version_mends_a_model_in_use_that_is_damaged(tmp_path):
    folder = tmp_path / "mine"
    save(folder, 1)
    (folder / "mine.onnx").write_bytes(b"half")
    with pytest.raises(ModelError):
        find_model(folder)
    assert use_version(folder, "mine", 1).read_weights() == weights(1)


def test_two_models_in_one_folder_are_counted_apart(tmp_path):
    folder = tmp_path / "models"
    save(folder, 1, 2, name="mine")
    save(folder, 3, name="other")
    assert list_versions(folder, "mine") == [1, 2]
    assert list_versions(folder, "other") == [1]


def test_versions_are_located_by_folder_weights_or_card(tmp_path):
    folder = tmp_path / "mine"
    save(folder, 1)
    for given in (folder, folder / "mine.onnx", folder / "mine.json"):
        assert locate_versions(given) == (folder, "mine")
    with pytest.raises(ModelError, match="no versions of a model at .*absent"):
        locate_versions(tmp_path / "absent")
    save(folder, 1, name="other")
    with pytest.raises(ModelError, match=r"several models \(mine, other\)"):
        locate_versions(folder)


def test_a_name_that_no_model_may_have_is_refused(tmp_path):
    with pytest.raises(ModelError, match="card of the model 'my model': name:"):
        save_version(tmp_path / "my model", weights(1), fields("my model"))
    assert not (tmp_path / "my model").exists()


def test_an_installed_model_is_found_by_name(tmp_path, user_folder):
    save(tmp_path / "mine", 1, 2)
    copy = install_model(find_model(tmp_path / "mine"))
    assert copy.path == user_folder / "mine.onnx"
    assert find_model("mine").card.version == "2"
    other = install_model(find_model(tmp_path / "mine"), "neurons")
    assert (other.card.name, other.card.file) == ("neurons", "neurons.onnx")
    assert [model.name for model in list_models()] == ["mine", "neurons"]


def test_installing_replaces_another_model_only_when_told(tmp_path, user_folder):
    save(tmp_path / "mine", 1)
    install_model(find_model(tmp_path / "mine"))
    install_model(find_model(tmp_path / "mine"))  # the same again
    save(tmp_path / "mine", 2)
    with pytest.raises(ModelError, match="another model 'mine' in"):
        install_model(find_model(tmp_path / "mine"))
    assert find_model("mine").card.version == "1"
    install_model(find_model(tmp_path / "mine"), replace=True)
    assert find_model("mine").card.version == "2"


def test_a_packaged_name_cannot_be_taken(tmp_path):
    save(tmp_path / "packaged", 1, name="base")
    save(tmp_path / "mine", 2)
    with pytest.raises(ModelError, match="comes with Cellmetry"):
        install_model(find_model(tmp_path / "mine"), "base", replace=True)
