"""The WSGI application; `make run` and production serve it with granian."""

import os

from django.core.wsgi import get_wsgi_application

from axonportal.common.checks import refuse_unsafe
from policies.checks import check_national_ids
from policies.engine.analysis import warm_up

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "axonportal.settings")

application = get_wsgi_application()
refuse_unsafe(check_national_ids)

# A worker is ready when it answers in its usual time; without this the first call would wait for
# the detectors' patterns to be compiled.
warm_up()
