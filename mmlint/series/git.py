"""git in a private store: a bare repository in a temporary folder that can look at the objects of the user's.

    with PrivateGit.beside(user_tree("linux")) as git:
        git.run("read-tree", "HEAD")          # its own index, its own object folder

Whatever is written goes into the temporary folder. No configuration is read, neither of the user nor of the tree, no
hook runs, nothing is fetched, and every command has an end. git sets the time of an object that it is to write and
finds in a store that it looks at, so commands that write see the private store alone; what they need is copied there.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import IO, Final, NamedTuple

from mmlint.config import UsageError

_SECONDS: Final = 120
_IDENTITY: Final = "mmlint"
_PLACES: Final = ("GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR")
NOTHING: Final[Mapping[str, str]] = MappingProxyType({})
_WRITERS: Final = ("apply", "commit-tree", "hash-object", "update-index")


class GitError(Exception):
    """git could not do it: its own words, on one line."""


@dataclass(frozen=True, slots=True)
class UserTree:
    """The tree that the user named: ``git_dir`` and ``objects`` are None for a folder that is no repository."""

    shown: str
    folder: Path | None
    git_dir: Path | None = None
    objects: Path | None = None
    object_format: str = "sha1"


def environment(**more: str) -> dict[str, str]:
    """What git is run with: no variable of its own that a caller or a hook has set, and no configuration."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    fixed = {
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
    }
    for who in ("AUTHOR", "COMMITTER"):
        fixed |= {f"GIT_{who}_NAME": _IDENTITY, f"GIT_{who}_EMAIL": f"{_IDENTITY}@localhost"}
        fixed[f"GIT_{who}_DATE"] = "1000000000 +0000"
    return {**kept, **fixed, **more}


def user_tree(path: str | None) -> UserTree:
    """The tree that ``path`` names, by default the one of git: around the current folder, or as its variables say.

    Raises UsageError.
    """
    named = {name: os.environ[name] for name in _PLACES if os.environ.get(name)}
    if path is None and "GIT_DIR" in named:
        # git tells its hooks where the repository is when it was told so itself.
        found = _tree_at(None, named)
        if found.git_dir is not None:
            return found
    return _tree_at(path, NOTHING)


def _tree_at(path: str | None, named: Mapping[str, str]) -> UserTree:
    start = Path(path or os.curdir)
    if not start.is_dir():
        raise UsageError(f"{path}: not a folder; give a kernel tree, or the .git of one, to --tree")
    words = ("--absolute-git-dir", "--is-bare-repository", "--is-inside-git-dir", "--show-object-format")
    try:
        git_dir, bare, inside, form = _ask(start, "rev-parse", *words, **named).split("\n")[:4]
    except GitError as error:
        if "dubious ownership" in str(error):
            raise UsageError(f"{start}: the repository belongs to somebody else; see safe.directory of git") from error
        return UserTree(str(start), start.resolve())
    objects = Path(os.path.realpath(start / _ask(start, "rev-parse", "--git-path", "objects", **named)))
    top = None
    if bare == inside == "false":
        top = Path(_ask(start, "rev-parse", "--show-toplevel", **named))
        if path and top.resolve() != start.resolve():
            # A folder below the top of some repository is a tree of its own, such as a sample.
            return UserTree(str(start), start.resolve())
    return UserTree(path or str(top or start), top, Path(git_dir), objects, form)


