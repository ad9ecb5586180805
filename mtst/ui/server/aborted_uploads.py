"""Uploads that end before they are whole: their files are removed, and those who wait for their progress are told.

Gradio removes what it cannot parse, but not what never comes to an end. It documents none of this; tried on the version
in `gradio_patches.TRIED_ON`.
"""

from functools import wraps
from pathlib import Path
from typing import Any

from gradio.route_utils import GradioMultiPartParser


def remove_aborted_uploads() -> None:
    """Make Gradio remove them, in all of this process."""
    parse = GradioMultiPartParser.parse
    if hasattr(parse, "__wrapped__"):
        return

    @wraps(parse)
    async def parse_or_remove(parser: GradioMultiPartParser) -> Any:
        try:
            return await parse(parser)
        except BaseException:  # also where the request is cancelled
            for file in parser._files_to_close_on_error:
                file.close()
                Path(file.name).unlink(missing_ok=True)
            if parser.upload_progress is not None and parser.upload_id is not None:
                parser.upload_progress.set_done(parser.upload_id)
            raise

    setattr(GradioMultiPartParser, parse.__name__, parse_or_remove)
