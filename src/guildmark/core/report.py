"""The one `Report`: what was looked at, what was found, and what that means together.

Quality gate, verification, stacking and matching all answer with this value, and pages, API, exit codes and PDF render
it. *Unknown is never pass*: a check that could not be made does not count as one that succeeded, and an empty report
is unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NoReturn


class Verdict(Enum):
    """What a finding, or a whole report, says. `NOT_APPLICABLE` neither helps nor harms."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not applicable"

    def __bool__(self) -> NoReturn:
        raise TypeError("a Verdict has four values: compare it with `is Verdict.PASS`")


EXIT_CODES: dict[Verdict, int] = {
    Verdict.PASS: 0,
    Verdict.FAIL: 1,
    Verdict.UNKNOWN: 3,
    Verdict.NOT_APPLICABLE: 3,
}
"""What a command returns for a report; 2 is kept for input that could not be read."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was checked.

    `id` is stable and part of the interface (`status.revocation`); `says` is one sentence for a person; `because` holds
    the values that were looked at, as plain JSON; `source` names the rule or the clause of a specification.
    """

    id: str
    verdict: Verdict
    says: str
    required: bool = True
    because: Mapping[str, Any] = field(default_factory=dict)
    source: str = ""

    def to_json(self) -> dict[str, Any]:
        """The finding as plain JSON values, the shape that the API and `--json` promise."""
        return {
            "id": self.id,
            "verdict": self.verdict.value,
            "required": self.required,
            "says": self.says,
            "because": dict(self.because),
            "source": self.source,
        }


@dataclass(frozen=True, slots=True)
class Report:
    """Findings about one `subject`, in the order in which they were made.

    `verdict` is FAIL if any finding failed; otherwise UNKNOWN if a required finding is unknown or none passed;
    otherwise PASS. There is no truth value: `if report:` raises, so that no branch can take unknown for fine.
    """

    subject: str
    findings: tuple[Finding, ...] = ()

    @property
    def verdict(self) -> Verdict:
        told = {finding.verdict for finding in self.findings}
        if Verdict.FAIL in told:
            return Verdict.FAIL
        if Verdict.UNKNOWN in told and any(f.required and f.verdict is Verdict.UNKNOWN for f in self.findings):
            return Verdict.UNKNOWN
        return Verdict.PASS if Verdict.PASS in told else Verdict.UNKNOWN

    def __bool__(self) -> NoReturn:
        raise TypeError("a Report has four verdicts: ask `report.verdict is Verdict.PASS`")

    def __getitem__(self, finding_id: str) -> Finding:
        """The first finding with this id; KeyError names the ids that are there."""
        for finding in self.findings:
            if finding.id == finding_id:
                return finding
        raise KeyError(f"{finding_id} (findings: {', '.join(f.id for f in self.findings) or 'none'})")

    def __contains__(self, finding_id: object) -> bool:
        return any(f.id == finding_id for f in self.findings)

    def failed(self) -> tuple[Finding, ...]:
        """The findings that failed, in order."""
        return tuple(f for f in self.findings if f.verdict is Verdict.FAIL)

    def unknown(self) -> tuple[Finding, ...]:
        """The required findings that could not be decided, in order."""
        return tuple(f for f in self.findings if f.required and f.verdict is Verdict.UNKNOWN)

    def plus(self, *more: Finding) -> Report:
        """A new report with these findings added at the end."""
        return Report(self.subject, self.findings + more)

    def to_json(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return {
            "subject": self.subject,
            "verdict": self.verdict.value,
            "findings": [f.to_json() for f in self.findings],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Report:
        """The report that `to_json` wrote; the verdict is computed again, never read."""
        return cls(
            value["subject"],
            tuple(
                Finding(
                    id=f["id"],
                    verdict=Verdict(f["verdict"]),
                    says=f["says"],
                    required=f["required"],
                    because=f["because"],
                    source=f["source"],
                )
                for f in value["findings"]
            ),
        )


def merge(subject: str, reports: Iterable[Report]) -> Report:
    """One report about `subject` with every finding of `reports`, in order."""
    return Report(subject, tuple(f for report in reports for f in report.findings))


_MARKS = {
    Verdict.PASS: "pass",
    Verdict.FAIL: "FAIL",
    Verdict.UNKNOWN: "unknown",
    Verdict.NOT_APPLICABLE: "n/a",
}


def render_text(report: Report) -> str:
    """The report for a terminal: the subject, one line per finding, the verdict last."""
    width = max((len(f.id) for f in report.findings), default=0)
    lines = [report.subject]
    for f in report.findings:
        optional = "" if f.required else " (advice)"
        lines.append(f"  {_MARKS[f.verdict]:<8} {f.id:<{width}}  {f.says}{optional}")
    lines.append(f"=> {report.verdict.value.upper()}")
    return "\n".join(lines)
