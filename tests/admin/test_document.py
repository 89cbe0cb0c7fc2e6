"""spec/admin.yaml and the admin API say the same: every route, and the form of every response."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
import yaml
from admin_harness import AdminHarness
from openapi_spec_validator import validate
from starlette.routing import Route

from tracksync.admin.addresses import PREFIX
from tracksync.admin.routes import PAGE, routes
from tracksync.contract import spec

DOCUMENT: dict[str, Any] = yaml.load((spec.directory() / "admin.yaml").read_text(encoding="utf-8"), spec.loader())
PURCHASE = {"external_id": "ada", "product_id": "book", "currency": "EUR", "price": "1", "time": "2025-01-01T00:00:00Z"}


def test_the_document_is_valid_openapi() -> None:
    validate(DOCUMENT)


def test_document_and_routes_name_the_same_operations() -> None:
    documented = {(method.upper(), path) for path, methods in DOCUMENT["paths"].items() for method in methods}
    pages = {f"{PREFIX}/{name}" for name in PAGE} | {PREFIX}
    served = {
        (method, route.path.removeprefix(PREFIX).replace(":int", ""))
        for route in routes(AdminHarness().workspaces)
        if isinstance(route, Route) and route.path not in pages
        for method in (route.methods or set()) - {"HEAD"}
    }
    assert served == documented


def schema_of(operation: str, status: str = "200") -> dict[str, Any]:
    for methods in DOCUMENT["paths"].values():
        for one in methods.values():
            if one["operationId"] == operation:
                response = one["responses"][status]
                name = response.get("$ref", "").rpartition("/")[2]
                response = DOCUMENT["components"]["responses"][name] if name else response
                return {"components": DOCUMENT["components"], **response["content"]["application/json"]["schema"]}
    raise AssertionError(operation)


@pytest.mark.parametrize(
    ("operation", "method", "path", "body"),
    [
        ("health", "GET", "/health", None),
        ("workspaces", "GET", "/workspaces", None),
        ("catalogue", "GET", "/catalogue", None),
        ("status", "GET", "/status", None),
        ("listUsers", "GET", "/users", None),
        ("user", "GET", "/user?external_id=ada", None),
        ("addUsers", "POST", "/users", {"users": [{"email": "b@example.com"}]}),
        ("log", "GET", "/log", None),
        ("exchange", "GET", "/log/1", None),
        ("exchange", "GET", "/log/2", None),
        ("findings", "GET", "/findings?conclude=true", None),
        ("reset", "POST", "/reset", {}),
        ("snapshot", "GET", "/snapshot", None),
        ("settle", "POST", "/settle", {"timeout": 0}),
        ("advanceClock", "POST", "/clock", {"advance": 60}),
        ("settings", "GET", "/settings", None),
        ("switch", "PATCH", "/settings", {"faults": ["message-ok"]}),
    ],
)
def test_a_response_has_the_form_that_the_document_gives(operation: str, method: str, path: str, body: Any) -> None:
    harness = AdminHarness()
    harness.write(colour="red")
    harness.track({"purchases": [PURCHASE]})
    jsonschema.validate(harness.admin(method, path, body), schema_of(operation))


def test_a_refusal_has_the_form_that_the_document_gives() -> None:
    harness = AdminHarness()
    schema = {**DOCUMENT["components"]["schemas"]["Error"], "components": DOCUMENT["components"]}
    for method, path, status in (("GET", "/log/9", 404), ("GET", "/nowhere", 404), ("DELETE", "/status", 405)):
        response = harness.send(method, f"{PREFIX}{path}")
        assert response.status_code == status
        jsonschema.validate(response.json(), schema)


def test_the_document_is_served() -> None:
    response = AdminHarness().send("GET", f"{PREFIX}/openapi.yaml")
    assert yaml.safe_load(response.text)["info"] == DOCUMENT["info"]
