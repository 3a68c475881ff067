"""All settings, read from the environment only. `.env.example` lists every variable with its meaning.

Nothing is validated here: project/checks.py refuses to start with wrong values.
"""

from __future__ import annotations

import os
from email.utils import formataddr
from pathlib import Path

import environ
from csp.constants import NONE, SELF

from project import addresses, log_lines, mail_urls, schedule

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

# --- The installation ---------------------------------------------------------------------------------------------
DEBUG = env.bool("DEBUG", default=False)
CRASH_AT = env.str("CRASH_AT", default="") if DEBUG else ""  # for tests: payments/crash_points.py
SECRET_KEY = env.str("SECRET_KEY", default="for-development-only-not-secret" if DEBUG else "")
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
PORT = env.int("PORT", default=8000)
SITE_URL = env.str("SITE_URL", default=f"http://127.0.0.1:{PORT}").rstrip("/")
SITE_NAME = env.str("SITE_NAME", default="The Dnipro Courier")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"] if DEBUG else [])
CSRF_TRUSTED_ORIGINS = [SITE_URL] if SITE_URL.startswith("https://") else []
DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / ".data"))).resolve()
TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", default=0)
SENTRY_DSN = env.str("SENTRY_DSN", default="")
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024  # a larger body is answered 413 (project/middleware.py)
FILE_UPLOAD_HANDLERS: list[str] = []  # no page takes files: what is sent as one is read and dropped

# --- The newsroom: its name, editor, contact and bank account -------------------------------------------------------
LEGAL_NAME = env.str("LEGAL_NAME", default=SITE_NAME)
LEGAL_ADDRESS = env.str("LEGAL_ADDRESS", default="")
LEGAL_REGISTRATION = env.str("LEGAL_REGISTRATION", default="")
CONTACT_EMAIL = env.str("CONTACT_EMAIL", default="support@newsroom.invalid")
CONTACT_PROMISE_DAYS = env.int("CONTACT_PROMISE_DAYS", default=2)
EDITOR_NAME = env.str("EDITOR_NAME", default="")
EDITOR_ROLE = env.str("EDITOR_ROLE", default="")
STATEMENT_NAME = env.str("STATEMENT_NAME", default=SITE_NAME.upper()[:22])
WORDS_DIR = env.str("WORDS_DIR", default="")

BANK_BENEFICIARY = env.str("BANK_BENEFICIARY", default=LEGAL_NAME)
BANK_IBAN = env.str("BANK_IBAN", default="").replace(" ", "")
BANK_BIC = env.str("BANK_BIC", default="")
OTHER_WAYS_LINKS = env.list("OTHER_WAYS_LINKS", default=[])

# --- Gifts ----------------------------------------------------------------------------------------------------------
CURRENCIES = env.list(
    "CURRENCIES",
    default=["EUR", "USD", "GBP", "UAH", "CAD", "AUD", "CHF", "SEK", "NOK", "DKK", "PLN", "CZK", "HUF", "JPY"],
)  # the first is the default
CHECKOUT_LIMIT_PER_NETWORK = env.int("CHECKOUT_LIMIT_PER_NETWORK", default=10)
CHECKOUT_LIMIT_IN_ALL = env.int("CHECKOUT_LIMIT_IN_ALL", default=300)
CHECKOUT_LIMIT_SECONDS = env.int("CHECKOUT_LIMIT_SECONDS", default=600)
CHECKOUT_PAYMENT_METHODS = env.list("CHECKOUT_PAYMENT_METHODS", default=["card", "link", "sepa_debit"])
PORTAL_PAYMENT_METHODS = env.str("PORTAL_PAYMENT_METHODS", default="")
STRIPE_LOCALES = env.dict("STRIPE_LOCALES", default={"uk": "en"})

