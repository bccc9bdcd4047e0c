"""Signs of life: a kernel that computes, writes or waits for a disk is waited for, however slow the machine is."""

import subprocess
import sys
import time

import psutil
import pytest

from itm_tutorial.course import patience
from itm_tutorial.course.patience import Pulse, Watch, lasting


@pytest.fixture
def clock(monkeypatch):
    """Makes a pulse on a made-up clock; ``pass_by`` moves it second by second, at a share of a core."""
    now, spent, waits = [1000.0], [5.0], [False]
    monkeypatch.setattr(patience.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(patience, "_spent_by", lambda pid: (spent[0], waits[0]))
    pulse = Pulse()

    def pass_by(seconds, share=0.0, disk=False, step=1.0):
        waits[0] = disk
        for _ in range(int(seconds / step)):
            now[0] += step
            spent[0] += share * step
            pulse.look(1)
        return pulse.silent

    yield pulse, pass_by, spent


def test_silence_grows_while_a_kernel_sleeps_and_ends_with_a_message(clock):
    pulse, pass_by, _ = clock
    assert pass_by(100) == 100
    assert pass_by(1000, share=0.0007) == 1100  # what the threads of a sleeping kernel use
    pulse.beat()
    assert pulse.silent == 0 and pass_by(7) == 7


@pytest.mark.parametrize("share", [0.0187, 0.05, 1.0, 8.0])  # the first: waiting for a lock; a twentieth of a core
def test_a_kernel_that_computes_is_alive_at_any_load(clock, share):
    _, pass_by, _ = clock
    pass_by(50)
    assert max(pass_by(1, share) for _ in range(2000)) < 200 and pass_by(60, share) < 10


def test_waiting_for_a_disk_and_the_end_of_a_child_are_signs_of_life(clock):
    _, pass_by, spent = clock
    pass_by(50)
    assert pass_by(300, disk=True) == 0
    assert pass_by(50) == 50
    spent[0] -= 3
    assert pass_by(1) == 0


def test_time_in_which_nobody_looked_is_no_silence(clock):
    _, pass_by, _ = clock
    pass_by(5)
    assert pass_by(36000, step=36000) <= 5 + 2 * patience.LOOK


def test_a_process_that_is_gone_or_never_was_spends_nothing():
    assert patience._spent_by(None) == (0.0, False) and patience._spent_by(2**22 + 1) == (0.0, False)
    assert patience._spent_by(psutil.Process().pid)[0] > 0


def test_a_silent_process_is_ended_with_its_children():
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(10**6)'])"
    process = subprocess.Popen([sys.executable, "-c", code])
    while not (children := psutil.Process(process.pid).children()):
        time.sleep(0.01)
    with Watch(lambda: process.pid, 3.0) as watch:
        process.wait()
    assert watch.ended
    psutil.wait_procs(children)
    assert not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in children)


def test_a_watch_that_is_left_ends_nothing():
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(10**6)"])
    ticks = []
    try:
        with Watch(lambda: process.pid, 600.0, lambda: ticks.append(1)) as watch:
            while not ticks:
                time.sleep(0.01)
        assert not watch.ended and process.poll() is None
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0.4, "0 s"), (59.4, "59 s"), (59.6, "1:00 min"), (200, "3:20 min"), (3599.7, "1:00 h"), (3900, "1:05 h")],
)
def test_durations_are_for_people(seconds, expected):
    assert lasting(seconds) == expected
