"""Every setting, read from `AXON_*` variables; `docs/reference/settings.md` explains each."""

from __future__ import annotations

import logging
from pathlib import Path

from axonportal import env

BASE_DIR = Path(__file__).resolve().parent.parent

# --- What this process is -----------------------------------------------------------------

DEBUG = env.flag("AXON_DEBUG", default=False)
# The demo trusts calls from loopback; `manage.py up` turns it on, nothing else does.
AXON_DEMO = env.flag("AXON_DEMO", default=False)
AXON_DATA_DIR = Path(env.text("AXON_DATA_DIR") or BASE_DIR / ".data").absolute()
AXON_PORT = env.number("AXON_PORT", 8080, least=1, most=65535)
# The integration guide sends policy calls here; the same application answers. 0: not served.
AXON_POLICY_PORT = env.number(
    "AXON_POLICY_PORT", AXON_PORT + 1 if AXON_PORT < 65535 else 0, most=65535
)
AXON_PUBLIC_URL = (env.text("AXON_PUBLIC_URL") or f"http://localhost:{AXON_PORT}").rstrip("/")

# No default for a secret: `manage.py up` makes one in the data directory, production sets one.
SECRET_KEY = env.secret("AXON_SECRET_KEY")
# Credentials' digests are keyed apart from the sessions, so that either can be rotated alone.
AXON_CREDENTIAL_KEY = env.secret("AXON_CREDENTIAL_KEY") or SECRET_KEY

ALLOWED_HOSTS = env.words("AXON_ALLOWED_HOSTS", ("localhost", "127.0.0.1", "[::1]"))
CSRF_TRUSTED_ORIGINS = [AXON_PUBLIC_URL]

# --- Applications -------------------------------------------------------------------------

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "axonportal.apps.PortalAdminConfig",
    "rest_framework",
    "django_filters",
    "guardian",
    "axonportal.common",
    "axonportal.accounts",
    "audit",
    "policies",
    "approvals",
    "axonportal.gateway",
]

# Each of these steps aside on the API's paths: no session, CSRF or messages there.
MIDDLEWARE = [
    "axonportal.common.middleware.SecurityMiddleware",
    "axonportal.common.middleware.WhiteNoiseMiddleware",
    "axonportal.common.csp.ContentSecurityPolicyMiddleware",
    "axonportal.common.middleware.SessionMiddleware",
    "axonportal.common.middleware.CommonMiddleware",
    "axonportal.common.middleware.CsrfViewMiddleware",
    "axonportal.common.middleware.AuthenticationMiddleware",
    "axonportal.common.middleware.MessageMiddleware",
    "axonportal.common.middleware.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "axonportal.urls"
WSGI_APPLICATION = "axonportal.wsgi.application"
APPEND_SLASH = True

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "axonportal.common.context.portal",
            ],
        },
    },
]

# --- Database and broker ------------------------------------------------------------------

DATABASES = {
    "default": {
        **env.database(env.text("AXON_DATABASE_URL") or "postgresql:///axonportal"),
        # What a restart of the server broke is not handed out again; decisions do not come here.
        "CONN_HEALTH_CHECKS": True,
    },
}
# A connection per request costs 4 times the web's and 13 times PostgreSQL's CPU.
DATABASES["default"]["OPTIONS"] = {
    "pool": {
        "min_size": 0,
        "max_size": env.number("AXON_DATABASE_POOL", 16, least=1),
        "timeout": 5,
    },
    **DATABASES["default"]["OPTIONS"],
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CELERY_BROKER_URL = env.text("AXON_BROKER_URL") or "filesystem://"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "axonportal"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = "UTC"
if CELERY_BROKER_URL.startswith("filesystem://"):
    # One folder for both directions; 50 ms of polling costs 0.3 % of a core.
    _queue = AXON_DATA_DIR / "broker"
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(_queue / "queue"),
        "data_folder_out": str(_queue / "queue"),
        "processed_folder": str(_queue / "processed"),
        "control_folder": str(_queue / "control"),
        "polling_interval": 0.05,
    }
CELERY_BEAT_SCHEDULE_FILENAME = str(AXON_DATA_DIR / "celerybeat-schedule")
CELERY_BEAT_SCHEDULE = {
    "audit-partitions": {"task": "audit.tasks.make_partitions", "schedule": 6 * 3600.0},
    "session-files": {
        "task": "axonportal.gateway.tasks.forget_session_files",
        "schedule": 6 * 3600.0,
    },
    "approvals-expire": {"task": "approvals.tasks.expire_due", "schedule": 30.0},
    "approvals-escalate": {"task": "approvals.tasks.escalate_due", "schedule": 30.0},
    # What no nudge announced: retries, and whatever was left when a process died.
    "approvals-deliver": {"task": "approvals.tasks.deliver", "schedule": 10.0},
}

