"""Training runs that a server owns: queue, folder, worker process, history."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
