"""Errors that a user can cause or fix. Each message says what is wrong and what to do."""


class MtstError(Exception):
    """Base of all errors whose message is meant for the user."""


class SettingsError(MtstError):
    """A setting of the host, or of a training run, has an invalid value."""


class DataError(MtstError):
    """A file or a table cannot be used as it is."""


class EncoderError(MtstError):
    """An encoder cannot be found, fetched, verified or read."""


class ModelError(MtstError):
    """A model folder is incomplete or does not fit."""


class RunError(MtstError):
    """A training run is unknown, or not in a state that allows what was asked."""


class PeerError(MtstError):
    """Another process of a process group failed, or reports the failure: this process ends without a message."""
