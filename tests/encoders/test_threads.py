"""Threads follow the cores that a process has, a container's quota, and what other processes leave."""

import pytest
import torch

from itm_tutorial.encoders import threads
from itm_tutorial.encoders.threads import busy_cores, cgroup_quota, free_cores, thread_count, usable_cores


@pytest.fixture
def machine(monkeypatch):
    """Sets what the machine says: cores, quota, load average, and how busy each core is, in percent."""
    before = torch.get_num_threads()
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)

    def say(cores=2, quota=None, load=0.0, busy=(0.0, 0.0), threads_now=2):
        threads._chosen.cache_clear()
        monkeypatch.setattr(threads, "bound_cores", lambda: cores)
        monkeypatch.setattr(threads, "cgroup_quota", lambda: quota)
        monkeypatch.setattr("os.getloadavg", lambda: (load, 0.0, 0.0), raising=False)
        monkeypatch.setattr("os.sched_getaffinity", lambda pid: set(range(cores)), raising=False)
        monkeypatch.setattr("psutil.cpu_percent", lambda interval, percpu: list(busy))
        torch.set_num_threads(threads_now)

    yield say
    torch.set_num_threads(before)
    threads._chosen.cache_clear()


@pytest.mark.parametrize(
    ("current", "bound", "quota", "busy", "expected"),
    [
        (2, 2, None, 0.0, 2),
        (2, 2, None, 7.0, 1),  # never below one
        (2, 2, None, 0.4, 2),
        (2, 2, None, 0.6, 1),
        (8, 64, 2.0, 0.0, 2),
        (8, 64, 1.5, 0.0, 2),  # a quota of one core and a half is used by two threads
        (8, 64, 2.0, 40.0, 2),  # 24 cores are free, and the quota allows two of them
        (8, 64, 2.0, 63.2, 1),
        (1, 64, None, 0.0, 1),  # never raised
        (4, 64, 0.1, 0.0, 1),
    ],
)
def test_threads_are_those_of_the_free_cores(current, bound, quota, busy, expected):
    assert thread_count(current, bound, quota, busy) == expected


def test_a_busy_machine_takes_threads_and_says_so_once(machine, capsys):
    machine(load=7.0, busy=(100.0, 100.0))
    for _ in range(2):
        with free_cores():
            assert torch.get_num_threads() == 1
            with free_cores():
                assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 2
    said = capsys.readouterr().err
    assert said.count("torch uses 1 of 2 threads") == 1 and "OMP_NUM_THREADS" in said


def test_threads_come_back_after_an_error(machine):
    machine(load=7.0, busy=(100.0, 100.0))
    with pytest.raises(ZeroDivisionError), free_cores():
        raise ZeroDivisionError
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize(
    ("load", "busy"),
    [
        (0.3, (100.0, 100.0)),  # a short peak of one's own making
        (7.0, (1.0, 2.0)),  # a load that has just ended
        (1.9, (20.0, 10.0)),
    ],
)
def test_an_idle_machine_keeps_its_threads_in_silence(machine, capsys, load, busy):
    machine(load=load, busy=busy)
    with free_cores():
        assert torch.get_num_threads() == 2
    assert capsys.readouterr() == ("", "")


def test_a_number_that_the_user_sets_is_left_alone(machine, monkeypatch):
    machine(load=7.0, busy=(100.0, 100.0))
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    with free_cores():
        assert torch.get_num_threads() == 2


def test_a_quota_is_followed_in_silence(machine, capsys):
    machine(cores=64, quota=1.0, load=0.0)
    assert usable_cores() == 1
    with free_cores():
        assert torch.get_num_threads() == 1
    assert capsys.readouterr().err == ""


def test_only_cores_that_this_process_may_use_count_as_busy(machine):
    machine(cores=2, load=40.0, busy=(50.0, 0.0, 100.0, 100.0))
    assert busy_cores() == 0.5


def test_the_choice_holds_for_the_whole_process(machine, monkeypatch):
    machine(load=7.0, busy=(100.0, 100.0))
    with free_cores():
        pass
    monkeypatch.setattr("os.getloadavg", lambda: (0.0, 0.0, 0.0))
    with free_cores():
        assert torch.get_num_threads() == 1


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"cpu.max": "150000 100000\n"}, 1.5),
        ({"cpu.max": "max 100000\n"}, None),
        ({"cpu/cpu.cfs_quota_us": "200000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 2.0),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, None),
        ({"cpu.max": "rubbish"}, None),
        ({"cpu.max": "1 0"}, None),
        ({}, None),
    ],
)
def test_the_quota_of_a_container_is_read(tmp_path, files, expected):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert cgroup_quota(tmp_path) == expected


def test_training_scoring_and_extraction_ask(machine, tiny, instant_features, monkeypatch):
    """Each does its work with the lowered number of threads."""
    import itm_tutorial as itm
    from itm_tutorial.encoders.backbones import MiniBackbone
    from itm_tutorial.extraction import features
    from itm_tutorial.models import FeatureSpec

    machine(load=7.0, busy=(100.0, 100.0))
    seen = []

    def noted(function, what):
        def call(*arguments, **options):
            seen.append((what, torch.get_num_threads()))
            return function(*arguments, **options)

        return call

    model = itm.create_model("bow", tiny, dim=8, word_dim=8)
    model.loss = noted(model.loss, "fit")
    itm.fit(model, tiny, epochs=1, batch_size=50, device="cpu", progress=False)
    model.encode_images = noted(model.encode_images, "score")
    itm.score(model, tiny.val)
    monkeypatch.setattr(features, "load_mini", noted(lambda: MiniBackbone().eval(), "extract"))
    features.image_features(tiny.val.images[:2], FeatureSpec())
    assert {what for what, _ in seen} == {"fit", "score", "extract"} and {number for _, number in seen} == {1}
    assert torch.get_num_threads() == 2
