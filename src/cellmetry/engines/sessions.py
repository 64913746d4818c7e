"""Sessions of ONNX Runtime, one per model, device and number of threads; the only module that imports it."""

from __future__ import annotations

from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime as ort
from onnxruntime.capi import onnxruntime_pybind11_state as failures

from cellmetry.errors import ModelError, ParameterError
from cellmetry.models.familiarity_text import FAMILIARITY_KEY, FEATURES, familiarity_from_text
from cellmetry.settings import current_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cellmetry.engines.base import Device
    from cellmetry.models.card import Head
    from cellmetry.models.store import Model
    from cellmetry.ops.familiarity import Familiarity

__all__ = ["NetworkSession", "open_session"]

_CUDA, _CPU = "CUDAExecutionProvider", "CPUExecutionProvider"
_FAILURES = (
    failures.EPFail,
    failures.Fail,
    failures.InvalidArgument,
    failures.InvalidGraph,
    failures.InvalidProtobuf,
    failures.NoSuchFile,
    failures.NotImplemented,
    failures.RuntimeException,
)
_PROBE_SIDE = 32
_opening = Lock()


def open_session(model: Model, device: Device = "auto") -> NetworkSession:
    """Return the session that runs `model` on `device`, the same one each time it is asked for.

    Raises
    ------
    ParameterError
        If CUDA is asked for and cannot be used. With ``auto`` the CPU is taken then, as `describe` tells.
    ModelError
        If the weights are not those of the card, or not a network that the card describes.
    """
    with _opening:
        return _open(model, device, current_settings().threads)


