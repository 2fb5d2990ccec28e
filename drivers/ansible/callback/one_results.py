"""Ansible callback: tells what becomes of each host, as JSON lines in the file named by ONE_RESULTS.

Loaded by ansible-playbook in place of its own output; nothing of ours is imported. Events:

    {"event": "task", "task": NAME}
    {"event": "ran", "host": NAME}      its first result of a task
    {"event": "failed" | "unreachable", "host": NAME, "task": NAME, "message": TEXT}
    {"event": "done", "host": NAME}     it came through to the task named by ONE_LAST_TASK
    {"event": "end"}
"""

import json
import os
import re

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: one_results
type: stdout
short_description: results per host as JSON lines
description: [Writes one JSON object a line to the file named by ONE_RESULTS.]
requirements: []
"""

LONGEST = 4000


class CallbackModule(CallbackBase):
    """Only the main process of ansible-playbook writes."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "one_results"

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._results = os.open(os.environ["ONE_RESULTS"], os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        self._last_task = os.environ["ONE_LAST_TASK"]
        self._ran = set()

    def v2_playbook_on_task_start(self, task, is_conditional):
        if task.get_name() != self._last_task:
            self._tell(event="task", task=task.get_name())

    def v2_playbook_on_handler_task_start(self, task):
        self._tell(event="task", task=task.get_name())

    def v2_runner_on_ok(self, result):
        if _of(result, "task").get_name() == self._last_task:
            self._tell(event="done", host=_of(result, "host").get_name())
        else:
            self._note(result)

    def v2_runner_on_skipped(self, result):
        self._note(result)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self._note(result)
        if not ignore_errors:
            self._tell_problem("failed", result)

    def v2_runner_on_unreachable(self, result):
        self._note(result)
        self._tell_problem("unreachable", result)

    def v2_playbook_on_stats(self, stats):
        self._tell(event="end")

    def _note(self, result):
        name = _of(result, "host").get_name()
        if name not in self._ran:
            self._ran.add(name)
            self._tell(event="ran", host=name)

    def _tell_problem(self, event, result):
        host, task = _of(result, "host").get_name(), _of(result, "task").get_name()
        self._tell(event=event, host=host, task=task, message=_message(_of(result, "result"))[:LONGEST])

    def _tell(self, **record):
        """Unbuffered, so that what was told is known whatever kills us next."""
        os.write(self._results, f"{json.dumps(record)}\n".encode())


def _of(result, name):
    """Since 2.19 these have public names."""
    return getattr(result, name, None) or getattr(result, f"_{name}")


def _message(result):
    """What the module says went wrong; of a loop, what its first failed item says."""
    if "censored" in result:
        return str(result["censored"])
    for item in result.get("results") or []:
        if isinstance(item, dict) and (item.get("failed") or item.get("unreachable")):
            return _message(item)
    parts = [_without_ssh(str(result.get(key) or "")) for key in ("msg", "stderr", "module_stderr")]
    told = list(dict.fromkeys(part for part in parts if part))
    return ": ".join(told) or str(result.get("stdout") or "no reason given").strip()


def _without_ssh(text):
    """What ssh itself says at the end of a raw task is no reason."""
    return re.sub(r"^(Shared c|C)onnection to \S+ closed\.\s*$", "", text, flags=re.MULTILINE).strip()
