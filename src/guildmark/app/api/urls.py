"""The addresses of the API and of OAuth."""

from django.urls import include, path, re_path

from guildmark.app.api import address

urlpatterns = [
    path("api/v1/", address.page, name="api"),
    path("api/v1/openapi.json", address.openapi_file, name="openapi"),
    path("api/v1/", include((address.operations(), "api"))),
    re_path(r"^api/v1/(?P<path>.*)$", address.no_operation, name="no-operation"),
    path("oauth/token", address.token, name="oauth-token"),
    path("oauth/revoke", address.revoke_token, name="oauth-revoke"),
]
