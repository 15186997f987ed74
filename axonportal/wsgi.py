"""The WSGI application; `make run` and production serve it with granian."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "axonportal.settings")

application = get_wsgi_application()