def _ask(folder: Path, *words: str, **more: str) -> str:
    command = ["git", "-c", "core.fsmonitor=false", *words]
    # The user's configuration is kept here: it says whom git may trust.
    variables = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    variables |= {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", **more}
    return _finish(command, b"", variables, folder).decode("utf-8", "surrogateescape").rstrip("\n")


def _finish(command: Sequence[str], data: bytes, variables: dict[str, str], folder: Path | None) -> bytes:
    return Running(command, variables, folder, subprocess.PIPE).result(data)


class Running:
    """git at work."""

    def __init__(
        self,
        command: Sequence[str],
        variables: dict[str, str],
        folder: Path | None,
        stdin: int = subprocess.DEVNULL,
    ) -> None:
        self._name = " ".join(command[:2])
        pipe = subprocess.PIPE
        try:
            self._process = subprocess.Popen(command, stdin=stdin, stdout=pipe, stderr=pipe, env=variables, cwd=folder)
        except FileNotFoundError as error:
            raise UsageError("git is not installed; a series cannot be read without it") from error

    def result(self, data: bytes = b"") -> bytes:
        """What it prints when it has ended, to be asked for once. Raises GitError."""
        try:
            told, complaint = self._process.communicate(data or None, timeout=_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise GitError(f"{self._name} took more than {_SECONDS} seconds") from error
        finally:
            self.end()
        if self._process.returncode:
            raise GitError(one_line(complaint) or f"git ended with {self._process.returncode}")
        return told

    def end(self) -> None:
        """End it, whatever it is at."""
        if self._process.poll() is None:
            self._process.kill()
        with self._process:
            pass


def _listed(folder: Path) -> str:
    """A folder in the form of the variable: quoted where it holds what would end it or be taken for a quote."""
    text = str(folder)
    if any(character in text for character in ':"\\\n'):
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
    return text


def one_line(told: bytes) -> str:
    """What git says on standard error, without its prefixes."""
    lines = told.decode("utf-8", "backslashreplace").split("\n")
    words = [line.removeprefix("error: ").removeprefix("fatal: ").strip() for line in lines]
    return "; ".join(dict.fromkeys(word for word in words if word))


class PrivateGit:
    """A repository of its own in a temporary folder, and what is asked of it."""

    def __init__(self, tree: UserTree) -> None:
        self.tree = tree
        self.folder = Path(tempfile.mkdtemp(prefix="mmlint-series-"))
        self._objects: ObjectReader | None = None
        self._parents: ObjectReader | None = None
        self._running: list[Running] = []
        self._pid = os.getpid()
        store = self.folder / "git"
        self._own = environment(GIT_DIR=str(store), GIT_INDEX_FILE=str(self.folder / "index"))
        self._variables = self._own
        if tree.objects is not None:
            self._variables = {**self._own, "GIT_ALTERNATE_OBJECT_DIRECTORIES": _listed(tree.objects)}
        try:
            plain = environment()
            init = ["git", "init", "-q", "--bare", "--template=", f"--object-format={tree.object_format}", str(store)]
            _finish(init, b"", plain, self.folder)
            shallow = tree.objects.parent / "shallow" if tree.objects is not None else None
            if shallow is not None and shallow.is_file():
                shutil.copy(shallow, store / "shallow")
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> PrivateGit:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End what runs, and take the folder away."""
        for running in self._running:
            running.end()
        if self._objects:
            self._objects.close()
            self._objects = None
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, *words: str, data: bytes = b"", more: Mapping[str, str] = NOTHING) -> bytes:
        """What git prints; ``more`` are variables of its environment. Raises GitError."""
        if words[0] not in _WRITERS:
            return _finish(["git", *words], data, {**self._variables, **more}, self.folder)
        if words[0] == "commit-tree":
            self.borrow([word for word in words[1:] if not word.startswith("-")])
        return _finish(["git", *words], data, {**self._own, **more}, self.folder)

    def begin(self, *words: str, more: Mapping[str, str] = NOTHING) -> Running:
        """The same for what only reads, at work beside this process. Raises UsageError where there is no git."""
        self._running.append(Running(["git", *words], {**self._variables, **more}, self.folder))
        return self._running[-1]

    def borrow(self, names: Sequence[str]) -> None:
        """Copy objects into the private store, where commands that write look for them; unknown ones are left out."""
        for found in self.objects.read(names):
            if found is None:
                continue
            self._keep(*found)

    def write_object(self, kind: str, data: bytes) -> str:
        """The id of an object with these bytes, which is in the private store now."""
        whole = f"{kind} {len(data)}\0".encode() + data
        name = hashlib.new(self.tree.object_format, whole, usedforsecurity=False).hexdigest()
        self._keep(name, kind, data)
        return name

    def _keep(self, name: str, kind: str, data: bytes) -> None:
        place = self.folder / "git/objects" / name[:2] / name[2:]
        if not place.exists():
            place.parent.mkdir(exist_ok=True)
            place.write_bytes(zlib.compress(f"{kind} {len(data)}\0".encode() + data, 1))

    @property
    def index(self) -> Path:
        """The private index."""
        return self.folder / "index"

    def text(self, *words: str, data: bytes = b"") -> str:
        """What git prints, without the last newline. Raises GitError."""
        return self.run(*words, data=data).decode("utf-8", "surrogateescape").rstrip("\n")

    def grep(
        self, needles: tuple[bytes, ...], *revision: str, threads: int = 0, more: Mapping[str, str] = NOTHING
    ) -> Grep:
        """Look for the C files that hold one of ``needles``: of a revision, or of a work tree; 0: git says by how many.

        Raises UsageError where there is no git.
        """
        words = [word for needle in needles for word in ("-e", os.fsdecode(needle))]
        # A NUL does not make a file another one: what is binary is told where it is read.
        words = [f"--threads={threads}", "-lzaF", "--no-color", *words, *revision, "--", "*.c", "*.h"]
        return Grep(self.begin("grep", *words, more=more))

    def ask_user(self, *words: str) -> str:
        """What git says of the user's repository: for questions on refs only. Raises GitError."""
        if self.tree.git_dir is None:
            raise GitError("there is no repository")
        return _ask(self.tree.folder or self.tree.git_dir, f"--git-dir={self.tree.git_dir}", *words)

    def ask_user_index(self, *words: str) -> str:
        """The same with the user's index: that of a hook, where git runs one. Raises GitError."""
        index = os.environ.get("GIT_INDEX_FILE", "")
        more = {"GIT_INDEX_FILE": os.path.abspath(index)} if index else {}  # noqa: PTH100 - links stay as they are
        return _ask(self.tree.folder or self.tree.git_dir or Path(), f"--git-dir={self.tree.git_dir}", *words, **more)

    @property
    def objects(self) -> ObjectReader:
        """Objects by name; one process for all. A forked child has its own: the parent's answers the parent."""
        if os.getpid() != self._pid:
            self._pid, self._parents, self._objects = os.getpid(), self._objects, None
        if self._objects is None:
            self._objects = ObjectReader(self._variables, self.folder)
        return self._objects


class Grep(NamedTuple):
    """A search that was begun."""

    running: Running

    def files(self) -> list[str]:
        """What it finds, to be asked for once; the revision stands before each. Raises GitError."""
        try:
            told = self.running.result()
        except GitError as error:
            if "ended with 1" in str(error):
                return []
            raise
        return [name.decode("utf-8", "surrogateescape") for name in told.split(b"\0") if name]


class ObjectReader:
    """``git cat-file --batch``, kept open."""

    def __init__(self, variables: dict[str, str], folder: Path) -> None:
        self._process = subprocess.Popen(
            ["git", "cat-file", "--batch"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=variables,
            cwd=folder,
        )

    def read(self, names: Sequence[str]) -> list[tuple[str, str, bytes] | None]:
        """(id, type, bytes) for each name, such as "HEAD:mm/memory.c"; None for what is not there."""
        answers: list[tuple[str, str, bytes] | None] = []
        for start in range(0, len(names), 500):
            share = names[start : start + 500]
            asked = "".join(name + "\n" for name in share if "\n" not in name and name)
            if asked:
                request: IO[bytes] = self._stream(self._process.stdin)
                request.write(os.fsencode(asked))
                request.flush()
            answers += [self._answer() if name and "\n" not in name else None for name in share]
        return answers

    def ids(self, names: Sequence[str]) -> list[str | None]:
        """The ids alone."""
        return [found[0] if found else None for found in self.read(names)]

    def _stream(self, stream: IO[bytes] | None) -> IO[bytes]:
        assert stream is not None
        return stream

    def _answer(self) -> tuple[str, str, bytes] | None:
        stream = self._stream(self._process.stdout)
        head = stream.readline()
        words = head.split()
        if len(words) != 3 or not words[2].isdigit():
            if not head:
                raise GitError("git cat-file ended early")
            return None
        data = stream.read(int(words[2]))
        stream.read(1)
        return words[0].decode(), words[1].decode(), data

    def close(self) -> None:
        """End the process, which would not end by itself as long as a forked child has its input open too."""
        self._process.kill()
        with self._process:
            pass
