"""Pages of an industry partner."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from guildmark.app.access import audience


@audience("person")
def maps(request: HttpRequest, slug: str) -> HttpResponse:
    return render(request, "guildmark/home.html")


@audience("person")
def hire(request: HttpRequest, slug: str) -> HttpResponse:
    return render(request, "guildmark/home.html")
