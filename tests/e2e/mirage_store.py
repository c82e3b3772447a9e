"""A database as Mirage's server of February 2026 leaves it, with its own schema and the hashes of its libraries."""

import hashlib
import secrets
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SCHEMA = """
CREATE TABLE users(id INTEGER PRIMARY KEY AUTOINCREMENT, username TEXT UNIQUE NOT NULL, email TEXT UNIQUE NOT NULL,
    avatar_url TEXT, description TEXT, password TEXT NOT NULL, token TEXT,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE rooms (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE NOT NULL, is_private INTEGER DEFAULT 0,
    password_hash TEXT, created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE room_members (id INTEGER PRIMARY KEY AUTOINCREMENT, room_id INTEGER NOT NULL, username TEXT NOT NULL,
    joined_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, FOREIGN KEY(room_id) REFERENCES rooms(id),
    FOREIGN KEY(username) REFERENCES users(username));
CREATE TABLE inbox_messages(id INTEGER PRIMARY KEY AUTOINCREMENT, sender TEXT NOT NULL, recipient TEXT NOT NULL,
    message TEXT NOT NULL, created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    FOREIGN KEY(sender) REFERENCES users(username), FOREIGN KEY(recipient) REFERENCES users(username));
CREATE TABLE user_profile (id INTEGER PRIMARY KEY AUTOINCREMENT, username TEXT UNIQUE NOT NULL,
    followers INTEGER DEFAULT 0, following INTEGER DEFAULT 0, posts INTEGER DEFAULT 0, upvotes INTEGER DEFAULT 0,
    downvotes INTEGER DEFAULT 0, FOREIGN KEY(username) REFERENCES users(username));
CREATE TABLE posts (id INTEGER PRIMARY KEY AUTOINCREMENT, username TEXT NOT NULL, content TEXT NOT NULL,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, upvotes INTEGER DEFAULT 0, downvotes INTEGER DEFAULT 0,
    FOREIGN KEY(username) REFERENCES users(username));
"""


def werkzeug(password: str, method: str = "scrypt:32768:8:1") -> str:
    """A hash as `generate_password_hash` of werkzeug makes it."""
    salt = secrets.token_hex(8)
    kind, *given = method.split(":")
    if kind == "scrypt":
        n, r, p = map(int, given)
        made = hashlib.scrypt(password.encode(), salt=salt.encode(), n=n, r=r, p=p, maxmem=132 * n * r * p)
    else:
        made = hashlib.pbkdf2_hmac(given[0], password.encode(), salt.encode(), int(given[1]))
    return f"{method}${salt}${made.hex()}"


@dataclass(slots=True)
class Store:
    """The folder of one Mirage."""

    folder: Path

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self.path)) as database, database:
            database.executescript(SCHEMA)

    @property
    def path(self) -> Path:
        return self.folder / "db.sqlite"

    def add_user(self, name: str, password_hash: str, **values: Any) -> None:
        email = f"{secrets.token_hex(6)}@example.org"
        self.insert("users", **{"username": name, "email": email, "password": password_hash, **values})

    def add_room(self, name: str, *members: str, password: str | None = None) -> int:
        """Returns its id. The first of the members created it."""
        digest = None if password is None else hashlib.sha256(password.encode()).hexdigest()
        room_id = self.insert("rooms", name=name, is_private=int(password is not None), password_hash=digest)
        for member in members:
            self.insert("room_members", room_id=room_id, username=member)
        return room_id

    def add_message(self, sender: str, recipient: str, text: str, created_at: str = "2025-12-31 23:59:58") -> None:
        self.insert("inbox_messages", sender=sender, recipient=recipient, message=text, created_at=created_at)

    def insert(self, table: str, **values: Any) -> int:
        columns, places = ", ".join(values), ", ".join("?" * len(values))
        with closing(sqlite3.connect(self.path)) as database, database:
            found = database.execute(f"insert into {table} ({columns}) values ({places})", list(values.values()))
            return found.lastrowid or 0
