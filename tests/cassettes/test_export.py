"""Recordings for other tools: HAR that a third party reads, WireMock mappings, an OpenAPI document for Prism."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cassette_harness import ROOT, command, replayed
from jsonschema import Draft202012Validator
from process import tracksync_here as tracksync

PROBES = ROOT / "cassettes" / "probes"
SOME = [
    str(PROBES / f"{name}.yaml")
    for name in ("event-times", "refused-forms", "purchase-counts")
    if (PROBES / f"{name}.yaml").exists()
]

# What WireMock documents of a stub mapping, as far as we use it:
# https://wiremock.org/docs/standalone/admin-api-reference/
MAPPINGS = {
    "type": "object",
    "required": ["mappings"],
    "properties": {
        "mappings": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["id", "request", "response"],
                "additionalProperties": False,
                "properties": {
                    "id": {"type": "string", "pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"},
                    "name": {"type": "string"},
                    "priority": {"type": "integer"},
                    "scenarioName": {"type": "string"},
                    "requiredScenarioState": {"type": "string"},
                    "newScenarioState": {"type": "string"},
                    "metadata": {"type": "object"},
                    "request": {
                        "type": "object",
                        "required": ["method", "url"],
                        "additionalProperties": False,
                        "properties": {
                            "method": {"type": "string"},
                            "url": {"type": "string", "pattern": "^/"},
                            "bodyPatterns": {
                                "type": "array",
                                "items": {
                                    "oneOf": [
                                        {"required": ["equalToJson"]},
                                        {"required": ["equalTo"]},
                                        {"required": ["binaryEqualTo"]},
                                    ]
                                },
                            },
                        },
                    },
                    "response": {
                        "type": "object",
                        "required": ["status"],
                        "additionalProperties": False,
                        "properties": {
                            "status": {"type": "integer"},
                            "headers": {"type": "object"},
                            "body": {"type": "string"},
                            "base64Body": {"type": "string"},
                        },
                    },
                },
            },
        },
        "importOptions": {"type": "object"},
    },
}


def exported(form: str, out: Path, *paths: str) -> dict:
    done = command("cassettes", "export", *(paths or SOME), "--format", form, "--output", str(out))
    assert done.returncode == 0, done.stderr
    return json.loads(out.read_text())


def test_another_library_reads_the_har(tmp_path: Path) -> None:
    haralyzer = pytest.importorskip("haralyzer")
    made = exported("har", tmp_path / "x.har")
    parser = haralyzer.HarParser(made)
    assert len(parser.pages) == len(SOME)
    entries = [entry for page in parser.pages for entry in page.entries]
    assert len(entries) == len(made["log"]["entries"])
    assert {entry.request.method for entry in entries} >= {"POST"}
    assert 201 in {entry.response.status for entry in entries}
    assert all(entry.response.headers for entry in entries)


def test_the_har_is_checked_like_its_cassettes(tmp_path: Path) -> None:
    source = ROOT / "cassettes" / "faults"
    fault = next(path for path in sorted(source.glob("*.yaml")) if path.name.startswith("success_body--"))
    exported("har", tmp_path / "x.har", str(fault))
    assert set(replayed(tmp_path / "x.har").broken) == {"TS-OK-MESSAGE"}


def test_wiremock_mappings_have_the_documented_form_and_keep_the_order(tmp_path: Path) -> None:
    made = exported("wiremock", tmp_path / "w.json")
    Draft202012Validator(MAPPINGS).validate(made)
    by_scenario: dict[str, list[dict]] = {}
    for stub in made["mappings"]:
        by_scenario.setdefault(stub["scenarioName"], []).append(stub)
    assert len(by_scenario) == len(SOME)
    for stubs in by_scenario.values():
        state = "Started"
        for stub in stubs:
            assert stub["requiredScenarioState"] == state
            state = stub.get("newScenarioState", "the end")
        assert state == "the end"
    assert len({stub["id"] for stub in made["mappings"]}) == len(made["mappings"])


def test_bodies_that_are_not_text_are_exported_as_base64(tmp_path: Path) -> None:
    import yaml
    from cassette_harness import vcrpy_item

    path = tmp_path / "c.yaml"
    path.write_text(yaml.safe_dump({"version": 1, "interactions": [vcrpy_item(b"\xff", b"\xfe\xff", status=400)]}))
    stub = exported("wiremock", tmp_path / "w.json", str(path))["mappings"][0]
    assert stub["request"]["bodyPatterns"] == [{"binaryEqualTo": "/w=="}]
    assert stub["response"]["base64Body"] == "/v8="
    exported("har", tmp_path / "x.har", str(path))
    assert replayed(tmp_path / "x.har").checked == 1


def test_the_document_for_prism_is_valid_openapi_with_the_responses_as_examples(tmp_path: Path) -> None:
    validator = pytest.importorskip("openapi_spec_validator")
    made = exported("prism-examples", tmp_path / "openapi.json")
    validator.validate(made)
    created = made["paths"]["/users/track/sync"]["post"]["responses"]["201"]["content"]["application/json"]
    recorded = [name for name in created["examples"] if name.endswith("event-times-1")]
    assert recorded
    assert created["examples"][recorded[0]]["value"]["message"] == "success"


def test_exporting_what_is_not_there_is_wrong_use(tmp_path: Path) -> None:
    done = command("cassettes", "export", "nowhere.yaml", "--format", "har", cwd=tmp_path)
    assert done.returncode == 2
    assert "nowhere.yaml does not exist" in done.stderr
    (tmp_path / "broken.yaml").write_text("- [\n")
    done = command("cassettes", "export", "broken.yaml", "--format", "har", cwd=tmp_path)
    assert done.returncode == 2
    assert "broken.yaml:2: this is not YAML" in done.stderr


def test_recordings_are_named_below_their_common_directory_and_never_confused(tmp_path: Path) -> None:
    ruby = ROOT / "tests" / "recordings" / "ruby-vcr"
    made = exported("wiremock", tmp_path / "w.json", str(ruby), str(ruby.parent / "vcrpy" / "requests.yaml"))
    names = {stub["scenarioName"] for stub in made["mappings"]}
    assert names >= {"ruby-vcr/kept-plain.yml", "ruby-vcr/kept-plain.json", "vcrpy/requests"}


def test_exporting_again_gives_the_same_bytes(tmp_path: Path) -> None:
    exported("wiremock", tmp_path / "a.json")
    done = tracksync("cassettes", "export", *SOME, "--format", "wiremock", "--output", "b.json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr  # by another process, which hashes differently
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
