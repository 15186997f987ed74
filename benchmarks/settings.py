"""The portal's settings with the benchmark's own paths; never for a real portal.

`AXON_BENCH_STACK=naive` puts Django's and REST framework's usual equipment round the same
decision, as most projects have it.
"""

from axonportal import env
from axonportal.settings import *  # noqa: F403
from axonportal.settings import REST_FRAMEWORK

ROOT_URLCONF = "benchmarks.urls"
AXON_BENCH_STACK = env.choice("AXON_BENCH_STACK", ("portal", "naive"), "portal")
AXON_BENCH_RECORDER = env.choice("AXON_BENCH_RECORDER", ("own", "none", "orm"), "own")

if AXON_BENCH_STACK == "naive":
    MIDDLEWARE = [
        "django.middleware.security.SecurityMiddleware",
        "whitenoise.middleware.WhiteNoiseMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ]
    REST_FRAMEWORK = {
        "EXCEPTION_HANDLER": REST_FRAMEWORK["EXCEPTION_HANDLER"],
        "UNAUTHENTICATED_USER": None,
    }
