"""torchrun as tests start it: on loopback, and without asking anybody for the name of this machine."""

import os
import subprocess
import sys

# torchrun looks up the full name of its machine. That may be a question to a name server, so tests/offline refuses it.
LAUNCHER = "import socket; socket.getfqdn = lambda name='': 'localhost'; from torch.distributed.run import main; main()"
LOOPBACK = "lo0" if sys.platform == "darwin" else "lo"


def torchrun(*arguments, processes=2, options=(), cwd, environ=None, timeout=240):
    """Run ``torchrun … ARGUMENTS`` in a folder to its end; a CompletedProcess with stdout and stderr as text."""
    command = [sys.executable, "-c", LAUNCHER, "--standalone", f"--nproc-per-node={processes}", *options, *arguments]
    env = os.environ | {"GLOO_SOCKET_IFNAME": LOOPBACK} | (environ or {})
    with subprocess.Popen(
        command, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as job:
        try:
            stdout, stderr = job.communicate(timeout=timeout)
        except BaseException:
            job.terminate()  # torchrun ends its workers
            job.communicate()
            raise
    return subprocess.CompletedProcess(command, job.returncode, stdout, stderr)
