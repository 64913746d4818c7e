"""The loop of training: steps, running means, validation, checkpoints; killed at any time, it goes on where it was."""

from __future__ import annotations

import copy
import math
import time
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

from cellmetry.core.progress import SILENT
from cellmetry.errors import DamagedFile, ParameterError
from cellmetry.io.atomic import atomic_write
from cellmetry.learn.augment import STILL
from cellmetry.learn.course import CHECKPOINT
from cellmetry.learn.losses import losses
from cellmetry.learn.recipe import TrainingRecipe
from cellmetry.learn.sampling import Sampler
from cellmetry.learn.validation import score_examples, score_means

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from torch import Tensor

    from cellmetry.core.progress import Progress
    from cellmetry.learn.fields import TrainingField
    from cellmetry.learn.network import CellNetwork
    from cellmetry.learn.recipe import Optimisation
    from cellmetry.learn.sampling import Batch
    from cellmetry.learn.validation import Example

__all__ = ["Material", "Trainer", "choose_device"]

_CHECKED_BATCHES = 6
_TOLD = 150
_LAST_RATE = 0.01
_AVERAGING_START = 10.0
_DECIDING = (
    "network",
    "heads",
    "percentiles",
    "sampling",
    "augmentation",
    "emphasis",
    "losses",
    "optimisation",
    "seed",
)
_UNREADABLE = (RuntimeError, EOFError, ValueError, KeyError, IndexError, OSError, UnpicklingError)


