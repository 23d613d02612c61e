"""What a web server may be asked: good requests spoilt, heads and bodies without end, forms and JSON made to hurt."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_from_bytes, urlencode

from tests.fuzz import messages
from tests.fuzz.chance import NUMBERS, WORDS, Chance, weighted

_PAGES = [
    "/",
    "/alerts",
    "/alerts/1",
    "/alerts/9",
    "/patients",
    "/patients/1",
    "/patients/1/trend",
    "/metrics",
    "/board",
]
_PAGES += [
    "/account",
    "/pair",
    "/sign-in",
    "/health/ready",
    "/health/live",
    "/internal/metrics",
    "/static/js/stream.js",
]
_PAGES += ["/live/stream?view=alerts", "/live/stream?view=patient:1&after=x-1", "/api/v1/openapi.json", "/nowhere"]
_ACTS = ["acknowledgement", "resolution", "escalation", "notes"]
_JSON_DOORS = ["/api/v1/fhir", "/api/v1/fhir", "/api/v1/alerts", "/live/reports", "/live/pulse"]


@dataclass(frozen=True)
class Passes:
    """What lets one in: a nurse's session with the token of its forms, and a sender's token."""

    cookie: str
    csrf_token: str
    token: str


@dataclass
class Request:
    """`lines`: the first line and the headers."""

    lines: list[bytes]
    body: bytes = b""

    def written(self, *, length: bool = True) -> bytes:
        lines = [*self.lines, b"Content-Length: %d" % len(self.body)] if length and self.body else self.lines
        return b"\r\n".join(lines) + b"\r\n\r\n" + self.body


def knock(chance: Chance, passes: Passes) -> bytes:
    """Everything that one connection says: one request as a rule."""
    return b"".join(weighted(chance, _WAYS)(chance, passes) for _ in range(2 if chance.one_in(8) else 1))


def body(chance: Chance) -> bytes:
    """JSON alone, for what reads it."""
    if chance.one_in(20):
        return _bomb_of_json(chance)
    told = json.dumps(_spoilt_tree(chance, chance.choice(_TREES))).encode()
    return chance.spoil(told) if chance.one_in(3) else told


# ---- Good requests ---------------------------------------------------------------------------------------------------


def _head(chance: Chance, passes: Passes, method: str, path: str, **headers: str) -> list[bytes]:
    said = {"Host": "test", "Cookie": f"session={passes.cookie}"} | headers
    if chance.one_in(5):
        said["Accept"] = chance.choice(["application/json", "text/html", "*/*", "text/event-stream"])
    return [f"{method} {path} HTTP/1.1".encode(), *(f"{name}: {value}".encode() for name, value in said.items())]


def _page(chance: Chance, passes: Passes) -> Request:
    return Request(_head(chance, passes, chance.choice(["GET", "GET", "HEAD", "OPTIONS"]), chance.choice(_PAGES)))


def _act(chance: Chance, passes: Passes) -> Request:
    fields = {
        "csrf_token": passes.csrf_token,
        "text": chance.choice(WORDS),
        "seen_state": chance.choice(["open", "", "x"]),
    }
    path = f"/alerts/{chance.choice(['1', '2', *NUMBERS])}/{chance.choice(_ACTS)}"
    if chance.one_in(4):
        path = f"/patients/1/{chance.choice(['observations', 'spo2-scale'])}"
        fields |= {name: chance.choice(NUMBERS) for name in ("hr", "spo2", "rr", "sbp", "dbp", "temp", "scale")}
    more = {"X-CSRF-Token": passes.csrf_token, "Idempotency-Key": chance.choice(["k", "", "9" * 101])}
    if chance.one_in(3):
        more["Pressed-At"] = chance.choice(
            ["9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "now", "2026", *NUMBERS]
        )
    if chance.one_in(2):
        kind, body = _multipart(fields)
    else:
        kind, body = "application/x-www-form-urlencoded", urlencode(fields, errors="surrogatepass").encode()
    return Request(_head(chance, passes, "POST", path, **{"Content-Type": kind}, **more), body)


def _multipart(fields: dict[str, str]) -> tuple[str, bytes]:
    parts = [
        f'--edge\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n'.encode("utf-8", "surrogatepass")
        for name, text in fields.items()
    ]
    return "multipart/form-data; boundary=edge", b"".join(parts) + b"--edge--\r\n"


def _message(chance: Chance, passes: Passes) -> Request:
    """HL7 over HTTP."""
    return _handed_in(chance, passes, "/api/v1/hl7", "x-application/hl7-v2+er7", messages.message(chance))


def _told(chance: Chance, passes: Passes) -> Request:
    """JSON, right in its form if not in what it says."""
    return _in_json(chance, passes, json.dumps(_spoilt_tree(chance, chance.choice(_TREES))).encode())


def _in_json(chance: Chance, passes: Passes, body: bytes) -> Request:
    return _handed_in(chance, passes, chance.choice(_JSON_DOORS), "application/json", body)


def _handed_in(chance: Chance, passes: Passes, path: str, kind: str, body: bytes) -> Request:
    more = {"Content-Type": kind, "Authorization": f"Bearer {passes.token}", "X-CSRF-Token": passes.csrf_token}
    return Request(_head(chance, passes, "POST", path, **more), body)


_PATIENT = {
    "resourceType": "Patient",
    "id": "p1",
    "identifier": [{"system": "urn:x", "value": "4711"}],
    "name": [{"family": "Testmann", "given": ["Tilda"]}],
    "birthDate": "1961-03-01",
    "gender": "female",
}
_OBSERVATION = {
    "resourceType": "Observation",
    "status": "final",
    "subject": {"reference": "Patient/p1"},
    "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
    "effectiveDateTime": "2026-11-23T10:00:00Z",
    "valueQuantity": {"value": 72, "unit": "/min", "system": "http://unitsofmeasure.org", "code": "/min"},
    "component": [
        {
            "code": {"coding": [{"system": "http://loinc.org", "code": "2708-6"}]},
            "valueQuantity": {"value": 97, "code": "%"},
        }
    ],
}
_ENCOUNTER = {
    "resourceType": "Encounter",
    "status": "in-progress",
    "subject": {"reference": "Patient/p1"},
    "period": {"start": "2026-11-23"},
    "location": [{"location": {"display": "MED^^MED-03"}}],
}
_TREES: list[Any] = [
    _PATIENT,
    _OBSERVATION,
    _ENCOUNTER,
    {
        "resourceType": "Bundle",
        "type": "batch",
        "entry": [{"resource": one} for one in (_PATIENT, _OBSERVATION, _ENCOUNTER)],
    },
    {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [{"fullUrl": "urn:uuid:1", "resource": _PATIENT, "request": {"method": "PUT", "url": "Patient/p1"}}],
    },
    {
        "id": "X1",
        "unit": "MED",
        "bed": "MED-03",
        "text": "SpO2 low",
        "priority": "high",
        "value": 84.5,
        "low": 90,
        "value_unit": "%",
        "observed_at": "2026-11-23T10:00:00Z",
        "patient": {"identifier": "77", "name": "A"},
    },
    {"errors": {"stream": 1, "swap": 0}, "paint_ms": [1, 2.5]},
    {"cursor": "e-1"},
]


def _spoilt_tree(chance: Chance, tree: Any) -> Any:
    """One or a few of its leaves or branches are something else."""
    made = json.loads(json.dumps(tree))
    for _ in range(chance.size(4)):
        holder = made
        while isinstance(holder, dict | list) and holder:
            key = chance.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
            if not isinstance(holder[key], dict | list) or chance.one_in(4):
                holder[key] = _odd_value(chance, holder[key])
                break
            holder = holder[key]
    return made


def _odd_value(chance: Chance, old: Any) -> Any:
    odd = [None, True, -1, 2**63, 2**64, 10**30, 1e308, -0.0, float("inf"), float("nan"), "", [], {}, [old], {"x": old}]
    odd += [
        chance.choice(WORDS),
        chance.choice(NUMBERS),
        "\ud800",
        [old] * chance.size(300),
        "9999-12-31T23:59:59-23:59",
    ]
    odd += [
        "0001-01-01",
        "2026-02-30",
        "2026-11-23T10:00:60Z",
        "Patient/" + "x" * chance.size(300),
        "#1",
        "x" * chance.size(9_000),
    ]
    return chance.choice(odd)


# ---- What is done to them --------------------------------------------------------------------------------------------


def _any(chance: Chance, passes: Passes) -> Request:
    return weighted(chance, [(4, _page), (2, _act), (2, _message), (3, _told)])(chance, passes)


def _good(chance: Chance, passes: Passes) -> bytes:
    return _any(chance, passes).written()


def _spoilt(chance: Chance, passes: Passes) -> bytes:
    return chance.spoil(_any(chance, passes).written())


def _spoilt_line(chance: Chance, passes: Passes) -> bytes:
    asked = _any(chance, passes)
    at = chance.randrange(len(asked.lines))
    asked.lines[at] = chance.spoil(asked.lines[at], 1)
    return asked.written()


def _odd_first_line(chance: Chance, passes: Passes) -> bytes:
    asked = _page(chance, passes)
    method = chance.choice([b"GET", b"get", b"", b"PUT", b"TRACE", b"CONNECT", b"G\0T", b"X" * chance.size(9_000)])
    path = chance.choice(
        [
            b"/" + chance.odd_word(),
            b"*",
            b"http://elsewhere/alerts",
            b"//alerts",
            b"/%",
            b"/%zz",
            b"/..%2f..%2f",
            b"/alerts?" + b"a=1&" * chance.size(20_000),
            b"/alerts/" + chance.choice(NUMBERS).encode(),
            b"/" + quote_from_bytes(chance.randbytes(chance.size(500))).encode(),
            b"/" + b"a/" * chance.size(4_000),
            b"/alerts?unit=" + quote_from_bytes(chance.odd_word()).encode(),
        ]
    )
    version = chance.choice(
        [b"HTTP/1.1", b"HTTP/1.0", b"HTTP/0.9", b"HTTP/2.0", b"HTTP/1." + b"9" * chance.size(300), b"", b"HTTP/x"]
    )
    asked.lines[0] = b" ".join([method, path, version][: chance.choice([3, 3, 3, 2, 1])])
    return asked.written()


def _odd_header(chance: Chance, passes: Passes) -> bytes:
    asked = _any(chance, passes)
    name = chance.choice(
        [
            b"Host",
            b"Cookie",
            b"Accept",
            b"Accept-Language",
            b"Accept-Encoding",
            b"Range",
            b"If-None-Match",
            b"Expect",
            b"If-Modified-Since",
            b"Content-Type",
            b"Authorization",
            b"Last-Event-ID",
            b"Origin",
            b"Referer",
            b"Sec-Fetch-Site",
            b"X-Forwarded-For",
            b"X-Forwarded-Proto",
            b"Connection",
            b"Upgrade",
            b"HX-Request",
            b"Idempotency-Key",
            b"seen_state",
            b"Pressed-At",
            b"X-CSRF-Token",
            b"User-Agent",
            b"Content-Length",
            chance.odd_word(),
        ]
    )
    value = chance.choice(
        [
            chance.odd_word(),
            b"",
            b"a,b;q=" + chance.choice(NUMBERS).encode(),
            b"100-continue",
            b"bytes=0-,5-1,-9",
            b"en;q=1," * chance.size(3_000),
            b"a=b; " * chance.size(3_000),
            b"(" * chance.size(500),
            b"W/" + b'"' * 99,
            b"text/html;a=" + b"x;" * chance.size(2_000),
            b"multipart/form-data; boundary=" + b"=" * chance.size(300),
        ]
    )
    asked.lines.insert(
        chance.randrange(1, len(asked.lines) + 1), name + chance.choice([b": ", b":", b" : ", b"", b"\t:"]) + value
    )
    return asked.written()


def _header_bomb(chance: Chance, passes: Passes) -> bytes:
    asked = _page(chance, passes)
    many = chance.choice(
        [b"X-%d: 1", b"Cookie: a%d=b", b"Accept: a/%d", b" folded %d", b"X-Forwarded-For: 1.2.3.%d", b"Host: h%d"]
    )
    asked.lines += [many % n for n in range(chance.size(5_000))]
    if chance.one_in(2):
        asked.lines.append(b"X: " + b"y" * chance.size(200_000))
    return asked.written()


def _chunked(chance: Chance, passes: Passes) -> bytes:
    asked = chance.choice([_act, _message, _told])(chance, passes)
    asked.lines.append(
        b"Transfer-Encoding: "
        + chance.choice([b"chunked", b"chunked", b"chunked", b"gzip, chunked", b"identity", b"xchunked"])
    )
    sizes = [b"%x" % len(asked.body)] * 4 + [
        b"-1",
        b"ffffffffffffffff",
        b"8000000000000000",
        b"",
        b"g",
        b"0x5",
        b"5;" + b"a=b;" * 2_000,
        b"0" * chance.size(20_000),
        b"5 5",
        b"+5",
    ]
    chunk = chance.choice(sizes) + chance.choice([b"\r\n", b"\r\n", b"\n", b"\r"]) + asked.body + b"\r\n"
    end = chance.choice(
        [
            b"0\r\n\r\n",
            b"0\r\n\r\n",
            b"",
            b"0\r\n" + b"T: x\r\n" * chance.size(2_000) + b"\r\n",
            b"1\r\nx\r\n" * chance.size(5_000),
        ]
    )
    if chance.one_in(3):
        asked.lines.append(b"Content-Length: " + chance.choice(NUMBERS).encode())
    return asked.written(length=False) + chunk + end


def _odd_length(chance: Chance, passes: Passes) -> bytes:
    asked = chance.choice([_act, _message, _told])(chance, passes)
    for _ in range(chance.size(2)):
        asked.lines.append(
            b"Content-Length: " + chance.choice([*NUMBERS, "", "+5", "5, 5", "1e3", "٣", " 7 ", "1048577"]).encode()
        )
    return asked.written(length=False)


def _form_bomb(chance: Chance, passes: Passes) -> bytes:
    asked = _act(chance, passes)
    kind, body = _multipart({"csrf_token": passes.csrf_token})
    n = chance.size(20_000)
    part = b'--edge\r\nContent-Disposition: form-data; name="a"; filename="b"\r\n\r\n\r\n'
    bodies = [
        (kind, part * n),
        (kind, b"--edge\r\n" * n),
        (kind, b"--edge\r\nA: " + b"x" * n),
        (kind, b"\r\n" * n + body),
        (kind, b"-" * n),
        (kind, b"--edge\r\n" + b"A: b\r\n" * n + b"\r\n"),
        (kind + "; boundary=" + "x" * 200, body),
        ("multipart/form-data", body),
    ]
    plain = "application/x-www-form-urlencoded"
    bodies += [
        (plain, b"a=1&" * n),
        (plain, b"&" * n),
        (plain, b"%" * n),
        (plain, b"csrf_token=" + b"%ff" * n),
        (plain, chance.randbytes(n)),
    ]
    kind, asked.body = chance.choice(bodies)
    asked.lines = [line for line in asked.lines if not line.startswith(b"Content-Type")] + [
        b"Content-Type: " + kind.encode()
    ]
    return asked.written()


def _json_bomb(chance: Chance, passes: Passes) -> bytes:
    return _in_json(chance, passes, _bomb_of_json(chance)).written()


def _bomb_of_json(chance: Chance) -> bytes:
    n = chance.size(1_000_000 if chance.one_in(10) else 100_000)
    depth = chance.choice([b"[", b'{"a":', b'{"resourceType":"Bundle","type":[', b'{"entry":[{"resource":'])
    entry = b'{"resource":' + json.dumps(chance.choice(_TREES[:3])).encode() + b"},"
    wide = b'{"resourceType":"Bundle","type":"batch","entry":[' + entry * (n // len(entry)) + b"{}]}"
    many = b'{"resourceType":"Observation","status":"final","code":{"coding":[' + b"{}," * n + b"{}]},"
    component = b'"component":[' + b'{"code":{}},' * (n // 12) + b'{"code":{}}]}'
    head = b'{"resourceType":"Observation","status":"final","subject":{"reference":"Patient/p1"},"code":{"coding":[]},'
    bodies = [
        depth * n,
        depth * n + b"1" + b"}" * n,
        wide,
        many + b'"x":1}',
        head + component,
        b'{"a":' + b"9" * n + b"}",
        b'"' + b"\\u0000" * n + b'"',
        b'{"id":"' + b"\\ud800" * 5 + b'"}',
        b"[" + b"1e9," * n + b"1]",
        b'{"a":1,' * n,
        b'{"value":1e' + b"9" * n + b"}",
        b"\xff" * n,
    ]
    return chance.choice(bodies)


def _noise(chance: Chance, _passes: Passes) -> bytes:
    return chance.choice(
        [b"\x16\x03\x01\x02\0", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\0", b"\r\n" * 500, b""]
    ) + chance.randbytes(chance.size(2_000))


_WAYS: list[tuple[int, Callable[[Chance, Passes], bytes]]] = [
    (10, _good),
    (25, _spoilt),
    (12, _spoilt_line),
    (8, _odd_first_line),
    (15, _odd_header),
    (1, _header_bomb),
    (6, _chunked),
    (5, _odd_length),
    (2, _form_bomb),
    (3, _json_bomb),
    (5, _noise),
]
