"""Another encoder for texts that an encoder cannot read: whether this server has it, and what to do if not."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from mtst.analysis.token_oddities import ENCODER, advise_training, find_token_oddities
from mtst.data.readers.notes import Oddity, Treatment
from mtst.ui.services.services import Services

if TYPE_CHECKING:
    from mtst.encoders.encoder import Encoder

HERE = "train with the encoder {} (Train tab, under Encoder)"
AT_HOME = "train on your own machine with --encoder {}, which this server cannot load"


def suggested_encoder(services: Services, oddities: Iterable[Oddity]) -> Treatment | None:
    """Return the treatment that takes another encoder, if one is suggested and this server can load it."""
    treatments = (oddity.treatment for oddity in oddities if oddity.treatment)
    suggested = next((each for each in treatments if each.option == ENCODER), None)
    return suggested if suggested and services.encoder_pool.can_load(suggested.value) else None


def advise_encoder(services: Services, oddities: Iterable[Oddity]) -> tuple[Oddity, ...]:
    """Return the findings with what to do in words, where the encoder cannot be exchanged."""
    found = tuple(oddities)
    return advise_training(found, HERE if suggested_encoder(services, found) else AT_HOME)


def unread_texts(
    services: Services, encoder: "Encoder", texts: Sequence[str], lines: Sequence[int] | None = None
) -> tuple[Oddity, ...]:
    """Return what an encoder that cannot be exchanged does not read of some texts; `lines` are theirs in a file."""
    return advise_encoder(services, find_token_oddities(texts, encoder, lines))
