"""The OpenAPI 3.1 document, made from the same endpoints that answer."""

from collections.abc import Iterable
from typing import Any

import openivr
from openivr.api.endpoint import VERSION, Endpoint
from openivr.api.responses import MESSAGES

Schema = dict[str, Any]
AGENT: Schema = {
    "name": "User-Agent",
    "in": "header",
    "required": False,
    "description": "names the program; needed if the server runs with --require-user-agent",
    "schema": {"type": "string", "minLength": 1, "pattern": r"^[A-Za-z0-9._/ -]*[A-Za-z0-9]$"},
}
TOKEN: Schema = {"type": "apiKey", "in": "query", "name": "access_token"}
PROBLEM: Schema = {
    "type": "object",
    "properties": {
        "field": {"type": "string"},
        "value": {"type": "string"},
        "validation_type": {"type": "string"},
    },
    "required": ["field"],
}
ERROR: Schema = {
    "type": "object",
    "properties": {
        "errcode": {"type": "integer", "enum": sorted(code for code in MESSAGES if code)},
        "errmsg": {"type": "string", "enum": sorted(text for code, text in MESSAGES.items() if code)},
        "submsg": {"type": "string"},
        "block_expire_time": {"type": "integer"},
        "invalid_param_list": {"type": "array", "items": PROBLEM},
        "duplicate_field_list": {"type": "array", "items": {"type": "object"}},
    },
    "required": ["errcode", "errmsg"],
    "additionalProperties": False,
}
REFUSAL: Schema = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}

BAD = 400  # from here on a status has an error in its body


def build(endpoints: Iterable[Endpoint], version: str = VERSION) -> Schema:
    """Return the document of one version of the API."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "OpenIVR", "version": openivr.__version__, "license": {"name": "Apache-2.0"}},
        "servers": [{"url": f"/openapi/{version}"}],
        "paths": {
            f"/{endpoint.path}": describe(endpoint) for endpoint in endpoints if endpoint.version == version
        },
        "components": {"securitySchemes": {"token": TOKEN}, "schemas": {"Error": ERROR}},
    }


def describe(endpoint: Endpoint) -> Schema:
    operation: Schema = {
        "operationId": endpoint.path.replace("/", "_"),
        "summary": endpoint.summary,
        "parameters": [AGENT, *(parameter(endpoint, name) for name in endpoint.parameters)],
        "responses": {
            "200": {"description": "the answer, or an error", "content": answer(endpoint)},
            "503": {"description": "the database does not answer; nothing was changed", "content": REFUSAL},
        },
        "security": [] if endpoint.is_open else [{"token": []}],
    }
    for status, reason in endpoint.statuses.items():
        operation["responses"][str(status)] = {"description": reason}
        if status >= BAD:
            operation["responses"][str(status)]["content"] = REFUSAL
    if endpoint.body is not None:
        content = {endpoint.media_type: {"schema": dict(endpoint.body)}}
        operation["requestBody"] = {"required": True, "content": content}
    return {endpoint.method.lower(): operation}


def parameter(endpoint: Endpoint, name: str) -> Schema:
    schema = dict(endpoint.parameters[name])
    return {"name": name, "in": "query", "required": name in endpoint.required, "schema": schema}


def answer(endpoint: Endpoint) -> Schema:
    success: Schema = {
        "type": "object",
        "properties": {"errcode": {"const": 0}, "errmsg": {"const": "SUCCESS"}, **endpoint.data},
        "required": ["errcode", "errmsg", *endpoint.data],
    }
    either = {"oneOf": [success, {"$ref": "#/components/schemas/Error"}]}
    if endpoint.file_types:
        file: Schema = {"schema": {"type": "string", "format": "binary"}}
        return {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}} | dict.fromkeys(
            endpoint.file_types, file
        )
    return {"application/json": {"schema": either}}
