# SPDX-FileCopyrightText: 2026 The tern authors
# SPDX-License-Identifier: Apache-2.0
"""A validator for the part of JSON Schema that docs/schemas uses; an unknown keyword is an error, so none is skipped."""
import re

TYPES = {"object": dict, "array": list, "string": str, "null": type(None)}
NOTES = {"$schema", "$id", "title", "description"}


def _is(value, kind):
    if kind == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    if kind == "number":
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind == "boolean":
        return isinstance(value, bool)
    return isinstance(value, TYPES[kind])


def problems(value, schema, at="$"):
    """What is wrong with `value`, as lines of text."""
    for key, rule in schema.items():
        if key in NOTES:
            continue
        if key == "type":
            if not any(_is(value, kind) for kind in ([rule] if isinstance(rule, str) else rule)):
                yield f"{at}: {value!r} is no {rule}"
                return
        elif key == "enum":
            if value not in rule:
                yield f"{at}: {value!r} is none of {rule}"
        elif key == "minimum":
            if _is(value, "number") and value < rule:
                yield f"{at}: {value} < {rule}"
        elif key == "maximum":
            if _is(value, "number") and value > rule:
                yield f"{at}: {value} > {rule}"
        elif key == "pattern":
            if isinstance(value, str) and not re.search(rule, value):
                yield f"{at}: {value!r} does not match {rule}"
        elif key == "minItems":
            if len(value) < rule:
                yield f"{at}: fewer than {rule} items"
        elif key == "maxItems":
            if len(value) > rule:
                yield f"{at}: more than {rule} items"
        elif key == "required":
            for name in rule:
                if name not in value:
                    yield f"{at}: no '{name}'"
        elif key == "properties":
            for name, inner in rule.items():
                if name in value:
                    yield from problems(value[name], inner, f"{at}.{name}")
        elif key == "additionalProperties" and rule is False:
            for name in value:
                if name not in schema.get("properties", {}):
                    yield f"{at}: '{name}' is not in the schema"
        elif key == "additionalProperties" and isinstance(rule, dict):
            for name in value.keys() - schema.get("properties", {}).keys():
                yield from problems(value[name], rule, f"{at}.{name}")
        elif key == "items":
            for i, item in enumerate(value):
                yield from problems(item, rule, f"{at}[{i}]")
        elif key == "oneOf":
            fitting = sum(1 for inner in rule if not list(problems(value, inner, at)))
            if fitting != 1:
                yield f"{at}: fits {fitting} of the alternatives, not one"
        else:
            raise ValueError(f"the validator does not know '{key}'")
