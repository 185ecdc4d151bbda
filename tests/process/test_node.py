"""The name of a data folder: made once, whole, and the same for all who ask."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from openivr.server.process_plan import node_of


def test_all_who_ask_at_once_get_one_name(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        names = set(pool.map(node_of, [tmp_path] * 32))
    (name,) = names
    assert len(name) == 16
    assert [file.name for file in tmp_path.iterdir()] == ["node"]
    assert (tmp_path / "node").stat().st_mode & 0o077 == 0
    assert node_of(tmp_path) == name
