"""The addresses of the APIs and of OAuth."""

from django.urls import include, path, re_path

from guildmark.app.api import address, open_badges, vc_api

urlpatterns = [
    path("api/v1/", address.page, name="api"),
    path("api/v1/openapi.json", address.openapi_file, name="openapi"),
    path("api/v1/", include((address.operations(), "api"))),
    re_path(r"^api/v1/(?P<path>.*)$", address.no_operation, name="no-operation"),
    path("oauth/token", address.token, name="oauth-token"),
    path("oauth/revoke", address.revoke_token, name="oauth-revoke"),
    path("oauth/register", open_badges.register, name="oauth-register"),
    path("ims/ob/v3p0/discovery", open_badges.discovery, name="ob-discovery"),
    path("ims/ob/v3p0/credentials", open_badges.credentials, name="ob-credentials"),
    path("ims/ob/v3p0/profile", open_badges.profile, name="ob-profile"),
    re_path(r"^ims/ob/v3p0/(?P<path>.*)$", open_badges.nothing, name="ob-nothing"),
    path("credentials/issue", vc_api.issue, name="vc-issue"),
    path("credentials/verify", vc_api.verify, name="vc-verify"),
    path("presentations/verify", vc_api.verify_presented, name="vc-verify-presentation"),
]
