"""Analysis of embeddings and data: similarity, projection, clusters, explanations, data quality."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
