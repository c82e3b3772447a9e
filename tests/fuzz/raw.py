"""Requests byte for byte: broken forms, broken framing, broken heads, and random damage to sound ones."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

FORM = b"Content-Type: multipart/form-data; boundary=b\r\n"
JSON = b"Content-Type: application/json\r\n"


@dataclass(frozen=True, slots=True)
class Target:
    """A call that takes a body."""

    dialect: str
    line: bytes
    field: bytes
    """The name of its file in a form; empty: it takes JSON."""


TARGETS = (
    Target("filecodebox", b"POST /share/file/", b"file"),
    Target("filecodebox", b"POST /chunk/upload/init/", b""),
    Target("fileuploader", b"POST /api/upload", b"file"),
    Target("mirage", b"POST /api/upload_file", b"file"),
    Target("mirrorace", b"POST /api/v1/upload", b"files"),
    Target("native", b"POST /v1/auth/login", b""),
    Target("curl", b"PUT /a.txt", b""),
)


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    target: Target
    sent: bytes
    readable: bool = True
    """Whether the gateway can read the head, so that the answer must have the shape of the dialect."""


def cases(seed: int, damaged: int, authorization: str) -> Iterator[Case]:
    """All cases for every target, and `damaged` of them with random damage.

    Forms and damaged requests are an account's, so that nobody refuses them before they are read.
    """
    signed_in = b"Authorization: " + authorization.encode()
    chance = random.Random(seed)
    for target in TARGETS:
        body = sound_body(target)
        yield from _framing(target, body)
        yield from _heads(target, body)
        if target.field:
            yield from _forms(target, signed_in)
        for number in range(damaged):
            sent = _damaged(request(target, body, signed_in), chance)
            yield Case(f"damage {number} of seed {seed}", target, sent, readable=False)


def sound_body(target: Target) -> bytes:
    if not target.field:
        return b'{"name":"a","password":"b","file_name":"a","file_size":3,"file_hash":"c"}'
    return _part(b'name="%s"; filename="a.txt"' % target.field, b"abc") + b"--b--\r\n"


def request(target: Target, body: bytes, *headers: bytes, length: bytes | None = None) -> bytes:
    """A request whose `Content-Length` is right unless another one is given; empty: none."""
    announced = b"%d" % len(body) if length is None else length
    lines = [target.line + b" HTTP/1.1", b"Host: 127.0.0.1", b"Connection: close", *headers]
    lines += [b"Content-Length: " + announced] * bool(announced)
    kind = b"" if any(header.lower().startswith(b"content-type") for header in headers) else _kind(target)
    return b"\r\n".join(lines) + b"\r\n" + kind + b"\r\n" + body


def _kind(target: Target) -> bytes:
    return FORM if target.field else JSON


def _part(head: bytes, content: bytes) -> bytes:
    return b"--b\r\nContent-Disposition: form-data; %s\r\n\r\n%s\r\n" % (head, content)


def _framing(target: Target, body: bytes) -> Iterator[Case]:
    chunked = b"Transfer-Encoding: chunked"
    framed = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    smuggled = b"GET /v1/openapi/auth.json HTTP/1.1\r\nHost: x\r\n\r\n"
    bodies = {
        "both lengths": request(target, framed, chunked, length=b"3"),
        "both lengths, and a second request": request(target, framed + smuggled, chunked, length=b"3"),
        "a length too long": request(target, body, length=b"%d" % (len(body) + 100)),
        "a length too short": request(target, body, length=b"%d" % (len(body) - 5)),
        "an enormous length": request(target, body, length=b"999999999999"),
        "no length": request(target, body, length=b""),
        "a chunk of no size": request(target, b"zz\r\nabc", chunked, length=b""),
        "a negative chunk": request(target, b"-1\r\nabc\r\n0\r\n\r\n", chunked, length=b""),
        "an enormous chunk": request(target, b"f" * 20 + b"\r\nabc\r\n", chunked, length=b""),
        "a chunk too long": request(target, b"2\r\nabcdef\r\n0\r\n\r\n", chunked, length=b""),
        "no last chunk": request(target, b"3\r\nabc\r\n", chunked, length=b""),
        "a chunk's long extension": request(target, b"3;" + b"x" * 5000 + b"\r\nabc\r\n0\r\n\r\n", chunked, length=b""),
    }
    for name, sent in bodies.items():
        yield Case(name, target, sent)
    unreadable = {
        "two lengths": request(target, body, b"Content-Length: 3"),
        "a length that is no number": request(target, body, length=b"1e9"),
        "a negative length": request(target, body, length=b"-1"),
        "a length beyond numbers": request(target, body, length=b"9" * 40),
        "another encoding": request(target, framed, b"Transfer-Encoding: gzip, chunked", length=b""),
        "encoded twice": request(target, framed, chunked, chunked, length=b""),
        "a hidden encoding": request(target, framed, b"Transfer-Encoding : chunked", length=b""),
    }
    for name, sent in unreadable.items():
        yield Case(name, target, sent, readable=False)


def _heads(target: Target, body: bytes) -> Iterator[Case]:
    headers = {
        "many headers": [b"X-%d: a" % number for number in range(400)],
        "a duplicate of everything": [
            b"Accept: a",
            b"Accept: b",
            b"Authorization: a",
            b"Authorization: b",
            b"Cookie: a",
        ],
        "an absurd type": [b"Content-Type: " + b"a/b;" * 500],
        "a type without an end": [b'Content-Type: multipart/form-data; boundary="b'],
        "a type in the wrong letters": [b"Content-Type: MULTIPART/FORM-DATA; BOUNDARY=b"],
        "two types": [b"Content-Type: application/json", b"Content-Type: multipart/form-data; boundary=b"],
        "an empty type": [b"Content-Type:"],
        "bytes above ASCII": [b"Authorization: Bearer \xff\xfe\x80", b"X-Share-Password: \xff"],
        "an odd range": [b"Content-Range: bytes 1e9-\xff/0", b"Range: bytes=" + b"0-1," * 500],
    }
    for name, lines in headers.items():
        yield Case(name, target, request(target, body, *lines))
    sound = request(target, body)
    unreadable = {
        "a huge header": request(target, body, b"X: " + b"a" * 100_000),
        "a NUL in a header": request(target, body, b"X: a\0b"),
        "a line break in a header": request(target, body, b"X: a\rb"),
        "a header without a name": request(target, body, b": a"),
        "a folded header": request(target, body, b"X: a\r\n b"),
        "a space in the target": sound.replace(b" HTTP", b" X-Injected: a HTTP", 1),
        "a line break in the target": sound.replace(b" HTTP", b"?a=%0d%0aX-Injected:%20a HTTP", 1),
        "a NUL in the target": sound.replace(b" HTTP", b"%00 HTTP", 1),
        "bad escapes in the target": sound.replace(b" HTTP", b"?a=%zz%f HTTP", 1),
        "another version": sound.replace(b"HTTP/1.1", b"HTTP/9.9", 1),
        "another host": sound.replace(b"127.0.0.1", b"a\r\nHost: b", 1),
        "no host": sound.replace(b"Host: 127.0.0.1\r\n", b"", 1),
        "lines without returns": sound.replace(b"\r\n", b"\n"),
        "only a line": target.line + b" HTTP/1.1\r\n",
        "no protocol at all": bytes(range(256)) * 4,
    }
    for name, sent in unreadable.items():
        yield Case(name, target, sent, readable=False)


def _forms(target: Target, signed_in: bytes) -> Iterator[Case]:
    file = b'name="%s"; filename="a.txt"' % target.field
    sound = _part(file, b"abc")
    bodies = {
        "nothing": b"",
        "no parts": b"--b--\r\n",
        "no last boundary": sound,
        "half a boundary": sound + b"--b",
        "another boundary": sound.replace(b"--b", b"--c") + b"--c--\r\n",
        "text before": b"preamble\r\n" * 2000 + sound + b"--b--\r\n",
        "text after": sound + b"--b--\r\n" + b"epilogue\r\n" * 2000,
        "a part without a head": b"--b\r\n\r\nabc\r\n--b--\r\n",
        "a head without an end": b"--b\r\nContent-Disposition: form-data; " + file,
        "a huge head": b"--b\r\nX: " + b"a" * 50_000 + b"\r\n\r\nabc\r\n--b--\r\n",
        "many heads": b"--b\r\n" + b"X: a\r\n" * 500 + b"\r\nabc\r\n--b--\r\n",
        "many parts": _part(b'name="a"', b"b") * 2000 + b"--b--\r\n",
        "a huge field": _part(b'name="a"', b"b" * 2_000_000) + b"--b--\r\n",
        "two files": sound + sound + b"--b--\r\n",
        "a file without a name": _part(b'name="%s"; filename=""' % target.field, b"abc") + b"--b--\r\n",
        "line breaks in names": _part(b'name="%s"; filename="a%%0d%%0aX-Injected: a.txt"' % target.field, b"abc")[:-5]
        + b"\r\n--b--\r\n",
        "raw returns in names": _part(b'name="%s"; filename="a\rX-Injected: a.txt"' % target.field, b"") + b"--b--\r\n",
        "NULs in names": _part(b'name="%s\0"; filename="a\0.txt"' % target.field, b"abc") + b"--b--\r\n",
        "names that are no text": _part(b'name="%s"; filename="\xff\xfe.txt"' % target.field, b"") + b"--b",
        "an odd extended name": _part(b"name=%s; filename*=utf-8''%%ff%%zz" % target.field, b"") + b"--b",
        "fields that are no text": _part(b'name="expire_value"', b"\xff\0") + b"--b--\r\n",
    }
    for name, body in bodies.items():
        yield Case(f"a form with {name}", target, request(target, body, signed_in))
    yield Case("a body that is no form", target, request(target, b"abc", b"Content-Type: text/plain"))
    yield Case(
        "a boundary beyond the limit",
        target,
        request(target, sound, b"Content-Type: multipart/form-data; boundary=" + b"b" * 300),
    )


def _damaged(sent: bytes, chance: random.Random) -> bytes:
    """The request with a few bytes changed, left out, doubled or put in."""
    damaged = bytearray(sent)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(damaged))
        length = chance.choice((1, 1, 2, 5, 20))
        match chance.randrange(4):
            case 0:
                damaged[at : at + length] = chance.randbytes(length)
            case 1:
                del damaged[at : at + length]
            case 2:
                damaged[at:at] = damaged[at : at + length]
            case _:
                damaged[at:at] = chance.choice((b"\r\n", b"\0", b"--b", b"\r\n\r\n", b'"', b";", b"%00", b"\xff"))
        if not damaged:
            return b"\r\n"
    return bytes(damaged)


def slow_cases() -> Iterator[Case]:
    """Requests that stop before their end: in the head, in the body, and in a chunk."""
    for target in TARGETS[:2]:
        sent = request(target, sound_body(target))
        yield Case("a head that stops", target, sent[:60], readable=False)
        yield Case("a body that stops", target, sent[:-3])
        yield Case(
            "a chunk that stops", target, request(target, b"9\r\nabc", b"Transfer-Encoding: chunked", length=b"")
        )