class NetworkSession:
    """A network ready to run, checked against its card by a trial run."""

    def __init__(self, model: Model, device: Device, threads: int) -> None:
        self._model = model
        self._threads = threads
        self._session = _load(model, device, threads)
        self._input = _input_name(model, self._session)
        self._check_outputs()
        self.familiarity = self._read_familiarity()

    def run(self, pixels: NDArray[np.float32]) -> dict[Head, NDArray[np.float32]]:
        """Return the outputs by head, shape (channels of the head, Y, X), for pixels of shape (C, Y, X).

        Y and X must be multiples of the model's stride.
        """
        return self._as_maps(self._outputs(self._model.card.heads, pixels), pixels)

    def run_all(self, pixels: NDArray[np.float32]) -> tuple[dict[Head, NDArray[np.float32]], NDArray[np.float32]]:
        """Return the outputs by head, and the features, shape (features, Y / stride, X / stride).

        For networks with features only.
        """
        *maps, features = self._outputs((*self._model.card.heads, FEATURES), pixels)
        found: NDArray[np.float32] = features[0]
        return self._as_maps(maps, pixels), found

    def run_features(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the features alone, which takes half of the time, shape (features, Y / stride, X / stride)."""
        features: NDArray[np.float32] = self._outputs((FEATURES,), pixels)[0][0]
        return features

    def _outputs(self, names: Sequence[str], pixels: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        options = ort.RunOptions()
        options.only_execute_path_to_fetches = True
        batch = np.ascontiguousarray(pixels[None], np.float32)
        try:
            outputs: list[NDArray[np.float32]] = self._session.run(list(names), {self._input: batch}, options)
        except _FAILURES as error:
            size = f"{pixels.shape[1]} × {pixels.shape[2]} pixels"
            raise ModelError(f"The model {self._model.path} failed on a tile of {size}: {error}") from error
        return outputs

    def _as_maps(
        self, outputs: Sequence[NDArray[np.float32]], pixels: NDArray[np.float32]
    ) -> dict[Head, NDArray[np.float32]]:
        """Return the outputs by head, once each is of the shape that it must have."""
        heads = self._model.card.heads
        for head, output in zip(heads, outputs, strict=True):
            expected = (1, 2 if head == "flow" else 1, *pixels.shape[1:])
            if output.shape != expected or output.dtype != np.float32:
                self._refuse(f"its output {head!r} is {output.dtype} {output.shape}, not float32 {expected}")
        return {head: output[0] for head, output in zip(heads, outputs, strict=True)}

    def describe(self) -> dict[str, Any]:
        """Return what the network runs on, as JSON values."""
        device = "cuda" if _CUDA in self._session.get_providers() else "cpu"
        return {"device": device, "threads": self._threads, "onnxruntime": ort.__version__}

    def _check_outputs(self) -> None:
        """Refuse a network whose outputs are not what the card says, found by a run on an empty tile."""
        card = self._model.card
        names = [output.name for output in self._session.get_outputs()]
        missing = [head for head in card.heads if head not in names]
        if missing:
            self._refuse(f"it has no output {missing[0]!r}; its outputs are {', '.join(names)}")
        side = -(-_PROBE_SIDE // card.stride) * card.stride
        outputs = self.run(np.zeros((len(card.channels), side, side + card.stride), np.float32))
        for head, output in outputs.items():
            if not np.isfinite(output).all():
                self._refuse(f"its output {head!r} is not finite on an empty image")
            if head in ("foreground", "boundary") and (output.min() < 0 or output.max() > 1):
                self._refuse(f"its output {head!r} must be a probability, 0 to 1, but reaches {output.min():.3g}")

    @property
    def has_features(self) -> bool:
        """Whether the network puts out the features by which the unfamiliar is told."""
        return FEATURES in [output.name for output in self._session.get_outputs()]

    def _read_familiarity(self) -> Familiarity | None:
        """Return what the file says of its training images; None if it says nothing."""
        text = self._session.get_modelmeta().custom_metadata_map.get(FAMILIARITY_KEY)
        if text is None:
            return None
        try:
            found = familiarity_from_text(text)
        except ModelError as error:
            raise _foreign(self._model, str(error)) from error
        if not self.has_features:
            self._refuse(f"it knows its training images by an output {FEATURES!r}, which it lacks")
        card = self._model.card
        side = 2 * card.stride
        features = self.run_features(np.zeros((len(card.channels), side, side + card.stride), np.float32))
        if features.shape != (len(found.centre), 2, 3):
            self._refuse(f"its output {FEATURES!r} has the shape {features.shape}, not {(len(found.centre), 2, 3)}")
        return found

    def _refuse(self, why: str) -> None:
        raise _foreign(self._model, why)


@lru_cache(maxsize=4)
def _open(model: Model, device: Device, threads: int) -> NetworkSession:
    return NetworkSession(model, device, threads)


def _load(model: Model, device: Device, threads: int) -> ort.InferenceSession:
    ort.disable_telemetry_events()
    available = _CUDA in ort.get_available_providers()
    providers = [_CUDA, _CPU] if device != "cpu" and available else [_CPU]
    try:
        session = ort.InferenceSession(model.read_weights(), _options(threads), providers=providers)
    except _FAILURES as error:
        raise _foreign(model, f"ONNX Runtime cannot load it: {error}") from error
    if device == "cuda" and _CUDA not in session.get_providers():
        raise ParameterError(
            "The device 'cuda' was asked for, but the ONNX Runtime installed here cannot use one; install "
            "onnxruntime-gpu and its CUDA libraries in place of onnxruntime, or choose --device cpu."
        )
    return session


def _options(threads: int) -> ort.SessionOptions:
    """Return options under which the same tile gives the same numbers, and waiting threads let others work."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.use_deterministic_compute = True
    options.log_severity_level = 4
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def _input_name(model: Model, session: ort.InferenceSession) -> str:
    """Return the name of the one input, which must be (1, channels of the card, Y, X) in float32 for any Y and X."""
    inputs = session.get_inputs()
    channels = len(model.card.channels)
    if len(inputs) != 1:
        raise _foreign(model, f"it has {len(inputs)} inputs, not one")
    shape, kind = inputs[0].shape, inputs[0].type
    fixed = [size for size in shape[2:] if isinstance(size, int)]
    if kind != "tensor(float)" or len(shape) != 4 or fixed or shape[1] != channels or shape[0] not in (1, "N", "batch"):
        raise _foreign(model, f"its input is {kind} {shape}, not tensor(float) [1, {channels}, Y, X] for any Y and X")
    return str(inputs[0].name)


def _foreign(model: Model, why: str) -> ModelError:
    return ModelError(f"{model.path} is not the network that the card of model {model.card.name!r} describes: {why}.")
