"""Settings, all from the environment, with defaults that run on one machine out of the box.

GUILDMARK_HOME            where data lives: database, log tiles, published files, keys    default: ./var
GUILDMARK_DATABASE_URL    sqlite:///PATH or postgres://USER:PASSWORD@HOST:PORT/NAME       default: SQLite in HOME
GUILDMARK_BASE_URL        the public https address; part of every id that is published    default: the demo's
GUILDMARK_SECRET_KEY      Django's secret                                     default: made once, kept in HOME
GUILDMARK_KEY_PASSPHRASE  encrypts signing keys at rest                       default: made once, kept in HOME
GUILDMARK_ALLOWED_HOSTS   comma separated                         default: this machine, and BASE_URL's host if given
GUILDMARK_HTTPS           1 behind a TLS proxy that sets X-Forwarded-Proto and removes what clients send of it
                                                                              default: 0, which serves this machine
GUILDMARK_DEBUG           1 shows tracebacks in the browser                   default: 0
GUILDMARK_OIDC            sign-in, a line each: id|name|discovery URL|client id|client secret   default: none
GUILDMARK_EVM_URL         JSON-RPC address of a chain to anchor checkpoints to           default: none
GUILDMARK_STATUS_DAYS     days that a published status list is valid; the worker renews it. 0: without end   default: 30
GUILDMARK_STATUS_DELAY    seconds in which changes of status are gathered before lists are published   default: 0
GUILDMARK_WEBHOOKS_INSIDE 1 lets webhooks reach this machine and its network, for development     default: 0
GUILDMARK_TERMS_URL       the page with the terms of service, for apps                 default: the first page
GUILDMARK_PRIVACY_URL     the page that says what becomes of personal data, for apps   default: the first page
GUILDMARK_VC_API          1 signs any credential for anybody, with a test key; for test servers alone  default: 0
GUILDMARK_EMAIL_URL       smtp://USER:PASSWORD@HOST:PORT                      default: files in HOME/mail
"""

from __future__ import annotations

import os
import re
import secrets
import tempfile
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

HOME = Path(os.environ.get("GUILDMARK_HOME", "var")).resolve()


def _kept_secret(name: str) -> str:
    """A secret from the environment, or one made on the first start and kept in HOME, readable by its owner only."""
    if given := os.environ.get(f"GUILDMARK_{name}"):
        return given
    path = HOME / "secrets" / name.lower()
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, beside = tempfile.mkstemp(dir=path.parent)  # readable by its owner only
        with open(handle, "w") as file:
            file.write(secrets.token_urlsafe(48))
        try:
            os.link(beside, path)  # whole or not there, so that another process never reads half of it
        except FileExistsError:  # another process was first; its secret is the one
            pass
        finally:
            os.unlink(beside)
    kept = path.read_text().strip()
    if not kept:
        raise ImproperlyConfigured(f"{path} is empty; restore it from backup, or set GUILDMARK_{name}")
    return kept


def _database(url: str) -> dict[str, object]:
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        # A test run may ask for the database in memory; WAL lets readers go on while one writes, IMMEDIATE takes the
        # write lock at the start of a transaction, so that two writers wait instead of failing half-way. What is
        # deleted is overwritten with zeros, so that erasing a learner erases.
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": parts.path[1:] if parts.path.startswith("//") else (parts.path or ":memory:"),
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; "
                "PRAGMA secure_delete=ON;",
            },
        }
    if parts.scheme in ("postgres", "postgresql"):
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": parts.path.lstrip("/"),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            # A socket's folder travels in the query (postgresql:///name?host=/run/postgresql), as libpq has it.
            "HOST": parts.hostname or parse_qs(parts.query).get("host", [""])[0],
            "PORT": str(parts.port or ""),
            "CONN_MAX_AGE": 60,
            "CONN_HEALTH_CHECKS": True,  # a server that was restarted meanwhile costs nobody an error page
        }
    raise ImproperlyConfigured(f"GUILDMARK_DATABASE_URL starts with {parts.scheme!r}; use sqlite:// or postgres://")


