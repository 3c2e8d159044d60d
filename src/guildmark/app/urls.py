"""Every address of the site. Each view declares its audience with `access.audience`; a test walks this list."""

from django.contrib import admin
from django.urls import path

urlpatterns = [
    path("admin/", admin.site.urls),
]
