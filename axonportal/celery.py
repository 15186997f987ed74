"""The Celery application: a nudge for work that stands in database rows."""

import os
from pathlib import Path

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "axonportal.settings")

app = Celery("axonportal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@app.on_after_configure.connect
def make_broker_folders(sender: Celery, **_: object) -> None:
    """The filesystem transport makes no folders of its own."""
    for name, folder in (sender.conf.broker_transport_options or {}).items():
        if name.endswith(("folder", "folder_in", "folder_out")):
            Path(folder).mkdir(parents=True, exist_ok=True)
