"""``certbot-jprs status``: JPRS's lineages on this machine, and what is wrong.

``--json`` prints one object. What is not known is null; times are ISO 8601 in UTC::

    {"format": 1,                         raised when a key changes its meaning or goes
     "status": 0,                         the exit status: 0 ok, 1 warning, 2 critical, 3 unknown
     "certificates": [
       {"name": "www.example.jp",         as in --cert-name
        "names": ["www.example.jp"],      of the certificate, internationalized ones as xn--
        "unicode_names": {"xn--…": "…"},  how people write those
        "serial": "3fa9…",                hexadecimal
        "not_after": "2027-01-01T00:00:00+00:00",
        "key": "RSA 2048 bits",
        "ocsp": "good",                   or revoked, unknown, undetermined; null: no responder
        "version": 3, "newest": 3,        linked in live/, and the newest in archive/
        "held": {"version": 4, "since": "…", "step": "held", "failure": ""},   or null
        "served": {"www.example.jp": {"serial": "…", "version": 3}},   by port 443; version null:
                                          a certificate that is not of this lineage
        "account": "0123…", "account_exists": true,
        "server": "https://…", "authenticator": "certbot-jprs:http", "installer": null,
        "renewals": [                     that are remembered, the oldest first; null: unreadable
          {"version": 3, "replaces": 2, "saved": "…", "ended": "…",
           "outcome": "released",         or held, revoked, damaged, failed, not-issued
           "waited": 460.1,               seconds from when it was saved until the wait ended
           "status": "good",              what the OCSP server said at last; or unasked
           "unknown_until": 450.0,        after so many seconds it was last asked and did not know
           "lag": 460.1,                  and after so many it did; null: never
           "hooks": "done", "reload": "done"}],   or none, earlier (an earlier run did it), failed
        "problems": [{"level": "warning", "kind": "held", "message": "…"}]}],
     "schedulers": ["certbot.timer"],     what runs `certbot renew`
     "sleeps": [{"path": "…", "line": 1, "text": "…", "instead": "…"}],   empty: delete the line
     "problems": [{"level": "warning", "kind": "no-scheduler", "message": "…"}]}

The kinds of problems are ``levels.KINDS``. ``--prometheus`` is in ``metrics``.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any

from certbot_jprs.command import judging, output, survey, table
from certbot_jprs.command.judging import Judgement
from certbot_jprs.command.levels import Finding, Level
from certbot_jprs.command.survey import Entry
from certbot_jprs.ground.language import _
from certbot_jprs.ground.said import words
from certbot_jprs.holding.ending import Ending

FORMAT = 1


def run(arguments: argparse.Namespace) -> int:
    """Shows the status.

    Args:
        arguments: the parsed command line.

    Returns:
        The exit status.
    """
    if arguments.output is not None:
        arguments.parser.error(_("--output goes with --prometheus"))
    judgement = judging.judge(arguments)
    if judgement is None:
        return int(Level.UNKNOWN)
    if arguments.json:
        output.result(json.dumps(_as_json(judgement), ensure_ascii=False, indent=1))
    else:
        _print(judgement)
    return int(judgement.level)


# For people


def _print(judgement: Judgement) -> None:
    found, judged = judgement.survey, judgement.lineages
    words = {
        Level.OK: _("OK"),
        Level.WARNING: _("WARNING"),
        Level.CRITICAL: _("CRITICAL"),
        Level.UNKNOWN: _("UNKNOWN"),
    }
    wrong = sum(1 for _entry, each in judged if each)
    # First, in one line, what a monitoring system shows.
    head = (
        _("{level}: {count} JPRS certificate(s), {wrong} with problems")
        if judged
        else _("{level}: there is no JPRS certificate in {config_dir}")
    )
    output.result(
        head.format(
            level=words[judgement.level],
            count=len(judged),
            wrong=wrong,
            config_dir=found.config_dir,
        )
    )
    if judged:
        output.result("")
        output.result(_table([entry for entry, _each in judged], judgement.now))
    schedulers = [scheduler.where for scheduler in found.found.schedulers]
    if schedulers:
        output.result("")
        output.result(_("Automatic renewal: {where}").format(where=", ".join(schedulers)))
    lines = [(words[finding.level], finding.message) for finding in judgement.general]
    lines += [
        (words[finding.level], f"{entry.lineage.name}: {finding.message}")
        for entry, each in judged
        for finding in each
    ]
    if lines:
        output.result("")
    for word, message in lines:
        output.result(f"{word}: {message}")


def _table(entries: Sequence[Entry], now: datetime) -> str:
    titles = [
        _("NAME"),
        _("EXPIRES"),
        _("KEY"),
        _("OCSP"),
        _("HELD SINCE"),
        _("PORT 443"),
        _("ACCOUNT"),
        _("RENEWED BY"),
    ]
    rows = [_row(entry, now) for entry in entries]
    # What is wrong with account, key or plugin is said below, and --json has all.
    return table.fitting(titles, rows, shutil.get_terminal_size().columns, spare=(6, 2, 7))


def _row(entry: Entry, now: datetime) -> list[list[str]]:
    lineage = entry.lineage
    names = []
    for name in entry.names or (lineage.name,):
        written = survey.unicode_name(name)
        names.append(f"{written} ({name})" if written else name)
    end = entry.not_after
    days = (end - now).days if end is not None else 0
    plugins = [lineage.authenticator or "-"]
    if lineage.installer not in (None, lineage.authenticator):
        plugins.append(f"+ {lineage.installer}")
    return [
        names,
        [_("{date} ({days} d)").format(date=end.date(), days=days) if end is not None else "?"],
        [entry.key.replace(" bits", "") or "?"],
        [entry.answer.status.value if entry.answer is not None else table.NOTHING],
        [_local(entry.record.since) if entry.record is not None else table.NOTHING],
        [_served(entry)],
        [entry.account[:8] if entry.account_exists else _("missing")],
        plugins,
    ]


def _served(entry: Entry) -> str:
    if not entry.served:
        return table.NOTHING
    if all(certificate == entry.certificate for certificate in entry.served.values()):
        return _("this")
    versions = {entry.version_of(certificate) for certificate in entry.served.values()}
    return _("another") if None in versions else _("an older")


def _local(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).astimezone().strftime("%Y-%m-%d %H:%M")


# For programs


def _as_json(judgement: Judgement) -> dict[str, Any]:
    found = judgement.survey
    return {
        "format": FORMAT,
        "status": int(judgement.level),
        "certificates": [_certificate(entry, each) for entry, each in judgement.lineages],
        "schedulers": [scheduler.where for scheduler in found.found.schedulers],
        "sleeps": [vars(sleep) for sleep in found.found.sleeps],
        "problems": [_problem(finding) for finding in judgement.general],
    }


def _certificate(entry: Entry, each: Sequence[Finding]) -> dict[str, Any]:
    lineage, record, end = entry.lineage, entry.record, entry.not_after
    written = {name: survey.unicode_name(name) for name in entry.names}
    return {
        "name": lineage.name,
        "names": list(entry.names),
        "unicode_names": {name: text for name, text in written.items() if text},
        "serial": f"{entry.certificate.serial_number:x}" if entry.certificate else None,
        "not_after": end.isoformat() if end is not None else None,
        "key": entry.key or None,
        "ocsp": entry.answer.status.value if entry.answer is not None else None,
        "version": entry.version,
        "newest": entry.newest,
        "held": None
        if record is None
        else {
            "version": record.held,
            "since": _iso(record.since),
            "step": record.step.value,
            "failure": words(record.failure),
        },
        "served": {
            name: {
                "serial": f"{certificate.serial_number:x}",
                "version": entry.version_of(certificate),
            }
            for name, certificate in entry.served.items()
        },
        "account": entry.account or None,
        "account_exists": entry.account_exists,
        "server": lineage.server,
        "authenticator": lineage.authenticator,
        "installer": lineage.installer,
        "renewals": None if entry.renewals is None else [_renewal(each) for each in entry.renewals],
        "problems": [_problem(finding) for finding in each],
    }


def _renewal(ending: Ending) -> dict[str, Any]:
    values = ending.values()
    del values["name"]
    saved = _iso(ending.saved) if ending.saved else None
    return {**values, "saved": saved, "ended": _iso(ending.ended), "lag": ending.known_after}


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat()


def _problem(finding: Finding) -> dict[str, str]:
    return {
        "level": finding.level.name.lower(),
        "kind": finding.kind,
        "message": finding.message,
    }
