"""What docs/api/openapi.json says, and whether an answer keeps to it."""

import json
import re

PYTHON_TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
METHODS = ("get", "put", "post", "delete", "head", "patch")


class Document:
    def __init__(self, text):
        self.json = json.loads(text)

    def operations(self):
        """{"GET /v1/ping": operation}"""
        return {f"{method.upper()} {path}": operation for path, item in self.json["paths"].items()
                for method, operation in item.items() if method in METHODS}

    def resolve(self, thing):
        while "$ref" in thing:
            found = self.json
            for step in thing["$ref"].removeprefix("#/").split("/"):
                found = found[step]
            thing = found
        return thing

    def response(self, operation, status):
        responses = operation["responses"]
        return self.resolve(responses.get(str(status), responses["default"]))

    def faults(self, value, schema, at="$", whole=True):
        """What is wrong with a value; a member that the schema does not name is a fault too, unless the
        schema is but a part of one."""
        schema = self.resolve(schema)
        found = []
        for part in schema.get("allOf", []):
            found += self.faults(value, part, at, whole=False)
        choices = schema.get("anyOf")
        if choices:
            tried = [self.faults(value, choice, at) for choice in choices]
            found += [] if [] in tried else min(tried, key=len)
        if "type" in schema and not self.has_type(value, schema["type"]):
            return found + [f"{at}: expected {schema['type']}, found {json.dumps(value)[:80]}"]
        if "enum" in schema and value not in schema["enum"]:
            found.append(f"{at}: {value!r} is none of {schema['enum']}")
        if isinstance(value, dict) and not choices:
            found += self.faults_of_members(value, schema, at, whole)
        if isinstance(value, list):
            found += self.faults_of_items(value, schema, at)
        if isinstance(value, str):
            found += self.faults_of_text(value, schema, at)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            above = value > schema.get("exclusiveMinimum", float("-inf"))
            if not (above and schema.get("minimum", value) <= value <= schema.get("maximum", value)):
                found.append(f"{at}: {value} is out of bounds")
        return found

    @staticmethod
    def has_type(value, types):
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        whole = number and isinstance(value, int)
        return any(number if name == "number" else whole if name == "integer" else isinstance(value, PYTHON_TYPES[name])
                   for name in ([types] if isinstance(types, str) else types))

    def members_of(self, schema):
        """Those of all parts, and what any other must be; None: there may be no other."""
        schema = self.resolve(schema)
        members, others = dict(schema.get("properties", {})), schema.get("additionalProperties")
        for part in schema.get("allOf", []):
            more, their_others = self.members_of(part)
            members.update(more)
            others = others or their_others
        # A schema that says nothing takes anything: JSON that is only carried.
        return members, others if others or schema.get("type") or schema.get("allOf") else True

    def faults_of_members(self, value, schema, at, whole):
        found = [f"{at}: {name} is missing" for name in schema.get("required", []) if name not in value]
        members, others = self.members_of(schema)
        for name, member in value.items():
            if name in schema.get("properties", {}):
                found += self.faults(member, members[name], f"{at}.{name}")
            elif name not in members and isinstance(others, dict):
                found += self.faults(member, others, f"{at}.{name}")
            elif name not in members and not others and whole:
                found.append(f"{at}.{name} is not documented")
        return found

    def faults_of_items(self, value, schema, at):
        found = []
        if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
            found.append(f"{at}: {len(value)} items")
        for i, item in enumerate(value):
            found += self.faults(item, schema.get("items", {}), f"{at}[{i}]")
        return found

    @staticmethod
    def faults_of_text(value, schema, at):
        pattern = {"uuid": UUID, "date-time": DATE_TIME}.get(schema.get("format"))
        if pattern and not pattern.fullmatch(value):
            return [f"{at}: {value!r} is no {schema['format']}"]
        if "pattern" in schema and not re.search(schema["pattern"], value):
            return [f"{at}: {value!r} does not match {schema['pattern']}"]
        return []
