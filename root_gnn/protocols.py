"""What a plug-in must be: encoder, head, objective, augmentation, source. Small, abstract, documented."""

from __future__ import annotations

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


class Encoder(nn.Module, ABC):
    """Batch in, batch out, same topology: `nodes` and `globals` become representations.

    What classifies an event or a jet is `globals (n_graph, dim)`; what stands for a particle is `nodes (total_node, dim)`.
    Input features are physical (GeV, radians); scaling and embedding happen inside and are saved with the weights.
    `run_folder` is where a trained encoder was read from. `fixed_shapes` says that batches padded to one shape go through
    tensors of the same shapes, whatever the sizes of their graphs; without it `train.static_shapes` and `train.compile`
    refuse the encoder.
    """

    dim: int
    fixed_shapes: ClassVar[bool] = True
    run_folder: Path | None = None

    @abstractmethod
    def forward(self, batch: Batch) -> Batch:
        """Representations `nodes (total_node, dim)` and `globals (n_graph, dim)` in place of the features."""

    @abstractmethod
    def layers(self, batch: Batch) -> dict[str, Tensor]:
        """Named intermediate representations of each graph, `(n_graph, layer_dim)`, from input to output."""

    def found(self, batch: Batch) -> dict[str, Tensor]:
        """Node columns that another program finds for this encoder, `(total_node,)` by name; an exported network is given them."""
        return {}


class EncoderConfig(Section, ABC):
    """The YAML section of an encoder."""

    @abstractmethod
    def build(self, features: Features, scaling: Scaling) -> Encoder:
        """A new encoder with weights drawn from torch's current generator."""

    def plain(self) -> Self:
        """The same network on the same weights in the form that can be exported."""
        return self


class Head(nn.Module, ABC):
    """Representations to logits; a link function is never part of it.

    `ordered` says that the place of a node in its graph has a meaning to this head (the hardest first); for all others
    the order of nodes changes nothing. `fixed_shapes` is that of `Encoder`.
    """

    ordered: ClassVar[bool] = False
    fixed_shapes: ClassVar[bool] = True

    @abstractmethod
    def forward(self, batch: Batch) -> Tensor:
        """Logits `(n_graph, n_output)` from an encoded batch."""

    def counted(self, batch: Batch) -> Tensor | None:
        """The graphs whose logits are answers of their own, bool `(n_graph,)`; None for all of them."""
        return None

    @abstractmethod
    def hidden(self, batch: Batch) -> Tensor:
        """What the last linear layer reads, `(n_graph, hidden_dim)`: the layer CKA calls `decoder`."""


class HeadConfig(Section, ABC):
    """The YAML section of a head; `whole_events` asks for batches that hold all jets of their events."""

    @property
    def whole_events(self) -> bool:
        """See above; False unless a head says otherwise."""
        return False

    @abstractmethod
    def build(self, dim: int, n_output: int) -> Head:
        """A new head that reads representations of width `dim`."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """What the data can answer: the classes, the truth columns by name, what the node columns mean and how they are scaled."""

    classes: tuple[str, ...] = ()
    truth: tuple[str, ...] = ()
    features: Features = field(default_factory=Features)
    scaling: Scaling = field(default_factory=Scaling)


STILL = RandomStream(seed=0, epoch=0)
"""The draws of a loss that is looked at outside of training: always the same."""


class Objective(nn.Module, ABC):
    """Owns the encoder and whatever lives only in training; turns a batch into losses.

    `measures` names scalars beside `loss` that are given outside of training, and that validation logs as `ssl/<name>`.
    `paired` asks for batches whose first half and second half are simulations of the same hard events, in the same order.
    """

    measures: ClassVar[tuple[str, ...]] = ()
    paired: bool = False
    encoder: Encoder

    @abstractmethod
    def forward(self, batch: Batch, draws: RandomStream = STILL) -> dict[str, Tensor]:
        """Scalars by name; the one that is minimised is `loss`. What is random about views and targets comes from `draws`."""

    def prepare(self, batches: Iterable[Batch]) -> None:
        """Called once before a new training with some of its batches: whatever is fitted to data rather than trained."""

    def after_step(self, progress: float) -> None:
        """Called once after every optimiser step (an EMA target moves here); `progress` is the part of all steps that is done."""


class Masked(Objective, ABC):
    """An objective that hides nodes from its encoder and asks about them; `testing.check_no_leak` holds it to that.

    A module named `target`, where there is one, sees hidden nodes and is never trained by gradients.
    """

    @abstractmethod
    def hidden(self, batch: Batch, draws: RandomStream = STILL) -> Tensor:
        """The nodes that `forward` hides with the same draws, bool `(total_node,)`."""


class Supervised(Objective, ABC):
    """An objective whose head answers a labelled question; losses and logits are both made of the head's answers."""

    head: Head
    link: Literal["softmax", "sigmoid"]

    def encoded(self, batch: Batch) -> Batch:
        """What the head reads: the encoder's representations, behind whose `dim` columns of `globals` further ones may stand."""
        found: Batch = self.encoder(batch)
        return found

    def answers(self, batch: Batch) -> Tensor:
        """All that the head says, `(n_graph, n_answer)`, float32 at least."""
        return self.answers_of(self.encoded(batch))

    def answers_of(self, encoded: Batch) -> Tensor:
        """The same of a batch that is encoded already."""
        said: Tensor = self.head(encoded)
        return said.float() if said.dtype in (torch.float16, torch.bfloat16) else said

    def forward(self, batch: Batch, draws: RandomStream = STILL) -> dict[str, Tensor]:
        """See `Objective.forward`; nothing is drawn."""
        return self.losses(*self.counted(self.answers(batch), batch))

    def counted(self, answers: Tensor, batch: Batch) -> tuple[Tensor, Batch]:
        """The answers that count in losses and figures, and their graphs; those have no nodes where not all of them count."""
        kept = self.head.counted(batch)
        if kept is None:
            return answers, batch
        return answers[kept], Batch.of(
            batch.nodes[:0],
            torch.zeros(int(kept.sum()), dtype=torch.int64, device=kept.device),
            globals=batch.globals[kept],
            labels={name: one[kept] for name, one in batch.labels.items()},
            weights=None if batch.weights is None else batch.weights[kept],
            ids=None if batch.ids is None else batch.ids[kept],
        )

    @abstractmethod
    def losses(self, answers: Tensor, batch: Batch) -> dict[str, Tensor]:
        """Scalars by name of a batch's answers; the one that is minimised is `loss`."""

    def logits(self, batch: Batch) -> Tensor:
        """Logits `(n_graph, n_output)`."""
        return self.logits_of(self.answers(batch))

    def logits_of(self, answers: Tensor) -> Tensor:
        """The part of the answers that says which class or label, `(n_graph, n_output)`: all of them unless said otherwise."""
        return answers

    @abstractmethod
    def outputs(self) -> tuple[str, ...]:
        """A name for each column of the logits: classes or labels."""


