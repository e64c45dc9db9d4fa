"""A mapping file: which file of a lender's export, or which query of its database, feeds which canonical table and column.

A new lender needs a mapping and no code. The file is TOML; `load_mapping` reads it and refuses whatever it does
not understand, with the nearest name it knows: a typo must never become a column that is silently empty. It does
not open the export: data/ingest.py finds out whether the columns named here are there.
"""

import codecs
import difflib
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from data.attributes import protected_word
from data.digest import file_digest
from data.errors import MappingError
from data.queries import query_file, refused_query
from data.tables import APART, ASSIGNMENT_COLUMNS, TABLES, Column, Kind, Table
from data.time_zones import carries_a_zone, time_zone_named

_TOP = ("lender", "jurisdiction", "date_grid", "encoding", "delimiter", "date_format", "time_zone", "needs", "tables")  # fmt: skip
_TABLE = ("file", "query", "export", "columns")
_SOURCE = ("column", "constant", "sql", "row_key")
_DETAIL = ("format", "values", "skip", "type")
_TAKEN = ("part", "row", "place", "problem", "duplicate", "orphan", "too_late", "at_odds", "known_at", "batch", "retracted")  # fmt: skip
"""Names of columns that an ingest puts beside the source's own; a free name of `protected` may not be one of them."""
_NOT_OF_FILES = ("idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined", "mbcs", "oem")
"""Codecs of Python that no export is written in."""
_CHANGING = re.compile(
    r"\b(random|uuid\w*|gen_random_uuid|now|today|get_current_\w+|transaction_timestamp)\s*\(|\b(current_(date|time|timestamp)|localtime(stamp)?)\b",
    re.IGNORECASE,
)
"""What gives another answer each time: the same files must give the same ledger."""
_ATTRIBUTE_KINDS: dict[str, Kind] = {"number": "number", "category": "text"}


@dataclass(frozen=True)
class ColumnSource:
    """Where one canonical column comes from: exactly one of column, constant, sql and row_key is set."""

    name: str
    kind: Kind
    column: str | None = None
    constant: str | None = None
    sql: str | None = None
    row_key: tuple[str, ...] = ()
    format: str | None = None
    values: tuple[tuple[str, str], ...] | None = None
    skip: tuple[str, ...] = ()
    zone: str | None = None

    @property
    def label(self) -> str:
        """The name a message calls it by: the source's own, where there is one."""
        return self.column or self.name


@dataclass(frozen=True)
class TableMapping:
    """One file (or one reading of it) that feeds one table; `file` is a made name where a database is asked by `query`."""

    table: str
    file: str
    export: Literal["full", "delta"]
    columns: tuple[ColumnSource, ...]
    query: str | None = None

    @property
    def attributes(self) -> dict[str, Kind]:
        return {source.name: source.kind for source in self.columns if source.name.startswith("attr_")}

    def source(self, name: str) -> ColumnSource | None:
        return next((source for source in self.columns if source.name == name), None)


@dataclass(frozen=True)
class Mapping:
    """A whole mapping file. `digest` is of its bytes and goes into every batch it reads."""

    path: Path
    digest: str
    lender: str
    jurisdiction: str
    date_grid: Literal["day", "month_end"]
    encoding: str
    delimiter: str
    needs: str
    tables: tuple[TableMapping, ...]
    time_zone: str | None = None

    @property
    def asks_a_database(self) -> bool:
        return any(part.query is not None for part in self.tables)

    def of(self, table: str) -> tuple[TableMapping, ...]:
        """The readings that feed one table; most tables have one or none."""
        return tuple(part for part in self.tables if part.table == table)


def nearest(name: str, known: Iterable[str], cutoff: float = 0.5) -> str:
    """A hint for a message: " (did you mean X?)", or the names there are when none is near."""
    names = list(known)
    lower = {candidate.lower(): candidate for candidate in names}
    found = difflib.get_close_matches(name.lower(), list(lower), n=1, cutoff=cutoff)
    if found:
        return f"; did you mean {lower[found[0]]!r}?"
    return f"; there is {', '.join(names)}." if names else "."


