"""Writing a file: whole or not at all, where the user said, and by one run at a time."""

import errno
import os
import stat
import threading
from pathlib import Path

import pytest

from mlpcli import atomic
from mlpcli.atomic import check_writable, locked, write
from mlpcli.errors import OutputError


def listing(folder):
    """Return what a folder holds, hidden files included."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.fixture
def place(tmp_path):
    """Return the path of an old checkpoint, alone in its folder."""
    path = tmp_path / "out" / "w.npy"
    path.parent.mkdir()
    path.write_bytes(b"old")
    return path


def test_open_replaces_whole_at_the_end(place):
    """What is written piece by piece takes the old file's place when all of it is there."""
    with atomic.open(place) as stream:
        stream.write(b"ne")
        stream.flush()
        assert place.read_bytes() == b"old"
        stream.write(b"w")
    assert listing(place.parent) == {"w.npy": b"new"}


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, BrokenPipeError])
def test_open_leaves_the_old_file(place, error):
    """Whatever ends the writing early passes as it is, and leaves the old file and nothing else."""
    with pytest.raises(error), atomic.open(place) as stream:
        stream.write(b"ne")
        raise error
    assert listing(place.parent) == {"w.npy": b"old"}


def test_open_names_the_option(place):
    """A target that cannot be made is an error that says which option chose it."""
    with (
        pytest.raises(OutputError, match=r"no such file or directory; .* with --history$"),
        atomic.open(place.parent / "missing" / "h.csv", "--history"),
    ):
        pass


def test_write_replaces_whole(place):
    """A written file has the content and no companions."""
    write(place, b"new")
    assert listing(place.parent) == {"w.npy": b"new"}
    check_writable(place, 10**6)
    assert listing(place.parent) == {"w.npy": b"new"}


def test_full_disk(monkeypatch, place):
    """A write that fails leaves the old file and nothing else."""

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)

    def write_in_pieces():
        with atomic.open(place) as stream:
            stream.write(b"new")

    for act in (lambda: write(place, b"new"), lambda: check_writable(place, 3), write_in_pieces):
        with pytest.raises(OutputError) as caught:
            act()
        expected = "cannot be written: no space left on device; choose another place with -o"
        assert str(caught.value) == f"{place}: {expected}"
        assert listing(place.parent) == {"w.npy": b"old"}


