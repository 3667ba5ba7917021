"""A small procedure, which tests write to a folder with changes of their own."""

from pathlib import Path

PROCEDURE = """\
id: sample
version: 1
title: {zh: 样例, en: Sample}
register: {number: "S-{year}-{seq:05}", required: [text, received_at], clause: "1"}
parameters:
  limit: {type: duration, clause: "3", zh: 期限, en: Limit}
roles:
  desk: {zh: 前台, en: Desk}
  chief: {zh: 主管, en: Chief}
facts:
  urgent: {type: bool, default: false, zh: 紧急, en: Urgent}
  agreed: {type: instant, zh: 约定时间, en: Agreed time}
classes:
  - {id: urgent, zh: 紧急件, en: Urgent case, when: "facts.urgent", clause: "2"}
  - {id: ordinary, zh: 普通件, en: Ordinary case, clause: "2"}
clocks:
  - id: handling
    clause: "3"
    zh: 处理
    en: Handling
    when: "case.class == 'ordinary'"
    starts: registered
    stops: [handled, {event: closed, when: "event.role == 'chief'"}]
    owner: desk
    due:
      - within: {parameter: limit}
        do: [breach, {escalate: up}]
  - id: chase
    clause: "3.1"
    zh: 跟催
    en: Chasing
    starts: registered
    stops: closed
    owner: desk
    every: 3d
    do: [{remind: desk, by: [sms]}]
ladders:
  - {id: up, zh: 上报, en: Upwards, clause: "3.2", rungs: [chief]}
actions:
  close: {by: [desk, chief], clause: "4"}
closing:
  - {requires: "last.called_back.outcome == 'satisfied'", clause: "4.1"}
uncovered:
  - {clause: "5", why: 由人完成。 People do it.}
"""
CLAUSES = """\
clauses:
  "1": {zh: 登记, en: Registered}
  "2": {zh: 分级, en: Classified}
  "3": {zh: 处理时限, en: A limit}
  "3.1": {zh: 跟催, en: Chased}
  "4": {zh: 结案, en: Closed}
  "5": {zh: 礼貌, en: Polite}
"""
SCENARIO = """\
procedure: ../procedure.yaml
parameters: {limit: 3wd}
complaint: {received_at: 2026-09-24T10:00:00+08:00, text: x}
steps:
  - {at: 2026-09-24T11:00:00+08:00, action: close, role: complainant}
  - {at: 2026-09-24T12:00:00+08:00, action: close, role: desk}
until: 2026-10-12T00:00:00+08:00
expect:
  - {event: classified, clause: "2"}
  - {event: action_refused, clause: "4"}
  - {event: action_refused, clause: "4.1"}
  - {event: reminded, clause: "3.1"}
  - {event: clock_breached, clause: "3"}
  - {event: escalated, clause: "3.2"}
"""


def write_pack(folder: Path, *changes: tuple[str, str], clauses: str = CLAUSES, scenario: str = SCENARIO, sense: str = "") -> Path:
    """Write the sample pack to a folder, with texts of its procedure.yaml replaced; `sense` is a scenario of the second reading."""
    text = PROCEDURE
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    (folder / "scenarios").mkdir(parents=True, exist_ok=True)
    (folder / "procedure.yaml").write_text(text, "utf-8")
    (folder / "clauses.yaml").write_text(clauses, "utf-8")
    (folder / "scenarios" / "all.yaml").write_text(scenario, "utf-8")
    if sense:
        (folder / "scenarios" / "sense").mkdir(exist_ok=True)
        (folder / "scenarios" / "sense" / "read.yaml").write_text(sense.replace("../procedure", "../../procedure"), "utf-8")
    return folder
