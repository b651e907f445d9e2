"""The abstract base classes of plug-ins: encoder, head, objective, augmentation and source, each with its config."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import torch
from torch import Tensor, nn

from root_gnn.config.section import Section
from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.graph.random_stream import RandomStream
from root_gnn.graph.scaling import Scaling


def _accept_old_names(plugin: type, old_names: dict[str, str]) -> None:
    """Lets a plug-in written for version 0.1 keep its method names, by old name, with a DeprecationWarning.

    A class that defines only the old method gets it under the new name as well.
    """
    for old, new in old_names.items():
        if old in vars(plugin) and new not in vars(plugin):
            text = f"{plugin.__module__}.{plugin.__qualname__}: the method `{old}` is called `{new}` since root_gnn 0.2"
            warnings.warn(text, DeprecationWarning, stacklevel=3)
            setattr(plugin, new, vars(plugin)[old])


class Encoder(nn.Module, ABC):
    """Maps a batch to a batch of the same topology, with representations as `nodes` and `globals`.

    `globals (n_graph, dim)` represents an event or a jet, `nodes (total_node, dim)` a particle.
    Input features are physical (GeV, radians); scaling and embedding happen inside and are saved with the weights.
    `run_folder` is the folder that a trained encoder was read from. `fixed_shapes` is true where all batches padded to
    one shape are processed with tensors of the same shapes, whatever the sizes of their graphs; `train.static_shapes`
    and `train.compile` refuse an encoder for which it is false.
    """

    dim: int
    fixed_shapes: ClassVar[bool] = True
    run_folder: Path | None = None

    def __init_subclass__(cls, **keywords: Any) -> None:
        """Accepts the method name of version 0.1."""
        super().__init_subclass__(**keywords)
        _accept_old_names(cls, {"found": "extra_inputs"})

    @abstractmethod
    def forward(self, batch: Batch) -> Batch:
        """Returns the batch with representations `nodes (total_node, dim)` and `globals (n_graph, dim)`."""

    @abstractmethod
    def layers(self, batch: Batch) -> dict[str, Tensor]:
        """Returns named intermediate representations of each graph, `(n_graph, layer_dim)`, from input to output."""

    def extra_inputs(self, batch: Batch) -> dict[str, Tensor]:
        """Returns node columns, `(total_node,)` by name, that this encoder computes outside of PyTorch.

        An exported network takes them as further inputs, since a jet algorithm, for example, is no part of its file.
        """
        del batch  # most encoders have none
        return {}


class EncoderConfig(Section, ABC):
    """The YAML section of an encoder."""

    def __init_subclass__(cls, **keywords: Any) -> None:
        """Accepts the method name of version 0.1."""
        super().__init_subclass__(**keywords)
        _accept_old_names(cls, {"plain": "exportable"})

    @abstractmethod
    def build(self, features: Features, scaling: Scaling) -> Encoder:
        """Builds an encoder with weights drawn from torch's current generator."""

    def exportable(self) -> Self:
        """Returns the config of the same network, with the same parameters, made of operations that ONNX has."""
        return self


class Head(nn.Module, ABC):
    """Maps representations to logits; softmax and sigmoid belong to the objective.

    `ordered` is true for a head to which the position of a node in its graph means something (the hardest first);
    the output of every other head is independent of the order of nodes. `fixed_shapes` is that of `Encoder`.
    """

    ordered: ClassVar[bool] = False
    fixed_shapes: ClassVar[bool] = True

    def __init_subclass__(cls, **keywords: Any) -> None:
        """Accepts the method names of version 0.1."""
        super().__init_subclass__(**keywords)
        _accept_old_names(cls, {"hidden": "features", "counted": "valid_graphs"})

    @abstractmethod
    def forward(self, batch: Batch) -> Tensor:
        """Returns logits `(n_graph, n_output)` of an encoded batch."""

    def valid_graphs(self, batch: Batch) -> Tensor | None:
        """Returns a bool mask `(n_graph,)` of the graphs whose logits enter losses and metrics; None for all graphs.

        A head for whole events has one output for all jets of an event, and counts it once.
        """
        del batch  # all graphs count
        return None

    @abstractmethod
    def features(self, batch: Batch) -> Tensor:
        """Returns the input of the last linear layer, `(n_graph, feature_dim)`; CKA calls this layer `decoder`."""