# --- Stripe ---------------------------------------------------------------------------------------------------------
STRIPE_SECRET_KEY = env.str("STRIPE_SECRET_KEY", default="")
STRIPE_API_BASE = env.str("STRIPE_API_BASE", default="https://api.stripe.com").rstrip("/")
STRIPE_WEBHOOK_SECRETS = env.list("STRIPE_WEBHOOK_SECRETS", default=[])
STRIPE_ACCOUNT = env.str("STRIPE_ACCOUNT", default="")
STRIPE_READS_PER_SECOND = env.int("STRIPE_READS_PER_SECOND", default=20)
STRIPE_IS_SIMULATED = DEBUG and STRIPE_SECRET_KEY.startswith("sk_test_simulator")
STRIPE_PARAMS_CHECKED = DEBUG  # every write is checked against the SDK's types before it is sent
STRIPE_PAGE_HOSTS = (
    [STRIPE_API_BASE]
    if STRIPE_IS_SIMULATED
    else ["https://checkout.stripe.com", "https://billing.stripe.com", "https://invoice.stripe.com"]
)

# --- Applications ---------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "project.staff_site.StaffAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "axes",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "csp",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "members",
    "appeals",
    "payments",
    "project",
]
MIDDLEWARE = [
    "project.middleware.webhook_first",
    "project.middleware.small_bodies",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "project.middleware.response_headers",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "project.middleware.language",
    "project.middleware.guessed_links",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "project.middleware.desk_viewer",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "project.urls"
WSGI_APPLICATION = "project.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [*([WORDS_DIR] if WORDS_DIR else []), BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "project.context.newsroom",
            ],
        },
    }
]

# --- Data -----------------------------------------------------------------------------------------------------------
DATABASES = {"default": addresses.database(env.str("DATABASE_URL", default="postgres://127.0.0.1/hromada"))}
DATABASES["default"] |= {
    "CONN_MAX_AGE": None,
    "CONN_HEALTH_CHECKS": True,
    "OPTIONS": {
        **DATABASES["default"].get("OPTIONS", {}),
        "connect_timeout": 3,
        "tcp_user_timeout": 10000,  # a host that disappeared is noticed in ten seconds, not in a quarter of an hour
        "server_side_binding": True,
        "prepare_threshold": 3,
    },
}
REDIS_URL = addresses.quoted(env.str("REDIS_URL", default="redis://127.0.0.1:6379/0"))
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "static_collected"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = DEBUG

# --- How long data about people is kept, in days (payments/rights/ageing.py) ------------------------------------------
KEEP_CHECKOUTS_DAYS = env.int("KEEP_CHECKOUTS_DAYS", default=30)
KEEP_LETTERS_DAYS = env.int("KEEP_LETTERS_DAYS", default=400)
KEEP_REPORTS_DAYS = env.int("KEEP_REPORTS_DAYS", default=90)
KEEP_EVENTS_DAYS = env.int("KEEP_EVENTS_DAYS", default=90)
KEEP_SIGN_INS_DAYS = env.int("KEEP_SIGN_INS_DAYS", default=30)

# --- Words, dates ---------------------------------------------------------------------------------------------------
LANGUAGE_CODE = env.str("LANGUAGE_CODE", default="en")
LANGUAGES = [("en", "English"), ("uk", "Українська")]
# The editor's name and role in each language, such as Олена Коваль, головна редакторка; else EDITOR_NAME, EDITOR_ROLE.
EDITOR_NAMES = {code: env.str(f"EDITOR_NAME_{code.upper()}", default="") for code, _ in LANGUAGES}
EDITOR_ROLES = {code: env.str(f"EDITOR_ROLE_{code.upper()}", default="") for code, _ in LANGUAGES}
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = ["project.formats"]
TIME_ZONE = env.str("TIME_ZONE", default="Europe/Kyiv")
USE_TZ = True

