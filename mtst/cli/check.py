"""`check`: a table -> the rows that may be wrong."""

from pathlib import Path
from typing import Annotated

import typer

from mtst.analysis.data_quality import check_quality
from mtst.analysis.token_oddities import find_token_oddities
from mtst.cli.options import (
    Clean,
    Delimiter,
    EncoderName,
    Encoding,
    Fp32,
    Header,
    HeaderLine,
    Labels,
    LeaveOut,
    Merge,
    Missing,
    MultiLabel,
    Prompt,
    Sheet,
    SingleLabel,
    Source,
    Text,
    label_choice,
    parse_lines,
    parse_treatments,
)
from mtst.cli.output import check_writable, load_with_progress, print_label_sets, print_oddities, print_skipped
from mtst.cli.rows import Selection
from mtst.data.readers.options import ReadOptions
from mtst.encoders.catalogue import DEFAULT


def check(
    file: Source,
    text: Text,
    out: Annotated[Path, typer.Option(metavar="FILE.csv", help="Where to write the findings, with line numbers.")],
    labels: Labels = None,
    multi_label: MultiLabel = None,
    single_label: SingleLabel = None,
    merge: Merge = False,
    header: Header = None,
    header_line: HeaderLine = 0,
    encoding: Encoding = "",
    delimiter: Delimiter = "",
    sheet: Sheet = "",
    missing: Missing = None,
    clean: Clean = None,
    leave_out: LeaveOut = "",
    seed: Annotated[int, typer.Option(metavar="N", help="Fixes the folds.")] = 0,
    encoder: EncoderName = DEFAULT,
    prompt: Prompt = None,
    fp32: Fp32 = False,
) -> None:
    """Report what looks odd in a file, duplicates, conflicting duplicates and possible label errors."""
    check_writable(out)
    selection = Selection(
        text,
        label_choice(labels, multi_label, single_label),
        ReadOptions(header, encoding, delimiter, sheet, header_line),
        parse_treatments(missing, clean),
        merge=merge,
        leave_out=parse_lines(leave_out),
    )
    data, _ = selection.read(file)
    print_label_sets(data.tasks)
    print_skipped(data.skipped)
    print_oddities(data.oddities)
    loaded = load_with_progress(encoder, prompt, fp32=fp32)
    print_oddities(find_token_oddities(data.texts, loaded, data.lines))
    findings = check_quality(data, loaded.encode(data.texts), seed)
    count = findings.write(data, out)
    typer.echo(
        f"{len(data):,} rows: {len(findings.copies):,} copies, {len(findings.near_copies):,} near copies, "
        f"{len(findings.conflicts):,} copies that disagree, {len(findings.labels):,} doubtful labels; "
        f"{count:,} lines written to {out}"
    )