class ObjectiveConfig(Section, ABC):
    """The YAML section of an objective; `whole_events` is that of its head."""

    @property
    def whole_events(self) -> bool:
        """See above; False without such a head."""
        return False

    @abstractmethod
    def build(self, encoder: Encoder, question: Question) -> Objective:
        """A new objective around `encoder`; raises InputError where the data can't answer it."""


class Augmentation(ABC):
    """`(Batch, Draws) -> Batch`, pure: the input is untouched, the randomness is in the draws.

    `invariants` names what the augmentation leaves as it is, node by node or pair by pair: node columns and names of
    `kinematics.pairs.PAIR_FEATURES`; `sum_pt` is that of a graph. Where nodes come or go, a column may still take no new value.
    `jets_only` says that this needs nodes close together, as in a jet. `testing.check_augmentation` holds it to its word.
    """

    invariants: ClassVar[tuple[str, ...]] = ()
    jets_only: ClassVar[bool] = False

    @abstractmethod
    def __call__(self, batch: Batch, draws: RandomStream) -> Batch:
        """The augmented copy."""


class AugmentationConfig(Section, ABC):
    """The YAML section of an augmentation."""

    @abstractmethod
    def build(self, features: Features) -> Augmentation:
        """The augmentation for batches with these columns."""


class Source(ABC):
    """An open file, branch by branch as it stands; `data.read` gives the branches the spec's names and units."""

    n_entry: int
    branches: tuple[str, ...]

    @abstractmethod
    def read(self, branches: tuple[str, ...], start: int, stop: int) -> dict[str, Any]:
        """The named branches of the entries `start .. stop - 1` as awkward arrays; raises InputError where one can't be read."""

    @abstractmethod
    def chunks(self, branches: tuple[str, ...]) -> Iterator[tuple[int, int]]:
        """Ranges of entries, from the first to the last, that are cheap to read together and fit in memory."""

    @abstractmethod
    def type_of(self, branch: str) -> str:
        """The type of one entry in awkward's words (`float32`, `var * float32`, `10 * float32`, `string`); empty where it can't be told."""

    def metadata(self) -> dict[str, Any]:
        """What the file says about the sample as a whole (cross section, events tried), as JSON values; often nothing."""
        return {}


LAST_RESORT = 100
"""The `order` of a source that accepts any text: its turn comes when a file is in no other format that is known."""


class SourceConfig(Section, ABC):
    """The `source` section of a data spec, and what tells files of its format from others.

    Attributes:
        formats: names of the formats it reads, as messages write them (`HDF5`); the first stands for all of them.
        article: the article in front of that name.
        magic: the first bytes of such a file, one of these; white space before them is skipped.
        endings: how names of such files end (`.h5`), in lower case.
        gzipped: whether it also reads such files compressed with gzip, `.gz` behind their ending.
        order: its turn in recognising files and in lists of formats, smallest first; of sources for one format, too.
        hint: what a message says of such a file where another format was expected; `it is <format>` if empty.
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
        """The format of a file that begins with the bytes `head`, one of `formats`; empty if it is none of them."""
        return cls.formats[0] if cls.magic and head.lstrip().startswith(cls.magic) else ""

    @property
    def trees(self) -> tuple[str, ...]:
        """The trees read one after another, where a format has several; a virtual branch `tree` then counts them."""
        return ()

    @abstractmethod
    def open(self, path: Path) -> AbstractContextManager[Source]:
        """The file, closed when the block ends; raises InputError saying what the file is where it is not one of this format."""

    @classmethod
    @abstractmethod
    def found_in(cls, path: Path) -> list[Self]:
        """What a file offers: a source for each tree or table, the most likely first; raises InputError where it is not of this format."""
