"""`tracksync replay`: results as of every command, and `--against`, which sends again and compares."""

from __future__ import annotations

import json
import random
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml
from cassette_harness import ROOT, command, event_body, event_response, served, two_events, vcrpy_document
from jsonschema import Draft202012Validator
from upstream import Upstream

from tracksync.cassettes.audit import Auditor
from tracksync.cassettes.generating import CassetteDirectory, generate_cassette
from tracksync.cassettes.manifest import ManifestEntry
from tracksync.cassettes.normalising import OURS
from tracksync.cassettes.resending import ResendPlan, resend
from tracksync.engine.targets import HttpTarget
from tracksync.errors import UsageError
from tracksync.generate.harmless import Namer
from tracksync.generate.probes import PROBES
from tracksync.report.json_result import schema
from tracksync.report.redact import Redactor
from tracksync.wire.serve import served as serve_app

KEY = {"TRACKSYNC_API_KEY": "mock-key", "TRACKSYNC_UNPRIVILEGED_KEY": "mock-key-without-permission"}


def write(path: Path, document: object) -> Path:
    path.write_text(yaml.safe_dump(document))
    return path


def again(folder: Path, url: str, *paths: Path | str) -> tuple[int, dict, str]:
    done = command("replay", *map(str, paths), "--against", url, "--json", str(folder / "again.json"), **KEY)
    assert "Traceback" not in done.stderr
    return done.returncode, json.loads((folder / "again.json").read_text()), done.stdout


@pytest.mark.parametrize(("second", "code", "verdict"), [(2, 0, "passed"), (1, 1, "failed")])
def test_results_are_written_as_by_every_command(tmp_path: Path, second: int, code: int, verdict: str) -> None:
    path = write(tmp_path / "c.yaml", vcrpy_document(two_events(second)))
    done = command("replay", str(path), "--json", str(tmp_path / "r.json"), "--junit", str(tmp_path / "r.xml"))
    assert done.returncode == code
    result = json.loads((tmp_path / "r.json").read_text())
    Draft202012Validator(schema()).validate(result)
    assert (result["command"], result["verdict"], result["requests"]) == ("replay", verdict, 2)
    failures = {
        case.get("name")
        for case in ElementTree.parse(tmp_path / "r.xml").iter("testcase")
        if case.find("failure") is not None
    }
    assert len(failures) == (second == 1)
    if second == 1:
        (finding,) = result["findings"]
        assert finding["clause"] == "TS-EVENT-COUNT"
        assert finding["cassette"].startswith(f"{path}:")
        assert finding["reproduce"] == f"tracksync replay {path}"
        assert len(finding["exchanges"]) == 2, "what led to it is shown too"


