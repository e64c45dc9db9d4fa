"""The mapping of a made-up export, written from what it maps: table -> (file, canonical column -> the file's)."""

from collections.abc import Mapping

Tables = Mapping[str, tuple[str, Mapping[str, str]]]


def mapping_text(lender: str, export: str, tables: Tables) -> str:
    """TOML; a column in braces is written as it is, such as `{ constant = "KES" }`."""
    lines = [f'lender = "{lender}"', 'jurisdiction = "KE"']
    for table, (file, columns) in tables.items():
        lines += [
            f"[tables.{table}]",
            f'file = "{file}"',
            f'export = "{export}"',
            f"[tables.{table}.columns]",
        ]
        for name, of in columns.items():
            written = of if of.startswith("{") else f'"{of}"'
            lines.append(f"{name} = {written}")
    return "\n".join(lines) + "\n"
