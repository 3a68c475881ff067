"""The simulator's storage: JSON documents by id, in insertion order, in memory and in a SQLite file if it has a path.

Documents are live dicts guarded by the world's lock: change one through `World.update`, or call `put` after changing
it. `flush` writes the changes, `rollback` undoes them. Keys that begin with an underscore never leave the simulator.
"""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from pathlib import Path
from typing import Any

Document = dict[str, Any]

SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, body TEXT NOT NULL
)
"""


class Store:
    """All documents of one simulated account."""

    def __init__(self, path: Path | None = None) -> None:
        self._documents: dict[str, Document] = {}
        self._kinds: dict[str, dict[str, Document]] = defaultdict(dict)
        self._saved: dict[str, str] = {}
        self._dirty: dict[str, None] = {}
        self._seq = 0
        self._connection = self._open(path)

    def _open(self, path: Path | None) -> sqlite3.Connection | None:
        if path is None:
            return None
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute(SCHEMA)
        for seq, id, body in connection.execute("SELECT seq, id, body FROM documents ORDER BY seq"):
            self._adopt(json.loads(body))
            self._saved[id], self._seq = body, seq
        return connection

    def _adopt(self, document: Document) -> None:
        self._documents[document["id"]] = document
        self._kinds[document["object"]][document["id"]] = document

    def add(self, document: Document) -> Document:
        self._seq += 1
        document["_seq"] = self._seq
        self._adopt(document)
        return self.put(document)

    def put(self, document: Document) -> Document:
        self._dirty[document["id"]] = None
        return document

    def remove(self, document: Document) -> None:
        self._documents.pop(document["id"], None)
        self._kinds[document["object"]].pop(document["id"], None)
        self._dirty[document["id"]] = None

    def get(self, kind: str, id: str | None) -> Document | None:
        return self._kinds[kind].get(id) if id else None

    def find(self, id: str | None) -> Document | None:
        return self._documents.get(id) if id else None

    def all(self, kind: str) -> list[Document]:
        return list(self._kinds[kind].values())

    def where(self, kind: str, **facts: Any) -> list[Document]:
        return [d for d in self._kinds[kind].values() if all(d.get(key) == value for key, value in facts.items())]

    def flush(self) -> None:
        """Write all changed documents in one transaction of SQLite; without a file, only keep them for `rollback`."""
        if not self._dirty:
            return
        dirty, self._dirty = self._dirty, {}
        if self._connection is not None:
            self._connection.execute("BEGIN")
        for id in dirty:
            self._write(id)
        if self._connection is not None:
            self._connection.execute("COMMIT")

    def _write(self, id: str) -> None:
        document = self._documents.get(id)
        if document is None:
            self._saved.pop(id, None)
            if self._connection is not None:
                self._connection.execute("DELETE FROM documents WHERE id = ?", (id,))
            return
        body = json.dumps(document, separators=(",", ":"))
        self._saved[id] = body
        if self._connection is not None:
            self._connection.execute(
                "INSERT INTO documents (seq, id, kind, body) VALUES (?, ?, ?, ?) "
                "ON CONFLICT (id) DO UPDATE SET body = excluded.body",
                (document["_seq"], id, document["object"], body),
            )

    def rollback(self) -> None:
        """Restore every changed document to the state in which it was last written."""
        dirty, self._dirty = self._dirty, {}
        for id in dirty:
            document = self._documents.pop(id, None)
            if document is not None:
                self._kinds[document["object"]].pop(id, None)
            if id in self._saved:
                self._adopt(json.loads(self._saved[id]))

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
