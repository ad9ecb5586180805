"""The encoder of a command, with the progress of its download on a terminal."""

import sys

from mtst.encoder import Encoder
from mtst.encoders import load_encoder
from mtst.hub import Told


def loaded(name: str, *, fp32: bool) -> Encoder:
    """Load an encoder and say on standard error, if somebody sees it, how far its download is.

    Raises:
        EncoderError: it is unknown, out of reach, altered, or not a text encoder.
    """
    return load_encoder(name, fp32=fp32, told=_line(name) if sys.stderr.isatty() else None)


def _line(name: str) -> Told:
    """Return what writes one line again and again until the download is whole."""

    def told(done: int, total: int) -> None:
        end = "\n" if done == total else ""
        if total:
            sys.stderr.write(f"\rfetching {name}: {done / 1e6:,.0f} of {total / 1e6:,.0f} MB{end}")
            sys.stderr.flush()

    return told