def test_interrupted_write(monkeypatch, place):
    """Ctrl-C amid a write leaves the old file and nothing else."""

    def interrupt(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write(place, b"new")
    assert listing(place.parent) == {"w.npy": b"old"}


def test_lying_disk(monkeypatch, place):
    """What does not read back as written does not replace the old file."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: os.pwrite(descriptor, b"N", 0))
    with pytest.raises(OutputError, match="differs when read back"):
        write(place, b"new")
    assert listing(place.parent) == {"w.npy": b"old"}


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_mode_follows_the_umask(place, umask):
    """A checkpoint is as readable to others as any new file of its owner."""
    before = os.umask(umask)
    try:
        write(place.with_name("new.npy"), b"new")
    finally:
        os.umask(before)
    assert stat.S_IMODE(place.with_name("new.npy").stat().st_mode) == 0o666 & ~umask


def test_symbolic_links_are_written_through(place, tmp_path):
    """A link stays a link, and its target gets the content, whether or not it existed."""
    for target in (place, place.with_name("new.npy")):
        link = tmp_path / f"link-to-{target.name}"
        link.symlink_to(target)
        write(link, b"new")
        assert link.is_symlink()
        assert target.read_bytes() == b"new"
    assert set(listing(place.parent)) == {"w.npy", "new.npy"}


@pytest.mark.parametrize("act", [write, check_writable])
def test_folders_and_pipes_are_left_alone(act, place, fifo):
    """A folder or a named pipe is refused and stays what it is."""
    content = b"new" if act is write else 3
    for path in (place.parent, fifo):
        with pytest.raises(OutputError, match=r"is not a regular file; .* -o$"):
            act(path, content)
    assert stat.S_ISFIFO(fifo.stat().st_mode)
    assert listing(place.parent) == {"w.npy": b"old"}


@pytest.mark.parametrize("act", [write, check_writable])
def test_places_that_cannot_be_written(act, place):
    """A missing folder, a file for a folder, and an impossible name are each said of the path."""
    content = b"new" if act is write else 3
    for path, problem in [
        (place.parent / "missing" / "w.npy", "no such file or directory"),
        (place / "w.npy", "not a directory"),
        (place.parent / ("x" * 300), "file name too long"),
    ]:
        with pytest.raises(OutputError, match=f"cannot be written: {problem}") as caught:
            act(path, content)
        assert caught.value.where == path
    assert listing(place.parent) == {"w.npy": b"old"}


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o444])
def test_the_mode_of_what_is_replaced_stays(place, mode):
    """Who has hidden a checkpoint from others finds it hidden after the next save."""
    place.chmod(mode)
    write(place, b"new")
    assert stat.S_IMODE(place.stat().st_mode) == mode
    with atomic.open(place) as stream:
        assert stat.S_IMODE(os.fstat(stream.fileno()).st_mode) == mode
        stream.write(b"newer")
    assert stat.S_IMODE(place.stat().st_mode) == mode
    assert listing(place.parent) == {"w.npy": b"newer"}


def test_another_users_file_in_a_sticky_folder(monkeypatch, place):
    """What only its owner may replace is refused before the training, and not at the save."""
    place.parent.chmod(0o1777)
    check_writable(place, 3)
    monkeypatch.setattr(os, "geteuid", lambda: place.stat().st_uid + 1)
    with pytest.raises(OutputError, match="belongs to another user"):
        check_writable(place, 3)
    check_writable(place.with_name("new.npy"), 3)
    place.parent.chmod(0o777)
    check_writable(place, 3)
    assert listing(place.parent) == {"w.npy": b"old"}


def test_another_users_lock_is_named(monkeypatch, place):
    """A lock that may not be opened is named: it is hidden, and somebody has to remove it."""
    lock = place.with_name(".w.npy.lock")
    lock.touch()
    opened = Path.open

    def forbidden(self, *args, **options):
        if self == lock:
            raise PermissionError(errno.EACCES, "Permission denied", str(self))
        return opened(self, *args, **options)

    monkeypatch.setattr(Path, "open", forbidden)
    with (
        pytest.raises(OutputError, match=r"\.w\.npy\.lock was left by another user"),
        locked(place),
    ):
        pass


def test_temporaries_of_others_stay(place):
    """A run removes what was left of its own target, and of no other whose name begins like it."""
    mine = place.with_name(".w.npy.0123abcd.tmp")
    others = [".w.0123abcd.tmp", ".w.npy.npy.0123abcd.tmp", ".w.npy.0123abcd.tmp.0123abcd.tmp",
              "w.npy.0123abcd.tmp", ".wxnpy.0123abcd.tmp", ".w.npy.0123abcd.tmp2"]  # fmt: skip
    for name in (mine.name, *others):
        place.with_name(name).touch()
    with locked(place):
        assert not mine.exists()
    assert set(listing(place.parent)) == {"w.npy", *others}


def test_place(place):
    """A file that is whole takes the name of the target, and what cannot be placed stays."""
    whole = place.with_name("part")
    whole.write_bytes(b"new")
    atomic.place(whole, place)
    assert listing(place.parent) == {"w.npy": b"new"}
    whole.write_bytes(b"newer")
    folder = place.with_name("folder")
    folder.mkdir()
    with pytest.raises(OutputError, match=r"is not a regular file; .* --data-dir$"):
        atomic.place(whole, folder, "--data-dir")
    assert listing(place.parent) == {"w.npy": b"new", "part": b"newer"}


def test_a_lock_is_waited_for(place):
    """Who waits for a lock is told so once, and has it when the other is done."""
    order = []
    waiting = threading.Event()

    def second():
        with atomic.locked(place, waiting=lambda: (order.append("waits"), waiting.set())):
            order.append("second")

    thread = threading.Thread(target=second)
    with atomic.locked(place):
        thread.start()
        assert waiting.wait(60)
        with pytest.raises(OutputError, match="is being written by another run"):
            atomic.locked(place).__enter__()
        order.append("first")
    thread.join()
    assert order == ["waits", "first", "second"]
    assert listing(place.parent) == {"w.npy": b"old"}


def test_room_for_copies(monkeypatch):
    """Room for two copies is there when both have been written; none of them stays."""
    sizes = []

    def write_proved(stream, content, _):
        sizes.append(sum(each.stat().st_size for each in Path().iterdir()) + len(content))
        stream.write(content)

    monkeypatch.setattr("mlpcli.atomic._write_proved", write_proved)
    check_writable(Path("w.npy"), 100_000, copies=2)
    assert sizes == [100_000, 200_000]
    assert list(Path().iterdir()) == []