def test_skipped_interactions_are_counted_in_the_result(tmp_path: Path) -> None:
    document = vcrpy_document(two_events())
    document["interactions"][0]["request"]["uri"] = "https://rest.iad-01.braze.com/campaigns/list"
    path = write(tmp_path / "c.yaml", document)
    command("replay", str(path), "--json", str(tmp_path / "r.json"))
    result = json.loads((tmp_path / "r.json").read_text())
    assert (result["requests"], result["skipped"]) == (1, 1)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("replay", "nowhere"), "nowhere does not exist"),
        (("replay", "."), "there are no recordings in ."),
        (("replay", ".", "--against", "http://127.0.0.1:9"), "there is no key"),
        (("replay", ".", "--against", "https://rest.iad-01.braze.com"), "is not on this machine"),
    ],
)
def test_mistakes_of_the_user_are_one_line_and_exit_code_two(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    done = command(*words, cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("status", "header", "said"),
    [
        (200, (b"content-type", b"text/html"), "web page"),
        (401, (b"content-type", b"application/json"), "refuses the key"),
        (403, (b"content-type", b"application/json"), "lacks the permission"),
        (302, (b"location", b"/login"), "is a redirect"),
        (404, (b"content-type", b"text/html"), "is not there"),
    ],
)
def test_what_is_no_workspace_or_refuses_the_key_is_wrong_use_and_not_compared(
    status: int, header: tuple[bytes, bytes], said: str, tmp_path: Path
) -> None:
    path = write(tmp_path / "c.yaml", vcrpy_document(two_events()))
    page = Upstream(status, (header,), b"<html></html>")
    with serve_app(page, transparent=True) as url, pytest.raises(UsageError, match=said):
        resend(ResendPlan(paths=(path,), target=url, key="mock-key"), lambda event: None)
    assert len(page.bodies) == 1


def test_recordings_without_a_documented_endpoint_do_not_pass(tmp_path: Path) -> None:
    document = vcrpy_document(two_events(), url="https://api.example.com/pets")
    done = command("replay", str(write(tmp_path / "c.yaml", document)))
    assert done.returncode == 3
    assert "nothing was checked" in " ".join(done.stdout.split())


def test_interpretations_can_be_saved_and_required(tmp_path: Path) -> None:
    source = ROOT / "cassettes" / "probes" / "event-times.yaml"
    done = command("replay", str(source), "--save-interpretations", str(tmp_path / "interpretations.toml"))
    assert done.returncode == 0
    again = command("replay", str(source), "--interpretations", str(tmp_path / "interpretations.toml"))
    assert again.returncode == 0, again.stdout


def test_sent_again_to_a_lawful_server_with_other_interpretations_it_passes(tmp_path: Path) -> None:
    paths = [ROOT / "cassettes" / "probes" / f"{name}.yaml" for name in ("event-times", "users-apart", "refused-forms")]
    paths = [path for path in paths if path.exists()]
    with served(
        rate_limit=100_000, interpretations={"time-form": "utc-micros", "extras": "rich", "error-entries": "texts"}
    ) as url:
        code, result, said = again(tmp_path, url, *paths)
        assert code == 0, said
        assert result["requests"] > 10
        code, _, said = again(tmp_path, url, *paths)
        assert code == 0, "the users of the first run are not used again\n" + said


def test_a_clause_that_is_broken_only_now_is_a_finding(tmp_path: Path) -> None:
    path = ROOT / "cassettes" / "probes" / "event-times.yaml"
    with served(rate_limit=100_000, faults=("event-count-stuck",)) as url:
        code, result, said = again(tmp_path, url, path)
    assert code == 1
    assert "TS-EVENT-COUNT is broken now and was not when recorded" in " ".join(said.split())
    assert any(finding["clause"] == "TS-EVENT-COUNT" and not finding["known"] for finding in result["findings"])


def test_a_clause_that_was_broken_then_is_known_and_one_that_is_not_now_is_reported(tmp_path: Path) -> None:
    fault = next((ROOT / "cassettes" / "faults").glob("success_body--message-ok.yaml"))
    with served(rate_limit=100_000, faults=("message-ok",)) as url:
        code, result, _ = again(tmp_path, url, fault)
        assert code == 0
        assert all(finding["known"] for finding in result["findings"])
    with served(rate_limit=100_000) as url:
        code, _, said = again(tmp_path, url, fault)
    assert code == 0
    assert "TS-OK-MESSAGE was broken when recorded and is not now" in " ".join(said.split())


def test_an_interpretation_other_than_recorded_is_drift(tmp_path: Path) -> None:
    probe = next(probe for probe in PROBES if probe.name == "purchase-counts")
    with served(rate_limit=100_000) as url:
        target = HttpTarget(url, "mock-key")
        steps = probe.steps(Namer("ts0123456789ab", random.Random(1)))
        entry = ManifestEntry(fresh=OURS, against=url)
        cassettes = CassetteDirectory(tmp_path / "c", Auditor())
        cassettes.put(
            "probe--purchase-counts.yaml", generate_cassette([target.send(step) for step in steps], entry, Redactor())
        )
        cassettes.close()
        target.close()
    path = tmp_path / "c" / "probe--purchase-counts.yaml"
    with served(rate_limit=100_000) as url:
        assert again(tmp_path, url, path)[0] == 0
    with served(rate_limit=100_000, interpretations={"purchase-count": "one"}) as url:
        code, result, said = again(tmp_path, url, path)
    assert code == 1
    assert "drift: the server followed purchase-count=quantity" in said
    assert [finding["clause"] for finding in result["findings"]] == ["TS-INTERPRETATION-KEPT"]


def test_the_users_of_a_recording_are_never_addressed(tmp_path: Path) -> None:
    body = json.dumps({"events": [{"email": "ada@corp.io", "name": "rented", "time": "2022-12-06T19:20:45Z"}]})
    path = write(tmp_path / "c.yaml", vcrpy_document([(body, "{}"), (event_body("4711"), event_response(1, "4711"))]))
    with served(rate_limit=100_000) as url:
        _, result, said = again(tmp_path, url, path)
    assert result["requests"] == 2, said
    sent = json.dumps(result)
    assert "ada@corp.io" not in sent
    assert '"4711"' not in sent


def test_an_unreachable_target_ends_incomplete(tmp_path: Path) -> None:
    path = write(tmp_path / "c.yaml", vcrpy_document(two_events()))
    done = command("replay", str(path), "--against", "http://127.0.0.1:9", "--max-requests", "2", **KEY)
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
