"""The multi-task model: an encoder with heads, stored, exported, shared."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
