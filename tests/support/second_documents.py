"""An OpenAPI document of other hands in the style of 3.0.3, for tests that hold servers against it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import yaml

THEIRS: Final = """
openapi: 3.0.3
info: {title: Create and update users (synchronous), version: "1"}
servers: [{url: https://rest.iad-01.braze.com}]
paths:
  /users/track/sync:
    post:
      requestBody: {$ref: "#/components/requestBodies/One"}
      responses:
        "201":
          description: The update.
          content:
            application/json:
              schema: {$ref: "#/components/schemas/Updated"}
  /users/track:
    post:
      requestBody: {content: {application/json: {schema: {}}}}
      responses: {default: {description: Queued., content: {application/json: {schema: {required: [message]}}}}}
components:
  requestBodies:
    One:
      content:
        application/json:
          schema:
            type: object
            properties:
              attributes: {type: array, items: {$ref: "#/components/schemas/Attributes"}}
  schemas:
    Attributes:
      type: object
      required: [external_id]
      properties:
        external_id: {type: string}
        email: {type: string, format: email, nullable: true}
        theirs: {type: array, items: {type: number, minimum: 0, exclusiveMinimum: true}}
    Updated:
      type: object
      required: [message, password]
      properties:
        message: {type: string, enum: [success]}
        password: {type: string, writeOnly: true}
        users:
          type: array
          items: {$ref: "#/components/schemas/User"}
    User:
      type: object
      properties:
        external_id: {type: string, nullable: true}
"""


def theirs() -> dict[str, Any]:
    """The document, to be changed at will."""
    document: dict[str, Any] = yaml.safe_load(THEIRS)
    return document


def written(document: dict[str, Any], folder: Path) -> Path:
    """The file in `folder` that holds `document`."""
    file = folder / "braze.yaml"
    file.write_text(yaml.safe_dump(document), encoding="utf-8")
    return file
