"""Trees and commits written by hand: a patch changes a few files of a tree that has 80,000.

    tree = changed_tree(git, old, {"mm/mremap.c": ("100644", blob), "mm/gone.c": None})
    commit = write_commit(git, tree, parent, "mm/mremap: name the range")

git would read and write an index of the whole tree for each patch, and look at all of its folders.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from mmlint.series.git import GitError, PrivateGit

_FOLDER: Final = b"40000"
# Mode and id of a file; None for one that is taken away.
Entry = tuple[str, str] | None
_WHO: Final = "mmlint <mmlint@localhost> 1000000000 +0000"


def changed_tree(git: PrivateGit, tree: str, changes: Mapping[str, Entry]) -> str:
    """The id of ``tree`` (empty: no tree) with other files. Raises GitError where a file and a folder collide."""
    below: dict[bytes, dict[str, Entry]] = {}
    entries = _entries(git, tree) if tree else {}
    for path, entry in changes.items():
        name, slash, rest = path.partition("/")
        key = name.encode("utf-8", "surrogateescape")
        if slash:
            below.setdefault(key, {})[rest] = entry
            continue
        if key in entries and entries[key][0] == _FOLDER:
            raise GitError(f"{path}: it is a folder")
        if entry is None:
            entries.pop(key, None)
        else:
            entries[key] = (entry[0].encode(), entry[1])
    for key, inner in below.items():
        mode, name = entries.get(key, (_FOLDER, ""))
        if mode != _FOLDER:
            raise GitError(f"{key.decode('utf-8', 'replace')}: it is no folder")
        changed = changed_tree(git, name, inner)
        if changed:
            entries[key] = (_FOLDER, changed)
        else:
            entries.pop(key, None)
    if not entries:
        return ""
    order = sorted(entries, key=lambda key: key + b"/" if entries[key][0] == _FOLDER else key)
    data = b"".join(entries[key][0] + b" " + key + b"\0" + bytes.fromhex(entries[key][1]) for key in order)
    return git.write_object("tree", data)


def _entries(git: PrivateGit, tree: str) -> dict[bytes, tuple[bytes, str]]:
    (found,) = git.objects.read([tree])
    if found is None or found[1] != "tree":
        raise GitError(f"{tree}: there is no such tree")
    data, width = found[2], len(found[0]) // 2
    entries: dict[bytes, tuple[bytes, str]] = {}
    at = 0
    while at < len(data):
        space = data.index(b" ", at)
        end = data.index(b"\0", space)
        entries[data[space + 1 : end]] = (data[at:space], data[end + 1 : end + 1 + width].hex())
        at = end + 1 + width
    return entries


def write_commit(git: PrivateGit, tree: str, parent: str, message: str, who: str = _WHO) -> str:
    """The id of a new commit; ``tree`` and ``parent`` may be empty. ``who`` is "NAME <ADDRESS> SECONDS ZONE"."""
    root = tree or git.write_object("tree", b"")
    head = [f"tree {root}", *([f"parent {parent}"] if parent else []), f"author {who}", f"committer {who}"]
    return git.write_object("commit", "\n".join([*head, "", message]).encode("utf-8", "surrogateescape"))


def files_of(git: PrivateGit, commit: str, paths: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Mode and blob of those files that a commit has."""
    found = {}
    for start in range(0, len(paths), 500):
        told = git.run("ls-tree", "-z", "--full-tree", commit, "--", *paths[start : start + 500])
        for entry in told.split(b"\0")[:-1]:
            head, name = entry.split(b"\t", 1)
            mode, kind, blob = head.decode().split()
            if kind == "blob":
                found[name.decode("utf-8", "surrogateescape")] = (mode, blob)
    return found


def tree_of(git: PrivateGit, commit: str) -> str:
    """The id of the tree of a commit."""
    (found,) = git.objects.read([f"{commit}^{{tree}}"])
    if found is None:
        raise GitError(f"{commit}: there is no such commit")
    return found[0]
