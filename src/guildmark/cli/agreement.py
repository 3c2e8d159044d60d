"""`guildmark agreement`: how far the markers in a CSV file of marks agree."""

from __future__ import annotations

import sys

import click


@click.command(name="agreement")
@click.argument("marks", metavar="MARKS.csv")
@click.option("--blueprint", "blueprint_file", required=True, metavar="FILE", help="The blueprint that was marked by.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
def command(marks: str, blueprint_file: str, as_json: bool) -> None:
    """How far the markers agree, over all marks in MARKS.csv and for each criterion.

    The file has the columns submission_id, assessment_id, criterion_id, marker_id, level_id, comment and at;
    `-` reads standard input. Rows that cannot be read are listed, the others counted.

    Exit code: 0 measured, 1 measured but some rows were not read, 3 too little to measure, 2 unreadable.

    Example: guildmark agreement marks.csv --blueprint blueprint.json
    """
    from guildmark.assess.agreement import agreement, by_criterion
    from guildmark.assess.marking import read_marks_csv
    from guildmark.cli.output import place, print_json, read_input, say
    from guildmark.design.blueprint import read_blueprint

    blueprint = read_blueprint(read_input(blueprint_file), place(blueprint_file))
    read = read_marks_csv(read_input(marks), blueprint, where=place(marks))
    overall = agreement(read.marks, blueprint)
    lines = by_criterion(read.marks, blueprint)
    if as_json:
        print_json(
            {
                "marks": len(read.marks),
                "agreement": overall.to_json(),
                "criteria": [line.to_json() for line in lines],
                "problems": [{"row": p.row, "field": p.field, "says": p.says} for p in read.problems],
            }
        )
    else:
        say(f"{blueprint.title}, version {blueprint.version}: {len(read.marks)} marks")
        click.echo(f"  {overall.says}")
        for line in lines:
            say(f"  {line.title}: {line.says}")
        for problem in read.problems:
            say(f"not read: {problem}", err=True)
    if overall.value is None:
        sys.exit(3)
    sys.exit(1 if read.problems else 0)
