"""`check`: a table -> the rows that may be wrong."""

from pathlib import Path
from typing import Annotated

import typer

from mtst.analysis.data_quality import check_quality
from mtst.cli.options import EncoderName, File, Fp32, Header, Labels, Merge, Prompt, Text
from mtst.cli.output import check_writable, load_with_progress, print_skipped
from mtst.data.dataset import make_dataset
from mtst.data.table import read_table
from mtst.encoders.catalogue import DEFAULT


def check(
    file: File,
    text: Text,
    labels: Labels,
    out: Annotated[Path, typer.Option(metavar="FILE.csv", help="Where to write what was found, with line numbers.")],
    merge: Merge = False,
    header: Header = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Fixes the folds.")] = 0,
    encoder: EncoderName = DEFAULT,
    prompt: Prompt = None,
    fp32: Fp32 = False,
) -> None:
    """Look for copies, near copies, copies that disagree and labels that look mistaken, the worst first."""
    check_writable(out)
    data = make_dataset(read_table(file, header=header), text, labels, merge=merge)
    print_skipped(data.skipped)
    findings = check_quality(data, load_with_progress(encoder, prompt, fp32=fp32).encode(data.texts), seed)
    count = findings.write(data, out)
    typer.echo(
        f"{len(data):,} rows: {len(findings.copies):,} copies, {len(findings.near_copies):,} near copies, "
        f"{len(findings.conflicts):,} copies that disagree, {len(findings.labels):,} doubtful labels; "
        f"{count:,} lines written to {out}"
    )
