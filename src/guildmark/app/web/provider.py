"""Pages of a provider."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from guildmark.app.access import audience


@audience("person")
def blueprints(request: HttpRequest, slug: str) -> HttpResponse:
    return render(request, "guildmark/home.html")


@audience("person")
def marking(request: HttpRequest, slug: str) -> HttpResponse:
    return render(request, "guildmark/home.html")


@audience("person")
def awards(request: HttpRequest, slug: str) -> HttpResponse:
    return render(request, "guildmark/home.html")
