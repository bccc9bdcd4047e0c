"""The doctor: every fault that it knows is provoked and reported in one line with its remedy."""

import errno
import json
import os
import re
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import psutil
import pytest

from itm_tutorial.course import doctor
from itm_tutorial.encoders import cores

ITM = [sys.executable, "-c", "from itm_tutorial.cli import app; app()"]
ROOT = Path(__file__).parents[2]


def fake_machine(monkeypatch, torch="", complaint="", status=0, cards=None):
    """A machine where the check of torch prints this and nvidia-smi lists these cards (None: no such command)."""

    def run(command, **_):
        if command[0] == "nvidia-smi":
            return subprocess.CompletedProcess(command, 0 if cards else 9, cards, "")
        return subprocess.CompletedProcess(command, status, torch, complaint)

    monkeypatch.setattr(doctor.subprocess, "run", run)
    monkeypatch.setattr(doctor.shutil, "which", lambda name: None if cards is None else f"/bin/{name}")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def faults(findings):
    """The faults, one line each."""
    lines = [str(finding) for finding in findings if not finding.ok]
    assert all("\n" not in line and line.startswith("MEND  ") and ": " in line for line in lines)
    return lines


def stub(folder, module, line):
    """A package that does one thing when it is imported."""
    (folder / module).mkdir(parents=True)
    (folder / module / "__init__.py").write_text(line, encoding="utf-8")


def run_doctor(tmp_path, **environment):
    environment = {**os.environ, "ITM_CACHE": str(tmp_path / "cache"), **environment}
    return subprocess.run([*ITM, "doctor"], capture_output=True, text=True, cwd=ROOT, env=environment)


@pytest.mark.slow
def test_the_machine_that_runs_the_tests_has_a_sound_installation(tmp_path):
    run = run_doctor(tmp_path)
    lines = run.stdout.splitlines()
    assert run.stderr == "" and {"ok    torch and torchvision fit together", "ok    Jupyter kernel python3"} <= {*lines}
    assert run.returncode == any(line.startswith("MEND") for line in lines)
    assert len(lines) == 7 and all(line.startswith(("ok  ", "MEND")) for line in lines)


@pytest.mark.parametrize(
    ("torch", "torchvision", "message"),
    [
        ("", "raise RuntimeError('operator torchvision::nms does not exist')", "different builds: reinstall both"),
        ("raise ModuleNotFoundError(\"No module named 'torch'\")", "", r"No module named 'torch'\).*pip install"),
        ("import os; os.abort()", "", "cannot be imported .*pip install"),
    ],
)
def test_a_broken_pair_is_reported_at_once_and_the_rest_is_still_checked(tmp_path, torch, torchvision, message):
    stub(tmp_path, "torch", torch)
    stub(tmp_path, "torchvision", torchvision)
    run = run_doctor(tmp_path, PYTHONPATH=str(tmp_path))
    assert (run.returncode, run.stderr) == (1, "")
    (line,) = [line for line in run.stdout.splitlines() if line.startswith("MEND")]
    assert re.search(message, line)
    assert "cache folder" in run.stdout and "memory" in run.stdout


def test_a_pair_that_imports_but_cannot_run_together_is_reported(monkeypatch):
    fake_machine(monkeypatch, status=1, complaint="Traceback\nRuntimeError: Couldn't load custom C++ ops. This can ...")
    (line,) = faults(doctor._torch())
    assert "different builds" in line and "--force-reinstall" in line


def test_no_gpu_is_no_fault(monkeypatch):
    fake_machine(monkeypatch, "they fit\nCPU build\n")
    assert [finding.ok for finding in doctor._torch()] == [True, True]
    assert "no GPU" in str(doctor._torch()[1])
    fake_machine(monkeypatch, "they fit\n", cards="")  # nvidia-smi exists, but there is no card
    assert faults(doctor._torch()) == []
    fake_machine(monkeypatch, "they fit\nA100\nit runs\n", cards="GPU 0: A100")
    assert str(doctor._torch()[1]) == "ok    GPU: A100"