def _oidc(text: str) -> list[dict[str, object]]:
    """Sign-in with an organisation's own accounts: one provider a line, five parts each."""
    apps = []
    for line in filter(None, (part.strip() for part in text.splitlines())):
        parts = line.split("|")
        if len(parts) != 5:
            raise ImproperlyConfigured("a line of GUILDMARK_OIDC is not id|name|discovery URL|client id|client secret")
        provider, name, server, client, secret = parts
        apps.append(
            {
                "provider_id": provider,
                "name": name,
                "client_id": client,
                "secret": secret,
                "settings": {"server_url": server, "oauth_pkce_enabled": True},
            }
        )
    return apps


def _number(name: str, default: int, *, most: int) -> int:
    text = os.environ.get(name, "") or str(default)
    if not re.fullmatch("[0-9]{1,6}", text) or int(text) > most:
        raise ImproperlyConfigured(f"{name} is {text[:40]!r}; write a whole number from 0 to {most:,}")
    return int(text)


DEBUG = os.environ.get("GUILDMARK_DEBUG") == "1"
SECRET_KEY = _kept_secret("SECRET_KEY")
KEY_PASSPHRASE = _kept_secret("KEY_PASSPHRASE")
BASE_URL = os.environ.get("GUILDMARK_BASE_URL", "https://demo.guildmark.example").rstrip("/")
if not re.fullmatch(r"https://[A-Za-z0-9.-]+(:\d+)?(/[A-Za-z0-9._~-]+)*", BASE_URL):
    raise ImproperlyConfigured(f"GUILDMARK_BASE_URL is {BASE_URL!r}; write one like https://badges.example.edu")
# In development alone: webhooks may go to this machine and its network, and by plain http.
WEBHOOKS_INSIDE = os.environ.get("GUILDMARK_WEBHOOKS_INSIDE") == "1"
EVM_URL = os.environ.get("GUILDMARK_EVM_URL", "")
# How long a status list is valid (0: without end), and how long a change may wait to be published with others.
STATUS_VALID = timedelta(days=_number("GUILDMARK_STATUS_DAYS", 30, most=366))
STATUS_DELAY = timedelta(seconds=_number("GUILDMARK_STATUS_DELAY", 0, most=86_400))
TERMS_URL = os.environ.get("GUILDMARK_TERMS_URL", f"{BASE_URL}/")
PRIVACY_URL = os.environ.get("GUILDMARK_PRIVACY_URL", f"{BASE_URL}/")
# For test servers alone: what the official suites ask an issuer to do, no honest issuer does (docs/api.md).
VC_API = os.environ.get("GUILDMARK_VC_API") == "1"
_hosts = os.environ.get("GUILDMARK_ALLOWED_HOSTS") or f"localhost,127.0.0.1,[::1],{urlsplit(BASE_URL).hostname}"
ALLOWED_HOSTS = [host.strip() for host in _hosts.split(",") if host.strip()]

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_tasks",
    "django_tasks_db",
    "django_htmx",
    # Ours before allauth: its pages take their layout and elements from our templates.
    "guildmark.app",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.mfa",
    "oauth2_provider",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "guildmark.app.web.security.SecurityHeaders",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "guildmark.app.web.languages.Languages",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [Path(__file__).parent / "web" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["guildmark.app.web.words"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "guildmark.app.web.frame.frame",
            ],
        },
    }
]
ROOT_URLCONF = "guildmark.app.urls"
WSGI_APPLICATION = "guildmark.app.wsgi.application"
DATABASES = {"default": _database(os.environ.get("GUILDMARK_DATABASE_URL", f"sqlite:///{HOME}/guildmark.sqlite3"))}
AUTH_USER_MODEL = "guildmark.Person"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "guildmark.app.web.accounts.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_SIGNUP_FORM_CLASS = "guildmark.app.web.accounts.NameForm"
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_SESSION_REMEMBER = False
# Else the address of the site stands in brackets before every subject.
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_PASSKEY_SIGNUP_ENABLED = True
MFA_TOTP_ISSUER = "guildmark"
SOCIALACCOUNT_ADAPTER = "guildmark.app.web.accounts.ElsewhereAdapter"
# An address that a provider vouches for never opens an account that has it already; docs/trust.md says why.
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False
SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": _oidc(os.environ.get("GUILDMARK_OIDC", ""))}}
# The demo alone lets anybody sign in as its invented people with one click.
DEMO = os.environ.get("GUILDMARK_DEMO_SITE") == "1"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": ["default"]}}
# Programs of organisations and apps of learners get their tokens here (docs/api.md): for an hour, kept as hashes.
OAUTH2_PROVIDER_APPLICATION_MODEL = "guildmark.ApiClient"
OAUTH2_PROVIDER = {
    "ACCESS_TOKEN_EXPIRE_SECONDS": 3600,
    "AUTHORIZATION_CODE_EXPIRE_SECONDS": 600,  # as Open Badges 3.0 recommends
    "REFRESH_TOKEN_EXPIRE_SECONDS": 90 * 24 * 3600,  # services.apps.REFRESH_DAYS, counted from the access token's end
    "SCOPES_BACKEND_CLASS": "guildmark.app.services.api_keys.ClientScopes",
    "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": True,
    "COMPLIANT_BCP_RFC9700_ACCESS_TOKEN_TRANSPORT": True,
    "COMPLIANT_BCP_RFC9700_IMPLICIT_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PASSWORD_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PKCE_METHOD": True,
    "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": True,
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "ALLOWED_REDIRECT_URI_SCHEMES": ["https"],
    "APPLICATION_ADMIN_CLASS": "guildmark.app.admin.ApiClientAdmin",
    "ACCESS_TOKEN_ADMIN_CLASS": "guildmark.app.admin.TokenAdmin",
    "REFRESH_TOKEN_ADMIN_CLASS": "guildmark.app.admin.TokenAdmin",
    "GRANT_ADMIN_CLASS": "guildmark.app.admin.ReadOnly",
    "ID_TOKEN_ADMIN_CLASS": "guildmark.app.admin.ReadOnly",
}
FOLLOW_UPS = {
    "deliver_mail": "guildmark.app.tasks.mail.deliver_mail",
    "run_award_lists": "guildmark.app.tasks.award_lists.run_award_lists",
    "publish_checkpoint": "guildmark.app.tasks.ledger.publish_checkpoint",
    "deliver_webhooks": "guildmark.app.tasks.webhooks.deliver_webhooks",
    "publish_documents": "guildmark.app.tasks.publish.publish_documents",
    "publish_status_lists": "guildmark.app.tasks.status.publish_status_lists",
}