def choose_device() -> torch.device:
    """Return CUDA where it can be used, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


class Material(NamedTuple):
    """What a network learns from, and what it is watched on.

    Parameters
    ----------
    fields
        To learn from.
    checking
        Fields to validate the loss on, in crops that stay the same and are not varied.
    checked, shown
        Examples to validate on, and examples of the training images to compare with.
    """

    fields: Sequence[TrainingField]
    checking: Sequence[TrainingField]
    checked: Sequence[Example]
    shown: Sequence[Example]


class Trainer:
    """Trains one network.

    Parameters
    ----------
    network
        To be trained; `average` is its running mean, which is validated, by `decoding`, and kept.
    folder
        Where the checkpoint lies.
    """

    def __init__(self, recipe: TrainingRecipe, network: CellNetwork, material: Material, *, folder: Path) -> None:
        self.recipe, self.folder = recipe, folder
        self.device = choose_device()
        self.network = network.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = copy.deepcopy(self.network).requires_grad_(False)
        self.best: dict[str, Tensor] = {}
        self.best_score, self.best_step = -math.inf, 0
        self.step, self.steps, self.seconds = 0, recipe.optimisation.steps, 0.0
        self.log: list[dict[str, float]] = []
        self._images = [[field.data, field.name] for field in (*material.fields, *material.checking)]
        self._watched = {"train": material.shown, "validation": material.checked}
        self._optimiser = _optimiser(self.network, recipe.optimisation)
        drawn: dict[str, Any] = {"diameters_px": recipe.diameters_px, "seed": recipe.seed}
        self.sampler = Sampler(
            material.fields, recipe.heads, sampling=recipe.sampling, augmentation=recipe.augmentation, **drawn
        )
        evenly = recipe.sampling.model_copy(update={"data_weights": {}})
        self._checking = Sampler(material.checking, recipe.heads, sampling=evenly, augmentation=STILL, **drawn)
        self.decoding = recipe.decoding
        if recipe.joining_images:  # how pieces are joined is fitted in the end, on the network that is kept
            self.decoding = recipe.decoding.model_copy(update={"joining": None})
        self._weights = recipe.losses.model_dump()
        self._dtype = _precision(recipe.optimisation.precision, self.device)

    def run(
        self,
        *,
        progress: Progress = SILENT,
        hear: Callable[[Trainer], None] | None = None,
        tell: Callable[[dict[str, float]], None] | None = None,
    ) -> None:
        """Train to the end, from wherever it stands.

        Parameters
        ----------
        hear
            Called after each validation.
        tell
            Is told how the learning goes, far oftener than it is validated: step, steps, and the mean loss since it was
            told last; after a validation its scores too.
        """
        progress.start("Training", self.steps)
        progress.advance(self.step)
        sums: dict[str, float] = {}
        since, started = self.step, time.monotonic()
        recent: list[float] = []
        for batch in self.sampler.batches(self.step, self.steps):
            parts = self._learn(batch)
            for name, value in parts.items():
                sums[name] = sums.get(name, 0.0) + value
            recent.append(parts["loss"])
            self.step += 1
            progress.advance()
            validated = self.step % self.recipe.optimisation.validate_every == 0 or self.step == self.steps
            if validated:
                self._note({name: value / (self.step - since) for name, value in sums.items()}, started)
                sums, since, started = {}, self.step, time.monotonic()
                if hear is not None:
                    hear(self)
            if tell is not None and (validated or self.step % max(1, self.steps // _TOLD) == 0):
                scores = self.log[-1] if validated else {}
                tell({**scores, "step": self.step, "steps": self.steps, "loss": float(np.mean(recent))})
                recent = []

    def measure_speed(self, steps: int) -> float:
        """Return seconds per step, its share of a validation included, measured on a copy that is thrown away."""
        kept = copy.deepcopy((self.network.state_dict(), self._optimiser.state_dict(), self.average.state_dict()))
        began = time.monotonic()
        for number, batch in enumerate(self.sampler.batches(0, steps + 2)):
            if number == 2:
                began = time.monotonic()
            self._learn(batch)
        learning = (time.monotonic() - began) / steps
        self.network.load_state_dict(kept[0])
        self._optimiser.load_state_dict(kept[1])
        self.average.load_state_dict(kept[2])
        began = time.monotonic()
        self._validate()
        return learning + (time.monotonic() - began) / self.recipe.optimisation.validate_every

    def _learn(self, batch: Batch) -> dict[str, float]:
        """Take one step; return the parts of its loss and their weighted sum."""
        self.network.train()
        for group in self._optimiser.param_groups:
            group["lr"] = _rate(self.step, self.steps, self.recipe.optimisation)
        total, parts = self._losses(self.network, batch)
        self._optimiser.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.recipe.optimisation.clip)
        self._optimiser.step()
        self._follow()
        if not torch.isfinite(total):
            raise ParameterError(
                f"The training has gone astray at step {self.step + 1}: its loss is {total.item()}. Take a smaller "
                f"optimisation.learning_rate."
            )
        return {"loss": total.item()} | {name: part.item() for name, part in parts.items()}

    def _losses(self, network: CellNetwork, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss of some crops, and its parts without their weights."""
        image = torch.from_numpy(batch.image).to(self.device, memory_format=torch.channels_last)
        targets, known = _tensors(batch.targets, self.device), _tensors(batch.known, self.device)
        importance = torch.from_numpy(batch.importance).to(self.device)
        with torch.autocast(self.device.type, self._dtype, enabled=self._dtype != torch.float32):
            raw = network(image)
        parts = losses(raw, targets, importance, known)
        return torch.stack([part * self._weights[name] for name, part in parts.items()]).sum(), parts

    @torch.no_grad()
    def _follow(self) -> None:
        """Move the running mean; it forgets faster at first."""
        keep = min(self.recipe.optimisation.averaging, (1 + self.step) / (_AVERAGING_START + self.step))
        for mean, value in zip(self.average.state_dict().values(), self.network.state_dict().values(), strict=True):
            if mean.dtype.is_floating_point:
                mean.lerp_(value, 1 - keep)
            else:
                mean.copy_(value)

    def _note(self, train_losses: dict[str, float], started: float) -> None:
        """Validate, write a line of the log, keep the best, and save all."""
        scores = self._validate()
        self.seconds += time.monotonic() - started
        row = {"step": self.step, "seconds": round(self.seconds, 1)} | train_losses | scores
        self.log.append(row)
        score = quality(row)
        if score >= self.best_score:
            self.best_score, self.best_step = score, self.step
            self.best = {name: value.detach().clone() for name, value in self.average.state_dict().items()}
        self.save()

    def _validate(self) -> dict[str, float]:
        """Return the mean scores of the running mean, on images that teach and on those that check, and its loss."""
        scores = {"validation loss": self._validation_loss()}
        for kind, examples in self._watched.items():
            if examples:
                means = score_means(score_examples(self.average, examples, self.decoding))
                scores |= {f"{kind} {name}": value for name, value in means.items()}
        return scores

    @torch.no_grad()
    def _validation_loss(self) -> float:
        """Return the mean loss of the running mean on crops of the images that check."""
        self.average.eval()
        batches = self._checking.batches(0, _CHECKED_BATCHES)
        return float(np.mean([self._losses(self.average, batch)[0].item() for batch in batches]))

    def kept_network(self) -> CellNetwork:
        """Return the network that the training results in: the best running mean, or the last, as the recipe says."""
        network: CellNetwork = copy.deepcopy(self.average)
        if self.recipe.optimisation.kept == "best":
            network.load_state_dict(self.best)
        network.eval()
        return network

    def save(self) -> None:
        """Write the checkpoint."""
        state = {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "best": self.best,
            "best_score": self.best_score,
            "best_step": self.best_step,
            "step": self.step,
            "steps": self.steps,
            "seconds": self.seconds,
            "log": self.log,
            "recipe": self.recipe.model_dump(mode="json"),
            "images": self._images,
        }
        with atomic_write(self.folder / CHECKPOINT) as part:
            torch.save(state, part)

    def resume(self) -> None:
        """Go on from the checkpoint in the folder.

        Raises
        ------
        DamagedFile
            If it cannot be read.
        ParameterError
            If it is of a training with other choices, or from another model.
        """
        path = self.folder / CHECKPOINT
        try:
            state: dict[str, Any] = torch.load(path, map_location=self.device, weights_only=True)
        except _UNREADABLE as error:
            raise DamagedFile(f"{path} cannot be read, so the training cannot go on; begin it anew.") from error
        self._refuse_other(TrainingRecipe.model_validate(state["recipe"]))
        if state.get("images", self._images) != self._images:
            raise ParameterError(
                f"The training in {self.folder.parent} was begun with other images; give the same data sets, and the "
                f"same --split if there was one."
            )
        if state["network"].keys() != self.network.state_dict().keys():
            raise ParameterError(
                f"The training in {self.folder.parent} was begun from another model; give the same --from."
            )
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self._optimiser.load_state_dict(state["optimiser"])
        for name in ("best", "best_score", "best_step", "step", "steps", "seconds", "log"):
            setattr(self, name, state[name])

    def _refuse_other(self, begun: TrainingRecipe) -> None:
        """Refuse to go on with a training by other choices than those by which it was begun."""
        for part in _DECIDING:
            if getattr(begun, part) != getattr(self.recipe, part):
                raise ParameterError(
                    f"The training in {self.folder.parent} was begun with other choices of {part}; give the same "
                    f"recipe and changes as then ({self.folder / 'recipe.json'} holds them)."
                )