@pytest.mark.parametrize(
    ("torch", "status", "complaint", "message"),
    [
        ("they fit\n", 0, "", "torch cannot use it: update its driver"),
        ("they fit\nCPU build\n", 0, "", "built for the CPU only: reinstall torch"),
        ("they fit\nK80\n", 1, "CUDA error: no kernel image", "K80.*no kernel image.*reinstall torch"),
    ],
)
def test_a_gpu_that_cannot_be_used_is_reported(monkeypatch, torch, status, complaint, message):
    fake_machine(monkeypatch, torch, complaint, status, cards="GPU 0: a card")
    (line,) = faults(doctor._torch())
    assert re.search(message, line)


def test_a_hidden_gpu_is_no_fault(monkeypatch):
    fake_machine(monkeypatch, "they fit\n", cards="GPU 0: a card")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert faults(doctor._torch()) == []


def test_a_driver_that_never_answers_is_reported(monkeypatch):
    monkeypatch.setattr(doctor, "PATIENCE", 0.01)
    (line,) = faults(doctor._torch())
    assert "no answer in 0.01 seconds" in line


def test_no_jupyter(monkeypatch):
    monkeypatch.setitem(sys.modules, "jupyter_client", None)
    (line,) = faults([doctor._kernel()])
    assert "Jupyter is not installed" in line and "[lab]" in line


def test_no_kernel_named_python3(monkeypatch):
    monkeypatch.setattr("jupyter_client.kernelspec.KernelSpecManager._kernel_dirs_default", lambda self: [])
    monkeypatch.setitem(sys.modules, "ipykernel.kernelspec", None)
    (line,) = faults([doctor._kernel()])
    assert line.endswith("-m pip install ipykernel")


def install_kernel(monkeypatch, tmp_path, text):
    folder = tmp_path / "kernels" / "python3"
    folder.mkdir(parents=True)
    (folder / "kernel.json").write_text(text, encoding="utf-8")
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    return folder


@pytest.mark.parametrize("starts", ["python", "python3", sys.executable])
def test_a_kernel_of_this_python_is_well(monkeypatch, tmp_path, starts):
    install_kernel(monkeypatch, tmp_path, json.dumps({"argv": [starts, "-m", "ipykernel_launcher"]}))
    assert doctor._kernel().ok


def test_a_kernel_of_another_python_is_reported(monkeypatch, tmp_path):
    other = tmp_path / "other" / "bin" / "python"
    other.parent.mkdir(parents=True)
    other.symlink_to(sys.executable)  # as in a venv: the same file in the end, but other packages
    folder = install_kernel(monkeypatch, tmp_path, json.dumps({"argv": [str(other)]}))
    (line,) = faults([doctor._kernel()])
    assert f"starts {other}, not {sys.executable}: delete {folder}, then {sys.executable} -m ipykernel install" in line


@pytest.mark.parametrize(
    ("text", "message"),
    [('{"argv": ["/no/such/python"]}', "starts /no/such/python, which does not exist"), ("{", "is broken")],
)
def test_a_kernel_that_starts_nothing_is_reported(monkeypatch, tmp_path, text, message):
    folder = install_kernel(monkeypatch, tmp_path, text)
    (line,) = faults([doctor._kernel()])
    assert f"{message}" in line and f"delete {folder}" in line


def test_a_cache_that_is_a_file(monkeypatch, tmp_path):
    file = tmp_path / "cache"
    file.write_text("x")
    for folder in (file, file / "below"):
        monkeypatch.setenv("ITM_CACHE", str(folder))
        (line,) = faults([doctor._cache()])
        assert f"cannot write {folder}: a part of the path is a file; set ITM_CACHE to another folder" in line


