"""A plugin for ``pytest --nbval``: a cell may take as long as its kernel computes or writes, with no limit on its time.

Load it with ``-p tests.nbval_patience``. nbval itself gives a cell so many seconds, and its output five more.
"""

from queue import Empty

from nbval.kernel import RunningKernel

from itm_tutorial.course.patience import LOOK, NO_LIMIT, SILENCE, Pulse

FIRST_MESSAGE = 1  # seconds, in nbval


def get_message(self, stream, timeout=None):
    """Waits for a message of a kernel that is alive, in place of for so many seconds.

    At its start nbval asks for a first message again after a second each: it may have come before anybody listened.

    Raises:
        Empty: the kernel showed no sign of life.
        RuntimeError: it died.
    """
    allowed = timeout if timeout == FIRST_MESSAGE else SILENCE
    take = {"iopub": self.kc.get_iopub_msg, "shell": self.kc.get_shell_msg}[stream]
    pulse, pid = Pulse(), getattr(self.km.provisioner, "pid", None)
    while pulse.look(pid) < allowed:
        try:
            return take(timeout=LOOK)
        except Empty:
            if not self.km.is_alive():
                raise RuntimeError("the kernel died: most often memory was short") from None
    raise Empty


def pytest_configure(config):
    RunningKernel.get_message = get_message
    config.option.nbval_kernel_startup_timeout = NO_LIMIT
