"""From a file to a dataset: read a table, choose columns, build labels, split."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