class HeadConfig(Section, ABC):
    """The YAML section of a head."""

    @property
    def whole_events(self) -> bool:
        """Whether the head needs batches that hold all jets of their events."""
        return False

    @abstractmethod
    def build(self, dim: int, n_output: int) -> Head:
        """Builds a head that reads representations of width `dim` and gives `n_output` logits."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """The targets and inputs that the data offer to an objective.

    `classes` are the names of the classes, `truth` those of the truth columns; `features` says what the node columns
    mean and `scaling` how they are normalised.
    """

    classes: tuple[str, ...] = ()
    truth: tuple[str, ...] = ()
    features: Features = field(default_factory=Features)
    scaling: Scaling = field(default_factory=Scaling)


STILL = RandomStream(seed=0, epoch=0)
"""The random stream of a loss that is computed outside of training: always the same."""


class Objective(nn.Module, ABC):
    """Owns the encoder and all modules that are used only in training, and computes losses of a batch.

    `measures` names further scalars that `forward` returns in evaluation mode; validation logs them as `ssl/<name>`.
    `paired` is true for an objective that needs batches whose first and second half are simulations of the same hard
    events, in the same order.
    """

    measures: ClassVar[tuple[str, ...]] = ()
    paired: bool = False
    encoder: Encoder

    @abstractmethod
    def forward(self, batch: Batch, draws: RandomStream = STILL) -> dict[str, Tensor]:
        """Returns scalars by name, of which `loss` is minimised; random views and targets are drawn from `draws`."""

    def prepare(self, batches: Iterable[Batch]) -> None:
        """Fits what is not trained by gradients (a codebook, a scale); called once, with some training batches."""

    def after_step(self, progress: float) -> None:
        """Updates what moves after every optimiser step, such as an EMA target.

        `progress` is the fraction of the training's steps that are done, from 0 to 1.
        """


class Masked(Objective, ABC):
    """An objective that masks nodes of the encoder's input and predicts them; see `testing.check_no_leak`.

    A module named `target`, where there is one, sees masked nodes and is never trained by gradients.
    """

    def __init_subclass__(cls, **keywords: Any) -> None:
        """Accepts the method name of version 0.1."""
        super().__init_subclass__(**keywords)
        _accept_old_names(cls, {"hidden": "mask"})

    @abstractmethod
    def mask(self, batch: Batch, draws: RandomStream = STILL) -> Tensor:
        """Returns a bool mask `(total_node,)` of the nodes that `forward` masks with the same random stream."""


class Supervised(Objective, ABC):
    """An objective whose head predicts labels; losses and logits are both computed from the head's outputs.

    `link` maps logits to probabilities: softmax over exclusive classes, or a sigmoid for each label.
    """

    head: Head
    link: Literal["softmax", "sigmoid"]

    def __init_subclass__(cls, **keywords: Any) -> None:
        """Accepts the method names of version 0.1."""
        super().__init_subclass__(**keywords)
        old_names = {"answers": "head_outputs", "answers_of": "head_outputs_of", "counted": "valid_outputs"}
        _accept_old_names(cls, old_names)

    def encoded(self, batch: Batch) -> Batch:
        """Returns the batch that the head reads.

        The first `dim` columns of its `globals` are the encoder's; an objective may append more.
        """
        encoded: Batch = self.encoder(batch)
        return encoded

    def head_outputs(self, batch: Batch) -> Tensor:
        """Returns all outputs of the head, `(n_graph, n_head_output)`, in float32 or float64."""
        return self.head_outputs_of(self.encoded(batch))

    def head_outputs_of(self, encoded: Batch) -> Tensor:
        """Returns the outputs of the head for a batch that is encoded already."""
        outputs: Tensor = self.head(encoded)
        return outputs.float() if outputs.dtype in (torch.float16, torch.bfloat16) else outputs

    def forward(self, batch: Batch, draws: RandomStream = STILL) -> dict[str, Tensor]:
        """Returns the losses of a batch by name; nothing is random."""
        del draws  # a supervised loss has no random views or targets
        return self.losses(*self.valid_outputs(self.head_outputs(batch), batch))

    def valid_outputs(self, outputs: Tensor, batch: Batch) -> tuple[Tensor, Batch]:
        """Selects the outputs that enter losses and metrics, and their graphs.

        Where the head masks some graphs, the returned batch has labels, weights and ids, and no nodes.
        """
        valid = self.head.valid_graphs(batch)
        if valid is None:
            return outputs, batch
        return outputs[valid], Batch.of(
            batch.nodes[:0],
            torch.zeros(int(valid.sum()), dtype=torch.int64, device=valid.device),
            globals=batch.globals[valid],
            labels={name: values[valid] for name, values in batch.labels.items()},
            weights=None if batch.weights is None else batch.weights[valid],
            ids=None if batch.ids is None else batch.ids[valid],
        )

    @abstractmethod
    def losses(self, outputs: Tensor, batch: Batch) -> dict[str, Tensor]:
        """Returns scalars by name for the head's outputs `(n_graph, n_head_output)`; `loss` is minimised."""

    def logits(self, batch: Batch) -> Tensor:
        """Returns logits `(n_graph, n_output)`."""
        return self.logits_of(self.head_outputs(batch))

    def logits_of(self, outputs: Tensor) -> Tensor:
        """Returns the logits of classes or labels, `(n_graph, n_output)`, among the head's outputs; by default all."""
        return outputs

    @abstractmethod
    def outputs(self) -> tuple[str, ...]:
        """Returns the name of each column of the logits: classes or labels."""


