"""The requests of MirrorAce's three clients, to the byte: the chunks that they cut, and the forms around them."""

import secrets
from collections.abc import Callable, Iterator, Sequence
from urllib.parse import quote
from uuid import uuid4

Sent = tuple[str, bytes]
"""A chunk: its `Content-Range`, and its bytes."""
Fields = Sequence[tuple[str, str]]
Form = tuple[str, bytes]
"""The content type of a body, and the body."""


def php_chunks(content: bytes, limit: int) -> Iterator[Sent]:
    """The chunks of the service's own PHP example.

    Each is one byte longer than the limit, but their number is computed with the limit, so the last may be empty.
    """
    start, size = 0, len(content)
    for _ in range(-(-size // limit)):
        end = min(start + limit, size - 1)
        yield f"bytes {start}-{end}/{size}", content[start : end + 1]
        start = end + 1


def mirror_up_chunks(content: bytes, limit: int) -> Iterator[Sent]:
    """The chunks of `mirror-up`, each as long as the limit.

    Its headers are those of the PHP example, whose chunks are longer, without the space. So the start of each chunk is
    too high by one byte for every chunk before it.
    """
    start, size = 0, len(content)
    for at in range(0, size, limit):
        end = min(start + limit, size - 1)
        yield f"bytes{start}-{end}/{size}", content[at : at + limit]
        start = end + 1


def dot_net_chunks(content: bytes, limit: int) -> Iterator[Sent]:
    """The chunks of the .NET client, whose headers name the first byte after the chunk as its end."""
    size = len(content)
    for at in range(0, size, limit):
        yield f"bytes {at}-{min(at + limit, size)}/{size}", content[at : at + limit]


def curl_form(fields: Fields, name: str, payload: bytes) -> Form:
    """A form as libcurl writes it for the PHP example: the file comes last, is named `files[]` and has no type."""
    boundary = "-" * 24 + secrets.token_hex(8)
    parts = [f'Content-Disposition: form-data; name="{key}"\r\n\r\n{value}'.encode() for key, value in fields]
    parts.append(f'Content-Disposition: form-data; name="files[]"; filename="{name}"\r\n\r\n'.encode() + payload)
    return f"multipart/form-data; boundary={boundary}", _joined(boundary, parts)


def httpx_form(fields: Fields, name: str, payload: bytes) -> Form:
    """A form as `httpx` writes it for `mirror-up`: the file is named `files` and has a type."""
    boundary = secrets.token_hex(16)
    parts = [f'Content-Disposition: form-data; name="{key}"\r\n\r\n{value}'.encode() for key, value in fields]
    head = f'Content-Disposition: form-data; name="files"; filename="{name}"\r\nContent-Type: text/plain\r\n\r\n'
    parts.append(head.encode() + payload)
    return f"multipart/form-data; boundary={boundary}", _joined(boundary, parts)


def dot_net_form(fields: Fields, name: str, payload: bytes) -> Form:
    """A form as .NET's `MultipartFormDataContent` writes it.

    The boundary is quoted, names are not, texts have a content type, and the file has two names.
    """
    boundary = str(uuid4())
    parts = [
        b"Content-Type: text/plain; charset=utf-8\r\nContent-Disposition: form-data; "
        + f"name={key if key.isidentifier() else _quoted(key)}\r\n\r\n{value}".encode()
        for key, value in fields
    ]
    plain = name if name.isascii() else '"=?utf-8?B?/z8=?="'
    head = f"Content-Disposition: form-data; name=\"files[]\"; filename={plain}; filename*=utf-8''{quote(name)}\r\n\r\n"
    parts.append(head.encode() + payload)
    return f'multipart/form-data; boundary="{boundary}"', _joined(boundary, parts)


CLIENTS: dict[str, tuple[Callable[[bytes, int], Iterator[Sent]], Callable[[Fields, str, bytes], Form]]] = {
    "php": (php_chunks, curl_form),
    "mirror-up": (mirror_up_chunks, httpx_form),
    ".NET": (dot_net_chunks, dot_net_form),
}


def _quoted(text: str) -> str:
    return f'"{text}"'


def _joined(boundary: str, parts: Sequence[bytes]) -> bytes:
    begun = b"".join(f"--{boundary}\r\n".encode() + part + b"\r\n" for part in parts)
    return begun + f"--{boundary}--\r\n".encode()
