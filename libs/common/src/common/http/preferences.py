"""The preferences of a client among the forms and languages of an answer: `Accept` and `Accept-Language`."""

import re

from fastapi import Request

_QUALITY = re.compile(r"\s*q\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*", re.IGNORECASE)


def preferences(header: str) -> dict[str, float]:
    """The values that the header names and wants, in lower case, with their qualities, the best first."""
    found = dict[str, float]()
    for each in header.split(","):
        value, *parameters = each.split(";")
        found.setdefault(value.strip().lower(), _quality(parameters))
    wanted = {value: quality for value, quality in found.items() if value and quality > 0}
    return dict(sorted(wanted.items(), key=lambda each: -each[1]))


def wants_html(request: Request) -> bool:
    """Whether the client asks for HTML by name, as browsers do, and not rather for JSON."""
    wanted = preferences(",".join(request.headers.getlist("accept")))
    return wanted.get("text/html", 0) > 0 and wanted["text/html"] >= wanted.get("application/json", 0)


def _quality(parameters: list[str]) -> float:
    """The quality among the parameters of a value: 1 without one, and 0 if it cannot be read."""
    for parameter in parameters:
        if parameter.strip().lower().startswith("q"):
            found = _QUALITY.fullmatch(parameter)
            return float(found[1]) if found else 0
    return 1