@pytest.mark.parametrize(
    ("code", "message"), [(errno.EROFS, "read-only"), (errno.EACCES, "may not be written"), (errno.ENOSPC, "free some")]
)
def test_a_cache_that_cannot_be_written_to(monkeypatch, tmp_path, code, message):
    def refuse(self, data):
        raise OSError(code, "no")

    monkeypatch.setenv("ITM_CACHE", str(tmp_path))
    assert faults([doctor._cache()]) == []
    monkeypatch.setattr(Path, "write_bytes", refuse)
    (line,) = faults([doctor._cache()])
    assert message in line and "set ITM_CACHE to another folder" in line


def test_a_nearly_full_disk(monkeypatch, tmp_path):
    Usage = namedtuple("Usage", "total used free")
    monkeypatch.setenv("ITM_CACHE", str(tmp_path))
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda folder: Usage(0, 0, int(0.4 * 2**30)))
    (line,) = faults([doctor._cache()])
    assert "0.4 GiB free: 2 GiB are needed" in line and "ITM_CACHE" in line
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda folder: Usage(0, 0, 2 * 2**30))
    assert doctor._cache().ok


@pytest.mark.parametrize(
    ("available", "limit", "message"),
    [
        (8.0, None, None),
        (8.0, "max", None),
        (1.5, None, "1.5 GiB of memory free: 3 GiB are needed: close other programs"),
        (1.5, str(4 * 2**30), "1.5 GiB of memory free: 3 GiB are needed: close other programs"),
        (8.0, str(2 * 2**30), "2.0 GiB of memory this container may use: 3 GiB are needed: give it more"),
    ],
)
def test_memory_counts_what_a_container_may_use(monkeypatch, tmp_path, available, limit, message):
    Memory = namedtuple("Memory", "available")
    monkeypatch.setattr(psutil, "virtual_memory", lambda: Memory(available * 2**30))
    monkeypatch.setattr(cores, "CGROUP", tmp_path)
    monkeypatch.setattr(cores, "MEMBERSHIP", tmp_path / "membership")
    (tmp_path / "membership").write_text("4:memory:/old/seat\n0::/class/seat\n")
    for group in ("class/seat", "class", "memory/old"):  # the limit of any group around the process holds
        if limit is not None:
            file = tmp_path / group / ("memory.limit_in_bytes" if "memory" in group else "memory.max")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(limit + "\n")
        assert faults([doctor._memory()]) == ([] if message is None else [f"MEND  {message}"])
        if limit is not None:
            file.write_text("max\n")


def test_memory_is_counted_in_seats(monkeypatch, tmp_path):
    Memory = namedtuple("Memory", "available")
    monkeypatch.setattr(cores, "CGROUP", tmp_path)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: Memory(int(30.5 * doctor.SEAT * 2**30)))
    assert "enough for 30 notebooks at once" in str(doctor._memory())


@pytest.mark.parametrize(
    ("bound", "machine", "quota", "load", "about", "advice"),
    [
        (2, 2, None, 0.3, "2 cores, load 0.3", ""),
        (2, 2, None, 8.0, "2 cores, load 8.0", "8 processes share the machine's 2 cores.* 4 times as long"),
        (64, 64, 2.0, 0.3, "2 of the machine's 64 cores, a quota of 2.0, load 0.3", "OMP_NUM_THREADS=2"),
        (4, 64, None, 10.0, "4 of the machine's 64 cores, load 10.0", "OMP_NUM_THREADS=4"),
    ],
)
def test_cores_quota_and_load_are_said_and_are_no_fault(monkeypatch, bound, machine, quota, load, about, advice):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(cores, "bound_cores", lambda: bound)
    for module in (cores, doctor):
        monkeypatch.setattr(module, "cgroup_quota", lambda: quota)
    monkeypatch.setattr("os.cpu_count", lambda: machine)
    monkeypatch.setattr("os.getloadavg", lambda: (load, 0.0, 0.0), raising=False)
    found = doctor._processor()
    assert found.ok and found.what == about and re.search(advice, found.advice)
    assert bool(found.advice) == bool(advice)


def test_an_old_python(monkeypatch):
    monkeypatch.setattr(doctor.sys, "version_info", (3, 10, 4))
    assert faults([doctor._python()]) == ["MEND  Python 3.10.4: install 3.11 or newer"]
