"""Fuzzing: every reader gets thousands of damaged inputs, in a process of its own with limits on time and memory.

A reader must work or raise an ``ItmError``. It must not write outside its cache, start a program, unpickle anything, or
take more memory than ten times its file.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

TITLE = "Fuzzing"
SECONDS = 20  # for one input, before the reader is interrupted; what ignores the interruption is killed
PATIENCE = 30  # seconds without a word from the process before it is killed
START_SECONDS = 240  # for its imports and the valid input
GROWTH = 10  # times the size of the input
FREE_GROWTH = 64 * 2**20  # bytes: less is noise of the allocator and of imports
ROOM = 6 * 2**30  # bytes of address space that a reader may take beyond what the process has after the valid input
KINDS = ("worked", "refused", "other", "hung", "died")  # what can happen with an input
WRONG = (*KINDS[2:], "outside", "grew")  # what may not
LONGEST = 700  # characters of a message, paths included
CODE = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "pickle.find_class", "ctypes.dlopen")
TORCH_ASKS = ("libnvidia-ml.so.1",)  # torch looks for a GPU's driver when a training state is read
CHANGES = {
    "os.mkdir": 2,
    "os.remove": 1,
    "os.rmdir": 1,
}  # event -> which argument is the folder that a path starts from
CHANGES |= dict.fromkeys(("os.rename", "os.link", "os.symlink", "os.truncate", "os.chmod"), 0)
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class TimeUp(BaseException):
    """The time for one input is over; no reader catches it by accident."""


class Watcher:
    """Notes what a reader writes outside the places that it may write to, and whether it starts other code."""

    def __init__(self):
        self.on, self.allowed, self.seen = False, [], []
        sys.addaudithook(self)

    def __call__(self, event: str, arguments: tuple) -> None:
        if not self.on:
            return
        if event in CODE and arguments[0] not in TORCH_ASKS:
            self.seen.append(f"{event} {arguments[0]}")
        elif event in CHANGES:
            base = _folder(arguments[CHANGES[event]]) if CHANGES[event] else ""
            paths = [os.fsdecode(path) for path in arguments[:2] if isinstance(path, str | bytes | os.PathLike)]
            self._note([os.path.join(base, path) for path in paths], event)
        elif event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITES:
            self._note([path for path in arguments[:1] if isinstance(path, str | bytes | os.PathLike)], event)

    def _note(self, paths: list, event: str) -> None:
        for path in paths:
            full = os.path.abspath(os.fsdecode(path))
            if event == "os.mkdir" and os.path.isdir(full):  # nothing is made
                continue
            places = [os.path.abspath(place) for place in (os.environ["ITM_CACHE"], tempfile.gettempdir())]
            inside = any(full == place or full.startswith(place + os.sep) for place in places)
            if not inside and full != os.devnull and not any(fnmatchcase(full, one) for one in self.allowed):
                self.seen.append(f"{event} {full}")


def _folder(descriptor: Any) -> str:
    """The folder of an open descriptor; an empty text for none, or where the system does not tell."""
    with suppress(OSError):
        return os.readlink(f"/proc/self/fd/{descriptor}") if isinstance(descriptor, int) and descriptor >= 0 else ""
    return ""


def try_inputs(reader: Any, sandbox: Path, first: int, last: int, seed: int, tell) -> None:
    """Runs the inputs ``first`` to ``last`` of a reader in this process.

    Args:
        reader: a ``readers.Reader``.
        sandbox: an empty folder; the inputs lie in it.
        first, last: numbers of the inputs.
        seed: of the damage.
        tell: called with one dict for the start and one for each input.
    """
    from mutations import damage

    template, case = sandbox / "template", sandbox / "case"
    template.mkdir(exist_ok=True)
    reader.make(template)
    files = reader.files(template)
    _fresh(template, case)
    os.chdir(sandbox)
    reader.read(case)  # a valid input must be read, and whatever is imported lazily is imported now
    watcher = Watcher()
    _limit_memory()
    tell({"ready": len(files)})
    for number in range(first, last):
        _fresh(template, case)
        what = damage(case, files, random.Random(f"{seed}/{reader.name}/{number}"))
        size = sum(file.lstat().st_size for file in case.rglob("*") if not file.is_dir())
        before = {file.relative_to(sandbox) for file in sandbox.rglob("*")}
        tell({"start": number, "what": what})
        watcher.allowed = [str(case / name) for name in reader.writes]
        result = _one(reader, case, watcher)
        result |= {"number": number, "what": what, "size": size}
        result["grew"] = result["growth"] > max(GROWTH * size, FREE_GROWTH)
        for file in {file.relative_to(sandbox) for file in sandbox.rglob("*")} - before:
            watcher.seen.clear()
            watcher._note([sandbox / file], "new")
            result["wrote"] += watcher.seen
        result["wrote"] = sorted(set(result["wrote"]))
        tell(result)


def _fresh(template: Path, case: Path) -> None:
    shutil.rmtree(case, ignore_errors=True)
    shutil.copytree(template, case)


def _one(reader: Any, case: Path, watcher: Watcher) -> dict[str, Any]:
    """What happened with one input: kind "worked", "refused", "other" or "hung"."""
    watcher.seen.clear()
    cache = os.environ["ITM_CACHE"]
    resident = _reset_peak()
    signal.signal(signal.SIGALRM, _ring)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    start, kind, error, where = time.perf_counter(), "worked", "", ""
    watcher.on = True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            reader.read(case)
    except TimeUp:
        kind, where = "hung", _place(sys.exc_info()[2])
    except BaseException as caught:  # a PanicException of a Rust library is no Exception
        kind, error, where = "other", f"{type(caught).__name__}: {str(caught)[:300]}", _place(caught.__traceback__)
        if type(caught).__name__ == "ItmError":
            kind, error = "refused", str(caught)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        watcher.on = False
    growth = _peak() - resident
    os.environ["ITM_CACHE"] = cache
    unclear = kind == "refused" and ("\n" in error or len(error) > LONGEST or ": " not in error and "; " not in error)
    return {
        "kind": kind,
        "error": error,
        "where": where,
        "seconds": round(time.perf_counter() - start, 4),
        "growth": growth,
        "unclear": unclear,
        "wrote": [note for note in watcher.seen],
    }


def _ring(*_) -> None:
    raise TimeUp


def _place(trace) -> str:
    """File and line of the deepest frame that is in the package, or of the deepest of all."""
    frames = traceback.extract_tb(trace)
    inside = f"{os.sep}itm_tutorial{os.sep}"
    own = [one for one in frames if inside in one.filename and "site-packages" not in one.filename]
    last = (own or frames)[-1]
    name = last.filename.rpartition("itm_tutorial" + os.sep)[2] if own else Path(last.filename).name
    return f"{name}:{last.lineno}"


def _limit_memory() -> None:
    """Makes a wild allocation a MemoryError in this process, before it is one for the whole machine."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        pages = int(Path("/proc/self/statm").read_text().split()[0])
        room = pages * os.sysconf("SC_PAGE_SIZE") + ROOM
        resource.setrlimit(resource.RLIMIT_AS, (room, room))


