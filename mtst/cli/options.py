"""What several commands take."""

from pathlib import Path
from typing import Annotated

import typer

Text = Annotated[str, typer.Option("--text", metavar="COLUMN", help="The column of the sentences.")]
Labels = Annotated[list[str], typer.Option(metavar="COLUMN", help="A column of labels; once for each task.")]
File = Annotated[Path, typer.Argument(help="CSV, TSV, JSON Lines or XLSX, also gzipped.")]
Header = Annotated[
    bool | None,
    typer.Option("--header/--no-header", help="Whether the first row names the columns; found if left out."),
]
Merge = Annotated[bool, typer.Option("--merge-labels", help="Make one label of those alike but for case and blanks.")]
Encoder = Annotated[str, typer.Option("--encoder", metavar="NAME", help="A catalogue name, a folder or a Hub id.")]
Fp32 = Annotated[bool, typer.Option("--fp32", help="Compute in 32 bits even where bf16 is quicker.")]