LANGUAGE_CODE = "en"
# What every page is translated into (tests/test_languages.py); `lang` must never promise another. Each is called by
# its own name, which whoever looks for it can read.
LANGUAGES = [("en", "English"), ("es", "Español"), ("de", "Deutsch")]
LOCALE_PATHS = [Path(__file__).parent / "locale"]
FORMAT_MODULE_PATH = "guildmark.app.web.formats"
LANGUAGE_COOKIE_NAME = "language"
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "static/"
STATIC_ROOT = HOME / "static"
STATICFILES_DIRS = [Path(__file__).parent / "web" / "static"]
WHITENOISE_USE_FINDERS = True
DATA_UPLOAD_MAX_MEMORY_SIZE = 5_000_000
FILE_UPLOAD_MAX_MEMORY_SIZE = 5_000_000

_mail = urlsplit(os.environ.get("GUILDMARK_EMAIL_URL", ""))
if _mail.scheme == "smtp":
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    EMAIL_HOST, EMAIL_PORT = _mail.hostname, _mail.port or 587
    EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = unquote(_mail.username or ""), unquote(_mail.password or "")
    EMAIL_USE_TLS = True
    EMAIL_TIMEOUT = 20  # seconds; a mail server that says nothing must not hold up the worker
else:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = HOME / "mail"
DEFAULT_FROM_EMAIL = os.environ.get("GUILDMARK_FROM_EMAIL", "guildmark <no-reply@demo.guildmark.example>")

# Errors go to standard error, where whoever runs the site collects them; a claim link is a key and is never written.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"no_claim_links": {"()": "guildmark.app.web.security.NoClaimLinks"}},
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["no_claim_links"]},
    },
    "loggers": {
        "django": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        "django_tasks": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
        "django_tasks_db": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
    },
}

SESSION_COOKIE_AGE = 12 * 60 * 60  # an operator's day
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# Whose requests are counted: with a proxy in front, those of the address that the proxy has written down last.
NINJA_NUM_PROXIES = 1 if os.environ.get("GUILDMARK_HTTPS") == "1" else 0
if os.environ.get("GUILDMARK_HTTPS") == "1":
    SECURE_SSL_REDIRECT = True
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    # For this host alone: what other hosts of the domain serve, and preload lists, are their owner's decision.
    SECURE_HSTS_SECONDS = 31_536_000
    SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
