"""The command line: `python -m mtst`."""

import os

import typer

from mtst.cli.checking import check
from mtst.cli.comparing import compare
from mtst.cli.embedding import embed, similarity
from mtst.cli.exporting import export
from mtst.cli.predicting import predict
from mtst.cli.pushing import push
from mtst.cli.telling import told
from mtst.cli.training import train

app = typer.Typer(
    add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False, no_args_is_help=True, help=__doc__
)
for command in (embed, similarity, predict, train, compare, check, export, push):
    app.command()(told(command))


if __name__ == "__main__":
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    app(prog_name="python -m mtst")
