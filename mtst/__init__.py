"""One shared sentence encoder with several task heads: understand it, train it, take it home.

Public names are imported on first use, so `import mtst` is fast and never imports gradio or torch.
"""

import lazy_loader

__version__ = "0.4.0"
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