# --- Mail -----------------------------------------------------------------------------------------------------------
EMAIL_URL = env.str("EMAIL_URL", default="")
EMAIL_URL_RELATIONSHIP = env.str("EMAIL_URL_RELATIONSHIP", default="")
vars().update(mail_urls.django_settings(EMAIL_URL))
SERVICE_MAIL = mail_urls.route(EMAIL_URL, is_default=True)
RELATIONSHIP_MAIL = (
    mail_urls.route(EMAIL_URL_RELATIONSHIP, is_default=False) if EMAIL_URL_RELATIONSHIP else SERVICE_MAIL
)
EMAIL_TIMEOUT = 20
ANYMAIL_WEBHOOK_SECRET = env.str("ANYMAIL_WEBHOOK_SECRET", default="")
ANYMAIL = {"REQUESTS_TIMEOUT": EMAIL_TIMEOUT, **mail_urls.anymail_settings(os.environ)}
MAIL_DIR = DATA_DIR / "mail"
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default=formataddr((SITE_NAME, CONTACT_EMAIL)))
RELATIONSHIP_FROM_EMAIL = env.str("RELATIONSHIP_FROM_EMAIL", default=DEFAULT_FROM_EMAIL)
DISCREET_FROM_NAME = env.str("DISCREET_FROM_NAME", default="Support")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
MAIL_PER_SECOND = env.int("MAIL_PER_SECOND", default=14) if EMAIL_URL else 0  # files may be written at any pace
MAIL_SENDERS = env.int("MAIL_SENDERS", default=4)
STAFF_ALERT_EMAILS = env.list("STAFF_ALERT_EMAILS", default=[])
STAFF_GIFT_EMAILS = env.list("STAFF_GIFT_EMAILS", default=[])
ALERT_NO_EVENTS_HOURS = env.int("ALERT_NO_EVENTS_HOURS", default=24)

# --- Celery: how its workers behave is in project/celery.py -----------------------------------------------------------
CELERY_BROKER_URL = REDIS_URL
CELERY_TIMEZONE = TIME_ZONE
CELERY_TASK_ROUTES = schedule.ROUTES
CELERY_BEAT_SCHEDULE = schedule.BEAT
HEARTBEAT_LIVES_SECONDS = schedule.HEARTBEAT_LIVES_SECONDS

# --- Staff ----------------------------------------------------------------------------------------------------------
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "CommonPasswordValidator", "NumericPasswordValidator")
] + [{"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}}]
AXES_FAILURE_LIMIT, AXES_COOLOFF_TIME = 5, 0.25
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_CLIENT_IP_CALLABLE = "members.limits.address_of"
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_LOCKOUT_TEMPLATE = "staff/locked.html"
AXES_ENABLE_ADMIN = False  # payments/staff/sign_ins.py shows its rows, and nobody deletes them
STAFF_SECOND_FACTOR = env.bool("STAFF_SECOND_FACTOR", default=not DEBUG)
OTP_TOTP_THROTTLE_FACTOR = 0  # members/staff/factor.py counts tries; a growing delay would shut the owner out
OTP_TOTP_ISSUER = SITE_NAME
REFUND_LIMIT_SUPPORT = env.int("REFUND_LIMIT_SUPPORT", default=100)
REFUND_LIMIT_ALONE = env.int("REFUND_LIMIT_ALONE", default=1000)
LOGIN_URL = "admin:login"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_EXPIRE_AT_BROWSER_CLOSE = True

# --- API for other servers --------------------------------------------------------------------------------------------
ENTITLEMENT_LOOKUPS_PER_MINUTE = env.int("ENTITLEMENT_LOOKUPS_PER_MINUTE", default=600)
ENTITLEMENT_LOOKUPS_PER_DAY = env.int("ENTITLEMENT_LOOKUPS_PER_DAY", default=100_000)
REST_FRAMEWORK = {
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Hromada",
    "DESCRIPTION": "The API for a newsroom's other servers. `manage.py create_api_key` creates keys.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
}

# --- Browser security -------------------------------------------------------------------------------------------------
# form-action must name Stripe's pages: a browser refuses the 303 to Checkout otherwise.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF, *STRIPE_PAGE_HOSTS],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}
IS_HTTPS = SITE_URL.startswith("https://")
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz|metrics)$"]  # requested from inside the network, without TLS
SECURE_SSL_REDIRECT = False if DEBUG else env.bool("SECURE_SSL_REDIRECT", default=IS_HTTPS)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXY_COUNT else None
SECURE_HSTS_SECONDS = 31536000 if IS_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = IS_HTTPS
SECURE_HSTS_PRELOAD = IS_HTTPS
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_AGE = None  # until the browser is closed: a year of it would tell whoever finds the device
X_FRAME_OPTIONS = "DENY"

# --- Logs: ids and states, no personal data ---------------------------------------------------------------------------
LOGGING = log_lines.configuration(env.str("LOG_LEVEL", default=""))
