"""Every address of the site. Each view declares its audience with `access.audience`; a test walks this list."""

from django.contrib import admin
from django.urls import include, path, re_path

from guildmark.app.web import catalogue, home, learner, organisations, partner, provider, public

urlpatterns = [
    path("", home.home, name="home"),
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
    path("account/", include("allauth.urls")),
    path("start", organisations.start, name="start"),
    path("o/<slug:slug>/people", organisations.people, name="people"),
    path("o/<slug:slug>/people/check", organisations.check_domain, name="check-domain"),
    path("o/<slug:slug>/people/remove", organisations.remove, name="remove-member"),
    path("invitation/<str:token>", organisations.invitation, name="invitation"),
    path("o/<slug:slug>/blueprints", provider.blueprints, name="blueprints"),
    path("o/<slug:slug>/marking", provider.marking, name="marking"),
    path("o/<slug:slug>/awards", provider.awards, name="awards"),
    path("o/<slug:slug>/maps", partner.maps, name="maps"),
    path("o/<slug:slug>/hire", partner.hire, name="hire"),
    path("learn", catalogue.catalogue, name="catalogue"),
    path("my", learner.wallet, name="wallet"),
    path("demo/sign-in", home.demo_sign_in, name="demo-sign-in"),
    path("admin/", admin.site.urls),
]

handler400 = public.refused