class ObjectiveConfig(Section, ABC):
    """The YAML section of an objective."""

    @property
    def whole_events(self) -> bool:
        """Whether its head, if there is one, needs batches that hold all jets of their events."""
        return False

    @abstractmethod
    def build(self, encoder: Encoder, question: Question) -> Objective:
        """Builds an objective around `encoder`; raises InputError where the data lack its targets."""


class Augmentation(ABC):
    """A pure function `(Batch, RandomStream) -> Batch`: the input is unchanged, all randomness is in the stream.

    `invariants` names what the augmentation leaves unchanged: node columns, names of `kinematics.pairs.PAIR_FEATURES`,
    and sums of a column over a graph (`sum_pt`). Where nodes are added or removed, an invariant column takes no new
    value. `jets_only` is true for an augmentation that needs nodes close together, as in a jet.
    `testing.check_augmentation` checks both.
    """

    invariants: ClassVar[tuple[str, ...]] = ()
    jets_only: ClassVar[bool] = False

    @abstractmethod
    def __call__(self, batch: Batch, draws: RandomStream) -> Batch:
        """Returns the augmented copy."""


class AugmentationConfig(Section, ABC):
    """The YAML section of an augmentation."""

    @abstractmethod
    def build(self, features: Features) -> Augmentation:
        """Builds the augmentation for batches with these columns."""


class Source(ABC):
    """An open file, read branch by branch; `data.reading` translates branches to the spec's names and units.

    `n_entry` is the number of entries, `branches` the names of the branches in the file.
    """

    n_entry: int
    branches: tuple[str, ...]

    @abstractmethod
    def read(self, branches: tuple[str, ...], start: int, stop: int) -> dict[str, Any]:
        """Reads entries `start .. stop - 1` as awkward arrays by branch; raises InputError for an unreadable branch."""

    @abstractmethod
    def chunks(self, branches: tuple[str, ...]) -> Iterator[tuple[int, int]]:
        """Yields consecutive ranges of entries that are cheap to read together and fit in memory."""

    @abstractmethod
    def type_of(self, branch: str) -> str:
        """Returns the awkward type of one entry (`float32`, `var * float32`, `string`); empty if it is unknown."""

    def metadata(self) -> dict[str, Any]:
        """Returns what the file says about its sample (cross section, events tried) as JSON values; often empty."""
        return {}


LAST_RESORT = 100
"""The `order` of a source that accepts any text, which is tried after all other formats."""


class SourceConfig(Section, ABC):
    """The `source` section of a data spec, and the properties by which files of its format are recognised.

    Attributes:
        formats: names of the formats it reads, as messages write them (`HDF5`); the first stands for all of them.
        article: the article in front of that name.
        magic: the first bytes of such a file, one of these; white space before them is skipped.
        endings: how names of such files end (`.h5`), in lower case.
        gzipped: whether it also reads such files compressed with gzip, `.gz` behind their ending.
        order: position among all sources when files are recognised and formats are listed, smallest first.
        hint: clause of the error message where another format was expected; `it is <format>` if empty.
    """

    formats: ClassVar[tuple[str, ...]] = ()
    article: ClassVar[str] = "a"
    magic: ClassVar[tuple[bytes, ...]] = ()
    endings: ClassVar[tuple[str, ...]] = ()
    gzipped: ClassVar[bool] = False
    order: ClassVar[int] = 80
    hint: ClassVar[str] = ""

    @classmethod
    def recognise(cls, head: bytes) -> str:
        """Returns which of `formats` a file that begins with the bytes `head` has; empty if it has none of them."""
        return cls.formats[0] if cls.magic and head.lstrip().startswith(cls.magic) else ""

    @property
    def trees(self) -> tuple[str, ...]:
        """The trees that are read one after another; a virtual branch `tree` holds the index of an entry's tree."""
        return ()

    @abstractmethod
    def open(self, path: Path) -> AbstractContextManager[Source]:
        """Opens the file until the block ends; raises InputError, naming the detected format, if it has another one."""

    @classmethod
    @abstractmethod
    def found_in(cls, path: Path) -> list[Self]:
        """Returns a source for each tree or table of a file, the most likely first.

        Raises InputError if the file is not of this format.
        """
