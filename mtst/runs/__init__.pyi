from .folder import RunFolder
from .job import Job
from .manager import RunManager
from .settings import Settings

__all__ = [
    "Job",
    "RunFolder",
    "RunManager",
    "Settings",
]
