"""Threads follow the cores that a process has, a container's quota, and what other processes leave."""

import pytest
import torch

from itm_tutorial.encoders import cores as cores_module
from itm_tutorial.encoders import threads
from itm_tutorial.encoders.cores import (
    busy_cores,
    cgroup_quota,
    group_files,
    thread_count,
    thread_settings,
    usable_cores,
)
from itm_tutorial.encoders.threads import follow_quota, free_cores


@pytest.fixture
def machine(monkeypatch):
    """Sets what the machine says: cores, quota, load average, and how busy each core is, in percent."""
    before = torch.get_num_threads()
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)

    def say(cores=2, quota=None, load=0.0, busy=(0.0, 0.0), threads_now=2):
        threads._chosen.cache_clear()
        for module in (threads, cores_module):
            monkeypatch.setattr(module, "bound_cores", lambda: cores)
            monkeypatch.setattr(module, "cgroup_quota", lambda: quota)
        monkeypatch.setattr("os.cpu_count", lambda: cores)
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


@pytest.fixture
def groups(tmp_path, monkeypatch):
    """Makes the files of control groups, and the file that says in which of them this process is."""
    monkeypatch.setattr(cores_module, "CGROUP", tmp_path / "cgroup")
    monkeypatch.setattr(cores_module, "MEMBERSHIP", tmp_path / "membership")

    def make(files, membership=None):
        for name, text in files.items():
            file = tmp_path / "cgroup" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        if membership is not None:
            (tmp_path / "membership").write_text(membership)

    return make


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"cpu.max": "150000 100000\n"}, 1.5),
        ({"cpu.max": "max 100000\n"}, None),
        ({"cpu/cpu.cfs_quota_us": "200000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 2.0),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, None),
        ({"cpu/cpu.cfs_quota_us": "200000\n"}, None),
        ({"cpu.max": "rubbish"}, None),
        ({"cpu.max": "1 0"}, None),
        ({"cpu.max": ""}, None),
        ({}, None),
    ],
)
def test_the_quota_of_a_container_is_read(groups, files, expected):
    groups(files)
    assert cgroup_quota() == expected


@pytest.mark.parametrize(
    ("membership", "files", "expected"),
    [
        ("0::/class/seat7\n", {"class/seat7/cpu.max": "50000 100000", "cpu.max": "max 100000"}, 0.5),
        ("0::/class/seat7\n", {"class/seat7/cpu.max": "max 100000", "class/cpu.max": "300000 100000"}, 3.0),
        ("0::/class/seat7\n", {"class/seat7/cpu.max": "400000 100000", "class/cpu.max": "300000 100000"}, 3.0),
        ("0::/class/seat7\n", {"class/seat8/cpu.max": "50000 100000"}, None),  # another seat's
        ("0::/../../elsewhere\n", {"cpu.max": "100000 100000"}, 1.0),  # outside what the container sees
        (
            "5:cpuset:/x\n3:cpu,cpuacct:/docker/1f\n0::/docker/1f\n",
            {"cpu/docker/1f/cpu.cfs_quota_us": "250000", "cpu/docker/1f/cpu.cfs_period_us": "100000"},
            2.5,
        ),
        (  # version 1 as a container sees it: the path is the host's, the files lie at the root
            "3:cpu,cpuacct:/docker/1f\n",
            {"cpu/cpu.cfs_quota_us": "100000", "cpu/cpu.cfs_period_us": "50000"},
            2.0,
        ),
        (
            "3:cpuset:/docker/1f\n",
            {"cpu/docker/1f/cpu.cfs_quota_us": "1", "cpu/docker/1f/cpu.cfs_period_us": "1"},
            None,
        ),
        ("no line of this kind\n", {"cpu.max": "200000 100000"}, 2.0),
    ],
)
def test_the_quota_of_a_nested_group_is_read(groups, membership, files, expected):
    groups(files, membership)
    assert cgroup_quota() == expected


def test_the_files_of_a_setting_are_those_of_the_group_and_of_all_groups_around_it(groups, tmp_path):
    groups({}, "4:memory:/a\n0::/a/b\n")
    below = [file.relative_to(tmp_path / "cgroup") for file in group_files("memory.max", "memory", "limit")]
    seen = dict.fromkeys(str(file) for file in below)
    assert [*seen] == ["a/b/memory.max", "a/memory.max", "memory.max", "memory/a/limit", "memory/limit"]


@pytest.mark.parametrize(
    ("cores", "on_machine", "quota", "load", "busy", "expected"),
    [
        (2, 2, None, 0.0, (0.0, 0.0), None),
        (2, 2, None, 8.0, (100.0, 100.0), "1"),
        (2, 64, None, 0.0, (0.0, 0.0), "2"),  # bound to two cores of 64
        (64, 64, 2.0, 0.0, (0.0,) * 64, "2"),
        (2, 2, 1.0, 0.0, (0.0, 0.0), "1"),
    ],
)
def test_a_new_process_is_given_its_threads_unless_the_user_gave_them(
    machine, monkeypatch, cores, on_machine, quota, load, busy, expected
):
    machine(cores=cores, quota=quota, load=load, busy=busy)
    monkeypatch.setattr("os.cpu_count", lambda: on_machine)
    settings = thread_settings()
    assert settings.get("OMP_NUM_THREADS") == expected and settings.get("OPENBLAS_NUM_THREADS") == expected
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    assert thread_settings() == {}


def test_a_quota_lowers_the_threads_of_the_whole_process(machine, monkeypatch):
    machine(cores=64, quota=1.0)
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    follow_quota()
    assert torch.get_num_threads() == 2
    monkeypatch.delenv("OMP_NUM_THREADS")
    follow_quota()
    assert torch.get_num_threads() == 1


@pytest.mark.parametrize("quota", [None, 2.0, 8.0])
def test_no_quota_or_a_large_one_changes_nothing(machine, quota):
    machine(cores=2, quota=quota)
    follow_quota()
    assert torch.get_num_threads() == 2


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
