"""The errors a user can cause or mend. Each message says what is wrong and what to do; only a face translates it."""


class MtstError(Exception):
    """Anything that went wrong and that the message explains to a person."""


class SettingsError(MtstError):
    """A setting of the host, or of a training run, has a value that makes no sense."""


class DataError(MtstError):
    """A file or a table cannot be used as it is."""


class EncoderError(MtstError):
    """An encoder cannot be found, fetched, verified or read."""


class ModelError(MtstError):
    """A model folder is incomplete or does not fit."""


class RunError(MtstError):
    """A training run is unknown or cannot do what was asked."""


class PeerError(MtstError):
    """Another process of a process group failed, or reports the failure: this process ends without a message."""