# --- The decision path --------------------------------------------------------------------

# Actions that stand for a whole category of built-in policies; unset: each policy's own.
_ACTIONS = ("", "block", "require_approval", "redact", "warn", "log")
AXON_CATEGORY_ACTIONS = {
    name: env.choice(name, _ACTIONS, "")
    for name in (
        "PII_ACTION",
        "SQLI_ACTION",
        "SENSITIVE_DATA_ACTION",
        "DANGEROUS_QUERY_ACTION",
        "DANGEROUS_COMMAND_ACTION",
    )
}
AXON_DECISION_TIMEOUT_MS = env.number("AXON_DECISION_TIMEOUT_MS", 2000, least=50)
AXON_CONTEXT_LIFETIME_S = env.number("AXON_CONTEXT_LIFETIME_S", 300, least=1)
AXON_MAX_BODY_BYTES = env.number("AXON_MAX_BODY_BYTES", 16 * 2**20, least=1024)
# Countries whose national numbers count as personal data; the engine knows those of a few.
AXON_NATIONAL_IDS = env.words("AXON_NATIONAL_IDS")
# Groups that approve where a policy requires approval and names none.
AXON_APPROVERS = env.words("AXON_APPROVERS", ("security-team",))
# How long a pre-check or a long poll may wait for an answer; proxies give up after about 30 s.
AXON_MAX_WAIT_S = env.number("AXON_MAX_WAIT_S", 25, least=0, most=300)
# Calls of one web process that may wait at a time; each sleeps on a thread of its own.
AXON_MAX_WAITING = env.number("AXON_MAX_WAITING", 256, most=4096)
# Where decisions are written: `group` commits batches on a thread, `inline` in the caller's
# transaction (management commands and most tests).
AXON_RECORDER = env.choice("AXON_RECORDER", ("group", "inline"), "group")
DATA_UPLOAD_MAX_MEMORY_SIZE = AXON_MAX_BODY_BYTES

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "axonportal.accounts.rest.ClientAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["axonportal.accounts.rest.HasScope"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    # Bodies are read by `common.body`, never by `request.data`.
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "EXCEPTION_HANDLER": "axonportal.common.problems.exception_handler",
    "UNAUTHENTICATED_USER": None,
}

# --- People -------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "axonportal.accounts.backends.MembershipBackend",
    "guardian.backends.ObjectPermissionBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
GUARDIAN_RAISE_403 = True
ANONYMOUS_USER_NAME = None
LOGIN_URL = "admin:login"

# --- Mail and webhooks --------------------------------------------------------------------

# Unset: no mail is sent, which the portal and `check --deploy` say.
_mail = env.mail_server(env.secret("AXON_EMAIL_URL"))
EMAIL_HOST, EMAIL_PORT = _mail.host, _mail.port
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _mail.user, _mail.password
EMAIL_USE_TLS, EMAIL_USE_SSL = _mail.starttls, _mail.tls
EMAIL_TIMEOUT = 10  # seconds, for each step
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.text("AXON_EMAIL_FROM")
# Private networks that webhooks may lead to; all others are refused when it is connected.
AXON_WEBHOOK_ALLOWED_NETWORKS = env.networks("AXON_WEBHOOK_ALLOWED_NETWORKS")

# --- Pages --------------------------------------------------------------------------------

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True
STATIC_URL = "/static/"
# Files are served from the apps themselves; a folder is needed only for `collectstatic`.
STATIC_ROOT = env.text("AXON_STATIC_ROOT") or None
STATICFILES_DIRS = [BASE_DIR / "axonportal" / "static"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 3600

SESSION_COOKIE_NAME = "axon_session"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = "axon_csrf"
CSRF_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
_https = AXON_PUBLIC_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _https
SECURE_HSTS_SECONDS = 31_536_000 if _https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = _https

# --- Logs ---------------------------------------------------------------------------------

# A line per decision is on the hot path; it says nothing of threads and processes.
logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
# The documented way to spare each line the search for its caller.
logging._srcfile = None  # noqa: SLF001
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(levelname).1s %(name)s: %(message)s"}},
    "handlers": {
        "console": {"class": "axonportal.common.logs.BatchingHandler", "formatter": "line"}
    },
    "root": {"handlers": ["console"], "level": env.text("AXON_LOG_LEVEL", "INFO").upper()},
    "loggers": {
        # Django logs the path of every 4xx; paths of links are not for logs.
        "django.request": {"level": "ERROR"},
        "django.security.DisallowedHost": {"level": "ERROR"},
    },
}