def load_mapping(path: Path) -> Mapping:
    """Read and check a mapping file.

    Errors: `MappingError`, one sentence a problem, when the file is missing, is not TOML (with its line), names a
    key, table or column that does not exist, lacks a required column, has no loans, or maps a protected attribute
    (12 CFR 1002.2(z), GDPR Art. 9) to an attribute.
    """
    if not path.is_file():
        raise MappingError(
            f"{path}: there is no such mapping file; mappings that come with duesight are in data/mappings/."
        )
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except tomllib.TOMLDecodeError as error:
        raise MappingError(f"{path.name} is not valid TOML: {error}; mend that line.") from error
    except UnicodeDecodeError as error:
        raise MappingError(f"{path.name} is not UTF-8 (byte {error.start}); save it as UTF-8.") from error
    except RecursionError as error:
        raise MappingError(f"{path.name} has brackets nested too deep; mend them.") from error
    return _Reader(path.name).mapping(raw, path)


@dataclass(frozen=True)
class _Reader:
    """Reads the parts of one file and knows its name for messages."""

    file: str

    def fail(self, where: str, what: str) -> MappingError:
        return MappingError(f"{self.file}: {where}{': ' if where else ''}{what}")

    def known(self, keys: Iterable[str], allowed: Iterable[str], where: str, word: str = "key") -> None:
        names = list(allowed)
        for key in keys:
            if key not in names:
                raise self.fail(where, f"unknown {word} {key!r}{nearest(key, names)}")

    def text(self, raw: dict[str, object], key: str, where: str, default: str | None = None) -> str:
        value = raw.get(key, default)
        if value is None:
            raise self.fail(where, f'{key!r} is missing; add {key} = "...".')
        if not isinstance(value, str) or not value.strip():
            raise self.fail(where, f"{key!r} must be a text that is not empty.")
        if key in ("lender", "jurisdiction", "file") and not value.isprintable():
            raise self.fail(where, f"{key!r} must be one line of letters that can be printed.")
        return value

    def choice(self, raw: dict[str, object], key: str, where: str, allowed: tuple[str, ...]) -> str:
        if key not in raw:
            raise self.fail(where, f"{key!r} is missing; it is one of {', '.join(allowed)}.")
        value = self.text(raw, key, where)
        if value not in allowed:
            raise self.fail(
                where, f"{key} = {value!r} is not one of {', '.join(allowed)}{nearest(value, allowed)}"
            )
        return value

    def table_of(self, raw: object, where: str) -> dict[str, object]:
        if not isinstance(raw, dict):
            raise self.fail(where, "must be a table of keys.")
        return raw

    def mapping(self, raw: dict[str, object], path: Path) -> Mapping:
        self.known(raw, _TOP, "")
        encoding = self.text(raw, "encoding", "", "utf-8")
        try:
            "".encode(encoding)
            if codecs.lookup(encoding).name in _NOT_OF_FILES:
                raise LookupError(encoding)
        except (LookupError, ValueError) as error:
            raise self.fail(
                "", f"encoding = {encoding!r} is not an encoding; write utf-8, cp1252 or latin-1."
            ) from error
        delimiter = self.text(raw, "delimiter", "", ",") if raw.get("delimiter") != "\t" else "\t"
        if len(delimiter) != 1 or not delimiter.isascii() or delimiter in '"\r\n':
            raise self.fail(
                "", f"delimiter = {delimiter!r} must be one plain character, such as ; or | or \\t."
            )
        date_format = self.text(raw, "date_format", "", "%Y-%m-%d")
        zone = time_zone_named(self.text(raw, "time_zone", ""), self.file) if "time_zone" in raw else None
        tables = self.table_of(raw.get("tables", {}), "tables")
        self.known(tables, [*TABLES, *APART], "tables", "table")
        if "loans" not in tables:
            raise self.fail(
                "tables", "no loans are mapped; add [tables.loans], nothing can be ranked without them."
            )
        parts: list[TableMapping] = []
        problems: list[str] = []  # of all tables together: nobody mends a mapping one run at a time
        for name in [*TABLES, *APART]:
            if name in tables:
                readings = tables[name]
                for number, one in enumerate(readings if isinstance(readings, list) else [readings], 1):
                    try:
                        made = query_file(name, number)
                        table = self.table_of(one, f"tables.{name}")
                        parts.append(self.reading(name, table, date_format, zone, made))
                    except MappingError as error:
                        problems.append(str(error))
        if problems:
            raise MappingError("\n".join(problems))
        if len({part.query is None for part in parts}) > 1:
            raise self.fail(
                "tables", "files and queries are mixed; one mapping reads a folder or a database."
            )
        grid = self.choice({"date_grid": "day", **raw}, "date_grid", "", ("day", "month_end"))
        return Mapping(
            path=path,
            digest=file_digest(path),
            lender=self.text(raw, "lender", ""),
            jurisdiction=self.text(raw, "jurisdiction", ""),
            date_grid="month_end" if grid == "month_end" else "day",
            encoding=encoding,
            delimiter=delimiter,
            needs=self.text(raw, "needs", "") if "needs" in raw else "",
            tables=tuple(parts),
            time_zone=zone,
        )

    def reading(
        self, name: str, raw: dict[str, object], date_format: str, zone: str | None, made: str
    ) -> TableMapping:
        where = f"tables.{name}"
        self.known(raw, _TABLE, where)
        table = TABLES.get(name) or APART[name]
        export = self.choice(raw, "export", where, ("full", "delta"))
        query = self.text(raw, "query", where) if "query" in raw else None
        if query is not None:
            if "file" in raw:
                raise self.fail(where, "has a file and a query; keep one of them.")
            if why := refused_query(query):
                raise self.fail(where, f"its query {why}")
        file = self.text(raw, "file", where) if query is None else made
        if Path(file).is_absolute() or ".." in Path(file).parts:
            raise self.fail(where, f"file = {file!r} must lie in the folder of the export; copy it there.")
        columns = self.table_of(raw.get("columns", {}), f"{where}.columns")
        found: list[ColumnSource] = []
        problems: list[str] = []
        for key, value in columns.items():
            try:
                found.append(self.source(table, key, value, date_format, zone))
            except MappingError as error:
                problems.append(str(error))
        if problems:
            raise MappingError("\n".join(problems))
        sources = tuple(found)
        mapped = {source.name for source in sources}
        for column in table.columns:
            if column.required and column.default is None and column.name not in mapped:
                raise self.fail(
                    f"{where}.columns",
                    f'{column.name} is required and not mapped; add {column.name} = "<source column>".',
                )
        if table.one_of and not mapped & set(table.one_of):
            raise self.fail(f"{where}.columns", f"at least one of {', '.join(table.one_of)} must be mapped.")
        for source in sources:
            self.known(
                source.row_key,
                [n for n in table.column_names if n != source.name],
                f"{where}.columns.{source.name}",
                "row_key column",
            )
            if source.row_key and not set(source.row_key) <= mapped:
                missing = sorted(set(source.row_key) - mapped)
                raise self.fail(
                    f"{where}.columns.{source.name}",
                    f"row_key names {', '.join(missing)}, which is not mapped.",
                )
            if source.row_key and export == "delta":
                raise self.fail(
                    f"{where}.columns.{source.name}",
                    'row_key needs export = "full": in a delta the same row twice cannot be told from a row sent again; map the source\'s own id.',
                )
        return TableMapping(name, file, "full" if export == "full" else "delta", sources, query)

    def source(
        self, table: Table, name: str, raw: object, date_format: str, zone: str | None
    ) -> ColumnSource:
        where = f"tables.{table.name}.columns.{name}"
        spec = {"column": raw} if isinstance(raw, str) else raw
        if not isinstance(spec, dict):
            raise self.fail(where, 'must be a source column\'s name or a table such as { column = "Name" }.')
        self.known(spec, (*_SOURCE, *_DETAIL), where)
        ways = [key for key in _SOURCE if key in spec]
        if len(ways) != 1:
            raise self.fail(where, f"needs exactly one of {', '.join(_SOURCE)}.")
        kind = self.kind(table, name, spec, where)
        if found := _CHANGING.search(str(spec.get("sql", ""))):
            raise self.fail(
                where,
                f"its sql asks for {found[0].strip('( ')}, which is another at each ingest; use a column or a constant.",
            )
        if "format" in spec and kind not in ("date", "timestamp"):
            raise self.fail(where, f"format is for dates, and {name} is a {kind}.")
        form = self.text(spec, "format", where) if "format" in spec else date_format
        if kind in ("date", "timestamp") and carries_a_zone(form) and zone is None:
            raise self.fail(
                where,
                f'its format {form!r} reads a time zone: say in whose days it is counted, time_zone = "Asia/Kolkata" at the top.',
            )
        constant = spec.get("constant")
        row_key = spec.get("row_key", [])
        if not isinstance(row_key, list) or not all(isinstance(part, str) for part in row_key):
            raise self.fail(where, "row_key must be a list of canonical columns.")
        if "row_key" in spec and (not row_key or kind != "text"):
            raise self.fail(where, "row_key makes an id from a list of canonical columns that is not empty.")
        skip = spec.get("skip", [])
        if not isinstance(skip, list):
            raise self.fail(where, "skip must be a list of source values.")
        values = spec.get("values")
        if values is not None and not isinstance(values, dict):
            raise self.fail(where, "values must be a table of source value = canonical value.")
        pairs = None if values is None else tuple(sorted((str(old), str(new)) for old, new in values.items()))
        self.allowed(table, name, pairs, None if constant is None else str(constant), where)
        return ColumnSource(
            name=name,
            kind=kind,
            column=self.text(spec, "column", where) if "column" in spec else None,
            constant=None if constant is None else str(constant),
            sql=self.text(spec, "sql", where) if "sql" in spec else None,
            row_key=tuple(str(part) for part in row_key),
            format=form if "format" in spec or kind == "date" else None,
            zone=zone if kind in ("date", "timestamp") else None,
            values=pairs,
            skip=tuple(str(value) for value in skip),
        )

    def kind(self, table: Table, name: str, spec: dict[str, object], where: str) -> Kind:
        if name.startswith("attr_") and table.attributes:
            if not re.fullmatch(r"attr_[a-z0-9_]+", name):
                raise self.fail(
                    where, "an attribute's name is attr_ and then small letters, digits and underscores."
                )
            if word := protected_word(name):
                raise self.fail(
                    where,
                    f"{word!r} is a protected attribute and may not become a feature; map it under [tables.protected].",
                )
            person = table.name == "borrowers"
            for way in ("column", "sql"):
                if word := protected_word(str(spec.get(way, "")), of_person=person):
                    raise self.fail(
                        where,
                        f"its source speaks of {word!r}, a protected attribute; map it under [tables.protected].",
                    )
            kind = spec.get("type")
            if kind not in _ATTRIBUTE_KINDS:
                raise self.fail(where, 'an attribute needs type = "number" or type = "category".')
            return _ATTRIBUTE_KINDS[str(kind)]
        if "type" in spec:
            raise self.fail(where, "type is for attributes (attr_…) of loans and borrowers only.")
        if table.name == "protected" and re.fullmatch(r"[a-z][a-z0-9_]*", name) and name not in _TAKEN:
            return "text"
        known = list(table.column_names)
        if table.name in TABLES:
            known.append("known_at")
        if table.name == "loans":
            known += ASSIGNMENT_COLUMNS
        if table.name in ("installments", "payments"):
            known.append("currency")  # only compared with the loan's: data/odds.py
        if name not in known:
            hint = nearest(name, known)
            if table.attributes:
                hint += f" What duesight has no name for is mapped as attr_{name}."
            raise self.fail(f"tables.{table.name}.columns", f"unknown column {name!r}{hint}")
        if name == "known_at":
            return "date"
        return "text" if name not in table.column_names else table.column(name).kind

    def allowed(
        self,
        table: Table,
        name: str,
        values: tuple[tuple[str, str], ...] | None,
        constant: str | None,
        where: str,
    ) -> None:
        column: Column | None = table.column(name) if name in table.column_names else None
        if column is None or column.allowed is None:
            return
        for given in [*([] if constant is None else [constant]), *(new for _, new in values or ())]:
            if given not in column.allowed:
                raise self.fail(
                    where,
                    f"{given!r} is not one of {', '.join(column.allowed)}{nearest(given, column.allowed)}",
                )