def _reset_peak() -> int:
    """Bytes in memory now; the peak is counted from here. Zero where the system does not tell."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
        return _status("VmRSS")
    return 0


def _peak() -> int:
    with suppress(OSError):
        return _status("VmHWM")
    return 0


def _status(key: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(key + ":"):
            return 1024 * int(line.split()[1])
    return 0


def _child(name: str, sandbox: Path, first: int, last: int, seed: int) -> None:
    """A process that tries inputs of one reader, or of all in a file, and writes one line of JSON for each."""
    import socket

    from readers import all_readers, reader_files, readers_of

    out = os.fdopen(os.dup(1), "w", buffering=1)
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)

    def no_network(*_, **__):
        raise OSError("no network while fuzzing")

    socket.socket.connect = no_network
    if name not in reader_files():
        try_inputs(all_readers()[name], sandbox, first, last, seed, lambda line: print(json.dumps(line), file=out))
        return
    for number, (one, reader) in enumerate(readers_of(name).items()):
        own = sandbox / str(number)
        own.mkdir()
        try_inputs(
            reader, own, first, last, seed, lambda line, one=one: print(json.dumps({**line, "of": one}), file=out)
        )


def fuzz_reader(name: str, inputs: int, seed: int = 0) -> dict[str, Any]:
    """Tries one reader in processes of its own; one that dies or hangs is replaced, and the input is noted.

    Args:
        name: of a registered reader.
        inputs: how many.
        seed: of the damage.

    Returns:
        Counts, and what went wrong grouped by exception and line.
    """
    start, results, first = time.perf_counter(), [], 0
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        sandbox = Path(folder).resolve()
        while first < inputs:
            shutil.rmtree(sandbox, ignore_errors=True)
            for place in ("cache", "home", "tmp"):
                (sandbox / place).mkdir(parents=True)
            found, last_word = _watched(name, sandbox, first, inputs, seed)
            results += found
            done = first + len(found)
            if last_word is None:  # it ended by itself
                break
            if "start" not in last_word:
                raise RuntimeError(f"{name}: the valid input is not read: {last_word['error']}")
            unknown = {"size": 0, "growth": 0, "grew": False, "wrote": [], "unclear": False}
            results.append({**last_word, **unknown, "number": done})
            first = done + 1
    return _summed(results, inputs, time.perf_counter() - start)


def fuzz_file(file: str, inputs: int, seed: int = 0) -> dict[str, Any]:
    """Tries all readers that a file registers in one process: quick, for a few inputs each.

    Args:
        file: as ``readers.reader_files`` names it.
        inputs: for each reader.
        seed: of the damage.

    Returns:
        Name of a reader -> as from ``fuzz_reader``.
    """
    start = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        sandbox = Path(folder).resolve()
        for place in ("cache", "home", "tmp"):
            (sandbox / place).mkdir()
        results, last_word = _watched(file, sandbox, 0, inputs, seed)
    if last_word is not None:
        raise RuntimeError(f"{file}: the process ended: {last_word}")
    names = dict.fromkeys(result["of"] for result in results)
    seconds = time.perf_counter() - start
    return {name: _summed([one for one in results if one["of"] == name], inputs, seconds) for name in names}


def _watched(name: str, sandbox: Path, first: int, last: int, seed: int) -> tuple[list[dict], dict | None]:
    """Runs one process -> the results it told, and the input at which it died or hung, if it did."""
    environment = {**os.environ, "ITM_CACHE": str(sandbox / "cache"), "HOME": str(sandbox / "home")}
    environment |= {"TMPDIR": str(sandbox / "tmp"), "TORCH_HOME": str(sandbox / "home"), "HF_HUB_OFFLINE": "1"}
    environment |= {"OMP_NUM_THREADS": "1", "ITM_PROGRESS": "0", "PYTHONDONTWRITEBYTECODE": "1"}
    environment |= {"MPLCONFIGDIR": str(sandbox / "home"), "TOKENIZERS_PARALLELISM": "false"}
    words = [sys.executable, __file__, "--child", name, str(sandbox), str(first), str(last), str(seed)]
    results, at = [], {}
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=errors, env=environment, bufsize=0)
        selector = selectors.DefaultSelector()
        selector.register(process.stdout, selectors.EVENT_READ)
        pending, patience, hung = b"", START_SECONDS, False
        while True:
            if not selector.select(patience):
                hung = True
                process.kill()
                break
            piece = process.stdout.read(1 << 16)
            if not piece:
                break
            pending += piece
            *lines, pending = pending.split(b"\n")
            for line in map(json.loads, lines):
                patience = PATIENCE
                if "kind" in line:
                    results.append(line)
                    at = {"started": True}
                elif "start" in line:
                    at = line
                else:
                    at = {"started": True}
        process.stdout.close()
        status = process.wait()
        errors.seek(0)
        said = errors.read().decode(errors="replace").strip().splitlines()[-1:] or [""]
    if not hung and status == 0:
        return results, None
    kind, error = ("hung", "killed after a hang") if hung else ("died", f"status {status}: {said[0][:200]}")
    return results, {**at, "kind": kind, "error": error, "where": "-", "seconds": 0.0}


def _summed(results: list[dict], inputs: int, seconds: float) -> dict[str, Any]:
    groups: dict[tuple[str, str], list[dict]] = {}
    for result in results:
        if result["kind"] in ("other", "hung", "died"):
            exception = result["error"].partition(":")[0] if result["kind"] == "other" else result["kind"]
            groups.setdefault((exception, result["where"]), []).append(result)
    faults = []
    for (exception, where), members in sorted(groups.items()):
        smallest = min(members, key=lambda one: (one["what"].count("; "), len(one["what"])))
        faults.append({"exception": exception, "where": where, "count": len(members), "error": smallest["error"]})
        faults[-1] |= {"smallest": smallest["what"], "number": smallest["number"]}
    said = {}
    for result in results:
        if result["kind"] == "refused":
            said.setdefault(result["where"], result["error"])

    def shown(key: str) -> list[str]:
        return [f"{one['what']}: {one['wrote'] or one['error']}"[:400] for one in results if one[key]][:5]

    grew = [f"{one['what']}: {one['growth']:,} bytes for {one['size']:,}" for one in results if one["grew"]]
    counts = {kind: sum(one["kind"] == kind for one in results) for kind in KINDS}
    return {
        "inputs": inputs,
        **counts,
        "faults": faults,
        "outside": sum(bool(one["wrote"]) for one in results),
        "outside_examples": shown("wrote"),
        "grew": sum(one["grew"] for one in results),
        "grew_examples": grew[:5],
        "most_growth": max((one["growth"] for one in results), default=0),
        "slowest": max((one["seconds"] for one in results), default=0.0),
        "unclear": sum(one["unclear"] for one in results),
        "unclear_examples": shown("unclear"),
        "messages": dict(sorted(said.items())),
        "seconds": round(seconds, 1),
    }


def run(inputs: int = 2000, reader: str = "", seed: int = 0, **_) -> dict[str, Any]:
    """Fuzzes every reader whose name contains ``reader``.

    Returns:
        Name of a reader -> what ``fuzz_reader`` found.
    """
    from readers import all_readers

    found = {}
    for name in all_readers():
        if reader.lower() in name.lower():
            found[name] = result = fuzz_reader(name, inputs, seed)
            _print(name, result)
    return found


def _print(name: str, result: dict[str, Any]) -> None:
    bad = {key: result[key] for key in (*WRONG, "unclear") if result[key]}
    counts = f"{result['worked']} worked, {result['refused']} refused, {bad or 'nothing else'}"
    print(f"{name}: {counts}; {result['seconds']} s", flush=True)
    for fault in result["faults"]:
        what = f"{fault['exception']} {fault['where']}: {fault['smallest']}: {fault['error'][:160]}"
        print(f"    {fault['count']:>5} {what}")
    for key in ("outside", "grew", "unclear"):
        for example in result[f"{key}_examples"][:2]:
            print(f"    {key}: {example}")


def passed(found: dict[str, Any]) -> bool:
    """Whether every reader worked or refused, and did no more."""
    return not any(one[key] for one in found.values() for key in WRONG)


def section(found: dict[str, Any]) -> str:
    """The section of docs/faults.md."""
    total = {key: sum(one[key] for one in found.values()) for key in ("inputs", "worked", "refused")}
    wrong = sum(one[key] for one in found.values() for key in ("other", "hung", "died"))
    lines = [
        f"{len(found)} readers got {total['inputs']:,} damaged inputs. {total['worked']:,} were read, "
        f"{total['refused']:,} were refused with one sentence (an `ItmError`), {wrong:,} ended otherwise. A damage is "
        "a flipped bit, a lost, doubled or foreign piece, a file cut short or replaced, or a value of JSON, TOML, "
        "safetensors or a zip archive that is lost or of another kind. The columns to the right count inputs for which "
        f"a reader raised another exception, hung for {SECONDS} s, ended the process, wrote outside the cache or "
        f"started other code, or took more memory than {GROWTH} times its input (and than {FREE_GROWTH >> 20} MiB).",
        "",
        "| reader | inputs | read | refused | other exception | hung | died | wrote outside | memory | slowest (s) |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for name, one in found.items():
        counts = [one[key] for key in ("inputs", "worked", "refused", "other", "hung", "died", "outside", "grew")]
        lines.append(f"| {name} | " + " | ".join(f"{count:,}" for count in counts) + f" | {one['slowest']:.1f} |")
    faults = [(name, fault) for name, one in found.items() for fault in one["faults"]]
    if faults:
        lines += ["", "| reader | exception | where | inputs | smallest input |", "|---|---|---|---:|---|"]
        for name, fault in faults:
            cells = [name, fault["exception"], fault["where"], str(fault["count"]), f"`{fault['smallest'][:80]}`"]
            lines.append("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |")
    return "\n".join(lines)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this section for run.py."""
    parser.add_argument("--inputs", type=int, default=2000, help="fuzz: damaged inputs for each reader")
    parser.add_argument("--reader", dest="reader", default="", help="fuzz: only readers whose name contains this")
    parser.add_argument("--seed", type=int, default=0, help="fuzz: of the damage")


if __name__ == "__main__":
    if sys.argv[1:2] != ["--child"]:
        raise SystemExit("run python tests/faults/run.py --only fuzz")
    _child(sys.argv[2], Path(sys.argv[3]), *map(int, sys.argv[4:7]))
