"""Every address of the site. Each view declares its audience with `access.audience`; a test walks this list."""

from django.contrib import admin
from django.urls import path, re_path

from guildmark.app.web import public

urlpatterns = [
    path("", public.home, name="home"),
    path("verify", public.verify, name="verify"),
    path("verify/<uuid:id>", public.verify_paper, name="verify-paper"),
    path("claim/<str:token>", public.claim, name="claim"),
    path("claim/<str:token>/accept", public.claim_accept, name="claim-accept"),
    path("claim/<str:token>/<str:name>", public.claim_file, name="claim-file"),
    re_path(
        r"^(?P<path>(?:issuers|partners|achievements|status|gate|log|\.well-known)/.+)$",
        public.published_document,
        name="published",
    ),
    path("admin/", admin.site.urls),
]

handler400 = public.refused