def quality(row: dict[str, float]) -> float:
    """Return what makes one state better than another: AP where labels are known, else IoU, error of counts or loss.

    NaN where `row` has none of them.
    """
    for name, sign in (("ap50", 1), ("iou", 1), ("density_count_mae", -1)):
        value = row.get(f"validation {name}", math.nan)
        if not math.isnan(value):
            if name == "ap50":
                strict = row.get("validation ap75", math.nan)
                return value if math.isnan(strict) else (value + strict) / 2
            return sign * value
    return -row.get("validation loss", math.nan)


def _rate(step: int, steps: int, options: Optimisation) -> float:
    """Return the step width: rising at first, then along half a cosine, or constant."""
    warm = max(1, round(options.warm_up * steps))
    if step < warm:
        return options.learning_rate * (step + 1) / warm
    if options.schedule == "constant":
        return options.learning_rate
    part = (step - warm) / max(1, steps - warm)
    return options.learning_rate * (_LAST_RATE + (1 - _LAST_RATE) * 0.5 * (1 + math.cos(math.pi * min(part, 1.0))))


def _optimiser(network: CellNetwork, options: Optimisation) -> torch.optim.Optimizer:
    """Return the optimiser; only the kernels of convolutions are pulled towards 0."""
    parameters = [value for value in network.parameters() if value.requires_grad]
    groups = [
        {"params": [value for value in parameters if value.ndim > 1], "weight_decay": options.weight_decay},
        {"params": [value for value in parameters if value.ndim <= 1], "weight_decay": 0.0},
    ]
    if options.optimiser == "sgd":
        return torch.optim.SGD(groups, lr=options.learning_rate, momentum=0.9, nesterov=True)
    return torch.optim.AdamW(groups, lr=options.learning_rate)


def _precision(asked: str, device: torch.device) -> torch.dtype:
    if asked != "auto":
        return torch.float32 if asked == "float32" else torch.bfloat16
    quick = torch.cuda.is_bf16_supported() if device.type == "cuda" else torch.cpu._is_avx512_bf16_supported()
    return torch.bfloat16 if quick else torch.float32


def _tensors(arrays: dict[Any, Any], device: torch.device) -> dict[Any, Tensor]:
    return {name: torch.from_numpy(values).to(device) for name, values in arrays.items()}
